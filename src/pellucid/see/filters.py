"""What do the filters look for?"""

from typing import Annotated, Any

from torch import Tensor, nn

from pellucid.errors import PellucidError, Unknown
from pellucid.method import method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.results import Grid


@method(examples=lambda net: _examples(net))
def filters(
    net: Network,
    layer: Annotated[
        str | None, Help("a convolution; the first where not given", names="layer")
    ] = None,
    *,
    joint: Annotated[bool, Help("one range of shades for all filters, not one for each")] = False,
    most: Annotated[int, Help("filters shown, and inputs of each: the first ones", low=1)] = 64,
) -> Grid:
    """The weights of a convolution as pictures.

    A filter on the photo itself has one weight for each colour of each pixel, so it can be drawn
    as what it is: a little colour picture (Krizhevsky, Sutskever, Hinton 2012). Middle grey is a
    weight of zero. A filter of a higher layer lies on activation maps; it is drawn as a row of
    grey tiles, one for each input channel, and tells less. The patch embedding of a vision
    transformer is such a convolution too.

    Returns:
        Grid with `.values` (filters, 3 or 1, height, width) on the photo, and (filters * inputs, 1,
        height, width) on maps: the weights as they are. In a grouped convolution a
        filter has the input channels of its own group only, in a depthwise one a single one.

    Raises:
        PellucidError: the layer is no 2-d convolution.

    Example:
        >>> filters(net).values.shape
        torch.Size([48, 3, 9, 9])
    """
    names = convolutions(net)
    if not names:
        raise PellucidError(f"{net.name} has no convolution whose filters could be drawn")
    name = layer or names[0]
    if name not in names:
        net.layer(name)
        raise Unknown("convolution", name, names, f"({name} is {net.layer(name).kind})")
    weight = _weight(net, name)
    count, inputs = weight.shape[:2]
    shown = weight[:most].detach().float().cpu()
    part = f"{len(shown)} of {count}" if len(shown) < count else f"{count}"
    size = f"{weight.shape[2]} x {weight.shape[3]} px"
    if inputs in (1, 3) and name == names[0]:
        return Grid(
            values=shown,
            names=tuple(str(number) for number in range(len(shown))),
            scale="signed",
            joint=joint,
            caption=f"{part} filters of {name}, {size}, on the photo itself",
        )
    shown = shown[:, :most]
    alone = weight[0, 0].numel() == 1  # a single weight has no range of its own
    columns = shown.shape[1]
    of = f"each of {inputs}" if columns == inputs else f"{columns} of {inputs}"
    return Grid(
        values=shown.flatten(0, 1)[:, None],
        scale="signed",
        joint=joint or alone,
        tile=12 if inputs > 1 else 24,
        columns=columns if inputs > 1 else None,
        caption=f"{part} filters of {name}, {size}: "
        + (f"a row each, a tile for {of} inputs" if inputs > 1 else "one input each"),
    )


def convolutions(net: Network) -> list[str]:
    """Names of the 2-d convolutions, in the order of computing."""
    return [
        name
        for name, layer in net.layers.items()
        if layer.leaf and "#" not in name and isinstance(_part(net, name), nn.Conv2d)
    ]


def _examples(net: Network) -> list[dict[str, Any]]:
    return [{}, *({"layer": name, "most": 24} for name in convolutions(net)[1:2])]


def _part(net: Network, name: str) -> nn.Module | None:
    return net.module.get_submodule(name) if name and not name.endswith("()") else None


def _weight(net: Network, name: str) -> Tensor:
    part = net.module.get_submodule(name)
    assert isinstance(part, nn.Conv2d)
    return part.weight
