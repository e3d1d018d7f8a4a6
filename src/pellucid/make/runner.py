"""Runner: a network made ready for many passes, of which only some layers are wanted."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pellucid.errors import PellucidError
from pellucid.make import stem
from pellucid.network import Network
from pellucid.target import observe

Image = Float[Tensor, "batch channels height width"]
CLOSE = 1e-3  # how near the faster copy comes, share of the greatest output
FAILURES = (RuntimeError, ValueError, AssertionError, IndexError)  # of a size that does not fit


class Runner:
    """Runs a network up to the deepest of the layers that are wanted, and no further.

    It works on a copy with frozen weights that is made for speed: convolutions have the batch
    normalisation behind them worked in, a large one on the image becomes a `Stem`, and channels lie
    last in memory. The copy is checked against the network itself; where one cannot be made, or is
    not the same, the network runs as it is.

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
        self.fast = _fast(net, layers) if layers and copied else net

    def __call__(self, images: Image) -> Mapping[str, Tensor]:
        """The wanted outputs by layer, of images normalised as the network's input."""
        if not self.layers:
            return {}
        if self.resized and tuple(images.shape[2:]) != self.net.preprocess.size:
            images = F.interpolate(
                images, self.net.preprocess.size, mode="bilinear", antialias=True
            )
        # A copy: a network may change its input in place, and these may be a sheet's own numbers.
        last = self.fast is not self.net
        form = torch.channels_last if last else torch.preserve_format
        return observe(self.fast, images.clone(memory_format=form), self.layers)


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


def _fast(net: Network, layers: frozenset[str]) -> Network:
    """The network around a faster copy of its module, where there is one."""
    try:
        module = copy.deepcopy(net.module)
        random = torch.Generator().manual_seed(0)
        probe = torch.randn(net.blank().shape, generator=random).to(net.blank())
        with torch.no_grad():
            wanted = observe(net, probe, layers)
            _fold(module, probe, layers)
            for name, part in list(module.named_modules()):
                if isinstance(part, nn.Conv2d) and stem.fits(part) and name:
                    _put(module, name, stem.Stem(part))
            module.to(memory_format=torch.channels_last)
            made = net.with_module(module)
            found = observe(made, probe.contiguous(memory_format=torch.channels_last), layers)
        near = all(_near(found[layer], wanted[layer]) for layer in layers)
    except Exception:  # of somebody's module, which may not let itself be copied
        return net
    return made if near else net


def _near(found: Tensor, wanted: Tensor) -> bool:
    if found.shape != wanted.shape or not bool(wanted.isfinite().all()):
        return False
    most = float(wanted.abs().max())
    return float((found - wanted).abs().max()) <= CLOSE * max(most, 1e-6)


def _fold(module: nn.Module, probe: Image, layers: frozenset[str]) -> None:
    """Works each batch normalisation into the convolution whose output it is given, in place."""
    made: dict[int, tuple[str, Tensor]] = {}  # kept: an id is one's own as long as its owner lives
    pairs: dict[str, str] = {}
    calls: dict[str, int] = {}
    handles = []
    for name, part in module.named_modules():
        if isinstance(part, nn.Conv2d):

            def after(_part: nn.Module, _in: object, out: Tensor, name: str = name) -> None:
                made[id(out)] = (name, out)
                calls[name] = calls.get(name, 0) + 1

            handles.append(part.register_forward_hook(after))
        elif isinstance(part, nn.BatchNorm2d):

            def before(_part: nn.Module, given: tuple[Tensor, ...], name: str = name) -> None:
                calls[name] = calls.get(name, 0) + 1
                if id(given[0]) in made:
                    pairs[made[id(given[0])][0]] = name

            handles.append(part.register_forward_pre_hook(before))
    try:
        module(probe)
    finally:
        for handle in handles:
            handle.remove()
    for first, second in pairs.items():
        if calls[first] == calls[second] == 1 and first not in layers:
            conv, norm = module.get_submodule(first), module.get_submodule(second)
            assert isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
            _put(module, first, fuse_conv_bn_eval(conv, norm))
            _put(module, second, nn.Identity())


def _put(module: nn.Module, name: str, part: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(module.get_submodule(parent), last, part)
