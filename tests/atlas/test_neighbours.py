"""Neighbours and maps of a small atlas, from Python and from the shell."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

import pellucid as pl
from atlas import collection
from pellucid import tiles
from pellucid.app.cli import app
from pellucid.atlas import index
from pellucid.atlas.atlas import Atlas
from pellucid.atlas.maps import mapping, placing, rightness
from pellucid.atlas.neighbours import agreements, indexed
from pellucid.errors import PellucidError, Unknown
from pellucid.neighbours import ASKED, BETWEEN, GAP, HEAD, ROW, SMALLER
from pellucid.progress import finished
from pellucid.scatter import COLOURS, Groups, placed, roomy, scatter

COUNT = 24


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return collection.folder(tmp_path_factory.mktemp("photos"), COUNT)


@pytest.fixture
def atlas(photos: Path, tmp_path: Path) -> Atlas:
    return Atlas.build(tmp_path / "a", collection.network(), photos, layers=["2", "7"])


def test_a_row_has_the_neighbours_of_the_formula(atlas: Atlas) -> None:
    found = atlas.neighbours([3, 17], count=4, layer="2", metric="l2")
    far = torch.cdist(atlas.features("2").double(), atlas.features("2").double())
    far.fill_diagonal_(torch.inf)
    for number, row in enumerate((3, 17)):
        expected = far[row].argsort(stable=True)[:4].tolist()
        assert [near.row for near in found[number].features] == expected
        torch.testing.assert_close(
            found.values[number].double(), far[row][expected], atol=1e-5, rtol=1e-5
        )
        assert found[number].features[0].label == atlas.images.labels[expected[0]]
        assert found[number].name == atlas.images.uris[row]


def test_a_photo_is_seen_as_the_survey_saw_it(atlas: Atlas) -> None:
    """The photo of a row is its own nearest, in features and in pixels; so is its vector."""
    path = atlas.images.uris[5]
    found = atlas.neighbours([path, atlas.features("7")[5]], count=2, layer="7", pixels=True)
    assert [one.features[0].row for one in found.asked] == [5, 5]
    assert float(found.values[:, 0].abs().max()) < 1e-6
    assert found[0].pixels[0].row == 5 and found[0].pixels[0].distance == 0
    assert found[1].pixels == () and found[1].picture is None
    assert [name for name, _ in found.agreement] == ["features of 7", "pixels", "at random"]
    assert found.image().shape[0] == 3
    data = json.loads(json.dumps(found.data()))
    assert data["asked"][0]["features"][0]["uri"] == path


def test_a_unit_has_the_photos_that_raise_it_most(atlas: Atlas) -> None:
    found = atlas.neighbours(["2:4", "class:b"], count=3)
    best = atlas.features("2")[:, 4].topk(3)
    assert [near.row for near in found[0].features] == best.indices.tolist()
    torch.testing.assert_close(found.values[0], best.values)
    images = atlas.images
    seen = (images.predicted == 1).nonzero()[:, 0]
    if not len(seen):
        pytest.fail("the small network should see a b somewhere")
    first = int(seen[images.probability[seen].argmax()])
    assert found[1].features[0].row == first
    assert found.heads == ("asked", "photos that raise it most")


def test_agreement_by_layer(atlas: Atlas) -> None:
    found = dict(finished(agreements(atlas)))
    assert list(found) == ["2", "7", "pixels", "at random"]
    same = 12 * 11 * 2 / (24 * 23)
    assert found["at random"] == {
        1: pytest.approx(same),
        5: pytest.approx(same),
        10: pytest.approx(same),
    }


def test_many_neighbours_go_on_in_further_lines(atlas: Atlas) -> None:
    one, all_of_them = (atlas.neighbours(0, count=count, pixels=False) for count in (12, 20))
    small, large = one.image(), all_of_them.image()
    assert large.shape[2] == small.shape[2] and large.shape[1] > small.shape[1]
    # The thirteenth begins the second line.
    left, top = GAP + ASKED + BETWEEN, HEAD + GAP + SMALLER + ROW + GAP
    shown = large[:, top : top + SMALLER, left : left + SMALLER]
    wanted = tiles.boxed(all_of_them[0].features[12].picture, (SMALLER, SMALLER))
    inner = slice(20, SMALLER - 2), slice(2, SMALLER - 20)  # beside frame and cross
    assert float((shown - wanted)[:, inner[0], inner[1]].abs().max()) < 0.01


def test_what_cannot_be_asked(atlas: Atlas) -> None:
    for asked, says in (
        (24, "has images 0 to 23, not 24"),
        ([], "the list is empty"),
        (torch.zeros(5), "has 8 numbers, not 5"),
        ("2:77", "channels 0 to 5, not 77"),
        ("2:1@0,0", "no photo"),
        ("nowhere.png", "no photo 'nowhere.png'"),
    ):
        with pytest.raises(PellucidError, match=says):
            atlas.neighbours(asked)
    with pytest.raises(Unknown, match="no surveyed layer '5'"):
        atlas.neighbours(0, layer="5")
    with pytest.raises(Unknown, match="no metric 'manhattan'"):
        atlas.neighbours(0, metric="manhattan")


def test_large_ones_are_searched_by_an_index_or_read_through(
    atlas: Atlas, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = [near.row for near in atlas.neighbours(7, count=5, layer="7")[0].features]
    monkeypatch.setattr(index, "LARGE", 10)
    read = atlas.neighbours(7, count=5, layer="7")[0].features
    assert [near.row for near in read] == exact
    made = indexed(atlas, "7")
    assert made.recall >= index.RECALL
    again = Atlas.open(atlas.path, collection.network())
    monkeypatch.setattr(index, "scanned", None)
    found = again.neighbours(7, count=5, layer="7")[0].features
    assert len({near.row for near in found} & {*exact}) >= 4
    assert 7 not in {near.row for near in found}


def test_a_map_is_made_once_and_kept(atlas: Atlas, monkeypatch: pytest.MonkeyPatch) -> None:
    made = atlas.map("pca", layer="7")
    assert made.values.shape == (COUNT, 2) and atlas.maps == ["pca-7-0"]
    assert "trustworthiness" in made.facts and "PCA of 7" in made.caption
    monkeypatch.setattr("pellucid.atlas.maps.projected", None)
    again = Atlas.open(atlas.path, collection.network()).map("pca", layer="7")
    assert torch.equal(again.values, made.values) and again.facts == made.facts
    assert made.image().shape[0] == 3
    new = placing(atlas, made, [pl.open_image(atlas.images.uris[2])]).new[0]
    assert new.place == pytest.approx(made.values[2].tolist(), abs=1e-4)
    with pytest.raises(Unknown, match="did you mean 'tsne'"):
        atlas.map("tnse")  # type: ignore[arg-type]


def test_a_map_of_more_images_is_another(atlas: Atlas, tmp_path: Path) -> None:
    finished(mapping(atlas, "pca", layer="7"))
    more = collection.folder(tmp_path / "more", 30)
    for path in sorted(more.rglob("*.png"))[:27]:
        path.unlink()
    atlas.append(more)
    assert len(Atlas.open(atlas.path, collection.network()).map("pca", layer="7").values) > COUNT


def test_right_and_wrong() -> None:
    labels = ["Sea_horse", "ant", "zebra", "", "ant"]
    found = rightness(labels, torch.tensor([1, 1, 0, 0, -1]), ["ant, emmet", "sea horse"])
    assert found.tolist() == [1, 0, -1, -1, -1]


def test_groups_and_their_colours() -> None:
    points = torch.arange(60.0).repeat_interleave(2)[:, None].expand(120, 2).clone()
    labels = [f"{number:02}" for number in range(60) for _ in range(2)]
    groups = Groups.of(points, [*labels[:-1], ""])
    assert groups.sizes[0] == 2 and groups.sizes[-1] == 1 and int(groups.number[-1]) == -1
    assert {*groups.colours} == {*COLOURS}
    near = [
        one for one, other in zip(groups.colours, groups.colours[1:], strict=False) if one == other
    ]
    assert not near
    names = roomy(placed(points, groups.centres), groups.names)
    assert 10 < len(names) < 60
    image = scatter(points, groups, "title", ["line"], [((3.0, 3.0), "new")])
    assert 0 <= float(image.min()) <= float(image.max()) <= 1


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(app, [*map(str, arguments)])


def test_the_commands(photos: Path, here: Path) -> None:
    made = run("atlas", "build", photos, "a", "--layers", "avgpool", "--quiet")
    assert made.exit_code == 0, made.output
    found = run("atlas", "neighbours", "a", 0, photos / "x" / "002.png", "--json", "--out", "n.png")
    data = json.loads(found.stdout)
    assert found.exit_code == 0 and data["saved"] == ["n.png"] and Path("n.png").is_file()
    assert len(data["asked"]) == 2 and set(data["agreement"]) == {
        "features of avgpool",
        "pixels",
        "at random",
    }
    again = run("atlas", "neighbours", "a", 0, "--out", "n.png")
    assert again.exit_code == 2 and "is there already" in again.output
    assert run("atlas", "neighbours", "a").exit_code == 2
    table = run("atlas", "neighbours", "a", "--agreement")
    assert "at random" in table.output and "avgpool" in table.output
    both = run("atlas", "neighbours", "a", 0, "--agreement")
    assert both.exit_code == 2 and "--agreement is of all photos, not of 0" in both.output
    nowhere = run("atlas", "neighbours", "a", "--agreement", "--out", "t.png")
    assert nowhere.exit_code == 2 and "--out is for the picture of neighbours" in nowhere.output
    mapped = run(
        "atlas", "map", "a", "--method", "pca", "--out", "m.png", "--page", "m.html",
        "--photo", photos / "x" / "002.png",
    )  # fmt: skip
    assert mapped.exit_code == 0, mapped.output
    assert "trustworthiness" in mapped.output and Path("m.png").is_file()
    assert "projected as the others were" in mapped.output
    refused = run("atlas", "map", "a", "--method", "pca", "--page", "m.html")
    assert refused.exit_code == 2 and "is there already" in refused.output
    assert run("atlas", "map", "a", "--page", "m.txt").exit_code == 2
