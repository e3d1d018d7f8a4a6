"""Every method keeps the promises of `pellucid.testing`, and these notice what is left behind."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

import pellucid as pl
from pellucid.register import ours
from pellucid.testing import Promises
from pellucid.testing.footprints import same, state


@pytest.mark.parametrize("method", list(ours()), indirect=True)
class TestEveryMethod(Promises):
    pass


def test_the_footprints_are_seen(tiny: pl.Network) -> None:
    """The test of the tests: each thing left behind is noticed."""
    first = next(tiny.module.parameters())
    changes: list[Callable[[], Any]] = [
        lambda: tiny.module.eval(),
        lambda: first.requires_grad_(False),
        lambda: tiny.module.norm.running_mean.add_(1),
        lambda: tiny.module.norm.num_batches_tracked.add_(1),
        lambda: setattr(first, "grad", first.grad.clone()),
        lambda: first.grad.add_(1),
        lambda: tiny.module.head.register_forward_hook(lambda *_: None),
        lambda: torch.rand(1),
        lambda: first.data.add_(1),
    ]
    for change in changes:
        before = state(tiny)
        change()
        with pytest.raises(AssertionError):
            same(before, state(tiny))
