"""A picture of an atlas is made again from the recipe inside it."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

import pellucid as pl
from pellucid.app.cli import app
from pellucid.pictures import png_bytes
from pellucid.progress import follow
from pellucid.replay import read

pytest.importorskip("openTSNE")


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> pl.Atlas:
    net = pl.load(device="cpu")
    names = ["photo:cat", "photo:coffee", "photo:rocket", "photo:motorcycle", "photo:astronaut"]
    crops = [pl.open_image(name) for name in names]
    place = tmp_path_factory.mktemp("again") / "a.atlas"
    folder = place.parent / "photos"
    folder.mkdir()
    for number, photo in enumerate(crops):
        (folder / f"{number}.png").write_bytes(png_bytes(photo.floats()))
    return pl.Atlas.build(place, net, folder, layers="relu5; relu7")


@pytest.fixture
def pictures(atlas: pl.Atlas, tmp_path: Path) -> dict[str, Path]:
    from pellucid.atlas.maps import mapping, placing
    from pellucid.atlas.patches import patches_of

    found = follow(patches_of(atlas, "relu5", [17, 3], keep=2))
    made = {
        "neighbours": atlas.neighbours(["photo:cat", 2, "relu5:17"], count=2, pixels=True),
        "patches": found,
        "outlined": found.outlined(),
        "map": atlas.map("pca"),
        "placed": placing(atlas, follow(mapping(atlas, "pca")), [pl.open_image("photo:cat")]),
    }
    return {name: one.save(tmp_path / f"{name}.png") for name, one in made.items()}


@pytest.mark.parametrize("name", ["neighbours", "patches", "outlined", "map", "placed"])
def test_it_is_the_same(pictures: dict[str, Path], name: str, tmp_path: Path) -> None:
    again = pl.replay(pictures[name])
    assert again.same and not again.differences
    file = again.result.save(tmp_path / "again.png")
    assert file.read_bytes() == pictures[name].read_bytes()


@pytest.mark.parametrize("name", ["neighbours", "patches", "outlined", "map", "placed"])
def test_its_command_makes_it(pictures: dict[str, Path], name: str, tmp_path: Path) -> None:
    _, *words = shlex.split(read(pictures[name]).command())
    file = tmp_path / "by-command.png"
    done = CliRunner().invoke(app, [*words, "--out", str(file), "--device", "cpu", "--quiet"])
    assert done.exit_code == 0, done.output
    assert file.read_bytes() == pictures[name].read_bytes()


def test_what_has_changed_is_said(
    pictures: dict[str, Path], atlas: pl.Atlas, tmp_path: Path
) -> None:
    moved = tmp_path / "moved.atlas"
    shutil.copytree(atlas.path, moved)
    assert pl.replay(pictures["map"], atlas=moved).same
    extra = tmp_path / "extra.png"
    extra.write_bytes(png_bytes(torch.rand(3, 40, 60)))
    pl.Atlas.open(moved).append([extra])
    again = pl.replay(pictures["neighbours"], atlas=pl.Atlas.open(moved))
    assert any("images 6 now, 5 then" in each for each in again.differences)


def test_what_is_nowhere_any_more(pictures: dict[str, Path], tmp_path: Path) -> None:
    def changed(**what: object) -> Path:
        data = json.loads(read(pictures["map"]).json()) | what
        file = tmp_path / "changed.png"
        file.write_bytes(png_bytes(torch.zeros(3, 2, 2), json.dumps(data)))
        return file

    with pytest.raises(pl.PellucidError, match=r"gone\.atlas"):
        pl.replay(changed(atlas={"place": str(tmp_path / "gone.atlas")}))
    with pytest.raises(pl.PellucidError, match="not called unasked"):
        pl.replay(changed(atlas={"place": "s3://bucket/a.atlas"}))
    with pytest.raises(pl.PellucidError, match="'atlas'"):
        pl.replay(changed(atlas={"place": 7}))
    with pytest.raises(pl.PellucidError, match="damaged: see its settings"):
        pl.replay(changed(settings={"height": 3}))
    with pytest.raises(pl.PellucidError, match="damaged: see its settings"):
        read(changed(method="atlas neighbours", settings={"asked": 3})).command()


def test_a_picture_of_anybody_opens_and_writes_nothing(
    pictures: dict[str, Path], atlas: pl.Atlas, tmp_path: Path
) -> None:
    def changed(name: str, **what: object) -> Path:
        recipe = json.loads(read(pictures[name]).json())
        recipe["settings"] |= what
        file = tmp_path / "changed.png"
        file.write_bytes(png_bytes(torch.zeros(3, 2, 2), json.dumps(recipe | {"seed": 5})))
        return file

    with pytest.raises(pl.Unknown, match="no class"):  # and not: no such file
        pl.replay(changed("neighbours", asked=[str(pictures["map"])]))
    before = pl.Atlas.open(atlas.path).maps
    assert not pl.replay(changed("map")).differences
    assert pl.Atlas.open(atlas.path).maps == before
    with pytest.raises(pl.PellucidError, match="damaged"):
        pl.replay(changed("map", keep=True))


def test_vectors_and_collections_that_were_not_kept(atlas: pl.Atlas, tmp_path: Path) -> None:
    vector = atlas.features("relu7")[0]
    file = atlas.neighbours(vector, count=1).save(tmp_path / "vector.png")
    with pytest.raises(pl.PellucidError, match="a vector of 384 numbers was asked about"):
        pl.replay(file)
    net = atlas.network()
    found = pl.top_patches(net, ["photo:cat"], "relu5", [3], 1)
    with pytest.raises(pl.PellucidError, match="make an atlas of it"):
        pl.replay(found.save(tmp_path / "found.png"))
