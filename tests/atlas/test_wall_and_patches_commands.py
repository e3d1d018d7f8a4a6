"""`pellucid atlas wall` and `patches`, on a small atlas of crops."""

import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

import pellucid as pl
from atlas import collection
from pellucid.app.cli import app
from pellucid.atlas.atlas import Atlas
from pellucid.images import open_image

pytest.importorskip("lance")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, bundled: pl.Network) -> Path:
    """An atlas of sixteen parts of two photos, with a map."""
    folder = tmp_path_factory.mktemp("collection")
    for name in ("cat", "coffee"):
        (folder / "photos" / name).mkdir(parents=True)
        whole = open_image(f"photo:{name}").floats()
        for number in range(8):
            down, across = number // 4 * 90, number % 4 * 60
            part = whole[:, down : down + 120, across : across + 140]
            pl.Picture(values=part).save(folder / "photos" / name / f"{number}.png")
    atlas = Atlas.build(
        folder / "small.atlas", bundled, folder / "photos", layers=["relu3"], keep=4
    )
    random = torch.Generator().manual_seed(0)
    atlas.write_map("tsne", torch.randn(16, 2, generator=random), {})
    return folder / "small.atlas"


def run(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["atlas", *map(str, words)])
    return done.exit_code, done.output


def test_a_wall_and_an_image_of_it(place: Path, tmp_path: Path) -> None:
    code, text = run("wall", place, tmp_path / "wall", "--image", tmp_path / "wall.png")
    assert code == 0 and "16 photos on 4 x 4 cells" in text and "index.html" in text
    script = (tmp_path / "wall" / "wall.js").read_text("utf-8")
    data = json.loads(script.removeprefix("window.WALL = ").rstrip().removesuffix(";"))
    assert len(data["at"]) == 16 and set(data["names"]) >= {"cat", "coffee"}
    assert all(share > 0 for share in data["shares"]) and min(data["predicted"]) >= 0
    linked = (tmp_path / "wall" / (data["link"] + data["rests"][0])).resolve()
    assert linked.is_file()  # "Open the photo itself" leads there
    assert open_image(tmp_path / "wall.png").size[0] > 100
    code, text = run("wall", place, tmp_path / "wall")
    assert code == 2 and "is a wall already" in text
    code, text = run("wall", place, tmp_path / "wall", "--force", "--json", "--lang", "zh")
    assert code == 0 and json.loads(text)["photos"] == 16
    code, text = run("wall", place, tmp_path / "other", "--map", "tsme")
    assert code == 2 and "did you mean 'tsne'" in text and not (tmp_path / "other").exists()


def test_patches_of_units(place: Path, tmp_path: Path) -> None:
    out = tmp_path / "patches.png"
    code, text = run("patches", place, "relu3:7", "relu3:5", "--out", out, "--json", "--keep", 3)
    found = json.loads(text)
    assert code == 0 and list(found["channels"]) == ["7", "5"] and out.is_file()
    best = Atlas.open(place).best("relu3")
    rows = [[patch["row"] for patch in found["channels"][name]] for name in ("7", "5")]
    assert rows == best.images[[7, 5], :3].tolist()
    plain = out.read_bytes()
    code, text = run("patches", place, "relu3:7", "relu3:5", "--out", out)
    assert code == 2 and "--force" in text
    code, _ = run("patches", place, "relu3:7", "--outline", "--guided", "--out", out, "--force")
    assert code == 0 and out.read_bytes() != plain
    for word, says in (
        ("relu3:x", "a unit is LAYER:CHANNEL"),
        ("relu3:999", "channels 0 to 127, not 999"),
        ("relu4:1", "did you mean 'relu3'"),
    ):
        code, text = run("patches", place, word, "--out", tmp_path / "none.png")
        assert code == 2 and says in text
    code, text = run("patches", place, "relu3:1", "--negative", "--out", tmp_path / "none.png")
    assert code == 2 and "negative" in text and not (tmp_path / "none.png").exists()


def test_a_map_becomes_a_wall(tmp_path: Path) -> None:
    """As the first lines of the README have it."""
    photos = collection.folder(tmp_path / "photos", 12)
    atlas = pl.Atlas.build(tmp_path / "a", collection.network(), photos, layers=["7"])
    made = atlas.map("pca").wall(tmp_path / "wall")
    assert made.page == tmp_path / "wall" / "index.html" and made.page.is_file()
