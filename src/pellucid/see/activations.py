"""What fires where?"""

from typing import Annotated, Literal

from pellucid.errors import PellucidError
from pellucid.heatmap import Heatmap
from pellucid.images import Photo
from pellucid.method import method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.record import recording
from pellucid.results import Grid


@method(examples=lambda net: [{"layer": layer.name} for layer in net.spread(3)])
def activations(
    net: Network,
    photo: Photo,
    layer: Annotated[
        str | None, Help("whose output; a middle one where not given", names="layer")
    ] = None,
    *,
    channel: Annotated[int | None, Help("only this one, as a map over the photo", low=0)] = None,
    sort: Annotated[
        Literal["index", "strength"], Help("order of the channels; strength: of the mean")
    ] = "index",
    most: Annotated[int, Help("channels shown", low=1)] = 64,
) -> Grid | Heatmap:
    """What every channel of a layer says of a photo, as maps.

    Each channel is one detector looked for everywhere: bright where it found something (Zeiler &
    Fergus 2014). Of a transformer the tokens are laid back on their places in the photo.

    A layer without places, such as a classifier, has one number for each channel.

    Returns:
        Grid with `.values` (channels, 1, height, width), or with `channel` a Heatmap with
        `.values` (height, width): the activations as they are.

    Raises:
        PellucidError: no such layer or channel, or a layer without channels.

    Example:
        >>> activations(net, "photo:cat", "relu1").values.shape
        torch.Size([48, 1, 56, 56])
    """
    found = net.layer(layer) if layer else net.spread(3)[1]
    inputs, frame = net.prepare(photo)
    with recording(net.module, [found.name]) as seen:
        net.module(inputs.clone())
    maps = found.layout.maps(seen[found.name].detach())[0].float().cpu()
    grid = f"{maps.shape[1]} x {maps.shape[2]}"
    scale: Literal["positive", "signed"] = "positive" if bool((maps >= 0).all()) else "signed"
    if channel is not None:
        if channel >= len(maps):
            raise PellucidError(
                f"layer {found.name!r} has channels 0 to {len(maps) - 1}, not {channel}"
            )
        return Heatmap(
            values=maps[channel],
            photo=photo,
            frame=frame,
            scale=scale,
            colours="heat" if scale == "positive" else "signed",
            caption=f"{found.name}:{channel}, {grid} places, greatest "
            f"{float(maps[channel].max()):.3g}",
        )
    order = list(range(len(maps)))
    if sort == "strength":
        order = maps.mean((1, 2)).argsort(descending=True, stable=True).tolist()
    shown = order[:most]
    silent = int((maps.flatten(1).abs().amax(1) == 0).sum())
    return Grid(
        values=maps[shown][:, None],
        names=tuple(str(number) for number in shown),
        scale=scale,
        # A single number has no range of its own: it is seen beside the others.
        joint=maps[0].numel() == 1,
        colours="heat" if scale == "positive" else "signed",
        caption=f"{len(shown)} of {len(maps)} channels of {found.name}, {grid} places"
        + (f", {silent} of them silent" if silent else ""),
    )
