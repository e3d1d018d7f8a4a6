"""features(): each picture is what feature() draws; nothing is drawn twice, nor mixed."""

from pathlib import Path

import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid.make import features as module
from pellucid.make.draw import Drawing

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
        if len(self.alive) > 2:
            raise torch.OutOfMemoryError
        return (yield from real(self, name))

    monkeypatch.setattr(Drawing, "run", tight)
    made = pl.features(tiny, "grouped", **FEW)
    assert counts == [8, 4, 2, 2, 2, 2] and len(made.values) == 8


def test_several_layers_each_under_its_name(tiny: pl.Network) -> None:
    made = pl.features(tiny, "stem.1; block", channels="0-1; 4", **FEW)
    assert made.layers == ("stem.1",) * 3 + ("block",) * 3
    assert [name.split(":")[0] for name in made.names] == ["0", "1", "4"] * 2
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
    assert made.names[1] == "1: dead" and "1 dead" in made.caption
    other = pl.features(pl.Network(part, size=16), "1", channels="0", **FEW)
    torch.testing.assert_close(other.values[0], made.values[0], atol=1e-3, rtol=0)


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
    damaged = next(iter(sorted(Path(folder).iterdir())))
    damaged.write_bytes(b"not a picture")
    torch.testing.assert_close(
        pl.features(tiny, "grouped", folder=folder, **FEW).values, whole.values
    )
    pl.features(tiny, "grouped", channels="0", folder=folder, seed=1, **FEW)
    assert len(list(Path(folder).iterdir())) == 9


def test_ctrl_c_keeps_what_is_finished(tiny: pl.Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_NUMBERS", {"cpu": 3 * 20 * 28})
    for stop, count, steps in ((8, 3, 6), (2, 3, 2)):
        work = pl.features.steps(tiny, "grouped", **FEW)
        for _ in range(stop):
            next(work)
        with pytest.raises(StopIteration) as end:
            work.throw(KeyboardInterrupt())
        made = end.value.value
        assert len(made.values) == count and "stopped, of 8" in made.caption
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
