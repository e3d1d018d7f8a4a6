"""features(): each picture is what feature() draws; nothing is drawn twice, nor mixed."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid import batches
from pellucid.gallery import Gallery, _columns
from pellucid.make import features as module
from pellucid.make.draw import Drawing
from pellucid.make.manner import manner
from pellucid.make.objectives import channel

FEW = {"recipe": "lucid", "steps": 6}


def test_each_is_the_picture_of_its_channel_alone(tiny: pl.Network) -> None:
    made = pl.features(tiny, "grouped", **FEW)
    assert made.values.shape == (8, 1, 20, 28) and made.layers == ("grouped",) * 8
    for number in (0, 7):
        alone = pl.feature(tiny, f"grouped:{number}", **FEW)
        torch.testing.assert_close(made.values[number], alone.values, atol=1e-3, rtol=0)
        assert float(made.scores[number]) == pytest.approx(alone.facts["value"], abs=1e-4)


def test_batches_of_any_size_draw_the_same(
    tiny: pl.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pl.features(tiny, "grouped", **FEW)
    monkeypatch.setattr(module, "MOST_NUMBERS", {"cpu": 3 * 20 * 28})
    torch.testing.assert_close(pl.features(tiny, "grouped", **FEW).values, whole.values)


def test_a_batch_that_does_not_fit_is_halved(
    tiny: pl.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int] = []
    real = Drawing.run

    def tight(self: Drawing, name: object):  # type: ignore[no-untyped-def]
        counts.append(len(self.alive))
        if len(self.alive) > most:
            raise error
        return (yield from real(self, name))

    monkeypatch.setattr(Drawing, "run", tight)
    most, error = 2, Exception()
    for full in (
        torch.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to"),
    ):
        error = full
        counts.clear()
        made = pl.features(tiny, "grouped", **FEW)
        assert counts == [8, 4, 2, 2, 2, 2] and len(made.values) == 8
    most, error = 0, torch.OutOfMemoryError("CUDA out of memory")
    with pytest.raises(pl.PellucidError, match="not enough to draw even one picture"):
        pl.features(tiny, "grouped", **FEW)
    error = RuntimeError("something else")
    with pytest.raises(RuntimeError, match="something else"):
        pl.features(tiny, "grouped", **FEW)


def test_no_more_than_fit_into_the_free_memory(
    tiny: pl.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int] = []
    real = Drawing.run

    def counted(self: Drawing, name: object):  # type: ignore[no-untyped-def]
        counts.append(len(self.alive))
        return (yield from real(self, name))

    monkeypatch.setattr(Drawing, "run", counted)
    with tiny.at_rest():
        bound = channel("grouped", 0).bind(tiny)
        one = Drawing(tiny, bound, manner("lucid")).weighs()
    for bytes_, wanted in [(2 * 3.5 * one, [3, 3, 2]), (0, [1] * 8)]:
        counts.clear()
        monkeypatch.setattr(batches, "free", lambda device, bytes_=bytes_: bytes_)
        pl.features(tiny, "grouped", **FEW)
        assert counts == wanted
    counts.clear()
    pl.features(tiny, "grouped", batch=5, **FEW)
    assert counts == [5, 3]


def test_several_layers_each_under_its_name(tiny: pl.Network) -> None:
    made = pl.features(tiny, "stem.1; block", channels="0-1; 4", **FEW)
    assert made.layers == ("stem.1",) * 3 + ("block",) * 3
    assert made.names == ("0", "1", "4") * 2
    assert made.of("block").shape == (3, 1, 20, 28)
    assert made.image().shape[0] == 3
    assert made.data()["pictures"][5]["layer"] == "block"
    found = pl.features(tiny, "all", recipe="simple", steps=1)
    assert len(set(found.layers)) > 2


def test_a_dead_channel_is_an_empty_frame() -> None:
    part = nn.Sequential(nn.Conv2d(3, 3, 3), nn.ReLU())
    with torch.no_grad():
        part[0].weight[1] = 0
        part[0].bias[1] = -1
    made = pl.features(pl.Network(part, size=16), "1", **FEW)
    assert made.dead.tolist() == [False, True, False]
    assert made.names == ("0", "1", "2") and "1 dead" in made.caption
    # Never noise: paper, and on the page a frame with the word in it.
    assert bool((made.values[1] == 1).all())
    assert made.data()["pictures"][1]["dead"]
    other = pl.features(pl.Network(part, size=16), "1", channels="0", **FEW)
    torch.testing.assert_close(other.values[0], made.values[0], atol=1e-3, rtol=0)


def test_a_silent_channel_is_told_from_a_dead_one() -> None:
    """It has a gradient on the way, and still does not fire on what comes out."""
    made = Gallery(
        values=torch.rand(3, 3, 30, 30), layers=("a",) * 3, names=("0", "1", "2"),
        scores=torch.tensor([0.0, 0.0, 2.0]), dead=torch.tensor([True, False, False]),
    )  # fmt: skip
    assert made.silent.tolist() == [False, True, False]
    assert made.told(range(3)) == "3 units, 1 dead, 1 silent"
    image = made.image()
    assert bool((image[:, 60, 20:90] > 0.3).all()) and not torch.equal(
        image[:, 40:90, 5:90], image[:, 40:90, 105:190]
    )


def test_finished_ones_are_kept_and_not_drawn_again(
    tiny: pl.Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed run goes on; a damaged file is drawn anew; another seed is another picture."""
    folder = str(tmp_path / "kept")
    monkeypatch.setattr(module, "MOST_NUMBERS", {"cpu": 3 * 20 * 28})
    work = pl.features.steps(tiny, "grouped", folder=folder, **FEW)
    for step in work:
        if step.done > 18:  # the first batch of three is done
            break
    work.close()
    assert len(list(Path(folder).iterdir())) == 3
    texts = [step.total for step in pl.features.steps(tiny, "grouped", folder=folder, **FEW)]
    assert texts[0] == 5 * 6
    whole = pl.features(tiny, "grouped", **FEW)
    again = pl.features(tiny, "grouped", folder=folder, **FEW)
    torch.testing.assert_close(again.values, whole.values)
    assert not list(pl.features.steps(tiny, "grouped", folder=folder, **FEW))
    damaged = sorted(Path(folder).iterdir())[0]
    was = damaged.read_bytes()
    for bytes_ in (b"not a picture", was[: len(was) // 2], was[:-9] + b"\x01" + was[-8:], b""):
        damaged.write_bytes(bytes_)
        assert len(list(pl.features.steps(tiny, "grouped", folder=folder, **FEW))) == 6
        assert not list(pl.features.steps(tiny, "grouped", folder=folder, **FEW))
    assert again.recipe == whole.recipe and again.recipe.settings["folder"] is None
    pl.features(tiny, "grouped", channels="0", folder=folder, seed=1, **FEW)
    assert len(list(Path(folder).iterdir())) == 9


def test_another_network_is_another_place(tiny: pl.Network, tmp_path: Path) -> None:
    """Also where the weights are the same and only what is done with them differs."""

    def made(module: nn.Module, **more: object) -> pl.Result:
        net = pl.Network(module, size=16)
        return pl.features(net, "1", **{**FEW, "folder": tmp_path, **more})

    torch.manual_seed(0)
    conv = nn.Conv2d(3, 2, 3)
    made(nn.Sequential(conv, nn.ReLU()))
    for count, (other, more) in enumerate(
        [
            (nn.Sequential(conv, nn.Sigmoid()), {}),
            (nn.Sequential(conv, nn.ReLU()), {"rate": 0.050001}),
            (nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU()), {}),
        ],
        start=2,
    ):
        made(other, **more)
        assert len(list(tmp_path.iterdir())) == 2 * count


def test_a_picture_does_not_say_where_to_write(
    bundled: pl.Network, here: Path, tmp_path: Path
) -> None:
    """A recipe that came from somebody else may name a folder; nothing is made there."""
    made = pl.features(bundled, "conv1", channels="0", steps=1, size="32", folder=here / "kept")
    foreign = {**made.recipe.settings, "folder": str(here / "foreign")}
    replace(made, recipe=replace(made.recipe, settings=foreign)).save(here / "made.png")
    assert pl.replay(here / "made.png").same
    assert not (here / "foreign").exists()
    assert "--folder" not in made.recipe.command()


def test_classes_go_by_their_names(tiny: pl.Network) -> None:
    made = pl.features(tiny, "class", channels=[0, 3], **FEW)
    assert made.names == ("ant", "dog") and made.caption == "class: 2 units"
    alone = pl.feature(tiny, "class:dog", **FEW)
    torch.testing.assert_close(made.values[1], alone.values, atol=1e-3, rtol=0)
    assert made.recipe.settings["channels"] == "0; 3"
    small = pl.features(tiny, "class", channels=2, size=10, **FEW)
    assert small.names == ("cat",) and small.values.shape == (1, 1, 10, 14)
    assert small.recipe.settings["size"] == "10"


def test_no_row_of_a_page_has_a_single_picture_where_another_width_has_none() -> None:
    assert _columns([16] * 6, 112, 112) == 16  # 15, and one left over, is the nearest to square
    assert _columns([16, 16, 3], 112, 112) == 8
    for counts in ([12, 40], [7, 7, 7], [1, 1], [100, 3]):
        assert 1 <= _columns(counts, 96, 96) <= max(counts)


def test_a_page_of_very_many_is_not_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    many = Gallery(
        values=torch.rand(60, 3, 120, 90), layers=("a",) * 40 + ("b",) * 20, names=("7",) * 60,
        scores=torch.ones(60), dead=torch.zeros(60, dtype=torch.bool),
    )  # fmt: skip
    whole = many.image()
    monkeypatch.setattr("pellucid.gallery.MOST_PIXELS", 60 * 60 * 45)
    small = many.image()
    # A quarter of the pictures' pixels; lines of text stay as tall.
    assert 0.25 < small.shape[1] * small.shape[2] / (whole.shape[1] * whole.shape[2]) < 0.45
    monkeypatch.setattr("pellucid.gallery.MOST_PIXELS", 1)
    assert many.image().shape[1] > 24 * 40 / 15  # still something to be seen


def test_ctrl_c_keeps_what_is_finished(tiny: pl.Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_NUMBERS", {"cpu": 3 * 20 * 28})
    for stop, count, steps in ((8, 3, 6), (2, 3, 2)):
        work = pl.features.steps(tiny, "grouped", **FEW)
        for _ in range(stop):
            next(work)
        with pytest.raises(StopIteration) as end:
            work.throw(KeyboardInterrupt())
        made = end.value.value
        assert len(made.values) == count
        after = " after 2 of 6 steps" if stop == 2 else ""
        assert f"(stopped{after}; 3 of 8 units)" in made.caption
        assert made.recipe.settings["steps"] == steps
        again = pl.features(tiny, **made.recipe.settings)
        assert torch.equal(again.values, made.values)


def test_wrong_requests(tiny: pl.Network, tmp_path: Path) -> None:
    for layers, settings, message in [
        ("grouppd", {}, "did you mean 'grouped'"),
        ("grouped", {"channels": "0-99"}, "channels 0 to 7, not 8"),
        ("grouped", {"channels": "a"}, "channels are such as 0-31; 40"),
        ("grouped", {"channels": "5-2"}, "go from low to high"),
        ("", {}, "no layer is named"),
        ("grouped", {"folder": str(tmp_path / "no" / "such")}, "can be made"),
    ]:
        with pytest.raises(pl.PellucidError, match=message):
            pl.features(tiny, layers, **{**FEW, **settings})
