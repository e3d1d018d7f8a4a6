"""What the worker tells of a collection, in this process."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.atlas.collection import folder, photo

import pellucid as pl
from pellucid import images
from pellucid.app.lab import collection_html as html
from pellucid.app.lab.bench import Bench
from pellucid.app.lab.collection import PLACE, bare
from pellucid.app.lab.collection_words import MAP, WORDS
from pellucid.app.lab.outcome import Outcome
from pellucid.app.lab.shelf import ACROSS, SIDE
from pellucid.app.lab.tasks import task
from pellucid.app.lab.words import WORDS as SHARED
from pellucid.atlas.atlas import Atlas
from pellucid.atlas.pixel_space import opened, pixels
from pellucid.errors import PellucidError
from pellucid.images import from_bytes
from pellucid.progress import finished
from pellucid.replay import read, replay

pytest.importorskip("lance")
COUNT = 30


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An atlas of a few drawings through the bundled network."""
    home = tmp_path_factory.mktemp("secret place")
    photos = folder(home / "photos", COUNT, "xyz")
    Atlas.build(
        home / "few.atlas", pl.load(), photos, layers=["conv3", "relu7"], keep=4, negative=True
    )
    yield home / "few.atlas"


@pytest.fixture(scope="module")
def bench(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    made = tmp_path_factory.mktemp("lab")
    (made / "uploads").mkdir()
    specs = {"pane": {"name": "pane"}}
    return Bench(specs, device="cpu", folder=str(made), pixels=images.MOST_PIXELS, place=str(place))


@pytest.fixture(scope="module")
def shown(bench: Bench) -> Path:
    return Path(bench.folder) / PLACE


def done(bench: Bench, name: str, **given: Any) -> Outcome:
    return finished(task(f"collection {name}")(bench, **given))


def test_a_map_is_a_file_that_the_page_draws(bench: Bench, shown: Path, place: Path) -> None:
    facts = done(bench, "map", layer="relu7", method="pca").facts
    assert (facts["shown"], facts["count"], facts["final"], facts["how"]) == (30, 30, True, "pca")
    data = json.loads((shown / facts["file"]).read_text("utf-8"))
    assert len(data["places"]) == 3 * COUNT and data["rows"] is None
    labels = data["modes"]["label"]
    assert [labels["names"][of] for of in labels["of"]] == bench.atlas.images.labels
    assert sorted(data["uris"]) == [f"{number:03}.png" for number in range(COUNT)]
    assert "secret place" not in json.dumps(data)
    assert "pca-relu7-0" in Atlas.open(place).maps


def test_a_sketch_is_quick_and_not_kept(bench: Bench, place: Path) -> None:
    facts = done(bench, "map", layer="conv3", method="tsne", quick=True).facts
    assert not facts["final"] and facts["how"] == "pca" and facts["quality"] == []
    assert not any("conv3" in name for name in Atlas.open(place).maps)
    # One that is kept already is given at once, in place of a sketch.
    done(bench, "map", layer="relu7", method="pca")
    assert done(bench, "map", layer="relu7", method="pca", quick=True).facts["final"]


def test_thumbnails_are_unpacked_once(bench: Bench, shown: Path) -> None:
    assert done(bench, "unpack").facts == {"sheets": 1}
    files = bench.atlas.thumbnails(range(COUNT))
    assert [(shown / "thumbs" / f"{row}.jpg").read_bytes() for row in range(COUNT)] == files
    sheet = from_bytes((shown / "sheets" / "0.jpg").read_bytes(), "sheet").floats()
    assert sheet.shape == (3, 2 * SIDE, ACROSS * SIDE)
    # The 26th photo begins the second row but one: right below the second of the first row.
    square = sheet[:, SIDE:, SIDE : 2 * SIDE]
    (one,) = opened([files[ACROSS + 1]], [0])
    assert (square.mean((1, 2)) - one.floats().mean((1, 2))).abs().max() < 0.06
    others = opened(files, range(COUNT))
    far = [float((square.mean((1, 2)) - each.floats().mean((1, 2))).norm()) for each in others]
    assert far.index(min(far)) == ACROSS + 1
    table = bench.shelf.pixels()
    assert table is not None and torch.equal(table[7], pixels(others[7]))
    before = (shown / "sheets" / "0.jpg").stat().st_mtime_ns
    done(bench, "unpack")
    assert (shown / "sheets" / "0.jpg").stat().st_mtime_ns == before


def test_neighbours_in_features_and_in_pixels(bench: Bench) -> None:
    outcome = done(bench, "photo", layer="relu7", row=3, count=5)
    facts = outcome.facts
    slow = bench.atlas.neighbours(3, count=5, layer="relu7", pixels=True)[0]
    assert [one["row"] for one in facts["features"]] == [near.row for near in slow.features]
    assert [one["row"] for one in facts["pixels"]] == [near.row for near in slow.pixels]
    assert [one["distance"] for one in facts["pixels"]] == pytest.approx(
        [near.distance for near in slow.pixels]
    )
    assert facts["label"] == bench.atlas.images.labels[3] and facts["file"] == bench.shelf.name(3)
    assert from_bytes(outcome.files["photo.jpg"], "it").size == bench.atlas.photo(3).size


def test_a_photo_from_elsewhere(bench: Bench) -> None:
    own = Path(bench.folder) / "uploads" / "mine.png"
    photo(4, 24 + 4, 40 - 4).save(own)  # the same drawing as the fifth
    row = bench.atlas.images.uris.index(
        next(uri for uri in bench.atlas.images.uris if uri.endswith("004.png"))
    )
    facts = done(bench, "photo", layer="relu7", photo=[str(own), "mine.png"]).facts
    assert facts["row"] is None and facts["file"] == "mine.png"
    assert facts["features"][0]["row"] == row and facts["features"][0]["distance"] < 1e-3
    assert facts["pixels"][0]["row"] == row
    assert facts["sees"] == bench.shelf.known(row)["sees"]
    facts = done(bench, "photo", layer="conv3", photo=["photo:cat", ""], count=2).facts
    assert facts["file"] == "cat" and len(facts["features"]) == 2


def test_patches_and_statistics_of_a_channel(bench: Bench) -> None:
    outcome = done(bench, "channel", layer="relu7", channel=5)
    facts, best = outcome.facts, bench.atlas.best("relu7")
    assert [one["row"] for one in facts["patches"]] == best.images[5].tolist()
    assert [one["value"] for one in facts["patches"]] == pytest.approx(best.values[5].tolist())
    assert sum(facts["counts"]) == COUNT and len(facts["edges"]) == len(facts["counts"]) + 1
    assert facts["active"] == pytest.approx(float(bench.atlas.statistics("relu7").active[5]))
    assert {"0.jpg", "3.jpg", "relu7-5.png"} <= outcome.files.keys()
    picture = Path(bench.folder) / "patches.png"
    picture.write_bytes(outcome.files["relu7-5.png"])
    assert replay(picture, atlas=bench.atlas).same
    assert read(picture).atlas["place"] == Path(bench.atlas.path).name  # and not where that is
    worst = done(bench, "channel", layer="conv3", channel=2, negative=True).facts["patches"]
    assert worst[0]["value"] == pytest.approx(float(bench.atlas.best("conv3", True).values[2, 0]))
    listed = done(bench, "channels", layer="conv3").facts["channels"]
    assert [one["channel"] for one in listed] == list(range(len(listed)))
    assert all(one["label"] in "xyz" and 2 <= one["times"] <= one["of"] == 4 for one in listed)


def test_a_wall_hangs_and_tells_no_folder(bench: Bench, shown: Path) -> None:
    facts = done(bench, "wall", layer="relu7", method="pca", lang="zh").facts
    hung = shown / facts["folder"]
    assert {"index.html", "wall.js", "viewer.js", "wall_files"} <= {f.name for f in hung.iterdir()}
    told = (hung / "wall.js").read_text("utf-8")
    assert "secret" not in told and '"link":null' in told and "004.png" in told
    before = (hung / "wall.js").stat().st_mtime_ns
    again = done(bench, "wall", layer="relu7", method="pca", lang="zh").facts
    assert again == facts and (hung / "wall.js").stat().st_mtime_ns == before


def test_old_walls_come_down(bench: Bench, shown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.app.lab.wall_room.KEPT", 1)
    last = done(bench, "wall", layer="conv3", method="pca").facts["folder"]
    assert [one.name for one in shown.glob("wall-*")] == [last]


def test_of_very_many_photos_some_are_shown(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pellucid.app.lab.shelf.MOST", 7)
    few = replace(bench, folder=str(tmp_path))
    facts = done(few, "map", layer="relu7", method="pca").facts
    data = json.loads((tmp_path / PLACE / facts["file"]).read_text("utf-8"))
    assert (facts["shown"], facts["count"]) == (7, COUNT)
    assert data["rows"] == [0, 5, 10, 14, 19, 24, 29] and len(data["places"]) == 21
    assert done(few, "unpack").facts == {"sheets": 1}
    # Others are written when they are named, and pixels of a part are no fair comparison.
    facts = done(few, "photo", layer="relu7", row=1).facts
    assert facts["pixels"] is None
    near = [one["row"] for one in facts["features"]]
    assert all((tmp_path / PLACE / "thumbs" / f"{row}.jpg").exists() for row in near)


def test_a_photo_is_handed_on(bench: Bench) -> None:
    ((name, content),) = done(bench, "hand", row=2).files.items()
    assert name == bench.shelf.name(2).replace(".png", ".jpg")
    assert from_bytes(content, name).size == bench.atlas.photo(2).size


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("photo", {"layer": "relu7", "row": COUNT}, "photos 0 to 29, not 30"),
        ("photo", {"layer": "relu7", "row": -1}, "not -1"),
        ("photo", {"layer": "relu7", "row": "1; drop"}, "a whole number, not '1; drop'"),
        ("photo", {"layer": "relu7", "row": True}, "not True"),
        ("photo", {"layer": "relu7", "row": 1, "count": 500}, "1 to 24"),
        ("photo", {"layer": "relu8", "row": 1}, "did you mean 'relu7'"),
        ("photo", {"layer": "relu7", "photo": ["/etc/passwd", "x"]}, "not among the photos"),
        ("hand", {"row": None}, "by its row"),
        ("map", {"layer": "relu7", "method": "tsme"}, "did you mean 'tsne'"),
        ("map", {"layer": "", "method": "pca"}, "surveyed layer"),
        ("channel", {"layer": "relu7", "channel": 10_000}, "not 10000"),
        ("channel", {"layer": "relu7", "channel": "5"}, "a whole number"),
        ("wall", {"layer": "relu7", "method": "pca", "lang": "../fr"}, "language"),
    ],
)
def test_what_does_not_fit_is_told(
    bench: Bench, name: str, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(PellucidError, match=re.escape(said)) as told:
        done(bench, name, **given)
    assert "secret place" not in str(told.value)


def test_photos_that_are_gone(place: Path, bench: Bench, shown: Path, tmp_path: Path) -> None:
    photos = place.parent / "photos"
    photos.rename(tmp_path / "elsewhere")
    try:
        facts = done(bench, "photo", layer="relu7", row=3).facts
        assert facts["gone"] and len(facts["features"]) == 8
        with pytest.raises(PellucidError, match="is not there") as told:
            done(bench, "hand", row=3)
        assert "secret" not in str(told.value) and "photos/" not in str(told.value)
        assert all(one["gone"] for one in done(bench, "channel", layer="conv3", channel=0).facts[
            "patches"
        ])  # fmt: skip
    finally:
        (tmp_path / "elsewhere").rename(photos)


def test_html_escapes_what_comes_from_files() -> None:
    evil = '<img src=x onerror="alert(1)">'
    known = {
        "row": 1, "label": evil, "file": evil, "size": [3, 4], "sees": evil, "share": 0.5,
        "right": None, "distance": 0.1,
    }  # fmt: skip
    words = SHARED["en"] | WORDS["en"]
    facts = known | {"layer": evil, "features": [known], "pixels": [known]}
    patch = known | {"value": 1.0, "box": [0, 0, 1, 1], "gone": False}
    channel = {
        "layer": evil, "channel": 1, "negative": False, "status": "exact", "patches": [patch],
        "counts": [1, 0], "edges": [0.0, 0.5, 1.0], "active": 0.5, "mean": 0.1, "highest": 1.0,
        "lowest": 0.0,
    }  # fmt: skip
    for text in (
        html.panel(facts, b"", "/base", words),
        html.channel(channel, {"0.jpg": b""}, "/base", words),
    ):
        assert "<img src=x" not in text and "&lt;img src=x" in text


def test_names_without_folders() -> None:
    assert bare("s3://bucket/a/b.png") == "b.png" and bare("C:\\x\\y.jpg") == "y.jpg"
    assert bare("/data/few.parquet#12") == "few.parquet#12" and bare("photo") == "photo"


def test_both_languages_say_the_same() -> None:
    assert WORDS["en"].keys() == WORDS["zh"].keys() and {*MAP} <= WORDS["en"].keys()
    places = re.compile(r"\{(\w+)\}")
    for name, text in WORDS["en"].items():
        assert {*places.findall(text)} == {*places.findall(WORDS["zh"][name])}, name
