"""Strata: which layers a style or a texture is read from, and how much each counts."""

from __future__ import annotations

from pellucid.errors import PellucidError
from pellucid.make.amplified import stations
from pellucid.network import Network

PIXELS = "pixels"  # the finest detail of the picture itself, as a layer
COUNT = 5  # layers, as in the papers
FINE = 40.0  # weight of the pixels in a texture: what is flat shows every fault
COARSEST = 16  # px from place to place; beyond there are few places, and no texture


def strata(net: Network, text: str | None, fine: float = FINE) -> dict[str, float]:
    """Layers with their weights, which add up to 1.

    Args:
        fine: weight of the pixels, where `usual` takes them; 0 takes none.
        text: "relu1; relu3 0.5": names, each with a weight, 1 where there is none; "pixels" is the
            picture itself. None: `usual`.

    Raises:
        Unknown: no such layer.
        PellucidError: a weight that is none, or a layer whose channels have no places.
    """
    words = [part.split() for part in (usual(net, fine) if text is None else text.split(";"))]
    found: dict[str, float] = {}
    for word in words:
        if not 1 <= len(word) <= 2:
            raise PellucidError(f"layers are such as relu1; relu3 0.5, not {text!r}")
        found[named(net, word[0])] = _weight(word[1]) if len(word) == 2 else 1.0
    whole = sum(found.values())
    return {name: weight / whole for name, weight in found.items()}


def usual(net: Network, fine: float = FINE) -> list[str]:
    """The first rectified layer at each scale, as in Gatys et al., of VGG relu1_1 to relu5_1.

    Where a network has fewer scales than five, the last ones of a scale too, shallow first. Where
    its first layer passes over pixels in strides, there is much in a picture that it cannot see:
    then the pixels themselves as well.
    """
    levels: dict[float, list[str]] = {}
    for name in stations(net):
        stride = steps(net, name)
        if stride <= COARSEST or not levels:
            levels.setdefault(stride, []).append(name)
    found = [level[0] for level in levels.values()]
    more = [name for level in levels.values() for name in reversed(level[1:])]
    found += more[: max(0, COUNT - len(found))]
    order = list(net.layers)
    found = (
        sorted(set(found), key=order.index)[-COUNT:]
        if len(levels) > COUNT
        else sorted(set(found), key=order.index)
    )
    return [*([f"{PIXELS} {fine:g}"] if fine and min(levels) > 1 else []), *found]


def usual_content(net: Network) -> str:
    """The second layer at which there is a place for each 8 px, as VGG's relu4_2."""
    found = stations(net)
    eighth = [name for name in found if steps(net, name) == COARSEST / 2]
    if eighth:
        return eighth[min(1, len(eighth) - 1)]
    return found[round(0.6 * (len(found) - 1))]


def named(net: Network, word: str) -> str:
    """A layer by its name, which has channels with places.

    Raises:
        Unknown: no such layer.
        PellucidError: its channels have no places.
    """
    if word == PIXELS:
        return word
    layer = net.layer(word)
    if not layer.layout.channels or max(layer.layout.grid) < 2:
        raise PellucidError(
            f"layer {word!r} has no channels with places in the picture; try {stations(net)[0]!r}"
        )
    return layer.name


def steps(net: Network, name: str) -> float:
    """Pixels from place to place."""
    if name == PIXELS:
        return 1.0
    layer = net.layers[name]
    if layer.field is not None and layer.field.stride[0] > 0:
        return float(max(layer.field.stride))
    return max(
        side / places for side, places in zip(net.preprocess.size, layer.layout.grid, strict=True)
    )


def _weight(word: str) -> float:
    try:
        weight = float(word)
    except ValueError:
        weight = -1.0
    if not 0 < weight < float("inf"):
        raise PellucidError(f"the weight of a layer is a number above 0, not {word!r}")
    return weight
