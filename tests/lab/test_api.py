"""What programs can ask of the lab, through gradio_client."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pellucid as pl
from lab.conftest import Running
from pellucid.register import entries
from pellucid.replay import read

ROOT = Path(__file__).parents[2]

# Those of gradio_client, which leaves connections open.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def client(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    gradio_client = pytest.importorskip("gradio_client")
    folder = tmp_path_factory.mktemp("downloads")
    made = gradio_client.Client(running.address, verbose=False, download_files=str(folder))
    yield made
    made.close()


def test_it_says_what_there_is(client: Any) -> None:
    methods = client.predict(api_name="/methods")
    assert methods.keys() == entries().keys()
    smooth = methods["saliency"]["settings"]["smooth"]
    assert (smooth["kind"], smooth["default"], smooth["low"]) == ("int", 1, 1)
    assert methods["feature"]["settings"]["want"]["required"]
    assert client.predict(api_name="/networks")[:2] == ["pane", "alexnet"]
    found = client.predict("pane", api_name="/layers")
    assert found["layers"][0]["name"] == "conv1" and len(found["labels"]) == 101


def test_only_what_is_meant_for_programs_is_there(client: Any) -> None:
    named = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert {"/methods", "/networks", "/layers", "/run"} <= named.keys()
    assert all(not name.startswith(("/lambda", "/pick", "/stop")) for name in named)


def test_a_method_on_an_installed_photo(client: Any) -> None:
    job = client.submit(
        "saliency", {"photo": ["photo:cat"]}, {"smooth": 2}, "pane", True, [], api_name="/run"
    )
    picture, told = job.result()
    assert told["command"] == "pellucid saliency photo:cat --smooth 2 --over"
    same = pl.saliency(pl.load(device="cpu"), "photo:cat", smooth=2)
    assert read(Path(picture)).values == told["recipe"]["values"] == same.recipe.values
    on_the_way = [told for picture, told in job.outputs() if picture is None]
    assert on_the_way[0]["text"] == "pane"


def test_a_method_on_an_upload(client: Any, tmp_path: Path) -> None:
    from gradio_client import handle_file

    own = tmp_path / "my cat.png"
    pl.saliency(pl.load(device="cpu"), "photo:cat").over().save(own)
    picture, told = client.predict(
        "predict", {"photo": ["upload:0"]}, {"top": 2}, "pane", False,
        [handle_file(str(own))], api_name="/run",
    )  # fmt: skip
    assert Path(picture).read_bytes().startswith(b"\x89PNG")
    assert told["recipe"]["photos"]["photo"]["hash"] == pl.open_image(own).hash
    assert "my" in told["command"] and str(tmp_path) not in told["command"]


@pytest.mark.parametrize("manual", ["docs/lab.md", "docs/zh/lab.md"])
def test_the_lines_of_the_manual_run(client: Any, running: Running, manual: str) -> None:
    text = (ROOT / manual).read_text("utf-8")
    (lines,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    space: dict[str, Any] = {}
    exec(lines.replace("http://127.0.0.1:7860", running.address), space)
    space["lab"].close()
    assert space["told"]["command"] in lines
    assert Path(space["picture"]).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (("saliensy", {}, {}, "pane"), "did you mean 'saliency'"),
        (("saliency", {"photo": ["/etc/hostname"]}, {}, "pane"), "not among the photos"),
        (("saliency", {"photo": ["upload:0"]}, {}, "pane"), "there are 0 uploads"),
        (("saliency", {"photo": ["upload:-1"]}, {}, "pane"), "there are 0 uploads"),
        (("saliency", {"photo": ["photo:cat"]}, {"smooth": -1}, "pane"), "smooth is from 1"),
        (("saliency", {"photo": ["photo:cat"]}, {"x": 1}, "pane"), "no setting of saliency 'x'"),
        (("saliency", {"photo": ["photo:cat"]}, {}, "pain"), "did you mean 'pane'"),
        (("stylist", {"photo": ["photo:cat"]}, {"model": "/etc/x"}, "pane"), "in the shell only"),
        (("saliency", {}, {}, "pane"), "photo"),
        (("saliency", {"photo": []}, {}, "pane"), "photo"),
    ],
)
def test_a_wrong_request_is_told_in_words(client: Any, asked: tuple[Any, ...], why: str) -> None:
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError, match=why):
        client.predict(*asked, False, [], api_name="/run")


def test_files_of_the_machine_are_not_served(running: Running) -> None:
    import httpx

    secret = running.folder / "secret.txt"
    secret.write_text("x")
    for path in ("/etc/hostname", secret, f"{running.folder}/results/../secret.txt"):
        answer = httpx.get(f"{running.address}/gradio_api/file={path}")
        assert answer.status_code in (403, 404), path
    rebound = httpx.get(running.address, headers={"host": "evil.example"})
    assert rebound.status_code == 400
    for page in ("/docs", "/monitoring", "/nothing"):
        assert httpx.get(running.address + page).status_code in (403, 404), page


def test_uploads_are_bounded_in_bytes(running: Running) -> None:
    import httpx

    large = b"x" * 50_000_001
    answer = httpx.post(
        f"{running.address}/gradio_api/upload", files={"files": ("large.png", large)}
    )
    assert answer.status_code == 413
