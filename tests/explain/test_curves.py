"""Deletion and insertion against a slow twin, pixel by pixel, and where the answer is known."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from pellucid.curve import Curve
from pellucid.explain import curves
from pellucid.explain.asked import Asked


def network() -> pl.Network:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
        nn.Linear(16, 3),
    )  # fmt: skip
    return pl.Network(module.double(), size=(8, 12), mean=[0.4] * 3, std=[0.2] * 3)


def twin(
    net: pl.Network, start: Tensor, finish: Tensor, evidence: Tensor, pieces: int, unit: int
) -> list[float]:
    """RISE's protocol word for word: pixel after pixel, a look after each piece."""
    rows, columns = evidence.shape
    places = [(row, column) for row in range(rows) for column in range(columns)]
    ranked = sorted(places, key=lambda place: float(evidence[place]), reverse=True)
    image = start.clone()
    found = [float(net.module(image).softmax(1)[0, unit])]
    for number, (row, column) in enumerate(ranked, start=1):
        image[0, :, row, column] = finish[0, :, row, column]
        if number % (rows * columns // pieces) == 0:
            found.append(float(net.module(image).softmax(1)[0, unit]))
    return found


def slow_blur(image: Tensor) -> Tensor:
    """Every pixel the weighted mean of its 121 neighbours, the rim repeated."""
    rows, columns = image.shape[2:]
    out = torch.zeros_like(image)
    for row in range(rows):
        for column in range(columns):
            total = 0.0
            for down in range(-5, 6):
                for across in range(-5, 6):
                    weight = math.exp(-(down**2 + across**2) / (2 * 5**2))
                    y = min(max(row + down, 0), rows - 1)
                    x = min(max(column + across, 0), columns - 1)
                    out[0, :, row, column] += weight * image[0, :, y, x]
                    total += weight
            out[0, :, row, column] /= total
    return out


def test_the_protocol_is_that_of_the_slow_twin(cat: pl.Photo) -> None:
    net = network()
    asked = Asked.of(net, cat, "class:1")
    evidence = torch.rand(8, 12, generator=torch.Generator().manual_seed(1))
    order = curves.by_strength(evidence, (8, 12))
    found = curves.both(asked.score, asked.inputs, order, 12)
    zero, soft = torch.zeros_like(asked.inputs), slow_blur(asked.inputs)
    with torch.no_grad():
        fall = twin(net, asked.inputs, zero, evidence, 12, 1)
        rise = twin(net, soft, asked.inputs, evidence, 12, 1)
    assert found.deletion.values == pytest.approx(fall, abs=1e-6)
    assert found.insertion.values == pytest.approx(rise, abs=1e-6)
    assert found.deletion.shares == pytest.approx([number / 12 for number in range(13)])
    # RISE's own formula of the area, for steps of equal length.
    area = (sum(fall) - fall[0] / 2 - fall[-1] / 2) / 12
    assert found.deletion.area == pytest.approx(area, abs=1e-6)


def test_blurring_keeps_a_constant_and_the_mean_of_what_is_inside() -> None:
    assert torch.allclose(curves.blurred(torch.full((1, 3, 6, 9), 0.7)), torch.tensor(0.7))
    dot = torch.zeros(1, 1, 31, 31)
    dot[0, 0, 15, 15] = 1
    soft = curves.blurred(dot)
    assert float(soft.sum()) == pytest.approx(1, abs=1e-5)
    assert int((soft > 0).sum()) == 11 * 11 and float(soft.max()) == float(soft[0, 0, 15, 15])


def test_the_area_is_the_mean_height() -> None:
    assert Curve((0.0, 0.5, 1.0), (1.0, 0.0, 0.0)).area == pytest.approx(0.25)
    assert Curve((0.0, 0.1, 1.0), (2.0, 2.0, 2.0)).area == pytest.approx(2)


def test_pieces_that_do_not_divide_the_pixels_still_end_at_all_of_them(cat: pl.Photo) -> None:
    asked = Asked.of(network(), cat, "class:0")
    found = curves.deletion(asked.score, asked.inputs, curves.from_the_centre((8, 12)), 7)
    assert len(found.shares) == 8 and found.shares[-1] == 1
    empty = float(asked.score(torch.zeros_like(asked.inputs)).detach())
    assert found.values[-1] == pytest.approx(empty)
    assert found.values[0] == pytest.approx(float(asked.score(asked.inputs).detach()))


def test_more_pieces_than_a_batch_are_the_same(
    cat: pl.Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked.of(network(), cat, "class:0")
    order = curves.from_the_centre((8, 12))
    at_once = curves.both(asked.score, asked.inputs, order, 24)
    monkeypatch.setattr(curves, "MOST_NUMBERS", 5 * asked.inputs.numel())
    in_parts = curves.both(asked.score, asked.inputs, order, 24)
    assert in_parts.deletion.values == pytest.approx(at_once.deletion.values, abs=1e-12)


def test_orders() -> None:
    coarse = torch.tensor([[0.0, 1.0], [3.0, 2.0]])
    fine = F.interpolate(coarse[None, None], (6, 6), mode="bilinear", align_corners=False)
    order = curves.by_strength(coarse, (6, 6))
    assert sorted(order.tolist()) == list(range(36))
    along = fine.flatten()[order]
    assert bool((along[:-1] >= along[1:]).all())
    centre = curves.from_the_centre((5, 7))
    assert centre[0] == 2 * 7 + 3 and set(centre[-4:].tolist()) == {0, 6, 28, 34}


def test_equal_pixels_come_in_random_order() -> None:
    """A map without any evidence has no order of its own, not that of reading."""
    torch.manual_seed(0)
    first = curves.by_strength(torch.zeros(4, 4), (20, 20))
    assert sorted(first.tolist()) == list(range(400))
    assert abs(float(first[:200].float().mean()) - 199.5) < 25
    assert not torch.equal(first, curves.by_strength(torch.zeros(4, 4), (20, 20)))
