"""Check: whether a store is whole, and says of its photos what the network says."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import torch

from pellucid.atlas.atlas import Atlas
from pellucid.atlas.gauge import Gauge
from pellucid.atlas.loading import checksum_of
from pellucid.atlas.store import FAILED, IMAGES, PATCHES, STATISTICS
from pellucid.counted import counted
from pellucid.errors import PellucidError
from pellucid.images import from_bytes
from pellucid.method import Step

CLOSE = {"float32": 1e-3, "float16": 4e-3}  # of the greatest number of a layer


def checking(atlas: Atlas, *, again: int = 8) -> Generator[Step, None, list[str]]:
    """What is wrong with an atlas, in words; nothing, if it is whole.

    Args:
        again: photos, evenly over the collection, that are read again, compared with the checksums
            of their files then, and sent through the network again.
    """
    parts = [*atlas.store.manifest.versions, "numbers", "photos"]
    faults: list[str] = []
    for number, part in enumerate(parts):
        yield Step(number, len(parts), f"checking {part}")
        try:
            match part:
                case "numbers":
                    if not faults:
                        faults += _numbers(atlas)
                case "photos":
                    if not faults:
                        faults += _photos(atlas, again)
                case _:
                    atlas.store.table(part)
        except PellucidError as error:
            faults.append(str(error))
    return faults


def _numbers(atlas: Atlas) -> Iterator[str]:
    manifest, images = atlas.store.manifest, atlas.images
    for part in (IMAGES, PATCHES, STATISTICS, *([FAILED] if manifest.failures else [])):
        if part not in manifest.versions:
            yield f"there are no {part}"
            return
    if len(images.uris) != manifest.images or manifest.seen != manifest.images + manifest.failures:
        are = "is" if len(images.uris) == 1 else "are"
        yield f"{counted(len(images.uris), 'image')} {are} there, {manifest.images:,} should be"
    if bool((images.numbers.diff() <= 0).any()):
        yield "an image is there twice, or out of its order"
    for layer in atlas.layers:
        if not bool(atlas.features(layer).isfinite().all()):
            yield f"features of {layer} are not all finite numbers"
        best, statistics = atlas.best(layer), atlas.statistics(layer)
        there = best.images >= 0
        if statistics.images != manifest.images:
            yield f"statistics of {layer} are of {counted(statistics.images, 'image')}"
        if bool((best.images >= manifest.images).any()):
            yield f"best patches of {layer} are in images that are not there"
        if bool((best.values.diff(dim=1) > 0).any()):
            yield f"best patches of {layer} are not in their order"
        first = torch.where(there[:, 0], best.values[:, 0], statistics.highest)
        if not torch.equal(first, statistics.highest):
            yield f"best patches and statistics of {layer} do not agree"


def _photos(atlas: Atlas, count: int) -> Iterator[str]:
    total = len(atlas)
    rows = sorted({total * number // count for number in range(count)}) if total else []
    crops, kept = [], []
    net = atlas.network()
    for row in rows:
        from_bytes(atlas.thumbnails([row])[0], f"the thumbnail of image {row}")
        try:
            photo, content, _ = atlas.opened(row)
        except PellucidError as error:
            yield str(error)
            continue
        if checksum_of(photo, content) != atlas.images.checksums[row]:
            yield f"{atlas.images.uris[row]} is no longer the file that was surveyed"
            continue
        crops.append(net.preprocess.crop(photo)[0])
        kept.append(row)
    if not kept:
        return
    plan = atlas.store.manifest.plan
    seen = Gauge(net, plan).run(crops, kept)
    for layer in atlas.layers:
        stored, anew = atlas.features(layer)[kept], seen.features[layer]
        close = CLOSE[plan.precision] * max(float(anew.abs().max()), 1e-6)
        for row, apart in zip(kept, (stored - anew).abs().amax(1).tolist(), strict=True):
            if apart > close:
                yield f"{atlas.images.uris[row]} gives other features in {layer} now"
