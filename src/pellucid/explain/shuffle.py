"""Shuffle: a network destroyed layer by layer, from its answer down to the photo."""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from itertools import pairwise

import torch
from torch import Tensor, nn

from pellucid.errors import PellucidError
from pellucid.network import Network

# What batch and instance norm know of the photos they were trained on.
STATISTICS = ("running_mean", "running_var")


def cascade(
    net: Network, groups: Iterable[tuple[str, ...]], chance: torch.Generator | None = None
) -> Iterator[Network]:
    """A copy of the network, after each group with the weights of one group more shuffled.

    The network itself is not touched. In every weight, bias and statistic of a norm the numbers
    change places at random. Adebayo et al. (2018) draw new ones as before training; how that was
    done is not known of a given network, and its own numbers keep the scale of all that it
    computes, so that nothing vanishes or overflows only because the draw was too small or great.

    Args:
        groups: names of modules, as `layers_down` gives them.
        chance: random numbers on the processor; None: torch's own.

    Raises:
        PellucidError: the module cannot be copied.
    """
    try:
        module = deepcopy(net.module)
    except Exception as error:  # a module may hold anything: locks, files, live tensors
        raise PellucidError(
            f"{net.name} cannot be copied, so its weights cannot be shuffled without touching it "
            f"({type(error).__name__}: {error})"
        ) from error
    copy, done = net.with_module(module), set[int]()
    parts = dict(module.named_modules(remove_duplicate=False))  # TorchScript gives none by name
    for group in groups:
        for name in group:
            for weight in own(parts[name]):
                if id(weight) not in done:  # two layers may share one
                    done.add(id(weight))
                    shuffle(weight, chance)
        yield copy


def shuffle(weight: Tensor, chance: torch.Generator | None = None) -> None:
    """Lets the numbers of a tensor change places at random."""
    flat = weight.detach().flatten()
    mixed = flat[torch.randperm(len(flat), generator=chance).to(flat.device)]
    if torch.equal(mixed, flat):
        mixed = flat.roll(1)  # of two numbers every other draw would change nothing
    # One made in inference mode lets itself be changed there only.
    with torch.inference_mode(weight.is_inference()), torch.no_grad():
        weight.copy_(mixed.view_as(weight))


def own(part: nn.Module) -> list[Tensor]:
    """What a module has learned itself, its parts left out."""
    learned: list[Tensor | None] = list(part.parameters(recurse=False))
    learned += [getattr(part, name, None) for name in STATISTICS]
    return [tensor for tensor in learned if tensor is not None and tensor.is_floating_point()]


def layers_down(net: Network, reached: Iterable[str], most: int) -> list[tuple[str, ...]]:
    """Modules with weights of their own, from the last before a target to the first, in groups.

    Args:
        reached: layers that the target reads; "" is the network's output. What comes behind them
            has no part in the target, and is left out.
        most: groups; a deep network has several layers in each.
    """
    places = {name: place for place, name in enumerate(net.layers)}
    limit = max((places[name] for name in reached), default=len(places))
    placed = [
        (_place(_layer(name), places), number, name)
        for number, (name, part) in enumerate(net.module.named_modules())
        if own(part)
    ]
    whole: dict[str, list[str]] = {}
    for place, _, name in sorted(placed, reverse=True):
        if place <= limit:
            whole.setdefault(_layer(name), []).append(name)
    down = list(whole.values())
    count = min(most, len(down))
    edges = [round(len(down) * number / count) for number in range(count + 1)] if count else []
    return [tuple(name for one in down[a:b] for name in one) for a, b in pairwise(edges)]


def named(group: tuple[str, ...], net: Network) -> str:
    """What a group is called: its deepest layer."""
    return _layer(group[-1]) or net.name


def _layer(name: str) -> str:
    """Of a module that holds the weights of another, as spectral norm has it, the other's."""
    return f".{name}".partition(".parametrizations.")[0][1:]


def _place(name: str, places: dict[str, int]) -> int:
    """When a module's own weights are used: a container's before its first part is done."""
    inside = [place for known, place in places.items() if known.startswith(f"{name}.") or not name]
    if inside:
        return min(inside)
    while name and name not in places:  # called by its container in its own way
        name = name.rpartition(".")[0]
    return places.get(name, 0)
