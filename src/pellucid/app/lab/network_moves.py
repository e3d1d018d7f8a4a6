"""Moves: what becomes of the network's tab when something in it is clicked, chosen or asked for."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.app.lab import stage
from pellucid.app.lab.desk import News
from pellucid.app.lab.lab import Lab
from pellucid.app.lab.network_html import View, address, plate
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
SMALL = 420  # px that the picture of one unit is shown at
SEARCHED = 4000  # names in the list that is searched
BUSY = '<i class="net-busy"></i>'  # as long as it is on the page, so is the button that stops
Changes = dict[str, Any]  # of parts of the page, by their names


@dataclass(frozen=True)
class Looked:
    """The photo that is looked at, and how its channels are shown.

    Attributes:
        photo: "photo:NAME" or "upload:NAME".
        sort, most: of `activations`.
    """

    photo: str | None
    sort: str
    most: int


class Moves:
    """What becomes of the tab: each gives changes, one after the other.

    Args:
        words: of the tab and of the lab.
    """

    def __init__(self, lab: Lab, words: dict[str, Any], lang: Language) -> None:
        self.lab, self.words, self.lang = lab, words, lang
        self.views: dict[str, View] = {}
        self.stock = lab.stock()

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
                yield self._end(visit, turn, {"state": text})
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
            yield from self.show_unit(visit, *unit, looked)
        else:
            text = self.words["no_layer"].format(name=name[:100])
            yield {"state": stage.trouble(text)}

    def again(self, visit: Visit, looked: Looked) -> Iterator[Changes]:
        """Another photo, or another order of the channels."""
        if looked.photo in self.stock:
            yield {"glance": self.small(looked.photo)}
        view = self.views.get(visit.network)
        if view is None:
            yield {}
        elif visit.unit and (unit := self._unit(view, visit.unit)):
            yield from self._on_photo(visit, visit.begin(self.lab.desk), *unit, looked)
        elif visit.layer:
            yield from self._channels(visit, visit.begin(self.lab.desk), looked)
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
        names = [(name.partition(":")[2], name) for name in [*self.stock, *visit.photos]]
        yield {
            "state": "",
            "photo": _choices(names) | {"value": f"upload:{called}"},
            "glance": self._image(address("photo.jpg", last.files["photo.jpg"])),
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
            yield from self._picture(visit, turn, "filters", asked, unit=view.channels(name))
        if count and visit.turn == turn:
            yield from self._channels(visit, turn, looked)
        yield self._end(visit, turn)

    def show_unit(
        self, visit: Visit, name: str, layer: str, channel: int, looked: Looked
    ) -> Iterator[Changes]:
        """A unit: where it answers, what raises it, and what weights and atlas say of it."""
        turn = visit.begin(self.lab.desk)
        view = self.views[visit.network]
        visit.unit, visit.layer = name, layer or visit.layer
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
        yield from self._on_photo(visit, turn, name, layer, channel, looked)
        given = {"network": visit.network, "unit": name}
        last = News("stopped")
        if visit.turn == turn:
            for last in visit.news(self.lab.desk, turn, "unit", given):
                if (told := stage.drawn(last, self.words)) and last.kind != "done":
                    yield {"known": told, "busy": "" if last.over else BUSY}
        if last.kind == "done" and visit.turn == turn:
            yield {"known": view.known(last, Path(self.lab.place).name or "ATLAS")}
        yield self._end(visit, turn)

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
        yield from self._picture(visit, turn, "drawn", asked, unit=opens)
        yield self._end(visit, turn)

    def draw_one(self, visit: Visit, steps: float | None) -> Iterator[Changes]:
        """What the unit looks for."""
        turn = visit.begin(self.lab.desk)
        if not visit.unit:
            yield {}
            return
        asked = {"method": "feature", "settings": {"want": visit.unit} | _steps(steps)}
        note = self.words["looks_note"]
        yield from self._picture(visit, turn, "looks", asked, note=note)
        yield self._end(visit, turn)

    def small(self, name: str | None) -> str:
        """A photo that is installed here, small."""
        if name not in self.stock:
            return ""
        return self._image(address("photo.jpg", self.stock[name].read_bytes()))

    def _image(self, source: str) -> str:
        return f'<img alt="{self.words["photo_alt"]}" src="{source}">'

    def _on_photo(
        self, visit: Visit, turn: int, name: str, layer: str, channel: int, looked: Looked
    ) -> Iterator[Changes]:
        view = self.views[visit.network]
        photo = self._photo(visit, looked)
        if not photo:
            yield {"answers": stage.trouble(self.words["no_photo"])}
            return
        part = view.diagram.parts.get(layer)
        if part and max(part["grid"]) > 1:
            settings: dict[str, Any] = {"layer": layer, "channel": channel}
            asked = {"method": "activations", "settings": settings, "photos": photo, "over": True}
            yield from self._picture(visit, turn, "answers", asked, most=SMALL)
        settings = {"target": name, "reduce": "colour"}
        asked = {"method": "guided", "settings": settings, "photos": photo}
        if visit.turn != turn:
            return
        last = yield from self._picture(visit, turn, "guided", asked, most=SMALL)
        if last.kind == "wrong" and visit.turn == turn:
            note = self.words["no_guided"].format(text=last.facts["text"])
            asked = asked | {"method": "saliency"}
            yield from self._picture(visit, turn, "guided", asked, most=SMALL, note=note)
        yield self._end(visit, turn)

    def _channels(self, visit: Visit, turn: int, looked: Looked) -> Iterator[Changes]:
        view = self.views[visit.network]
        photo = self._photo(visit, looked)
        if not photo:
            yield {"channels": stage.trouble(self.words["no_photo"])}
            return
        settings = {"layer": visit.layer, "sort": looked.sort, "most": looked.most}
        asked = {"method": "activations", "settings": settings, "photos": photo}
        opens = view.channels(visit.layer)
        yield from self._picture(visit, turn, "channels", asked, unit=opens)
        yield self._end(visit, turn)

    def _picture(
        self, visit: Visit, turn: int, part: str, asked: dict[str, Any], **more: Any
    ) -> Generator[Changes, None, News]:
        """A method, from its progress to its picture, in one part of the page."""
        last = News("stopped")
        given = {"photos": {}, "over": False} | asked | {"network": visit.network}
        yield {"busy": BUSY}
        for last in visit.news(self.lab.desk, turn, "method", given):
            told = stage.drawn(last, self.words)
            if last.kind != "done" and told and visit.turn == turn:
                yield {part: told}
        if last.kind == "done" and visit.turn == turn:
            yield {part: plate(last, self.lang, self.words[part], **more)}
        return last

    def _end(self, visit: Visit, turn: int, more: Changes | None = None) -> Changes:
        """Nothing is under way any more; of what nobody waits for, nothing is told."""
        return {"busy": "", **(more or {})} if visit.turn == turn else {}

    def _photo(self, visit: Visit, looked: Looked) -> dict[str, list[list[str]]]:
        """The photo as the task has it; empty where there is none."""
        name = looked.photo or ""
        if name in self.stock:
            return {"photo": [[name, ""]]}
        if name in visit.photos:
            return {"photo": [[visit.photos[name], name.partition(":")[2]]]}
        return {}

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
                yield from self.show_unit(visit, *unit, looked)
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

    def _unit(self, view: View, name: str) -> tuple[str, str, int] | None:
        """A unit's name, its layer ("" for a class) and its number; None where there is none."""
        labels = view.plan["labels"]
        known = name.removeprefix("class:").strip()
        if known.isascii() and known.isdecimal() and len(known) < 9 and int(known) < len(labels):
            return f"class:{int(known)}", "", int(known)
        if known in labels:
            at = labels.index(known)
            return f"class:{at}", "", at
        parts = split(name.partition("@")[0])
        layer = view.diagram.parts.get(parts[0]) if parts else None
        if parts is None or layer is None or not parts[1] < layer.get("channels", 0):
            return None
        return f"{parts[0]}:{parts[1]}", parts[0], parts[1]


def _steps(steps: float | None) -> dict[str, Any]:
    return {} if steps is None else {"steps": int(steps)}


def _choices(names: list[tuple[str, str]]) -> dict[str, Any]:
    import gradio as gr

    return dict(gr.update(choices=names))
