"""Writing a network down: what is kept of its values, and for how long."""

import weakref
from typing import Any

import torch
from incremental import compared, lively, photo, spots
from test_parts import Made
from torch import Tensor, nn

from pellucid.see.incremental.capture import capture


def test_no_more_values_are_in_memory_than_the_network_itself_holds() -> None:
    module = nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(6)))
    made: list[weakref.ref[Tensor]] = []
    alive: list[int] = []

    def watch(_part: nn.Module, _inputs: Any, output: Tensor) -> None:
        alive.append(sum(one() is not None for one in made))
        made.append(weakref.ref(output))

    for part in module:
        part.register_forward_hook(watch)
    inputs = photo(3, (8, 8))
    graph, _ = capture(module, torch.cat([inputs] * 2), module)
    assert len(graph.nodes) == 6
    assert alive == [0, 1, 1, 1, 1, 1]


def short_lived(self: Made, x: Tensor) -> Tensor:
    """Views and copies that are dead when their memory, or their place, is used again."""
    for _ in range(4):
        x = self.conv(x)
        half = x[:, :4] * 2
        x[:, 4:].mean()  # of no use to anybody
        x.clamp_(min=-1)
        x = torch.cat([half, x[:, 4:]], 1)
        del half
        x = self.relu(x)
    return x


def test_what_has_died_is_not_mistaken_for_what_took_its_place() -> None:
    size = (23, 19)
    module = lively(Made(short_lived))
    found = compared(module, module, photo(3, size), spots(size, 7, 5))
    assert found.way.startswith("rectangles in")
