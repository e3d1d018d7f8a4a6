"""A folder stands for its photos: in order, bounded, and what cannot be read is named."""

from pathlib import Path

import pytest
import torch

import pellucid as pl
from pellucid import album as albums
from pellucid.album import album, is_folder
from pellucid.app.commands import _opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """b.png, a.jpg's like, one in a folder inside, and things that are no photos."""
    place = tmp_path / "photos"
    (place / "inner").mkdir(parents=True)
    (place / ".hidden").mkdir()
    for number, name in enumerate(["b.png", "a.png", "inner/c.PNG", ".hidden/d.png", ".e.png"]):
        pl.Picture(values=torch.full((3, 4, 6), number / 10)).save(tmp_path / "made.png")
        (tmp_path / "made.png").replace(place / name)
    (place / "notes.txt").write_text("no photo")
    return place


def names(photos: tuple[pl.Photo, ...]) -> list[str]:
    return [Path(photo.source).name for photo in photos]


def test_all_photos_of_a_folder_by_their_names(folder: Path) -> None:
    found = album([folder])
    assert names(found) == ["a.png", "b.png", "c.PNG"] and found.left_out == 0
    assert [photo.source for photo in found] == [
        str(folder / name) for name in ("a.png", "b.png", "inner/c.PNG")
    ]
    assert found[0].hash == pl.open_image(folder / "a.png").hash
    mixed = album(["photo:cat", str(folder), folder / "b.png"])
    assert names(mixed) == ["photo:cat", "a.png", "b.png", "c.PNG", "b.png"]


def test_words_of_the_shell(folder: Path) -> None:
    assert isinstance(_opened(["photo:cat"]), pl.Photo)
    several = _opened([str(folder), "photo:cat"])
    assert isinstance(several, tuple) and len(several) == 4
    assert _opened([]) is None and _opened(None) is None


def test_what_is_a_folder(folder: Path) -> None:
    assert is_folder(folder) and is_folder(str(folder)) and is_folder(bytes(folder))
    for other in ("photo:cat", folder / "a.png", "none\0", 3, torch.zeros(3, 4, 4), None):
        assert not is_folder(other)


@pytest.mark.parametrize(("most", "kept"), [(8, 8), (7, 4), (4, 4), (3, 2), (1, 1)])
def test_of_too_many_some_are_taken_evenly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, kept: int
) -> None:
    for number in range(8):
        pl.Picture(values=torch.zeros(3, 4, 4)).save(tmp_path / f"{number}.png")
    numbers = album([tmp_path / "0.png"])[0].pixels.numel()
    for name, limit in (("MOST_PHOTOS", most), ("MOST_NUMBERS", most * numbers)):
        with monkeypatch.context() as patch:
            patch.setattr(albums, name, limit)
            found = album([tmp_path])
        assert names(found) == [f"{number}.png" for number in range(0, 8, 8 // kept)]
        assert found.left_out == 8 - kept


def test_a_caption_says_what_was_left_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tiny: pl.Network
) -> None:
    assert "left out" not in pl.feature(tiny, "class:ant", folder, steps=1).caption
    monkeypatch.setattr(albums, "MOST_PHOTOS", 2)
    told = pl.feature(tiny, "class:ant", folder, steps=1).caption
    assert told.endswith("; 1 of 3 photos were left out, evenly")


def test_a_picture_made_of_a_folder_is_replayed(here: Path, folder: Path) -> None:
    net = pl.load(device="cpu")
    made = pl.feature(net, "conv1:3", str(folder), steps=1)
    assert list(made.recipe.photos) == ["photos#1", "photos#2", "photos#3"]
    again = pl.replay(made.save("made.png"))
    assert again.same and not again.differences


def test_what_cannot_be_read_is_named(folder: Path) -> None:
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no more")
    (folder / "empty.png").touch()
    with pytest.raises(pl.PellucidError, match=r"2 of the 5 images in .*broken\.jpg.*empty\.png"):
        album([folder])
    for number in range(9):
        (folder / f"bad{number}.gif").write_bytes(b"GIF")
    with pytest.raises(pl.PellucidError, match=r"11 of the 14 .*bad4.*; …$"):
        album([folder])


def test_a_folder_without_photos(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "none").mkdir()
    with pytest.raises(pl.PellucidError, match=r"no image in the folder .*none"):
        album([folder / "none"])
    monkeypatch.setattr(albums, "MOST_FILES", 2)
    with pytest.raises(pl.PellucidError, match="more than 2 files: name a smaller"):
        album([folder])


def test_where_one_photo_is_wanted_a_folder_is_none(folder: Path, bundled: pl.Network) -> None:
    with pytest.raises(pl.PellucidError, match="is a folder, not a photo"):
        pl.predict(bundled, folder)
