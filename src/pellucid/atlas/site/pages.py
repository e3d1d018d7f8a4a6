"""Pages: the site's HTML, from what the atlas says and the pictures that are there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from jinja2 import Environment, PackageLoader, StrictUndefined

from pellucid.atlas.crops import seen
from pellucid.atlas.site.alike import shared
from pellucid.atlas.site.crops import COLUMNS
from pellucid.atlas.site.unit_map import unit_map
from pellucid.atlas.site.ward import Ward, across
from pellucid.atlas.site.words import WORDS
from pellucid.fields import Field
from pellucid.page import Language
from pellucid.recipe import versions
from pellucid.writing import write_whole

if TYPE_CHECKING:
    from pellucid.atlas.atlas import Atlas

SPOKEN = 6  # classes in a table
STATIC = ("style.css", "site.js")


class Pages:
    """Index, a page for each layer, a page for each unit, and what they share.

    Args:
        rooms: the layers.
        kind: "labels", "predictions" or "": what a unit is asked to speak for.
        facts: of the pictures that are finished; it grows.
        seed: of the unit map.
        draw: whether drawings are wanted at all.
    """

    def __init__(
        self,
        atlas: Atlas,
        folder: Path,
        rooms: list[Ward],
        kind: str,
        facts: Mapping[tuple[str, str, tuple[int, ...]], dict[str, Any]],
        lang: Language,
        seed: int,
        draw: bool,
    ) -> None:
        self.atlas, self.folder, self.rooms, self.kind = atlas, folder, rooms, kind
        self.facts, self.lang, self.seed, self.draw = facts, lang, seed, draw
        self.house = Environment(
            loader=PackageLoader("pellucid.atlas.site", "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.house.filters["short"] = lambda value: f"{value:.3g}"
        self.house.globals.update(
            words=WORDS[lang],
            html_lang={"en": "en", "zh": "zh-Hans"}[lang],
            net=atlas.network(),
            images=len(atlas),
            kind=kind,
            draw=draw,
        )

    @cached_property
    def units(self) -> list[tuple[Ward, int]]:
        """Every unit of the site, in order."""
        return [(room, channel) for room in self.rooms for channel in room.channels]

    @cached_property
    def map(self) -> tuple[list[list[float]], str]:
        """Places of all units, in per cent from the left and from above, and the method."""
        found = torch.cat([room.profiles for room in self.rooms], 1)
        points, name = unit_map(found, self.seed)
        return (points * torch.tensor([96.0, 96.0]) + 2).tolist(), name

    @cached_property
    def across(self) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """Of each unit the most alike in other layers."""
        return across(self.rooms)

    def write(self) -> tuple[int, int]:
        """All pages; gives the bytes and the number of all files."""
        for name in STATIC:
            self._put(name, (Path(__file__).parent / "templates" / name).read_text("utf-8"))
        dots = zip(self.units, self.map[0], strict=True)
        shown = [
            {"x": x, "y": y, "colour": self.colour(room), "name": f"{room.name}:{channel}"}
            | {"href": f"{room.folder}/{channel}.html"}
            for (room, channel), (x, y) in dots
        ]
        self._put("map.svg", self._render("map.svg.j2", dots=shown, linked=False))
        entries = [
            [room.name, channel, self._address(room, channel), ", ".join(spoken)]
            for room, channel in self.units
            for spoken in [self._spoken(room, channel, 3)]
        ]
        data = json.dumps(entries, ensure_ascii=False, separators=(",", ":"))
        self._put("units.js", f"const UNITS={data};\n")
        for room in self.rooms:
            self.write_layer(room)
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        others = [path for path in files if path != self.folder / "index.html"]
        size = sum(path.stat().st_size for path in others)
        drawn = sum(len(key[2]) for key in self.facts if key[0] == "drawn")
        page = self._render(
            "index.html.j2",
            root="",
            rooms=[self._card(room) for room in self.rooms],
            dots=shown,
            method=self.map[1],
            size=f"{size / 1e6:,.1f} MB",
            files=len(others) + 1,
            missing=len(self.units) - drawn if self.draw else 0,
            total=len(self.units),
            versions=versions(),
        )
        self._put("index.html", page)
        return size + len(page.encode()), len(others) + 1

    def write_layer(self, room: Ward, channels: tuple[int, ...] | None = None) -> None:
        """The page of a layer, and those of its units, or of some of them."""
        cards = [self._small(room, channel) for channel in room.channels]
        card = self._card(room)
        place = self.rooms.index(room)
        around = [
            self.rooms[at] if 0 <= at < len(self.rooms) else None for at in (place - 1, place + 1)
        ]
        text = self._render(
            "layer.html.j2", root="../", room=card, units=cards,
            before=around[0] and (around[0].name, f"../{around[0].folder}/index.html"),
            after=around[1] and (around[1].name, f"../{around[1].folder}/index.html"),
        )  # fmt: skip
        self._put(f"{room.folder}/index.html", text)
        first = sum(len(other.channels) for other in self.rooms[:place])
        for number, channel in enumerate(room.channels):
            if channels is None or channel in channels:
                self._put(f"{room.folder}/{channel}.html", self._unit(room, channel, first, number))

    def colour(self, room: Ward) -> str:
        """From blue for shallow layers to red for deep ones."""
        share = self.rooms.index(room) / max(1, len(self.rooms) - 1)
        return f"hsl({round(215 - 205 * share)} 65% 48%)"

    def _unit(self, room: Ward, channel: int, first: int, number: int) -> str:
        at = first + number
        around = [
            self.units[other] if 0 <= other < len(self.units) else None
            for other in (at - 1, at + 1)
        ]
        names = [
            one and (f"{one[0].name}:{one[1]}", f"../{one[0].folder}/{one[1]}.html")
            for one in around
        ]
        own, other = room.near, self.across[room.name]
        start = torch.tensor([first])
        alike = [
            self._near(room, channel, int(where), float(value))
            for where, value in zip(own[0][number] + start, own[1][number], strict=True)
        ]
        far = [
            self._near(room, channel, int(where), float(value))
            for where, value in zip(other[0][number], other[1][number], strict=True)
        ]
        dot = self.map[0][at]
        statistics = room.statistics
        counts = statistics.counts[channel].tolist()
        low, high = statistics.edges[channel, [0, -1]].tolist()
        return self._render(
            "unit.html.j2",
            root="../",
            room=self._card(room),
            unit=self._small(room, channel),
            before=names[0],
            after=names[1],
            patches=self._patches(room, channel),
            alike=alike,
            far=far,
            spoken=room.speech.best(channel, SPOKEN),
            weights=self._weights(room, channel),
            dot=(*dot, self.colour(room)),
            method=self.map[1],
            bars=[(value / max(1, *counts)) ** 0.5 for value in counts],
            ends=(low, high),
            beyond=float(statistics.highest[channel]) > high,
            mean=float(statistics.mean[channel]),
            highest=float(statistics.highest[channel]),
            active=float(statistics.active[channel]),
        )

    def _near(self, room: Ward, channel: int, at: int, value: float) -> dict[str, Any]:
        other, number = self.units[at]
        common = shared(room.best.images[channel], other.best.images[number])
        return self._small(other, number) | {"value": value, "shared": common}

    def _small(self, room: Ward, channel: int) -> dict[str, Any]:
        """A unit as other pages show it; addresses from the site's folder on."""
        drawn = self._fact("drawn", room, channel)
        empty = bool(drawn and drawn[0]["empty"][drawn[1].index(channel)])
        stem = f"{room.folder}/{channel}"
        there = self._fact("patches", room, channel) is not None and bool(room.spots(channel))
        return {
            "channel": channel,
            "name": f"{room.name}:{channel}",
            "href": f"{stem}.html",
            "drawn": f"{stem}-drawn.jpg" if drawn and not empty else "",
            "empty": empty,
            "command": drawn[0]["command"] if drawn else "",
            "patches": f"{stem}-patches.jpg" if there else "",
            "spoken": self._spoken(room, channel, 1),
        }

    def _patches(self, room: Ward, channel: int) -> dict[str, Any]:
        """Each best patch of a unit: where it stands on its sheet, and what is known of it."""
        fact = self._fact("patches", room, channel)
        spots = room.spots(channel)
        rows = -(-max(1, len(spots)) // COLUMNS)
        images, known = self.atlas.images, self.atlas.classes
        width = room.layer.layout.grid[1]
        items = []
        for number, (row, at, value) in enumerate(spots):
            down = number // COLUMNS / max(1, rows - 1) * 100
            across = number % COLUMNS / (COLUMNS - 1) * 100
            guess = images.predicted[row].item()
            items.append(
                {
                    "x": across, "y": down, "value": value, "label": images.labels[row],
                    "predicted": known[int(guess)] if guess >= 0 else "",
                    "source": images.uris[row].replace("\\", "/").rpartition("/")[2],
                    "place": f"{at // width},{at % width}",
                }
            )  # fmt: skip
        guided = bool(fact and fact[0]["guided"] and items)
        return {
            "ready": fact is not None,
            "items": items,
            "rows": rows,
            "sheet": f"{channel}-patches.jpg",
            "guided": f"{channel}-guided.jpg" if guided else "",
            "why": fact[0]["why"] if fact else "",
        }

    def _weights(self, room: Ward, channel: int) -> list[tuple[str, float]]:
        """Classes whose scores the unit raises and lowers most; none where that is not linear."""
        if room.weights is None:
            return []
        row = room.weights[channel]
        order = row.argsort(descending=True, stable=True).tolist()
        kept = list(dict.fromkeys([*order[:5], *order[-3:]]))
        return [(self.atlas.classes[at], float(row[at])) for at in kept]

    def _spoken(self, room: Ward, channel: int, count: int) -> list[str]:
        return [name for name, *_ in room.speech.best(channel, count)]

    def _card(self, room: Ward) -> dict[str, Any]:
        layer = room.layer
        first = [self._small(room, channel) for channel in room.channels[:8]]
        status = seen(layer)
        return {
            "name": room.name,
            "kind": layer.kind,
            "folder": room.folder,
            "channels": len(room.channels),
            "grid": layer.layout.grid,
            # A window may exceed the image, of which no more is seen than there is.
            "field": None if status == "whole" or not layer.field else _within(layer.field),
            "sure": status == "exact",
            "colour": self.colour(room),
            "units": first,
        }

    def _address(self, room: Ward, channel: int) -> str:
        return f"{room.folder}/{channel}.html"

    def _fact(
        self, kind: str, room: Ward, channel: int
    ) -> tuple[dict[str, Any], tuple[int, ...]] | None:
        """What is known of a unit's finished picture, and the channels it was made with."""
        some = next(some for some in room.chunks if channel in some)
        found = self.facts.get((kind, room.name, some))
        return None if found is None else (found, some)

    def _render(self, name: str, **values: Any) -> str:
        return self.house.get_template(name).render(**values)

    def _put(self, name: str, text: str) -> None:
        path, content = self.folder / name, text.encode()
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_bytes() != content:
            write_whole(path, content)


def _within(field: Field) -> tuple[int, int]:
    """Height and width of what a place sees, no more than the image."""
    return min(field.size[0], field.image[0]), min(field.size[1], field.image[1])
