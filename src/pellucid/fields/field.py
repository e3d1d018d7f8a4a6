"""Receptive and projective fields: the box of the image a unit sees, the units that see a box."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pellucid.box import Box
from pellucid.fields.axis import Axis, Status, most_cautious
from pellucid.fields.sight import Sight
from pellucid.fields.tracing import Trace
from pellucid.notebook import by, table
from pellucid.record import watching


@dataclass(frozen=True)
class Field:
    """The receptive field of one layer: what each unit sees of the image, over all channels.

    The status says how far to trust it. "exact": every unit sees a window of `size` pixels,
    `stride` pixels from its neighbour's, and `box` holds no pixel row or column too many. "at
    most": a unit sees nothing outside its box, and perhaps less. "whole": no box smaller than the
    image is certain (global pooling, attention, fully connected).
    """

    vertical: Axis
    horizontal: Axis
    image: tuple[int, int]  # height and width in pixels
    status: Status

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of units; (1, 1) where the layer lies in no plane."""
        return len(self.vertical), len(self.horizontal)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a unit's window, borders ignored: it may exceed the image."""
        return self.vertical.size, self.horizontal.size

    @property
    def stride(self) -> tuple[float, float]:
        """Pixels from one unit's window to the next, down and across; 0 when whole."""
        return self.vertical.stride, self.horizontal.stride

    @property
    def offset(self) -> tuple[float, float]:
        """Centre of unit (0, 0)'s window, where the first pixel's centre is at 0.5."""
        down, across = self.vertical, self.horizontal
        return down.start + down.size / 2, across.start + across.size / 2

    def told(self) -> tuple[str, str, str]:
        """Window and stride in px, and the status, as words of a table."""
        if self.status == "whole":
            return by(self.image), "", self.status
        return by(self.size), by(self.stride), self.status

    def box(self, y: int, x: int) -> Box[int]:
        """The input box that unit (y, x) sees, inside the image; empty if it sees only padding."""
        if self.status == "whole":
            return Box(0, 0, *self.image)
        rows, columns = self.grid
        if not (0 <= y < rows and 0 <= x < columns):
            raise IndexError(
                f"no unit ({y}, {x}): the layer has {rows} rows and {columns} columns of units"
            )
        (top, bottom), (left, right) = self.vertical.spans[y], self.horizontal.spans[x]
        return Box(top, left, bottom, right)

    def units(self, box: tuple[int, int, int, int]) -> Box[int]:
        """The box of units that can see any pixel of an input box; (0, 0, 0, 0) if none can."""
        top, left, bottom, right = box
        rows = [i for i, (a, b) in enumerate(self.vertical.spans) if max(a, top) < min(b, bottom)]
        columns = [
            i for i, (a, b) in enumerate(self.horizontal.spans) if max(a, left) < min(b, right)
        ]
        if not rows or not columns:
            return Box(0, 0, 0, 0)
        return Box(rows[0], columns[0], rows[-1] + 1, columns[-1] + 1)


class Fields(dict[str, Field]):
    """Receptive fields by layer; in a notebook a table."""

    def __repr__(self) -> str:
        return f"<fields of {len(self)} layers: {', '.join(filter(None, self))}>"

    def _repr_html_(self) -> str:
        columns = ("layer", "units", "sees, px", "every, px", "field")
        rows = (
            (name or "(the network)", " x ".join(map(str, field.grid)), *field.told())
            for name, field in self.items()
        )
        return table(f"fields of {len(self)} layers", columns, rows, right=columns[1:4])


def fields(module: nn.Module, example: Tensor) -> Fields:
    """The receptive field of every layer's output, by following one image through the network.

    A unit's box grows through each operation by the recursion of Araujo, Norris and Sim (2019),
    "Computing Receptive Fields of Convolutional Neural Networks", here applied to the tensor
    operations themselves, so that functional, in-place and nested calls count alike. This is what a
    unit *can* see: what moves it in practice is a blob in the middle (Luo, Li, Urtasun and Zemel
    2016, "Understanding the Effective Receptive Field").

        >>> seen = fields(torchvision.models.resnet50(), torch.zeros(1, 3, 224, 224))
        >>> seen["layer4"].size, seen["layer4"].stride
        ((427, 427), (32.0, 32.0))
        >>> seen["layer2"].box(14, 14)       # pixels of the image: top, left, bottom, right

    The names are those of `recording()`: "" is the network, "relu#2" the second call of a module,
    "features.relu()" an activation called as a function. An output without a tensor computed from
    the image has no field. All lengths are in pixels of `example`, which is one image as the
    network takes it, (1, C, H, W). The module runs in eval mode and is left as it was found. Two
    things are not seen: a branch taken because of the image, and values that leave torch (numpy).
    """
    if example.ndim != 4 or example.shape[0] != 1:
        raise ValueError(
            f"fields takes one image as a (1, C, H, W) tensor, got {tuple(example.shape)}"
        )
    height, width = example.shape[2:]
    found = Fields()

    def note(name: str, output: Any, _inputs: Any, _in_place: bool) -> Any:
        sights = (trace.sight(tensor) for tensor in _tensors(output))
        sight = next((sight for sight in sights if sight is not None), None)
        if sight is not None:
            found[name] = _field(sight, (height, width))
        return output

    # Not inference mode, even if the caller is in it: there torch hides operations inside larger
    # ones.
    with torch.inference_mode(False), torch.no_grad(), _evaluating(module):
        image = example.detach().clone()
        trace = Trace(image)
        with watching(module, note), trace:
            module(image)
    return found


def _field(sight: Sight, image: tuple[int, int]) -> Field:
    vertical, horizontal = sight.axes
    return Field(vertical, horizontal, image, most_cautious([vertical.status, horizontal.status]))


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    """Eval mode by the flags alone: some networks do more in their own train() and eval()."""
    trained = [child for child in module.modules() if getattr(child, "training", False)]
    try:
        for child in trained:
            child.training = False
        yield
    finally:
        for child in trained:
            child.training = True


def _tensors(output: Any) -> Iterator[Tensor]:
    """The tensors in whatever a module returned: tuples, dictionaries, dataclasses, in order."""
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, Mapping):
        for value in output.values():
            yield from _tensors(value)
    elif isinstance(output, list | tuple):
        for value in output:
            yield from _tensors(value)
    elif dataclasses.is_dataclass(output) and not isinstance(output, type):
        yield from _tensors(vars(output))
