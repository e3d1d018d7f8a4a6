"""The loop: up a hill, each picture on its own, freed only where it is wholly blocked."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.make import ascend as loop
from pellucid.make.ascend import FREED, PATIENCE, Moment, ascend, slope
from pellucid.make.canvas import Sheet
from pellucid.make.climb import Climb, Even, Plain
from pellucid.make.fourier import Fourier
from pellucid.make.pixels import Pixels
from pellucid.make.regularisers import Decay, SmallGradient

Objective = Callable[[Tensor], Tensor]


def sheet(start: Tensor, canvas: Pixels | Fourier | None = None) -> Sheet:
    """A sheet of grey pixels with these numbers."""
    net = pl.Network(nn.Identity(), size=tuple(start.shape[2:]), mean=[0.5], std=[0.1])
    return (canvas or Pixels()).lay(net, start)


def climbed(
    start: Tensor, objective: Objective, steps: int, climb: Climb
) -> tuple[Tensor, list[Moment]]:
    paper = sheet(start)
    moments = list(ascend(paper, objective, steps=steps, climb=climb))
    return paper.images(), moments


def total(image: Tensor) -> Tensor:
    return image.sum((1, 2, 3))


def test_climbs_a_hill_with_each_image_on_its_own() -> None:
    tops = torch.tensor([1.0, -2.0]).view(2, 1, 1, 1)
    start = torch.zeros(2, 1, 1, 1)
    made, moments = climbed(start, lambda x: -total((x - tops).square()), 50, Even(0.1))
    torch.testing.assert_close(made, tops, atol=0.11, rtol=0)
    assert moments[0].values == [-1, -4]
    assert [moment.step for moment in moments] == list(range(1, 51))
    assert bool(moments[0].alive.all())


def test_a_plain_step_is_the_slope() -> None:
    """On -x² / 2 every step of rate r leaves 1 - r of the way."""
    made, moments = climbed(
        torch.full((1, 1, 2, 2), 4.0), lambda x: -total(x * x) / 2, 3, Plain(0.5)
    )
    torch.testing.assert_close(made, torch.full((1, 1, 2, 2), 0.5))
    assert [moment.values[0] for moment in moments] == [-32, -8, -2]
    torch.testing.assert_close(moments[2].gradient, torch.full((1, 1, 2, 2), -1.0))


def test_regularisers_come_after_the_step_in_their_order() -> None:
    start = torch.tensor([[[[1.0, 1.0, 1.0]]]])
    paper = sheet(start.clone())
    weight = torch.tensor([0.1, 2.0, 3.0])
    both = (Decay(0.5), SmallGradient(34))
    (moment,) = ascend(
        paper, lambda x: (x * weight).sum((1, 2, 3)), steps=1, climb=Plain(0.5), regularisers=both
    )
    # Half of 1 + 1 and of 1 + 1.5; the one of the smallest gradient is cut.
    torch.testing.assert_close(paper.images(), torch.tensor([[[[0.0, 1.0, 1.25]]]]))
    torch.testing.assert_close(moment.gradient[0, 0, 0], weight)


def test_pixels_stay_between_black_and_white() -> None:
    made, _ = climbed(torch.zeros(1, 1, 2, 2), total, 10, Plain(3.0))
    torch.testing.assert_close(made, torch.full((1, 1, 2, 2), 5.0))  # (1 - 0.5) / 0.1


class Two(nn.Module):
    """relu(a x - 1) and relu(b x + 1): the first is silent on grey, the second is not."""

    def __init__(self, a: float = 2.0, b: float = 3.0) -> None:
        super().__init__()
        self.a, self.b = a, b

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([self.a * x - 1, self.b * x + 1], 1).relu()


@pytest.mark.parametrize("a", [2.0, -2.0])
def test_a_silent_unit_is_woken_by_hand(a: float) -> None:
    """Blocked, the rectifier passes what raises it: a; once it fires the true slope is the same."""
    net = Two(a)
    made, moments = climbed(
        torch.zeros(1, 1, 1, 1), lambda x: net(x)[:, 0].flatten(1).sum(1), 4, Plain(0.1)
    )
    assert [moment.values[0] for moment in moments] == pytest.approx([0, 0, 0, 0.2])
    assert [bool(moment.alive) for moment in moments] == [False, False, False, True]
    assert float(made) == pytest.approx(0.4 * a)


def test_only_what_is_wholly_blocked_is_freed() -> None:
    """Beside one that fires the silent one gets nothing: the gradient is the true one."""
    net = Two()
    _, moments = climbed(torch.zeros(1, 1, 1, 1), lambda x: net(x).flatten(1).sum(1), 1, Plain(0.1))
    assert float(moments[0].gradient) == 3.0
    # Of a batch only the picture that is blocked: the other goes its own way.
    start = torch.tensor([0.0, 0.6]).view(2, 1, 1, 1)
    _, moments = climbed(start, lambda x: net(x)[:, 0].flatten(1).sum(1), 1, Plain(0.1))
    assert moments[0].gradient.flatten().tolist() == [2.0, 2.0]
    assert moments[0].alive.tolist() == [False, True]


def test_a_rectifier_held_open_passes_no_way_down() -> None:
    """-relu(x - 1) at 0 cannot be raised; with x behind a second rectifier neither."""
    for objective in (
        lambda x: -total((x - 1).relu()),
        lambda x: -total(((x - 1).relu() - 2).relu()),
    ):
        _, moments = climbed(torch.zeros(1, 1, 1, 1), objective, 1, Plain(0.1))
        assert float(moments[0].gradient) == 0


def test_two_blocked_rectifiers_in_a_row_are_both_freed() -> None:
    def objective(x: Tensor) -> Tensor:
        return total(((2 * x - 1).relu() * 3 - 1).relu())

    _, moments = climbed(torch.zeros(1, 1, 1, 1), objective, 1, Plain(0.1))
    assert float(moments[0].gradient) == 6


def test_other_rectifiers_are_freed_as_well_and_soft_ones_left() -> None:
    hard = (
        nn.functional.relu6,
        lambda x: x.clamp(min=0),
        lambda x: torch.maximum(x, torch.zeros(())),
        lambda x: nn.functional.threshold(x, 0, 0),
    )
    for rectifier in hard:
        _, moments = climbed(
            torch.zeros(1, 1, 1, 1), lambda x, f=rectifier: total(f(2 * x - 1)), 1, Plain(0.1)
        )
        assert float(moments[0].gradient) == 2 and not moments[0].alive.any()
    _, moments = climbed(
        torch.zeros(1, 1, 1, 1), lambda x: total(nn.functional.silu(2 * x - 1)), 1, Plain(0.1)
    )
    assert moments[0].alive.all() and float(moments[0].gradient) != 2


def test_freeing_lasts_until_there_is_a_gradient() -> None:
    _, moments = climbed(
        torch.zeros(1, 1, 1, 1), lambda x: total((2 * x - 10).relu()), FREED + 2, Plain(0.01)
    )
    given = [float(moment.gradient) for moment in moments]
    assert given == [2.0] * (FREED + 2) and not any(bool(one.alive) for one in moments)
    # Not for ever: a dead picture is not pulled at beside one that lives.
    start = torch.tensor([0.0, 9.0]).view(2, 1, 1, 1)
    _, moments = climbed(start, lambda x: total((2 * x - 10).relu()), PATIENCE + 2, Plain(0.01))
    given = [float(moment.gradient[0]) for moment in moments]
    assert given == [2.0] * PATIENCE + [0.0] * 2 and moments[-1].alive.tolist() == [False, True]


def test_a_picture_that_has_lived_is_not_freed_because_another_is_dead() -> None:
    """It does not depend on those beside it: with or without them it stops where it is silent."""

    def objective(x: Tensor) -> Tensor:
        dead = torch.tensor([1.0, 0.0])[: len(x)]
        return total((0.3 - x).relu() * (x + 1)) * dead

    start = torch.full((2, 1, 1, 1), -0.5)
    alone, _ = climbed(start[:1].clone(), objective, 6, Plain(4.0))
    together, moments = climbed(start.clone(), objective, 6, Plain(4.0))
    assert moments[-1].values[0] == 0 and moments[-1].alive.tolist() == [True, False]
    torch.testing.assert_close(together[:1], alone)


def test_what_is_dead_is_given_up() -> None:
    _, moments = climbed(torch.zeros(2, 1, 1, 1), lambda x: total(x * 0), 1000, Plain(0.1))
    assert len(moments) == PATIENCE and not moments[-1].alive.any()
    # One that lives goes on for all.
    alive = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1)
    _, moments = climbed(torch.zeros(2, 1, 1, 1), lambda x: total(x * alive), 60, Plain(0.1))
    assert len(moments) == 60 and moments[-1].alive.tolist() == [False, True]


def test_a_slope_that_is_not_there() -> None:
    image = torch.zeros(1, 1, 2, 2, requires_grad=True)
    assert not slope(torch.ones(1, requires_grad=True) * 2, image).any()
    with pytest.raises(pl.PellucidError, match="no gradient reaches"):
        slope(image.detach().sum((1, 2, 3)), image)
    with pytest.raises(pl.PellucidError, match="not finite"):
        slope(image.sqrt().sum((1, 2, 3)), image)


def test_values_that_are_not_finite_from_the_start_are_the_networks() -> None:
    with pytest.raises(pl.PellucidError, match="the value is not finite: the network's values"):
        climbed(torch.zeros(1, 1, 2, 2), lambda x: total(x / 0 * 0), 3, Plain(0.1))
    with pytest.raises(pl.PellucidError, match="the gradient is not finite: the network's"):
        climbed(torch.zeros(1, 1, 2, 2), lambda x: total(x.sqrt()), 3, Plain(0.1))


def test_steps_that_go_too_far_are_told_at_the_first_number_that_is_not_finite() -> None:
    def steep(x: Tensor) -> Tensor:
        return total(x + 1).square() ** 20

    with pytest.raises(
        pl.PellucidError,
        match=r"the value is no longer finite at step 2: steps of plain 1e\+08 go too far; try "
        r"plain 1e\+07",
    ):
        net = pl.Network(nn.Identity(), size=2, mean=[0.0], std=[1e-9])
        list(ascend(Pixels().lay(net, torch.zeros(1, 1, 2, 2)), steep, steps=9, climb=Plain(1e8)))


def test_waves_that_mean_only_black_and_white_are_told() -> None:
    canvas = Fourier()
    net = pl.Network(nn.Identity(), size=(8, 9), mean=[0.5], std=[0.1])
    start = canvas.start(net, torch.Generator().manual_seed(0))[None]
    paper = canvas.lay(net, start)
    weight = torch.randn(1, 8, 9, generator=torch.Generator().manual_seed(1))
    with pytest.raises(
        pl.PellucidError, match=r"at step 2 every pixel is wholly black or white.*try even 1e\+09"
    ):
        list(ascend(paper, lambda x: total(x * weight), steps=5, climb=Even(1e10)))


def test_regularisers_of_pixels_want_pixels() -> None:
    net = pl.Network(nn.Identity(), size=(8, 9), mean=[0.5], std=[0.1])
    paper = Fourier().sheet(net, torch.Generator())
    with pytest.raises(pl.PellucidError, match=r"decay 0\.1 works on pixels, and this canvas"):
        next(ascend(paper, total, steps=1, climb=Even(1), regularisers=(Decay(0.1),)))


def test_numbers_ask_for_no_gradient_between_the_steps() -> None:
    """Neither after an error inside the objective."""
    paper = sheet(torch.zeros(1, 1, 2, 2))
    for _ in ascend(paper, total, steps=3, climb=Plain(0.1)):
        assert not any(numbers.requires_grad for numbers in paper.parameters)

    def crash(x: Tensor) -> Tensor:
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        next(ascend(paper, crash, steps=3, climb=Plain(0.1)))
    assert not any(numbers.requires_grad for numbers in paper.parameters)


def test_the_graph_is_walked_twice_only_where_it_is_blocked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    walks = []
    real = loop._slope
    monkeypatch.setattr(loop, "_slope", lambda *a, **k: walks.append(k) or real(*a, **k))
    climbed(torch.zeros(1, 1, 2, 2), total, 5, Plain(0.1))
    assert len(walks) == 5
    walks.clear()
    climbed(torch.zeros(1, 1, 2, 2), lambda x: total((x - 1).relu()), 2, Plain(0.1))
    assert len(walks) == 4
