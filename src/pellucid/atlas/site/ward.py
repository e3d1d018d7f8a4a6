"""Ward: the units of one layer that have pages, and all that an atlas says of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.atlas.site.alike import alike, profiles
from pellucid.atlas.site.speaks import Speech, speech, weights
from pellucid.errors import PellucidError
from pellucid.layers import Layer
from pellucid.make.choice import chosen
from pellucid.network import Network

if TYPE_CHECKING:
    from pellucid.atlas.atlas import Atlas
    from pellucid.atlas.best import Best
    from pellucid.atlas.tally import Statistics

CHUNK = 16  # units whose pictures are made together, and lost together when killed
SHOWN = 9  # best patches on a page


@dataclass(frozen=True, eq=False)
class Ward:
    """One layer on the site.

    Attributes:
        number: its place among the layers of the site, from 0.
        channels: that have a page, rising.
        classes: of each image, by which it is asked whom a unit speaks for.
    """

    atlas: Atlas
    net: Network
    name: str
    number: int
    channels: tuple[int, ...]
    classes: tuple[str, ...]

    @property
    def folder(self) -> str:
        """Its own in the site: a name that is safe in any file system and address."""
        return f"{self.number + 1:02d}-{re.sub(r'[^A-Za-z0-9-]+', '-', self.name).strip('-')}"

    @property
    def layer(self) -> Layer:
        """What is known of it."""
        return self.net.layers[self.name]

    @property
    def chunks(self) -> list[tuple[int, ...]]:
        """Its channels in the lots that their pictures are made in."""
        starts = range(0, len(self.channels), CHUNK)
        return [self.channels[first : first + CHUNK] for first in starts]

    @cached_property
    def features(self) -> Float[Tensor, "images channels"]:
        """The mean of every channel over its places, also of those without a page."""
        values = self.atlas.features(self.name)
        return values.reshape(len(values), self.layer.layout.channels, -1).mean(2)

    @cached_property
    def profiles(self) -> Float[Tensor, "images units"]:
        """Of the channels with a page."""
        return profiles(self.features[:, list(self.channels)])

    @cached_property
    def best(self) -> Best:
        """The best places of every channel."""
        return self.atlas.best(self.name)

    @cached_property
    def statistics(self) -> Statistics:
        """Of every channel."""
        return self.atlas.statistics(self.name)

    @cached_property
    def speech(self) -> Speech:
        """Of every channel."""
        return speech(self.features, self.classes)

    @cached_property
    def weights(self) -> Float[Tensor, "channels classes"] | None:
        """What the classifier makes of every channel, where it reads this layer."""
        return weights(self.net, self.name)

    def spots(self, channel: int) -> list[tuple[int, int, float]]:
        """Where a channel answers most: row of the image, place on the grid, value; best first.

        Nothing where it never answers: the first zero of many says nothing.
        """
        best = self.best
        rows = zip(best.images[channel], best.places[channel], best.values[channel], strict=True)
        found = [(int(row), int(place), float(value)) for row, place, value in rows]
        silent = float(self.statistics.highest[channel]) == 0
        return [] if silent else [spot for spot in found if spot[0] >= 0 and spot[2] != 0][:SHOWN]

    @cached_property
    def near(self) -> tuple[Tensor, Tensor]:
        """Of each unit the most alike of its own layer, as `alike` gives them."""
        return alike(self.profiles, self.profiles, 6, same=True)


def wards(atlas: Atlas, layers: str | None, channels: str | None) -> tuple[list[Ward], str]:
    """The layers of a site from shallow to deep, and what the images' classes are: see `Ward`.

    Args:
        layers: surveyed ones with ";" between them; None: all.
        channels: such as "0-31", of each layer; None: all.

    Returns:
        And "labels" or "predictions"; "" where the images have neither.

    Raises:
        PellucidError: a layer that was not surveyed, a channel that is not there.
    """
    net = atlas.network()
    wanted = [name.strip() for name in layers.split(";") if name.strip()] if layers else None
    if wanted == []:
        raise PellucidError("no layer is named")
    for name in wanted or []:
        atlas.statistics(name)  # refuses what was not surveyed
    names = [name for name in net.layers if name in (wanted or atlas.layers)]
    images, kind = atlas.images, "labels"
    classes = images.labels
    if len(set(classes) - {""}) < 2:
        known, kind = atlas.classes, "predictions"
        classes = [known[at] if at >= 0 else "" for at in images.predicted.tolist()]
        kind = kind if any(classes) else ""
    made = []
    for number, name in enumerate(names):
        units = chosen(net, name, channels or f"0-{net.layer(name).layout.channels - 1}")[0].units
        rising = tuple(sorted({unit.channel for unit in units}))
        made.append(Ward(atlas, net, name, number, rising, tuple(classes)))
    return made, kind


def across(wards: list[Ward]) -> dict[str, tuple[Tensor, Tensor]]:
    """Of each layer's units the most alike in all other layers, as `alike` gives them.

    The numbers count the units of the site, layer after layer, those of the own layer too.
    """
    found = {}
    for ward in wards:
        rest = [other for other in wards if other is not ward]
        if not rest:
            found[ward.name] = alike(ward.profiles, ward.profiles[:, :0], 4)
            continue
        places, values = alike(ward.profiles, torch.cat([one.profiles for one in rest], 1), 4)
        # Numbers among the rest to numbers among all.
        before = sum(len(one.channels) for one in wards[: ward.number])
        found[ward.name] = (
            torch.where(places >= before, places + len(ward.channels), places),
            values,
        )
    return found
