"""“Coming from …”: each line of those tables, theirs beside ours on the bundled network."""

import copy
import shlex
import tomllib
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from pellucid.app.cli import app
from pellucid.make.objective import Objective, View

DOCS = Path(__file__).parents[1] / "docs"
PEERS: dict[str, Any] = tomllib.loads((DOCS / "coming_from.toml").read_text("utf-8"))
LINES = [
    pytest.param(peer, line, id=f"{name}-{number}")
    for name, peer in PEERS.items()
    if not peer.get("shell")
    for number, line in enumerate(peer["lines"], start=1)
]
SHELL = PEERS["neural-style-pt"]["lines"]


def close(a: Tensor, b: Tensor) -> bool:
    """Whether two have the same numbers, to 1e-4 of the greatest of them."""
    wanted, made = a.detach().float().squeeze(), b.detach().float().squeeze()
    assert wanted.shape == made.shape, (wanted.shape, made.shape)
    assert bool(wanted.any())
    return float((wanted - made).abs().max()) < 1e-4 * float(wanted.abs().max())


def alike(a: Any, b: Tensor) -> float:
    """Correlation of two maps, of which the one or the other may be enlarged."""
    maps = [torch.as_tensor(one).detach().float().squeeze() for one in (a, b)]
    side = max(one.shape[-1] for one in maps)
    large = [
        F.interpolate(one[None, None], (side, side), mode="bilinear", align_corners=False)
        for one in maps
    ]
    return float(torch.corrcoef(torch.stack([one.flatten() for one in large]))[0, 1])


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """What the lines of the tables may speak of."""
    net = pl.load(device="cpu")
    photo = pl.open_image("photo:cat")
    inputs, _ = net.prepare(photo)
    pixels = net.preprocess.crop(photo)[0].permute(1, 2, 0).numpy()
    with torch.no_grad(), pl.recording(net, ["relu4"]) as seen:
        net.module(inputs)
    vector = seen["relu4"].mean((0, 2, 3)).detach()

    def value(wanted: Objective) -> Tensor:
        found = wanted.bind(net).value(View(net, inputs, {"relu4": seen["relu4"]}))
        return found[0].detach()

    dense, mask = placed(net)
    return {
        "dense": dense, "mask": mask, "pl": pl, "torch": torch, "net": net, "photo": photo,
        "module": net.module,
        "pixels": pixels, "vector": vector, "acts": lambda name: seen[name].detach(),
        "value": value, "close": close, "alike": alike, "fresh": lambda: net.prepare(photo)[0],
    }  # fmt: skip


def placed(net: pl.Network) -> tuple[pl.Network, Any]:
    """A network that answers place by place, and where it answers with its second class."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        parts = nn.Conv2d(3, 6, 9, 4), nn.ReLU(), nn.Conv2d(6, 3, 5, bias=False)
    size = net.preprocess.size
    dense = pl.Network(nn.Sequential(*parts), size=size, labels=["background", "cat", "sofa"])
    dense.preprocess = net.preprocess
    with torch.no_grad():
        answers = dense.scores(dense.prepare(pl.open_image("photo:cat"))[0])[0].argmax(0)
    return dense, (answers == 1).float().numpy()


@pytest.fixture(scope="module")
def atlas(names: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The installed photos, surveyed."""
    pytest.importorskip("lance")
    pytest.importorskip("openTSNE")
    path = tmp_path_factory.mktemp("atlas") / "photos.atlas"
    photos = pl.stream([pl.open_image(name) for name in pl.photos()])
    return pl.Atlas.build(path, names["net"], photos, layers="relu7")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("peer", "line"), LINES)
def test_a_line(
    peer: dict[str, Any],
    line: dict[str, str],
    names: dict[str, Any],
    request: pytest.FixtureRequest,
) -> None:
    # A copy: what is theirs may leave hooks behind, or other rectifiers.
    net = names["net"].with_module(copy.deepcopy(names["net"].module))
    known = names | {"net": net, "module": net.module}
    if "atlas." in line["ours"]:
        known["atlas"] = request.getfixturevalue("atlas")
    fresh: Callable[[], Tensor] = known["fresh"]
    with net.at_rest(), torch.enable_grad():
        known["inputs"] = fresh()
        there = peer["module"] and find_spec(peer["module"]) is not None
        if there and "shown" not in line:
            exec(peer["code"], known)  # our own file
            known["inputs"].requires_grad_()
            known["a"] = eval(line["theirs"], known)
    known["inputs"] = fresh()
    known["b"] = eval(line["ours"], known)
    if "a" in known or "shown" in line:
        assert eval(line["check"], known), line["theirs"]
    else:
        pytest.skip(f"{peer['module']} is not installed: theirs did not run")


@pytest.mark.parametrize("line", SHELL, ids=lambda line: line["theirs"].split()[0])
def test_a_line_of_the_shell(line: dict[str, str], here: Path) -> None:
    """Ours runs as it stands, small; the later of a setting given twice counts."""
    from typer.testing import CliRunner

    words = shlex.split(line["ours"])
    small = ["--size", "48", "--octaves", "1", "--steps", "2"]
    out = [] if "--out" in words else ["--out", "made.png"]
    ran = CliRunner().invoke(app, ["style-transfer", *words, *small, *out])
    assert ran.exit_code == 0, ran.output
    recipe = pl.replay(next(here.glob("*.png"))).result.recipe
    assert recipe.method == "style_transfer"
    changed = {word.lstrip("-") for word in words if word.startswith("--")}
    for name in changed & recipe.settings.keys() - {"size", "octaves", "steps"}:
        given = words[words.index(f"--{name}") + 1]
        assert str(recipe.settings[name]) == given


def test_every_line_says_what_differs_and_every_peer_where_it_is_told() -> None:
    for peer in PEERS.values():
        assert peer["source"].startswith("https://") and peer["version"]
        for line in peer["lines"]:
            assert line["en"] and line["zh"]
            assert ("check" in line) != bool(peer.get("shell"))
            assert ("shown" in line) == ("source" in line)
        for name in ("en", "zh", "beyond_en", "beyond_zh"):
            assert peer[name]


def test_the_peers_that_are_installed_are_those_that_are_named() -> None:
    from importlib.metadata import version

    packages = {"captum": "captum", "pytorch_grad_cam": "grad-cam", "zennit": "zennit"}
    for peer in PEERS.values():
        package = packages.get(peer["module"])
        if package and find_spec(peer["module"]):
            import_module(peer["module"])
            assert version(package) == peer["version"]


def test_numbers_that_differ_are_told_from_those_that_do_not() -> None:
    one = torch.arange(12.0).view(3, 4)
    assert close(one, one + 1e-4)
    assert not close(one, one + 0.01)
    assert alike(one, one.flip(1)) < 0.95 < alike(one, 2 * one + 1)
