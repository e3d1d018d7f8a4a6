"""Surveys and stores that are refused, damaged or cut short."""

import os
import shutil
from pathlib import Path

import pytest

from atlas import collection
from atlas.collection import LAYERS
from pellucid.atlas.atlas import Atlas
from pellucid.atlas.building import building
from pellucid.atlas.check import checking
from pellucid.errors import PellucidError
from pellucid.progress import finished


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return collection.damaged(tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="module")
def made(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    return collection.surveyed(tmp_path_factory.mktemp("made") / "small.atlas", photos)


def test_two_writers_at_once(made: Atlas, photos: Path) -> None:
    with (
        made.store.folder.alone(),
        pytest.raises(PellucidError, match="another survey is writing into"),
    ):
        Atlas.open(made.path, collection.network()).append(photos)


def test_another_network_is_refused(made: Atlas, photos: Path) -> None:
    other = collection.network(4)
    with pytest.raises(PellucidError, match="is of small with the weights"):
        Atlas.open(made.path, other)
    with pytest.raises(PellucidError, match="is of small with the weights"):
        Atlas.build(made.path, other, photos)


def test_a_finished_atlas_is_not_overwritten_unasked(made: Atlas, photos: Path) -> None:
    with pytest.raises(PellucidError, match=r"is there already, with 20 images: `append`"):
        Atlas.build(made.path, collection.network(), photos, layers=LAYERS)


def test_settings_that_differ_are_named_as_the_shell_has_them(photos: Path, tmp_path: Path) -> None:
    net, begun = collection.network(), {"layers": ["5", "2"], "batch": 4}
    work = building(tmp_path / "a", net, photos, every=0.0, **begun)
    next(work)
    work.close()
    with pytest.raises(PellucidError) as said:
        Atlas.build(tmp_path / "a", net, photos, layers=["5"], keep=3, negative=True, batch=4)
    wanted = "--layers '5; 2', --keep 9, without --negative, not --layers 5, --keep 3, --negative: "
    assert f"{tmp_path / 'a'} was begun with {wanted}" in str(said.value)
    (tmp_path / "other").mkdir()
    collection.photo(1).save(tmp_path / "other" / "1.png")
    with pytest.raises(PellucidError) as said:
        Atlas.build(tmp_path / "a", net, tmp_path / "other", **begun)
    assert f"was begun with {photos}, not {tmp_path / 'other'}: " in str(said.value)
    assert "--force (force=True)" in str(said.value) and "{" not in str(said.value)


def test_other_photos_do_not_go_on_with_it(photos: Path, tmp_path: Path) -> None:
    net, place = collection.network(), tmp_path / "photos"
    shutil.copytree(photos, place)
    work = building(tmp_path / "a", net, place, layers=["5"], batch=4, every=0.0)
    next(work)
    work.close()
    (place / "x" / "000.png").unlink()
    with pytest.raises(PellucidError, match="photos are no longer those"):
        Atlas.build(tmp_path / "a", net, place, layers=["5"], batch=4)


def test_an_own_module_is_asked_for(made: Atlas) -> None:
    with pytest.raises(PellucidError, match="a module of your own: give it"):
        Atlas.open(made.path).network()


def test_nothing_is_left_of_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(PellucidError, match="there is no image in"):
        Atlas.build(tmp_path / "a", collection.network(), tmp_path / "none")
    assert not (tmp_path / "a").exists()


def test_check_finds_what_was_cut_short(photos: Path, tmp_path: Path) -> None:
    net = collection.network()
    atlas = Atlas.build(tmp_path / "a", net, photos, layers=["5"])
    assert finished(checking(atlas)) == []
    longest = max((tmp_path / "a" / "images.lance" / "data").iterdir(), key=os.path.getsize)
    whole = longest.read_bytes()
    longest.write_bytes(whole[: len(whole) // 2])
    assert "cannot read" in finished(checking(Atlas.open(tmp_path / "a", net)))[0]
    longest.write_bytes(whole)
    shutil.rmtree(tmp_path / "a" / "patches.lance")
    assert "patches" in finished(checking(Atlas.open(tmp_path / "a", net)))[0]


def test_check_sends_photos_through_the_network_again(photos: Path, tmp_path: Path) -> None:
    place, net = tmp_path / "photos", collection.network()
    shutil.copytree(photos, place)
    atlas = Atlas.build(tmp_path / "a", net, place, layers=["5"])
    collection.photo(77).save(place / "x" / "000.png")
    (place / "y" / "019.png").unlink()
    found = finished(checking(Atlas.open(tmp_path / "a", net), again=len(atlas)))
    assert len(found) == 2
    assert any("000.png is no longer the file that was surveyed" in fault for fault in found)
    assert any(fault.endswith("019.png is not there") for fault in found)
    # Where the network has changed and the files have not, the features tell.
    shutil.copytree(photos, place, dirs_exist_ok=True)
    stored = atlas.features("5")
    again = Atlas.open(tmp_path / "a", net)
    again.features = lambda layer: stored + 1  # type: ignore[method-assign]
    assert "gives other features in 5 now" in finished(checking(again, again=3))[0]


def test_a_damaged_manifest(photos: Path, tmp_path: Path) -> None:
    Atlas.build(tmp_path / "a", collection.network(), photos, layers=["5"])
    (tmp_path / "a" / "manifest.json").write_text("{")
    with pytest.raises(PellucidError, match=r"the manifest of .* is damaged"):
        Atlas.open(tmp_path / "a")
    with pytest.raises(PellucidError, match="there is no atlas at"):
        Atlas.open(tmp_path)


def test_a_full_disk_leaves_what_was_there(photos: Path, tmp_path: Path, monkeypatch) -> None:
    import lance

    net = collection.network()
    work = building(tmp_path / "a", net, photos, layers=["5"], batch=5, every=0.0)
    next(work)
    write = lance.write_dataset

    def full(table: object, path: str, **more: object) -> object:
        if path.endswith("images.lance"):
            raise OSError("LanceError(IO): No space left on device (os error 28), /rustc/x.rs")
        return write(table, path, **more)

    monkeypatch.setattr(lance, "write_dataset", full)
    with pytest.raises(PellucidError, match=r"cannot write .*No space left on device"):
        finished(work)
    monkeypatch.undo()
    there = Atlas.open(tmp_path / "a", net)
    assert len(there.store.table("images")) == len(there) == 5
    assert len(Atlas.build(tmp_path / "a", net, photos, layers=["5"], batch=5)) == 20


def test_what_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    collection.photo(1).save(tmp_path / "1.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "gone.png")
    (tmp_path / "photos.csv").write_text("path\n1.png\nlink.png\nnever.png\n")
    net = collection.network()
    made = Atlas.build(tmp_path / "a", net, tmp_path / "photos.csv", layers=["5"])
    assert [reason for _, reason in made.unread] == [
        f"{tmp_path / 'link.png'} is not there: it is a broken link",
        f"{tmp_path / 'never.png'} is not there",
    ]
