"""What the worker tells of a network and its units, and what the page makes of it."""

from pathlib import Path
from typing import Any

import pytest
import torch

import pellucid as pl
from pellucid import tiles
from pellucid.app.lab.bench import Bench
from pellucid.app.lab.desk import News
from pellucid.app.lab.network_html import View, plate
from pellucid.app.lab.outcome import Outcome
from pellucid.app.lab.tasks import task
from pellucid.errors import PellucidError
from pellucid.gallery import Gallery
from pellucid.progress import finished
from pellucid.results import Grid


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("lab")
    return Bench({"pane": {"name": "pane"}}, "cpu", str(folder), 40_000_000)


def do(bench: Bench, name: str, **given: Any) -> Outcome:
    return finished(task(name)(bench, **given))


@pytest.fixture(scope="module")
def view(bench: Bench) -> View:
    return View("pane", do(bench, "plan", network="pane").facts, "en")


def test_the_plan_has_every_layer_with_what_it_sees(bench: Bench, view: View) -> None:
    net = bench.network("pane")
    assert {p["name"] for p in view.plan["parts"]} == set(net.layers) - {""}
    part = view.diagram.parts["conv3"]
    field = net.layers["conv3"].field
    assert field is not None
    assert (tuple(part["sees"]), tuple(part["stride"])) == (field.size, field.stride)
    assert part["filters"] and not view.diagram.parts["relu3"]["filters"]
    assert view.last == "classifier"


@pytest.mark.parametrize("names", [("3", "17", "40", "41", "42"), ()])
def test_a_tile_lies_where_its_cell_says(names: tuple[str, ...]) -> None:
    torch.manual_seed(0)
    grid = Grid(values=torch.rand(5, 1, 7, 9), names=names, scale="range", joint=True)
    image = grid.image()
    height, width = image.shape[1:]
    assert [name for name, _ in grid.cells()] == list(names)
    for (_, box), values in zip(grid.cells(), grid.values, strict=False):
        top, bottom = (round(share * height) for share in (box.top, box.bottom))
        left, right = (round(share * width) for share in (box.left, box.right))
        low, high = grid.values.min(), grid.values.max()
        wanted = tiles.enlarged((values - low) / (high - low), 48)
        assert torch.allclose(image[:1, top:bottom, left:right], wanted, atol=1e-5)


def test_a_drawing_lies_where_its_cell_says() -> None:
    torch.manual_seed(0)
    made = Gallery(
        values=torch.rand(5, 3, 96, 120), layers=("a",) * 5, names=tuple("01234"),
        scores=torch.ones(5), dead=torch.zeros(5).bool(),
    )  # fmt: skip
    image = made.image()
    height, width = image.shape[1:]
    assert len(made.cells()) == 5
    for (_, box), picture in zip(made.cells(), made.values, strict=True):
        top, left = round(box.top * height), round(box.left * width)
        assert torch.equal(image[:, top : top + 96, left : left + 120], picture)


def test_a_class_is_the_sum_of_its_channels_times_their_weights(bench: Bench) -> None:
    facts = do(bench, "unit", network="pane", unit="class:3").facts
    weight = bench.network("pane").module.get_submodule("classifier").weight[3]
    units = facts["reads"]["units"]
    assert units[0][2] == pytest.approx(float(weight.max()))
    assert units[-1][2] == pytest.approx(float(weight.min()))
    channel = int(units[0][0].rpartition(":")[2])
    back = do(bench, "unit", network="pane", unit=f"{facts['reads']['layer']}:{channel}").facts
    assert back["weights"][0][2] == pytest.approx(
        float(bench.network("pane").module.get_submodule("classifier").weight[:, channel].max())
    )


def test_an_atlas_tells_of_a_unit(tmp_path: Path) -> None:
    pytest.importorskip("lance")
    net = pl.load()
    names = ["photo:cat", "photo:coffee", "photo:astronaut"]
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in names:
        pl.open_image(name)
        pl.activations(net, name, "relu1", channel=0).over().save(photos / f"{name[6:]}.png")
    pl.Atlas.build(tmp_path / "a.atlas", net, str(photos), layers=["relu5"])
    bench = Bench(
        {"pane": {"name": "pane"}}, "cpu", str(tmp_path), 40_000_000, str(tmp_path / "a.atlas")
    )
    outcome = do(bench, "unit", network="pane", unit="relu5:4")
    atlas = outcome.facts["atlas"]
    assert atlas["images"] == 3 and sum(atlas["counts"]) == 3
    assert {spot["source"] for spot in atlas["spots"]} == {f"{name[6:]}.png" for name in names}
    assert set(outcome.files) == {"patches.jpg", "guided.jpg"}
    assert str(tmp_path) not in str(outcome.facts)
    assert "layers" in do(bench, "unit", network="pane", unit="relu3:4").facts["atlas"]


def test_what_is_not_there_is_said(bench: Bench) -> None:
    with pytest.raises(PellucidError, match="relu5"):
        do(bench, "unit", network="pane", unit="relu5:9999")
    with pytest.raises(PellucidError, match="no network 'pain'"):
        do(bench, "plan", network="pain")
    with pytest.raises(PellucidError, match="not among the photos"):
        do(bench, "glance", photo="/etc/hostname", called="x.jpg")


def test_names_are_written_as_text(view: View) -> None:
    plan = dict(view.plan, labels=["<script>alert(1)</script>", *view.plan["labels"][1:]])
    page = View("<b>net</b>", plan, "en")
    for html in (page.unit("class:0", "", 0), page.layer("relu5"), page.drawing({"x"}, "relu5")):
        assert "<script>" not in html and "<b>net" not in html
    assert "&lt;script&gt;" in page.unit("class:0", "", 0)


def test_cells_open_units_and_the_classes_of_the_last_layer(bench: Bench, view: View) -> None:
    assert view.channels("relu5")("12") == ("relu5:12", "relu5:12")
    assert view.channels("classifier")("3") == ("class:3", view.plan["labels"][3])
    photos = {"photo": [["photo:cat", ""]]}
    outcome = do(
        bench, "method", method="activations", network="pane", photos=photos,
        settings={"layer": "relu5", "most": 4, "sort": "strength"},
    )  # fmt: skip
    html = plate(News("done", outcome.facts, outcome.files), "en", "x", unit=view.channels("relu5"))
    assert html.count("data-unit=") == 4
    assert "pellucid activations photo:cat relu5 --sort strength --most 4" in html
