"""Runner: a network made ready for many passes, of which only some layers are wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.make import coarse
from pellucid.make.narrow import Narrow
from pellucid.make.sampling import resized
from pellucid.make.swift import narrowed, swift
from pellucid.network import Network
from pellucid.target import observe

Image = Float[Tensor, "batch channels height width"]
FAILURES = (RuntimeError, ValueError, AssertionError, IndexError)  # of a size that does not fit


class Runner:
    """Runs a network up to the deepest of the layers that are wanted, and no further.

    It works on a copy with frozen weights that is made for speed (`swift`); where one cannot be
    made, or is not the same, the network runs as it is.

    Args:
        layers: what is wanted; "" is the network's own output.
        size: height and width of what it will be shown. Where the network does not take that, for
            it has a fixed size, images are resized to its own.
        copied: whether a faster copy is worth its making: for more than a few passes.

    Raises:
        PellucidError: the size is too small for the network.
    """

    def __init__(
        self,
        net: Network,
        layers: frozenset[str],
        size: tuple[int, int],
        *,
        copied: bool = True,
    ) -> None:
        self.net = net
        self.layers = layers
        self.resized = not _takes(net, layers, size)
        self.fast = swift(net, layers) if layers and copied else net
        self.narrow: list[Narrow] | None = None  # not looked for yet
        self.coarse: bool | None = None  # neither

    def __call__(
        self, images: Image, channels: Sequence[int] | None = None, *, exact: bool = True
    ) -> Mapping[str, Tensor]:
        """The wanted outputs by layer.

        Args:
            images: normalised as the network's input.
            channels: of each image the only one that is read: of a single layer, which has channel
                maps. The others may be anything.
            exact: whether numbers count, or only the way up (see `coarse`).
        """
        if not self.layers:
            return {}
        if self.resized and tuple(images.shape[2:]) != self.net.preprocess.size:
            images = resized(images, self.net.preprocess.size)
        # A copy: a network may change its input in place, and these may be a sheet's own numbers.
        last = self.fast is not self.net
        form = torch.channels_last if last else torch.preserve_format
        shown = images.clone(memory_format=form)
        if not exact and last and self.coarse is None:
            self._tell(None)
            self.coarse = coarse.suits(self.fast, self.layers, shown.detach()[:1])
        if channels is not None and last and self.narrow is None:
            self.narrow = narrowed(self.fast, self.layers)
        self._tell(channels)
        run = coarse.passed if self.coarse and not exact else observe
        return run(self.fast, shown, self.layers)

    def _tell(self, channels: Sequence[int] | None) -> None:
        for part in self.narrow or ():
            part.channels = channels


def _takes(net: Network, layers: frozenset[str], size: tuple[int, int]) -> bool:
    own = net.preprocess.size
    if size == own or not layers:
        return True
    # A row of tokens is read as the grid that it is at the network's own size.
    if any(net.layers[layer].layout.form == "tokens" for layer in layers):
        return False
    if runs(net, layers, size):
        return True
    if min(size) < min(own) and runs(net, layers, (own[0] + 64, own[1] + 64)):
        raise PellucidError(
            f"a picture of {size[0]} x {size[1]} px is too small for {net.name}: its layers shrink "
            f"to nothing; its own input is {own[0]} x {own[1]}"
        )
    return False


def runs(net: Network, layers: frozenset[str], size: tuple[int, int]) -> bool:
    """Whether a network takes pictures of a height and width."""
    blank = torch.zeros(1, net.preprocess.channels, *size, device=net.device, dtype=net.dtype)
    try:
        with torch.no_grad():
            observe(net, blank, layers)
    except PellucidError:
        raise
    except FAILURES:
        return False
    return True
