"""What the network's tab shows, as HTML: the drawing, a layer, a unit, and pictures in frames."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from pellucid.app.lab.desk import News
from pellucid.app.lab.diagram import Diagram, Drawing
from pellucid.app.lab.network_words import WORDS
from pellucid.atlas.site.words import WORDS as SITE
from pellucid.page import Language

END = 26  # px of what stands above and below the drawing
CELL = 44  # px that a cell of a picture is shown at, at least, so that a finger hits it
# Of a module's kind the family that it is coloured as, by what its name has in it.
FAMILIES = {
    "conv": ("conv",), "attention": ("attention", "attn"), "norm": ("norm",),
    "pool": ("pool",), "linear": ("linear", "dense"),
    "act": ("relu", "elu", "silu", "swish", "sigmoid", "tanh", "softmax", "mish"),
}  # fmt: skip
PLAIN = ("layer", "block", "sequential", "module")  # of a group's kind, which says nothing of it


class View:
    """One network in one language.

    Args:
        name: of the network.
        plan: what the task `plan` tells.
    """

    def __init__(self, name: str, plan: dict[str, Any], lang: Language) -> None:
        self.name, self.plan, self.lang = name, plan, lang
        self.words, self.diagram = WORDS[lang], Diagram(plan)

    @cached_property
    def last(self) -> str:
        """The layer whose channels are the classes; "" where there is none."""
        ends = [start for start, end in self.plan["wires"] if not end]
        last = self.diagram.parts.get(ends[0]) if len(ends) == 1 else None
        same = last and last.get("shape") == [len(self.plan["labels"])]
        return str(ends[0]) if same else ""

    def drawing(self, opened: set[str], chosen: str) -> str:
        """The network as blocks and lines."""
        drawn: Drawing = self.diagram.drawn(opened)
        leaves = [p for p in self.plan["parts"] if not p["group"] and not p["sign"]]
        return render(
            "diagram.html.j2",
            self.lang,
            drawing=drawn,
            plan=self.plan,
            parts=self.diagram.parts,
            chosen=chosen,
            end=END,
            middle=max(110.0, drawn.middle),
            short=self.short,
            family=family,
            glyph=_glyph,
            count=len(leaves),
            parameters=f"{self.plan['parameters']:,}",
        )

    def short(self, name: str) -> str:
        """A part's name without that of the group that it is in."""
        inside = str(self.diagram.parts[name]["inside"]).partition("#")[0]
        return name.removeprefix(f"{inside}.") if inside else name

    def sees(self, part: dict[str, Any]) -> str:
        """What one place of a layer sees, in words."""
        _, tall, wide = self.plan["input"]
        if not part["sees"]:
            return str(self.words["sees_whole"])
        height, width = part["sees"]
        text: str = self.words[f"sees_{part['status']}"].format(
            height=min(height, tall),
            width=min(width, wide),
            tall=tall,
            wide=wide,
            step=f"{part['stride'][0]:g}",
        )
        past = height > tall or width > wide
        return text + (self.words["sees_past"].format(size=max(height, width)) if past else "")

    def layer(self, name: str) -> str:
        """A layer and what is known of it."""
        part = self.diagram.parts[name]
        return render(
            "layer.html.j2",
            self.lang,
            network=self.name,
            groups=self.diagram.groups(name),
            part=part,
            plan=self.plan,
            output=self._output(part),
            sees=self.sees(part),
            window=_window(part, self.plan["input"]),
        )

    def unit(self, name: str, layer: str, channel: int) -> str:
        """A unit's name, and the way to its neighbours.

        Args:
            layer: "" for a class.
        """
        part = self.diagram.parts.get(layer)
        count = part["channels"] if part else len(self.plan["labels"])
        stem = layer if part else "class"
        around = [f"{stem}:{at}" if 0 <= at < count else "" for at in (channel - 1, channel + 1)]
        if part:
            lead = self.words["of_channel"].format(
                channel=channel, channels=count, sees=self.sees(part)
            )
        else:
            lead = self.words["class_score"].format(name=self.plan["labels"][channel])
        return render(
            "unit.html.j2",
            self.lang,
            network=self.name,
            groups=self.diagram.groups(layer) if part else [],
            part=part,
            title=name,
            lead=lead,
            before=around[0],
            after=around[1],
        )

    def known(self, news: News, place: str) -> str:
        """What the task `unit` tells.

        Args:
            place: the atlas as a command names it.
        """
        files = {name: address(name, content) for name, content in news.files.items()}
        atlas = news.facts["atlas"]
        return render(
            "known.html.j2",
            self.lang,
            facts=news.facts | {"atlas": atlas and {"counts": [], "other": False} | atlas},
            site=SITE[self.lang],
            patches=files.get("patches.jpg", ""),
            guided=files.get("guided.jpg", ""),
            command=f"pellucid atlas patches {place} {news.facts['name']} --guided",
        )

    def channels(self, layer: str) -> Callable[[str], tuple[str, str]]:
        """Of a cell's name the unit to open and what to call it."""

        def unit(name: str) -> tuple[str, str]:
            if layer == self.last and name.isdecimal():
                return f"class:{name}", str(self.plan["labels"][int(name)])
            return f"{layer}:{name}", f"{layer}:{name}"

        return unit

    def _output(self, part: dict[str, Any]) -> str:
        height, width = part["grid"]
        if not part["channels"]:
            return str(self.words["shape"].format(shape=" × ".join(map(str, part["shape"]))))
        if len(part["shape"]) == 1:
            return str(self.words["vector"].format(channels=part["channels"]))
        text = self.words["maps"].format(channels=part["channels"], height=height, width=width)
        tokens = self.words["tokens"].format(count=part["tokens"]) if part["tokens"] else ""
        return str(text + tokens)


def plate(
    news: News,
    lang: Language,
    title: str,
    *,
    unit: Callable[[str], tuple[str, str]] | None = None,
    note: str = "",
    most: int = 0,
) -> str:
    """The picture of a finished job of the task `method` in a frame.

    Args:
        unit: of a cell's name the unit that a click opens and what to call it; None: no cells.
        most: px that it is shown at; 0: all that there is room for.
    """
    name, picture = next(iter(news.files.items()))
    cells, width = [], 0.0
    for called, top, left, bottom, right in news.facts["cells"] if unit else []:
        assert unit is not None
        opens, told = unit(called)
        cells.append(
            {"unit": opens, "title": told, "top": f"{100 * top:.3f}", "left": f"{100 * left:.3f}"}
            | {"height": f"{100 * (bottom - top):.3f}", "width": f"{100 * (right - left):.3f}"}
        )
        width = max(width, CELL / (right - left))
    style = f"width:max(100%, {width:.0f}px);max-width:max({2 * width:.0f}px, 18rem)"
    if not cells:
        style = f"width:{most}px" if most else ""
    return render(
        "plate.html.j2",
        lang,
        title=title,
        caption=news.facts["caption"],
        note=note,
        source=address(name, picture),
        cells=cells,
        style=style,
        name=name,
        command=news.facts["command"],
        python=news.facts["python"],
    )


def address(name: str, content: bytes) -> str:
    """A picture as an address of itself."""
    kind = "jpeg" if name.endswith(".jpg") else name.rpartition(".")[2]
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def family(kind: str) -> str:
    """What a module of a kind is coloured as."""
    name = kind.lower()
    for found, parts in FAMILIES.items():
        if any(part in name for part in parts) and not any(part in name for part in PLAIN):
            return found
    return "other"


def render(template: str, lang: Language, **values: Any) -> str:
    """A template with its words."""
    return _house().get_template(template).render(words=WORDS[lang], **values)


def _house() -> Environment:
    global _HOUSE
    if _HOUSE is None:
        _HOUSE = Environment(
            loader=PackageLoader("pellucid.app.lab", "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
    return _HOUSE


_HOUSE: Environment | None = None


def _glyph(part: dict[str, Any]) -> str:
    """A little box: as tall as the grid, as wide as there are channels, both on a scale of logs."""
    tall = 3 + 4.2 * math.log2(max(1, *part["grid"]))
    wide = 2 + 2.0 * math.log2(part["channels"])
    return f"width:{min(28, wide):.0f}px;height:{min(38, tall):.0f}px"


def _window(part: dict[str, Any], size: list[int]) -> str:
    """The window of a place in the middle, as shares of the photo."""
    if not part["sees"]:
        return ""
    tall, wide = (
        min(1.0, seen / side) * 100 for seen, side in zip(part["sees"], size[1:], strict=True)
    )
    return (
        f"height:{tall:.1f}%;width:{wide:.1f}%;top:{(100 - tall) / 2:.1f}%;"
        f"left:{(100 - wide) / 2:.1f}%"
    )
