"""Moves: what becomes of the network's tab when something in it is clicked, chosen or asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pellucid.app.lab import stage
from pellucid.app.lab.desk import News
from pellucid.app.lab.lab import Lab
from pellucid.app.lab.network_html import View, address
from pellucid.app.lab.network_pictures import BUSY, Asked, Changes, Looked, Pictures
from pellucid.app.lab.visit import Visit
from pellucid.errors import nearest
from pellucid.page import Language
from pellucid.unit import split

PARTS = (
    "find", "photo", "glance", "drawing", "busy", "state", "layer", "filters", "channels", "range",
    "drawn", "unit", "answers", "guided", "looks", "known",
)  # fmt: skip
FIRST_FILTERS, FILTERS = 64, 24  # of the convolution on the photo itself, and of those on maps
DRAWN = 16  # channels of a layer that are drawn where nobody says which
SEARCHED = 4000  # names in the list that is searched


class Moves:
    """What becomes of the tab: each gives changes, one after the other.

    Args:
        words: of the tab and of the lab.
    """

    def __init__(self, lab: Lab, words: dict[str, Any], lang: Language) -> None:
        self.lab, self.words, self.lang = lab, words, lang
        self.views: dict[str, View] = {}
        self.pictures = Pictures(lab, words, lang)

    def enter(self, visit: Visit, network: str, looked: Looked) -> Iterator[Changes]:
        """A network is chosen, or the tab is opened."""
        if visit.network == network and network in self.views:
            yield {}
            return
        turn = visit.begin(self.lab.desk)
        visit.network, visit.layer, visit.unit, visit.opened = "", "", "", set()
        yield {"state": "", "drawing": "", "layer": "", "unit": "", "busy": BUSY}
        if network not in self.views:
            last = None
            for last in visit.news(self.lab.desk, turn, "plan", {"network": network}):
                if (told := stage.drawn(last, self.words)) and not last.over:
                    yield {"state": told}
            if last is None or last.kind != "done":
                text = stage.drawn(last, self.words) if last else ""
                yield self.pictures.end(visit, turn, {"state": text})
                return
            self.views[network] = View(network, last.facts, self.lang)
        if visit.turn != turn:
            yield {}
            return
        view = self.views[network]
        visit.network, visit.opened = network, view.diagram.first_opened()
        yield {
            "state": f'<p class="net-note">{self.words["choose"]}</p>',
            "drawing": view.drawing(visit.opened, ""),
            "find": _choices(self._names(view)),
            "busy": "",
        }
        first = next((part["name"] for part in view.plan["parts"] if part["filters"]), "")
        if first:
            yield from self.show_layer(visit, first, looked)

    def go(self, visit: Visit, event: dict[str, Any], looked: Looked) -> Iterator[Changes]:
        """Something in the drawing, in a picture or in a text was clicked, or a name was typed."""
        view = self.views.get(visit.network)
        kind, name = next(((k, v) for k, v in event.items() if isinstance(v, str)), ("", ""))
        if view is None or not name:
            yield {}
        elif kind == "open" and name in view.diagram.children:
            visit.opened ^= {name}
            yield {"drawing": view.drawing(visit.opened, visit.layer)}
        elif kind == "all":
            visit.opened = set(view.diagram.children) - {""} if name == "open" else set()
            yield {"drawing": view.drawing(visit.opened, visit.layer)}
        elif kind == "find":
            yield from self._find(visit, name, looked)
        elif kind == "layer" and name in view.diagram.parts:
            yield from self.show_layer(visit, name, looked)
        elif kind == "unit" and (unit := self._unit(view, name)) is not None:
            yield from self.show_unit(visit, unit, looked)
        else:
            text = self.words["no_layer"].format(name=name[:100])
            yield {"state": stage.trouble(text)}

    def again(self, visit: Visit, looked: Looked) -> Iterator[Changes]:
        """Another photo, or another order of the channels."""
        if looked.photo in self.pictures.stock:
            yield {"glance": self.pictures.small(looked.photo)}
        view = self.views.get(visit.network)
        if view is None:
            yield {}
        elif visit.unit and (unit := self._unit(view, visit.unit)):
            turn = visit.begin(self.lab.desk)
            yield from self.pictures.on_photo(view, visit, turn, unit, looked)
        elif visit.layer:
            yield from self.pictures.channels(view, visit, visit.begin(self.lab.desk), looked)
        else:
            yield {}

    def uploaded(self, visit: Visit, file: str, looked: Looked) -> Iterator[Changes]:
        """A photo has arrived."""
        called = Path(file).name
        turn = visit.begin(self.lab.desk)
        last = News("stopped")
        given = {"photo": file, "called": called}
        for last in visit.news(self.lab.desk, turn, "glance", given):
            if told := stage.drawn(last, self.words):
                yield {"state": told}
        if last.kind != "done" or visit.turn != turn:
            yield {}
            return
        visit.photos[f"upload:{called}"] = file
        names = [(name.partition(":")[2], name) for name in [*self.pictures.stock, *visit.photos]]
        yield {
            "state": "",
            "photo": _choices(names) | {"value": f"upload:{called}"},
            "glance": self.pictures.image(address("photo.jpg", last.files["photo.jpg"])),
        }
        yield from self.again(visit, Looked(f"upload:{called}", looked.sort, looked.most))

    def show_layer(self, visit: Visit, name: str, looked: Looked) -> Iterator[Changes]:
        """A layer: what is known of it, its filters, its channels on the photo."""
        turn = visit.begin(self.lab.desk)
        view = self.views[visit.network]
        part = view.diagram.parts[name]
        if "kind" not in part:
            yield {}
            return
        visit.layer, visit.unit = name, ""
        visit.opened |= set(view.diagram.groups(name))
        count = part["channels"]
        yield {
            "drawing": view.drawing(visit.opened, name),
            "layer": view.layer(name),
            "unit": "",
            "state": "",
            "filters": "",
            "channels": "",
            "drawn": "",
            "range": f"0-{min(DRAWN, count) - 1}" if count else "",
        }
        if part["filters"]:
            first = next(one["name"] for one in view.plan["parts"] if one["filters"])
            most = FIRST_FILTERS if name == first else FILTERS
            asked = {"method": "filters", "settings": {"layer": name, "most": most}}
            yield from self.pictures.picture(
                visit, turn, "filters", asked, unit=view.channels(name)
            )
        if count and visit.turn == turn:
            yield from self.pictures.channels(view, visit, turn, looked)
        yield self.pictures.end(visit, turn)

    def show_unit(self, visit: Visit, unit: Asked, looked: Looked) -> Iterator[Changes]:
        """A unit: where it answers, what raises it, and what weights and atlas say of it."""
        turn = visit.begin(self.lab.desk)
        view = self.views[visit.network]
        name, layer, channel = unit
        visit.unit, visit.layer = name, layer or view.last
        visit.opened |= set(view.diagram.groups(layer)) if layer else set()
        title = f"{layer}:{channel}" if layer else f"class:{view.plan['labels'][channel]}"
        yield {
            "drawing": view.drawing(visit.opened, visit.layer),
            "unit": view.unit(title, layer, channel),
            "layer": "",
            "state": "",
            "answers": "",
            "guided": "",
            "looks": "",
            "known": "",
        }
        yield from self.pictures.on_photo(view, visit, turn, unit, looked)
        given = {"network": visit.network, "unit": name}
        last = News("stopped")
        if visit.turn == turn:
            for last in visit.news(self.lab.desk, turn, "unit", given):
                if (told := stage.drawn(last, self.words)) and last.kind != "done":
                    yield {"known": told, "busy": "" if last.over else BUSY}
        if last.kind == "done" and visit.turn == turn:
            yield {"known": view.known(last, Path(self.lab.place).name or "ATLAS")}
        yield self.pictures.end(visit, turn)

    def draw(self, visit: Visit, channels: str, steps: float | None) -> Iterator[Changes]:
        """What channels of the layer look for."""
        turn = visit.begin(self.lab.desk)
        view = self.views.get(visit.network)
        if view is None or not visit.layer:
            yield {}
            return
        settings: dict[str, Any] = {"layers": visit.layer, "channels": channels.strip() or None}
        asked = {"method": "features", "settings": settings | _steps(steps)}
        opens = view.channels(visit.layer)
        yield from self.pictures.picture(visit, turn, "drawn", asked, unit=opens)
        yield self.pictures.end(visit, turn)

    def draw_one(self, visit: Visit, steps: float | None) -> Iterator[Changes]:
        """What the unit looks for."""
        turn = visit.begin(self.lab.desk)
        if not visit.unit:
            yield {}
            return
        asked = {"method": "feature", "settings": {"want": visit.unit} | _steps(steps)}
        note = self.words["looks_note"]
        yield from self.pictures.picture(visit, turn, "looks", asked, note=note)
        yield self.pictures.end(visit, turn)

    def _find(self, visit: Visit, text: str, looked: Looked) -> Iterator[Changes]:
        """A layer or a unit by its name, or by the shortest name that a part of it is in."""
        view = self.views[visit.network]
        part = text.strip().casefold()
        fitting = [pair for pair in self._names(view) if part and part in pair[0].casefold()]
        fitting.sort(key=lambda pair: len(pair[0]))
        for name in [text.strip(), *(value for _, value in fitting[:1])]:
            if name in view.diagram.parts:
                yield from self.show_layer(visit, name, looked)
                return
            if (unit := self._unit(view, name)) is not None:
                yield from self.show_unit(visit, unit, looked)
                return
        known = [label for label, _ in self._names(view)]
        near = ", ".join(nearest(text, known))
        told = self.words["near"].format(names=near) if near else ""
        text = self.words["no_layer"].format(name=text[:100])
        yield {"state": stage.trouble(f"{text} {told}".strip())}

    def _names(self, view: View) -> list[tuple[str, str]]:
        layers = [(name, name) for name, part in view.diagram.parts.items() if "kind" in part]
        labels = view.plan["labels"]
        classes = [(f"class:{label}", f"class:{at}") for at, label in enumerate(labels)]
        return (layers + classes)[:SEARCHED]

    def _unit(self, view: View, name: str) -> Asked | None:
        """A unit by its name; None where there is none."""
        labels = view.plan["labels"]
        known = name.removeprefix("class:").strip()
        if known.isascii() and known.isdecimal() and len(known) < 9 and int(known) < len(labels):
            return Asked(f"class:{int(known)}", "", int(known))
        if known in labels:
            at = labels.index(known)
            return Asked(f"class:{at}", "", at)
        parts = split(name.partition("@")[0])
        layer = view.diagram.parts.get(parts[0]) if parts else None
        if parts is None or layer is None or not parts[1] < layer.get("channels", 0):
            return None
        return Asked(f"{parts[0]}:{parts[1]}", parts[0], parts[1])


def _steps(steps: float | None) -> dict[str, Any]:
    return {} if steps is None else {"steps": int(steps)}


def _choices(names: list[tuple[str, str]]) -> dict[str, Any]:
    import gradio as gr

    return dict(gr.update(choices=names))
