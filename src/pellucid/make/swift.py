"""swift(): a faster copy of a network, the same to rounding, for many passes."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pellucid.make import narrow, stem
from pellucid.make.narrow import Narrow
from pellucid.network import Network
from pellucid.target import observe

Image = Float[Tensor, "batch channels height width"]
CLOSE = 1e-3  # how near the faster copy comes, share of the greatest output
FILLS = 0.0, 1e3  # of channels that nobody is to read
FAILURES = (RuntimeError, ValueError, TypeError, AttributeError, IndexError)
FEEDS = ((nn.Conv2d, nn.BatchNorm2d), (nn.ReLU, nn.MaxPool2d))
LAST = 2  # convolutions before a layer that may be narrowed: a block's own and its shortcut's


def swift(net: Network, layers: frozenset[str]) -> Network:
    """The network around a faster copy of its module; itself where there is none.

    Batch normalisation is worked into the convolutions before it, a large convolution on the image
    becomes a `Stem`, a rectifier in front of a pooling of maxima goes behind it, where there is
    less to do, and channels lie last in memory. The last convolution before a single layer becomes
    `Narrow`. Each copy is checked against the network.
    """
    try:
        module, probe = copy.deepcopy(net.module), _probe(net)
        with torch.no_grad():
            wanted = observe(net, probe, layers)
            fed = _fed(module, probe)
            _fold(module, fed, layers)
            for name, part in list(module.named_modules()):
                if isinstance(part, nn.Conv2d) and stem.fits(part) and name:
                    _put(module, name, stem.Stem(part))
            module.to(memory_format=torch.channels_last)
            made = net.with_module(module)
            last = probe.contiguous(memory_format=torch.channels_last)

            def same() -> bool:
                found = observe(made, last.clone(), layers)
                return all(near(found[layer], wanted[layer], CLOSE) for layer in layers)

            if not same():
                return net
            _swap(module, fed, layers, same)
    except Exception:  # of somebody's module, which may not let itself be copied
        return net
    return made


def narrowed(net: Network, layers: frozenset[str]) -> list[Narrow]:
    """Narrows the last convolutions before a single layer, as far as nothing behind mixes channels.

    Args:
        net: a faster copy; changed in place, though it computes the same until it is told which
            channels are wanted.

    Returns:
        The narrowed ones.
    """
    (layer,) = layers if len(layers) == 1 else ("",)
    if not layer or net.layers[layer].layout.form != "map":
        return []
    found: list[Narrow] = []
    with torch.no_grad():
        probe = _probe(net).contiguous(memory_format=torch.channels_last)
        whole, ran = _ran(net, probe, layer)
        for name in ran[-LAST:]:
            conv = net.module.get_submodule(name)
            assert isinstance(conv, nn.Conv2d)
            once = ran.count(name) == 1
            if not (once and narrow.fits(conv) and conv.out_channels == whole.shape[1]):
                continue
            part = Narrow(conv)
            _put(net.module, name, part)
            try:
                alike = _alone(net, part, probe, layer, whole)
            except FAILURES:
                alike = False
            if alike:
                found.append(part)
            else:
                _put(net.module, name, conv)
    return found


def _ran(net: Network, probe: Image, layer: str) -> tuple[Tensor, list[str]]:
    """A layer's output, and the convolutions that run up to it, in their order."""
    ran: list[str] = []
    handles = []
    for name, part in net.module.named_modules():
        if isinstance(part, nn.Conv2d):

            def after(_part: nn.Module, _in: object, _out: object, name: str = name) -> None:
                ran.append(name)

            handles.append(part.register_forward_hook(after))
    try:
        return observe(net, probe.clone(), frozenset({layer}))[layer], ran
    finally:
        for handle in handles:
            handle.remove()


def _alone(net: Network, part: Narrow, probe: Image, layer: str, whole: Tensor) -> bool:
    """Whether a layer's channels come out the same whatever is in the others'."""
    last = whole.shape[1] - 1
    part.channels = some = [0, last // 3, last]
    images, made = probe.repeat(len(some), 1, 1, 1), []
    for part.fill in FILLS:
        maps = observe(net, images.clone(memory_format=torch.channels_last), frozenset({layer}))
        made.append(maps[layer][range(len(some)), some])
    part.fill, part.channels = 0.0, None
    return torch.equal(*made) and near(made[0], whole[0, some], CLOSE)


def _probe(net: Network) -> Image:
    random = torch.Generator().manual_seed(0)
    return torch.randn(net.blank().shape, generator=random).to(net.blank())


def near(found: Tensor, wanted: Tensor, close: float) -> bool:
    """Whether numbers are finite, and at most so far apart, as a share of the greatest wanted."""
    if found.shape != wanted.shape or not bool(wanted.isfinite().all()):
        return False
    most = float(wanted.abs().max())
    return float((found - wanted).abs().max()) <= close * max(most, 1e-6)


def _fed(module: nn.Module, probe: Image) -> dict[str, str]:
    """Of each convolution and rectifier which normalisation or pooling is given its output.

    Only of those that run once.
    """
    # Outputs are kept: an id is one's own as long as its owner lives.
    made: dict[int, tuple[str, type[nn.Module], Tensor]] = {}
    pairs: dict[str, str] = {}
    calls: dict[str, int] = {}
    handles = []
    for name, part in module.named_modules():
        for first, second in FEEDS:
            if isinstance(part, first):

                def after(
                    _part: nn.Module, _in: object, out: Tensor, name: str = name,
                    second: type[nn.Module] = second,
                ) -> None:  # fmt: skip
                    made[id(out)] = (name, second, out)
                    calls[name] = calls.get(name, 0) + 1

                handles.append(part.register_forward_hook(after))
            elif isinstance(part, second):

                def before(part: nn.Module, given: tuple[Tensor, ...], name: str = name) -> None:
                    calls[name] = calls.get(name, 0) + 1
                    giver = made.get(id(given[0])) if given else None
                    if giver and isinstance(part, giver[1]):
                        pairs[giver[0]] = name

                handles.append(part.register_forward_pre_hook(before))
    try:
        module(probe.clone())
    finally:
        for handle in handles:
            handle.remove()
    return {first: name for first, name in pairs.items() if calls[first] == calls[name] == 1}


def _fold(module: nn.Module, fed: dict[str, str], layers: frozenset[str]) -> None:
    """Works each batch normalisation into the convolution whose output it is given, in place."""
    for first, second in fed.items():
        conv, norm = module.get_submodule(first), module.get_submodule(second)
        if first in layers or not isinstance(norm, nn.BatchNorm2d):
            continue
        if isinstance(conv, nn.Conv2d):
            _put(module, first, fuse_conv_bn_eval(conv, norm))
            _put(module, second, nn.Identity())


def _swap(
    module: nn.Module, fed: dict[str, str], layers: frozenset[str], same: Callable[[], bool]
) -> None:
    """Puts rectifiers behind the pooling of maxima that they feed: the greatest stays the greatest.

    All of them, or none where somebody else reads what a rectifier makes.
    """
    pairs = [
        (first, second, module.get_submodule(first), module.get_submodule(second))
        for first, second in fed.items()
        if isinstance(module.get_submodule(first), nn.ReLU) and first not in layers
    ]
    for first, second, rectifier, pool in pairs:
        _put(module, first, pool)
        _put(module, second, rectifier)
    if pairs and not same():
        for first, second, rectifier, pool in pairs:
            _put(module, first, rectifier)
            _put(module, second, pool)


def _put(module: nn.Module, name: str, part: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(module.get_submodule(parent), last, part)
