"""Patches: the parts of photos that a layer's channels answer to most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional as F

from pellucid import colour, tiles
from pellucid.box import Box
from pellucid.fields.axis import Status
from pellucid.ink import lettered, text_width
from pellucid.notebook import figure
from pellucid.pictures import webp_bytes
from pellucid.results import QUALITY, Picture, Result

DRAWN = 96  # px of a patch
GREY, PALE = 0.78, 0.93  # where there is no photo, where there is nothing for the network
LINE = (1.0, 0.2, 0.6)  # of the outline: a colour that few photos have
CLIP = 0.005  # share of a guided gradient's numbers that may saturate
OUTLINED: dict[Status, str] = {
    "exact": "the box is just what the unit sees",
    "at most": "the unit sees nothing outside the box, and perhaps less",
    "whole": "a unit may see all that the network is shown, which is the box",
}
MOST_PIXELS = 24_000_000  # of the picture; of more channels the first are drawn
TOLD: dict[Status, str] = {
    "exact": "each crop is just what the unit sees",
    "at most": "a unit sees nothing outside its crop, and perhaps less",
    "whole": "a unit may see all that the network is shown, so the crops are all of it",
}


@dataclass(frozen=True, eq=False)
class Patch:
    """One place in one photo.

    Attributes:
        source: where the photo is found.
        row: its number in the collection.
        place: row and column on the layer's grid.
        value: of the channel there.
        box: what the unit sees, in the photo's own pixels, fractions among them; it may reach
            beyond the photo where the network is shown a border.
        window: the same as if the picture had no edges: where the box lies in it says how much of
            the unit's view is cut off.
        pixels: (3, height, width), the box cut from the photo at its own resolution, grey where
            there is no photo.
        photo: (3, h, w), all of it, made small.
        size: the photo's height and width in pixels.
        guided: (3 or 1, h, w), guided gradient of the unit in the same box, in the network's
            pixels; None: not asked for.
        why: it could not be read; "" if it could.
    """

    source: str
    row: int
    place: tuple[int, int]
    value: float
    box: Box[float]
    window: Box[float]
    pixels: UInt8[Tensor, "3 height width"]
    photo: UInt8[Tensor, "3 h w"]
    size: tuple[int, int]
    guided: Float[Tensor, "channels tall wide"] | None = None
    why: str = ""

    def __repr__(self) -> str:
        return f"<Patch of {self.source}: {self.value:.3g} at {self.place}>"

    def _repr_html_(self) -> str:
        shown = torch.cat([self.tile(self.pixels.float() / 255), self._beside()], 2)
        return figure(webp_bytes(shown, QUALITY), "webp", repr(self)[1:-1])

    def _beside(self) -> Float[Tensor, "3 height width"]:
        return tiles.boxed(self.outlined(), (DRAWN, DRAWN))

    @property
    def outside(self) -> bool:
        """Whether the box reaches beyond the photo."""
        top, left, bottom, right = self.box
        height, width = self.size
        return top < -0.5 or left < -0.5 or bottom > height + 0.5 or right > width + 0.5

    def data(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "source": self.source,
            "row": self.row,
            "place": list(self.place),
            "value": self.value,
            "box": list(self.box),
        } | ({"why": self.why} if self.why else {})

    @property
    def clipped(self) -> bool:
        """Whether the window reaches beyond what the network is shown."""
        return any(abs(a - b) > 1e-6 for a, b in zip(self.box, self.window, strict=True))

    def tile(self, picture: Float[Tensor, "3 h w"]) -> Float[Tensor, "3 height width"]:
        """A picture of the box where it lies in the window, `DRAWN` px square."""
        tall, wide = self.window.bottom - self.window.top, self.window.right - self.window.left
        scale = DRAWN / max(tall, wide, 1e-9)
        page = torch.full((3, DRAWN, DRAWN), PALE)
        down, across = (DRAWN - tall * scale) / 2, (DRAWN - wide * scale) / 2
        top = round(down + (self.box.top - self.window.top) * scale)
        left = round(across + (self.box.left - self.window.left) * scale)
        bottom = round(down + (self.box.bottom - self.window.top) * scale)
        right = round(across + (self.box.right - self.window.left) * scale)
        top, left = min(top, DRAWN - 1), min(left, DRAWN - 1)
        bottom, right = max(bottom, top + 1), max(right, left + 1)
        shown = _scaled(picture, (bottom - top, right - left))
        page[:, top:bottom, left:right] = shown[:, : DRAWN - top, : DRAWN - left]
        return page

    def outlined(self, longer: int = DRAWN) -> Float[Tensor, "3 h w"]:
        """All of the photo with a line around the box."""
        height, width = self.size
        scale = longer / max(height, width)
        size = max(1, round(height * scale)), max(1, round(width * scale))
        page = tiles.resized(self.photo.float() / 255, size)
        ends = [
            min(max(round(at * scale), 0), most - 1)
            for at, most in zip(self.box, (*size, *size), strict=True)
        ]
        top, left, bottom, right = ends
        line = torch.tensor(LINE).view(3, 1, 1)
        for thick in range(2):
            rows = [min(top + thick, bottom), max(bottom - thick, top)]
            columns = [min(left + thick, right), max(right - thick, left)]
            page[:, rows, left : right + 1] = line
            page[:, top : bottom + 1, columns] = line
        return page


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Patches(Result):
    """Of each channel the places in a collection where it answers most, cut from the photos.

    Example:
        >>> best = pl.top_patches(net, "photos/", "layer3.1", channels=[12, 40])
        >>> best[40][0].source, best[40][0].box

    Attributes:
        values: (channels, keep), the greatest first; NaN where there are fewer photos.
        layer: its name.
        channels: the number of each row's channel in the layer.
        found: of each of them the patches, best first.
        status: how far the boxes are to be trusted; see `Field`.
        whole: whether photos are drawn whole with the boxes outlined, in place of crops.
    """

    values: Float[Tensor, "channels keep"]
    layer: str
    channels: tuple[int, ...]
    found: tuple[tuple[Patch, ...], ...]
    status: Status = "exact"
    whole: bool = False

    def __getitem__(self, channel: int) -> tuple[Patch, ...]:
        """The patches of a channel, by its number in the layer."""
        if channel not in self.channels:
            raise KeyError(channel)
        return self.found[self.channels.index(channel)]

    def __iter__(self) -> Iterator[int]:
        """The channels."""
        return iter(self.channels)

    def __len__(self) -> int:
        return len(self.channels)

    def outlined(self) -> Patches:
        """The same, drawn as whole photos with the boxes outlined."""
        return replace(self, whole=True, recipe=self.recipe.drawn("outlined"))

    def picture(self) -> Picture:
        """What `image` draws."""
        return Picture(values=self.image(), caption=self.caption, recipe=self.recipe)

    def data(self) -> dict[str, Any]:
        """With every patch's photo, box and value."""
        rows = zip(self.channels, self.found, strict=True)
        return super().data() | {
            "layer": self.layer,
            "status": self.status,
            "channels": {str(channel): [one.data() for one in row] for channel, row in rows},
        }

    def image(self) -> Float[Tensor, "3 height width"]:
        """A row for each channel: its name, then the patches, each with its value below it.

        Where there are guided gradients, each stands below its crop.
        """
        rows = [self._row(number) for number in range(len(self.channels))]
        fit = max(1, MOST_PIXELS // (rows[0].shape[1] * rows[0].shape[2]))
        page = torch.cat(rows[:fit], 1)
        wide = page.shape[2] - 2 * tiles.GAP
        lines = [line for text in self._notes(fit) for line in tiles.wrapped(text, wide)]
        foot = torch.full((3, 16 * len(lines) + tiles.GAP, page.shape[2]), tiles.PAPER)
        for number, line in enumerate(lines):
            foot = lettered(foot, line, 16 * number + 2, tiles.GAP, tiles.LETTER, tiles.FAINT)
        return torch.cat([page, foot], 1)

    def _notes(self, fit: int) -> list[str]:
        """What stands below the rows."""
        shown = [one for row in self.found[:fit] for one in row]
        notes = [(OUTLINED if self.whole else TOLD)[self.status]]
        if not self.whole and any(one.clipped for one in shown):
            notes.append("pale: beyond the edge of what the network is shown")
        if any(one.outside for one in shown):
            notes.append("grey: beyond the photo, where the network is shown a border")
        if fit < len(self.found):
            notes.append(f"the first {fit} of {len(self.found)} channels are drawn")
        return notes

    def _row(self, number: int) -> Float[Tensor, "3 height width"]:
        gap, under = tiles.GAP, tiles.LETTER + 5
        step = DRAWN + gap
        guided = any(one.guided is not None for row in self.found for one in row)
        keep = self.values.shape[1]
        wide = gap + max(1, keep) * step
        page = torch.full((3, under + 3 + DRAWN * (1 + guided) + gap * guided + under, wide), 1.0)
        page = lettered(page, self._title(number, wide), 2, gap, tiles.LETTER + 1, tiles.INK)
        for place, one in enumerate(self.found[number]):
            left, top = gap + place * step, under + 3
            for picture in _drawn(one, self.whole):
                page[:, top : top + DRAWN, left : left + DRAWN] = picture
                top += DRAWN + gap
            page = lettered(
                page, f"{one.value:.3g}", under + 3 + DRAWN * (1 + guided) + gap * guided + 1,
                left + DRAWN / 2, tiles.LETTER, tiles.FAINT, anchor="ma",
            )  # fmt: skip
        return page

    def _title(self, number: int, wide: int) -> str:
        title = f"{self.layer}:{self.channels[number]}" if self.layer else "scores"
        if not self.found[number]:
            never = self.recipe.settings.get("negative")
            title += ": never negative" if never else ": 0 in every photo"
        while text_width(title, tiles.LETTER + 1) > wide - 2 * tiles.GAP and len(title) > 4:
            title = "…" + title[2:]
        return title


def cut(pixels: UInt8[Tensor, "3 height width"], box: Box[float]) -> UInt8[Tensor, "3 tall wide"]:
    """A box of a photo in whole pixels, those that it only touches among them; grey outside."""
    top, left = floor(box.top + 1e-6), floor(box.left + 1e-6)
    bottom, right = max(top + 1, ceil(box.bottom - 1e-6)), max(left + 1, ceil(box.right - 1e-6))
    inside = pixels[:, max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    over = (max(0, -left), 0, max(0, -top), 0)
    grey = round(255 * GREY)
    if not inside.numel():
        return torch.full((3, bottom - top, right - left), grey, dtype=torch.uint8)
    padded = F.pad(inside, over, value=grey)
    more = (0, right - left - padded.shape[2], 0, bottom - top - padded.shape[1])
    return F.pad(padded, more, value=grey).contiguous()


def _drawn(one: Patch, whole: bool) -> list[Float[Tensor, "3 height width"]]:
    """The crop, or all of the photo; and the guided gradient where there is one."""
    if one.why:
        blank = torch.full((3, DRAWN, DRAWN), GREY)
        middle = DRAWN / 2
        return [lettered(blank, "not read", middle - 7, middle, 11, tiles.FAINT, anchor="ma")]
    crop = one.pixels.float() / 255
    first = tiles.boxed(one.outlined(), (DRAWN, DRAWN)) if whole else one.tile(crop)
    if one.guided is None:
        return [first]
    shades = colour.ranged(one.guided, "signed", CLIP)
    return [first, one.tile(shades.expand(3, -1, -1))]


def _scaled(picture: Float[Tensor, "3 h w"], size: tuple[int, int]) -> Float[Tensor, "3 tall wide"]:
    """To a size: pixels as squares where it is much larger, smoothly otherwise."""
    if min(size[0] / picture.shape[1], size[1] / picture.shape[2]) >= 4:
        return F.interpolate(picture[None], size, mode="nearest")[0]
    return tiles.resized(picture, size)
