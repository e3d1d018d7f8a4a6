"""Which parts of which photos does a channel answer to most?"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pellucid.atlas import provenance
from pellucid.atlas.best import NONE, Best
from pellucid.atlas.crops import Source, gathered
from pellucid.atlas.loading import WORKERS
from pellucid.atlas.plan import Plan
from pellucid.atlas.stream import Stream, stream
from pellucid.atlas.survey import checked, in_memory
from pellucid.errors import PellucidError
from pellucid.images import Photo
from pellucid.method import Step
from pellucid.network import Network
from pellucid.patches import Patches
from pellucid.progress import follow

if TYPE_CHECKING:
    from pellucid.atlas.atlas import Atlas


def top_patches(
    net: Network,
    photos: Any,
    layer: str,
    channels: Sequence[int] | int | None = None,
    keep: int = 9,
    *,
    per_image: int = 1,
    negative: bool = False,
    guided: bool = False,
    workers: int = WORKERS,
) -> Patches:
    """Of each channel the patches of photos that raise it most, from one pass over all photos.

    A unit of a convolutional layer sees a part of the image, its receptive field. The photos in
    which it answers most, cut to that part, show what it stands for (Zeiler, Fergus 2014). The
    crops come from the photos themselves, at their own resolution, and not from what the network
    is shown. Memory grows with channels times `keep`, and not with the photos.

    Args:
        photos: whatever `stream` takes: a folder, a list, ….
        channels: their numbers; None: all of the layer.
        keep: patches of each channel.
        per_image: at most so many of them from one photo.
        negative: those where the channel is most negative, in place of the greatest. Only what
            is below zero counts as such; of the greatest a value of zero does not count.
        guided: also the guided gradient of each (`guided`), cut to the same box.
        workers: threads that decode.

    Returns:
        Patches, which give a channel's by its number: `best[40][0].source`, `best[40][0].box`.

    Raises:
        PellucidError: unknown layer or channel, or no photo can be read.
    """
    return follow(
        searching(
            net, photos, layer, channels, keep,
            per_image=per_image, negative=negative, guided=guided, workers=workers,
        )
    )  # fmt: skip


def searching(
    net: Network,
    photos: Any,
    layer: str,
    channels: Sequence[int] | int | None = None,
    keep: int = 9,
    *,
    per_image: int = 1,
    negative: bool = False,
    guided: bool = False,
    workers: int = WORKERS,
) -> Generator[Step, None, Patches]:
    """`top_patches` step by step."""
    plan = Plan.of(net, [layer], keep=keep, per_image=per_image, negative=negative)
    wanted = _channels(net, layer, channels)
    source = stream(photos)
    _allowed(negative, guided)
    items = checked(iter(source), source.source)
    readings, images, failed = yield from in_memory(net, items, plan, workers=workers)
    if not images:
        raise PellucidError(f"none of the {len(failed)} images could be read: {failed[0].reason}")
    reading = readings[layer]
    best = reading.worst if negative else reading.best
    assert best is not None
    best = best.telling(negative)
    rows = _rows(best, wanted)
    made = yield from gathered(
        net, layer, best, wanted, _again(source, rows), negative=negative, guided=guided
    )
    return made


def patches_of(
    atlas: Atlas,
    layer: str,
    channels: Sequence[int] | int | None = None,
    *,
    keep: int | None = None,
    negative: bool = False,
    guided: bool = False,
) -> Generator[Step, None, Patches]:
    """The same from an atlas, whose survey has found the places already.

    Args:
        keep: at most so many of each channel; None: as many as the atlas has.

    Raises:
        PellucidError: the layer or the negative places were not surveyed, or an unknown channel.
    """
    best = atlas.best(layer, negative).telling(negative)
    net = atlas.network()
    wanted = _channels(net, layer, channels)
    _allowed(negative, guided)
    if keep is not None:
        if keep < 1:
            raise PellucidError(f"keep is 1 or more, not {keep}")
        best = Best(*(part[:, :keep] for part in (best.values, best.images, best.places)))
    rows = sorted(_rows(best, wanted))
    sources = (Source(row, atlas.images.uris[row], _opener(atlas, row)) for row in rows)
    made = yield from gathered(net, layer, best, wanted, sources, negative=negative, guided=guided)
    recipe = provenance.recipe(atlas, "atlas patches", made.recipe.settings, made.values)
    caption = made.caption + (_instead(atlas, layer) if negative and not any(made.found) else "")
    return replace(made, recipe=recipe, caption=caption)


def _instead(atlas: Atlas, layer: str) -> str:
    """The last surveyed layer before one that is never negative, of as many channels, which is."""
    names = list(atlas.network().layers)
    before = [name for name in atlas.layers if names.index(name) < names.index(layer)]
    channels = len(atlas.best(layer).values)
    for name in reversed(before):
        worst = atlas.best(name, negative=True).values
        if len(worst) == channels and bool((worst < 0).any()):
            return f"; {name} before it is"
    return ""


def _rows(best: Best, channels: Sequence[int]) -> set[int]:
    """The images that are named for some channels."""
    return {row for row in best.images[list(channels)].flatten().tolist() if row != NONE}


def _again(source: Stream, rows: set[int]) -> Iterable[Source]:
    for number, item in enumerate(source):
        if number in rows:
            yield Source(number, item.uri, lambda item=item: item.open()[0])  # type: ignore[misc]


def _opener(atlas: Atlas, row: int) -> Callable[[], Photo]:
    return lambda: atlas.photo(row)


def _channels(net: Network, layer: str, channels: Sequence[int] | int | None) -> tuple[int, ...]:
    count = (net.layer(layer) if layer else net.layers[""]).layout.channels
    if channels is None:
        return tuple(range(count))
    wanted = (channels,) if isinstance(channels, int) else tuple(map(int, channels))
    if not wanted:
        raise PellucidError("no channel is named; None stands for all")
    for channel in wanted:
        if not 0 <= channel < count:
            raise PellucidError(f"layer {layer!r} has channels 0 to {count - 1}, not {channel}")
    return tuple(dict.fromkeys(wanted))


def _allowed(negative: bool, guided: bool) -> None:
    if negative and guided:
        raise PellucidError(
            "guided gradients show what raises a unit: ask for them with the greatest values"
        )
