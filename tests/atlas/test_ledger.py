"""A site goes on where it stopped, and leaves alone what is not its own."""

import json
import shutil
from pathlib import Path

import pytest

import pellucid as pl

pytest.importorskip("lance")

from atlas.collection import folder, network
from atlas.crawler import FEW, crawled, files, small
from pellucid.atlas.atlas import Atlas
from pellucid.atlas.site import Site, site
from pellucid.atlas.site.ledger import NAME
from pellucid.method import Step
from pellucid.progress import finished


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    return small(tmp_path_factory.mktemp("atlas"))


@pytest.fixture(scope="module")
def made(atlas: Atlas, tmp_path_factory: pytest.TempPathFactory) -> Site:
    out = tmp_path_factory.mktemp("sites") / "site"
    return finished(site(atlas, out, **FEW))


@pytest.mark.parametrize("after", [2, 6])
def test_after_ctrl_c_it_works_and_goes_on_to_the_same_end(
    after: int, atlas: Atlas, made: Site, tmp_path: Path
) -> None:
    work = site(atlas, tmp_path / "site", **FEW)
    for _ in range(after):
        next(work)
    with pytest.raises(StopIteration) as stop:
        work.throw(KeyboardInterrupt())
    assert not stop.value.value.whole
    crawled((tmp_path / "site").resolve())
    steps: list[Step] = []
    again = finished(site(atlas, tmp_path / "site", **FEW), steps.append)
    assert again.whole and again.drawn == 22
    assert files(tmp_path / "site") == files(made.path.parent)


def test_dropped_as_by_a_kill_it_goes_on(atlas: Atlas, made: Site, tmp_path: Path) -> None:
    work = site(atlas, tmp_path / "site", **FEW)
    for _ in range(6):
        next(work)
    work.close()  # no chance to write another page
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "site").rglob("*.jpg")}
    assert kept
    finished(site(atlas, tmp_path / "site", **FEW))
    assert files(tmp_path / "site") == files(made.path.parent)
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())


def test_what_is_damaged_or_made_otherwise_is_made_anew(
    atlas: Atlas, made: Site, tmp_path: Path
) -> None:
    out = tmp_path / "site"
    shutil.copytree(made.path.parent, out)
    (out / "02-5/3-drawn.jpg").write_bytes(b"half a pict")
    (out / "01-2/0-patches.jpg").unlink()
    steps: list[Step] = []
    finished(site(atlas, out, **FEW), steps.append)
    assert files(out) == files(made.path.parent)
    todo = {step.text.partition(":")[0] for step in steps[1:]}
    assert todo == {"patches of 2", "5"}
    # Other drawings leave the patches as they are.
    before = (out / "02-5/3-patches.jpg").stat().st_mtime_ns
    finished(site(atlas, out, steps=1))
    assert (out / "02-5/3-patches.jpg").stat().st_mtime_ns == before
    assert files(out)["02-5/3-drawn.jpg"] != files(made.path.parent)["02-5/3-drawn.jpg"]


def test_other_folders_are_left_alone(atlas: Atlas, made: Site, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("all of it")
    with pytest.raises(pl.PellucidError, match="not a site of units"):
        finished(site(atlas, tmp_path / "mine", draw=False))
    with pytest.raises(pl.PellucidError, match="is a file"):
        finished(site(atlas, tmp_path / "mine/thesis.txt", draw=False))
    out = tmp_path / "site"
    shutil.copytree(made.path.parent, out)
    other = network(seed=4)
    store = Atlas.build(tmp_path / "b.atlas", other, folder(tmp_path / "photos", 4), layers=["5"])
    with pytest.raises(pl.PellucidError, match="site of a network with the weights"):
        finished(site(store, out, draw=False))
    finished(site(atlas, tmp_path / "mine", layers="5", channels="0", draw=False, force=True))
    assert (tmp_path / "mine/thesis.txt").read_text() == "all of it"


def test_a_hostile_list_of_files_opens_none_outside(
    atlas: Atlas, made: Site, tmp_path: Path
) -> None:
    out = tmp_path / "site"
    shutil.copytree(made.path.parent, out)
    data = json.loads((out / NAME).read_text())
    for piece in data["pieces"].values():
        piece["files"] = {"../../secret": "0" * 64}
    data["pieces"]["drawn 5 0-7"] = ["not a table"]
    (out / NAME).write_text(json.dumps(data))
    finished(site(atlas, out, **FEW))
    assert files(out) == files(made.path.parent)
