"""Pictures of the network's tab: a method, from its progress to its frame on the page."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from pellucid.app.lab import stage
from pellucid.app.lab.desk import News
from pellucid.app.lab.lab import Lab
from pellucid.app.lab.network_html import View, address, plate
from pellucid.app.lab.visit import Visit
from pellucid.page import Language

SMALL = 420  # px that the picture of one unit is shown at
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


class Asked(NamedTuple):
    """A unit that is asked for.

    Attributes:
        name: as methods take it.
        layer: "" for a class.
        channel: or the number of the class.
    """

    name: str
    layer: str
    channel: int


class Pictures:
    """Asks for pictures and shows them.

    Args:
        words: of the tab and of the lab.
    """

    def __init__(self, lab: Lab, words: dict[str, Any], lang: Language) -> None:
        self.lab, self.words, self.lang = lab, words, lang
        self.stock = lab.stock()

    def small(self, name: str | None) -> str:
        """A photo that is installed here, small."""
        if name not in self.stock:
            return ""
        return self.image(address("photo.jpg", self.stock[name].read_bytes()))

    def image(self, source: str) -> str:
        """A photo on the page."""
        return f'<img alt="{self.words["photo_alt"]}" src="{source}">'

    def on_photo(
        self, view: View, visit: Visit, turn: int, unit: Asked, looked: Looked
    ) -> Iterator[Changes]:
        """Where a unit answers on the photo, and what there raises it."""
        photo = self.photo(visit, looked)
        if not photo:
            yield {"answers": stage.trouble(self.words["no_photo"])}
            return
        part = view.diagram.parts.get(unit.layer)
        if part and max(part["grid"]) > 1:
            settings: dict[str, Any] = {"layer": unit.layer, "channel": unit.channel}
            asked = {"method": "activations", "settings": settings, "photos": photo, "over": True}
            yield from self.picture(visit, turn, "answers", asked, most=SMALL)
        settings = {"target": unit.name, "reduce": "colour"}
        asked = {"method": "guided", "settings": settings, "photos": photo}
        if visit.turn != turn:
            return
        last = yield from self.picture(visit, turn, "guided", asked, most=SMALL)
        if last.kind == "wrong" and visit.turn == turn:
            note = self.words["no_guided"].format(text=last.facts["text"])
            asked = asked | {"method": "saliency"}
            yield from self.picture(visit, turn, "guided", asked, most=SMALL, note=note)
        yield self.end(visit, turn)

    def channels(self, view: View, visit: Visit, turn: int, looked: Looked) -> Iterator[Changes]:
        """What all channels of the chosen layer say of the photo."""
        photo = self.photo(visit, looked)
        if not photo:
            yield {"channels": stage.trouble(self.words["no_photo"])}
            return
        settings = {"layer": visit.layer, "sort": looked.sort, "most": looked.most}
        asked = {"method": "activations", "settings": settings, "photos": photo}
        opens = view.channels(visit.layer)
        yield from self.picture(visit, turn, "channels", asked, unit=opens)
        yield self.end(visit, turn)

    def picture(
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

    def end(self, visit: Visit, turn: int, more: Changes | None = None) -> Changes:
        """Nothing is under way any more; of what nobody waits for, nothing is told."""
        return {"busy": "", **(more or {})} if visit.turn == turn else {}

    def photo(self, visit: Visit, looked: Looked) -> dict[str, list[list[str]]]:
        """The photo as the task has it; empty where there is none."""
        name = looked.photo or ""
        if name in self.stock:
            return {"photo": [[name, ""]]}
        if name in visit.photos:
            return {"photo": [[visit.photos[name], name.partition(":")[2]]]}
        return {}
