"""The fingerprint of weights: the same for the same, another for any change."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

import pellucid as pl
from conftest import awkward
from pellucid import fingerprint
from pellucid.fingerprint import Fingerprint

CHANGES: list[Callable[[Any], Any]] = [
    lambda module: module.head.weight.data.mul_(2),  # as averaging of weights does
    lambda module: module.head.weight.data[0, 0].add_(1e-6),
    lambda module: module.norm.running_mean.add_(1),
    lambda module: module.norm.num_batches_tracked.add_(1),
    lambda module: setattr(module, "head", nn.Linear(8, 5)),
    lambda module: module.load_state_dict({k: v * 2 for k, v in module.state_dict().items()}),
    lambda module: module.half(),
    lambda module: module.register_buffer("more", torch.zeros(3, dtype=torch.uint8)),
]


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_seen(change: Callable[[Any], Any]) -> None:
    module = awkward()
    with torch.no_grad():
        module.head.weight.clamp_(-1, 1)
    mark = Fingerprint(module)
    before = str(mark)
    assert len(before) == 16 and before == str(mark) == str(Fingerprint(awkward()))
    with torch.no_grad():
        change(module)
    assert str(mark) != before
    assert str(mark) == str(Fingerprint(module))


def test_is_worked_out_once_while_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    true = fingerprint._digest
    monkeypatch.setattr(fingerprint, "_digest", lambda state: calls.append(1) or true(state))
    module = awkward()
    mark = Fingerprint(module)
    texts = {str(mark) for _ in range(3)}
    assert len(texts) == len(calls) == 1
    module.head.weight.data.add_(1)
    assert str(mark) not in texts and len(calls) == 2


def test_a_change_of_one_among_many_small_ones_is_seen() -> None:
    values = [torch.rand(number, 2) for number in range(1, 40)] + [torch.rand(200, 200)]
    before = fingerprint.marks(values)
    assert fingerprint.marks(values) == before
    for value in values:
        value.data[0, 1] += 1e-6
        marks = fingerprint.marks(values)
        assert marks != before
        before = marks
    # Two that change places: their numbers are the same.
    one, other = values[8].data[:4].clone(), values[3].data.clone()
    values[8].data[:4], values[3].data[:] = other, one
    assert fingerprint.marks(values) != before


def test_odd_weights_have_one_too() -> None:
    whole = torch.arange(11, dtype=torch.float16)
    module = nn.Module()
    module.register_buffer("part", whole[1:])  # begins in the middle of eight bytes
    module.register_buffer("turned", torch.rand(3, 4).T)
    module.register_buffer("one", torch.tensor(True))
    module.register_buffer("none", torch.zeros(0))
    before = str(Fingerprint(module))
    whole[10] = 7
    assert str(Fingerprint(module)) != before


def test_weights_made_in_inference_mode_stay_as_they_were(cat: pl.Photo) -> None:
    with torch.inference_mode():
        module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    net = pl.Network(module, size=12)
    assert pl.predict(net, cat, top=1).recipe.network["weights_hash"] == net.weights_hash
    assert all(weight.requires_grad for weight in module.parameters())
