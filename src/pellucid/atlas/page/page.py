"""Page: a map as one HTML file, with Bokeh's scripts and all thumbnails inside."""

from __future__ import annotations

import json
import os
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float, Int
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from torch import Tensor

from pellucid import tiles
from pellucid.atlas.page.plot import hexadecimal, plot
from pellucid.atlas.page.words import WORDS
from pellucid.atlas.pixel_space import Thumbnails, opened
from pellucid.atlas.projections import NAMES
from pellucid.chart import BLUE, ORANGE, Colour
from pellucid.errors import PellucidError, Unknown
from pellucid.page import LANGUAGES, Language
from pellucid.pictures import webp_address
from pellucid.scatter import NONE, Groups
from pellucid.writing import write_whole

if TYPE_CHECKING:
    from pellucid.atlas.map import Map

MOST = 20_000  # points, above which the file would be larger than a mail takes
SIDE, ACROSS, QUALITY = 48, 24, 55  # px of a thumbnail, thumbnails along a sheet, of WebP
HTML_LANG = {"en": "en", "zh": "zh-Hans"}


def write(made: Map, path: Path, lang: Language, force: bool) -> Path:
    """Writes the page; see `Map.page`."""
    check(path, force)
    if lang not in LANGUAGES:
        raise Unknown("language", lang, LANGUAGES)
    write_whole(path, html(made, lang).encode())
    return path


def check(path: Path, force: bool) -> None:
    """Refuses what could not be written in the end; asks for Bokeh.

    Raises:
        PellucidError: see `Map.page`.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise PellucidError(f"a page is saved as .html, not {path.name!r}")
    if not path.parent.is_dir():
        raise PellucidError(f"no folder {path.parent} to save into")
    if os.path.lexists(path) and not force:
        raise PellucidError(f"{path} is there already; --force (force=True) overwrites it")
    _bokeh()


def html(made: Map, lang: Language) -> str:
    """The page as text."""
    count = len(made.values)
    rows = torch.linspace(0, count - 1, min(count, MOST)).round().long()
    points, groups = made.values[rows], grouped(made, rows)
    words = WORDS[lang]
    scripts = [Markup(text.replace("</script", "<\\/script")) for text in _scripts()]
    data = facts(made, rows, groups) | {
        "sheets": sheets(made.kept, rows),
        "side": SIDE,
        "across": ACROSS,
        "words": words,
    }
    house = Environment(
        loader=PackageLoader("pellucid.atlas.page", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    here = Path(__file__).parent
    text: str = house.get_template("map.html.j2").render(
        lang=HTML_LANG[lang],
        words=words,
        title=words["title"].format(
            count=f"{count:,}", layer=made.layer, network=made.network, how=NAMES[made.how]
        ),
        about=words["about_pca" if made.how == "pca" else "about"],
        note=words["shown"].format(shown=f"{len(rows):,}", count=f"{count:,}"),
        part=len(rows) < count,
        modes=data["modes"],
        quality=[(f"{value:.3f}", words[name]) for name, value in made.quality],
        bokeh=scripts,
        style=Markup((here / "map.css").read_text("utf-8")),
        script=Markup((here / "map.js").read_text("utf-8")),
        data=_inside(data),
        plot=_inside(plot(points, groups, made.new)),
    )
    return text


def sheets(kept: Thumbnails, rows: Int[Tensor, "rows"]) -> list[str]:
    """All thumbnails, cut square, as some large pictures: a file each would take twice the room."""
    each = ACROSS**2
    return [
        webp_address(_sheet(kept, part.tolist()), QUALITY)
        for part in torch.split(rows, each)
        if len(part)
    ]


def _sheet(kept: Thumbnails, rows: list[int]) -> Float[Tensor, "3 height width"]:
    sheet = torch.zeros(3, SIDE * ceil(len(rows) / ACROSS), SIDE * ACROSS)
    for number, photo in enumerate(opened(kept.thumbnails(rows), rows)):
        height, width = photo.size
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = photo.floats()[:, top : top + side, left : left + side]
        down, right = number // ACROSS * SIDE, number % ACROSS * SIDE
        sheet[:, down : down + SIDE, right : right + SIDE] = tiles.resized(square, (SIDE, SIDE))
    return sheet


def grouped(made: Map, rows: Int[Tensor, "rows"]) -> dict[str, Groups]:
    """By what points may be coloured; a label and a prediction of one name are of one colour."""
    points, chosen = made.values[rows], rows.tolist()
    found = {}
    for name, texts in (("label", made.labels), ("predicted", made.predicted)):
        groups = Groups.of(points, [texts[row] for row in chosen])
        if groups.names:
            found[name] = groups
    return found


def facts(made: Map, rows: Int[Tensor, "rows"], groups: dict[str, Groups]) -> dict[str, Any]:
    """What a page's script colours points by, and where each photo is found."""
    modes: dict[str, Any] = {}
    same: dict[str, Colour] = {}
    for mode, found in groups.items():
        same = dict(zip(found.names, found.colours, strict=True)) | same
        modes[mode] = {
            "names": found.names,
            "of": found.number.tolist(),
            "colours": [hexadecimal(same[name]) for name in found.names],
        }
    right = made.right[rows]
    if bool((right >= 0).any()):
        modes["right"] = {
            "names": ["is_right", "is_wrong", "unknown"],
            "of": torch.where(right < 0, 2, 1 - right).tolist(),
            "colours": [hexadecimal(colour) for colour in (BLUE, ORANGE, NONE)],
        }
    uris = [made.uris[row] for row in rows.tolist()]
    start = len(os.path.commonpath(uris)) + 1 if _sharing(uris) else 0
    return {"modes": modes, "uris": [uri[start:] for uri in uris], "none": hexadecimal(NONE)}


def _sharing(uris: list[str]) -> bool:
    folders = {uri.split("/")[0] for uri in uris}
    return len(uris) > 1 and len(folders) == 1 and all("/" in uri for uri in uris)


def _inside(data: Any) -> Markup:
    """Data as JSON in a script element, which no text in it can leave."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _scripts() -> list[str]:
    from bokeh.resources import Resources

    _bokeh()
    found: list[str] = Resources(
        mode="inline", components=["bokeh", "bokeh-gl"], log_level="error"
    ).js_raw
    return found


def _bokeh() -> None:
    try:
        import bokeh  # noqa: F401
    except ImportError:
        raise PellucidError("a page needs Bokeh: pip install 'pellucid[atlas]'") from None
