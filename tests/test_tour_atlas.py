"""The atlas of a tour."""

from pathlib import Path

import pytest
import torch

import pellucid as pl
from pellucid.app import report
from pellucid.app.schedule import Timetable
from pellucid.app.tour_atlas import FOLDER, Corner, crops
from tours import finished, invented, network, nothing, photo


def test_crops_share_no_pixel_and_flat_ones_are_left_out() -> None:
    numbers = torch.arange(300 * 450).reshape(1, 300, 450)
    # Each pixel is told by its colour.
    pixels = torch.cat([numbers % 256, numbers // 256 % 256, numbers // 65536]).byte()
    found = crops(pl.Photo(pixels))
    colours = [crop.pixels.flatten(1).T.long() @ torch.tensor([1, 256, 65536]) for crop in found]
    every = torch.cat(colours)
    assert len(found) == 15 and len(every) == len(every.unique()) == 15 * 90 * 90
    pixels[:, :, :180] = 7
    assert len(crops(pl.Photo(pixels))) == 9


def test_an_atlas_that_cannot_be_made_is_said_and_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise pl.PellucidError("an atlas is stored by <Lance>")

    monkeypatch.setattr("pellucid.atlas.folder.lance", missing)
    monkeypatch.setattr(report, "lecture", lambda: [invented("first", nothing)])
    path, _ = finished(report.tour(network(), [photo()], tmp_path / "tour"))
    text = path.read_text("utf-8")
    assert "an atlas is stored by &lt;Lance&gt;" in text and 'id="first-1"' in text
    assert 'id="atlas-map"' not in text and not (tmp_path / "tour" / "atlas").exists()


def test_an_atlas_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    pytest.importorskip("lance")
    theirs = tmp_path / FOLDER / "crops" / "mine.txt"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("mine")
    corner = Corner.of(network(), tmp_path, True, "en")
    assert [*corner.work(Timetable(100))] == []
    assert "not of a tour" in corner.parts[0].message and theirs.read_text() == "mine"


def test_an_atlas_stopped_or_late_says_what_is_missing(tmp_path: Path) -> None:
    pytest.importorskip("lance")
    corner = Corner.of(network(), tmp_path, False, "en")
    work = corner.work(Timetable(100))
    while "image" not in next(work).text:
        pass
    work.close()
    assert len(corner.without("interrupted")) == 4
    late = Corner.of(network(), tmp_path, False, "en")
    assert [*late.work(Timetable(0))] == [] and len(late.without("late")) == 4
