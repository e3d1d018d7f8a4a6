"""Page: the wall's page and the data beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jaxtyping import Float, Int
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from torch import Tensor

from pellucid.atlas.wall import grid
from pellucid.atlas.wall.kept import Kept
from pellucid.atlas.wall.photos import Photos
from pellucid.atlas.wall.pyramid import TILE, Pyramid
from pellucid.atlas.wall.words import WORDS
from pellucid.page import Language

HERE = Path(__file__).parent
MARK = "pellucid wall"  # by which a folder is known as a wall's


@dataclass(frozen=True)
class Laid:
    """Where all photos are.

    Attributes:
        given: (photos, 2), row and column on the grid.
        places: (photos, 3), right, down and side as `scatter.scattered` says.
        kept: what the grid has kept of the map.
        cell: px, the side of a photo at the finest level.
        unread: of photos that could not be read, the reason by row.
    """

    given: Int[Tensor, "photos 2"]
    places: Float[Tensor, "photos 3"]
    kept: Kept
    cell: int
    unread: dict[int, str]


def page(photos: Photos, laid: Laid, lang: Language) -> str:
    """The page as text; it has no date, so that the same wall is the same page."""
    house = Environment(
        loader=PackageLoader("pellucid.atlas.wall", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text: str = house.get_template("wall.html.j2").render(
        lang=lang,
        html_lang={"en": "en", "zh": "zh-Hans"}[lang],
        mark=MARK,
        words=WORDS[lang],
        title=_title(photos, lang),
        told=_told(photos, laid, lang),
        style=Markup((HERE / "wall.css").read_text("utf-8")),
    )
    return text


def script(photos: Photos, laid: Laid, pyramid: Pyramid, out: Path, lang: Language) -> str:
    """The data as a script: a page opened from a file may load scripts, and fetch nothing."""
    rows, columns = grid.shape(len(photos))
    names = sorted({*photos.labels, *photos.predicted} - {""})
    number = {name: at for at, name in enumerate(names)} | {"": -1}
    none = [""] * len(photos)
    prefix = _common(photos.uris)
    data: dict[str, Any] = {
        "rows": rows,
        "columns": columns,
        "cell": laid.cell,
        "tile": TILE,
        "levels": pyramid.levels,
        "at": (laid.given[:, 0] * columns + laid.given[:, 1]).tolist(),
        "map": [[round(part, 3) for part in place] for place in laid.places.tolist()],
        "names": names,
        "labels": [number[name] for name in photos.labels or none],
        "predicted": [number[name] for name in photos.predicted or none],
        "shares": [round(1000 * share) for share in photos.shares] or [0] * len(photos),
        # A network of other classes is not wrong about these.
        "judged": bool({*photos.labels} & {*photos.predicted} - {""}),
        "sizes": [list(size) for size in photos.sizes],
        "unread": laid.unread,
        "prefix": prefix,
        "rests": [uri[len(prefix) :] for uri in photos.uris],
        "link": _link(photos.uris, prefix, out),
        "words": WORDS[lang],
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Two letters that end a line in a script, but not in JSON.
    text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return f"window.WALL = {text};\n"


def _title(photos: Photos, lang: Language) -> str:
    name = photos.network or {"en": "a network", "zh": "网络"}[lang]
    return WORDS[lang]["title"].format(count=f"{len(photos):,}", name=name)


def _told(photos: Photos, laid: Laid, lang: Language) -> str:
    words, kept = WORDS[lang], laid.kept
    name = photos.network or {"en": "the network", "zh": "网络"}[lang]
    alike = ""
    if kept.alike == kept.alike:
        alike = words["alike"].format(alike=f"{kept.alike:.0%}", chance=f"{kept.chance:.1%}")
    text = words["told"].format(
        what=words["what"].format(name=name), near=f"{kept.near:.0%}", alike=alike
    )
    return text + (words["unread"].format(count=len(laid.unread)) if laid.unread else "")


def _common(uris: Sequence[str]) -> str:
    """What all addresses begin with, up to a slash."""
    low, high = min(uris), max(uris)  # what these share, all share
    alike = next(
        (at for at, pair in enumerate(zip(low, high, strict=False)) if len({*pair}) > 1), len(low)
    )
    return low[: low.rfind("/", 0, alike) + 1]


def _link(uris: Sequence[str], prefix: str, out: Path) -> str | None:
    """The beginning of the photos' addresses as a page in `out` links to them; None: it cannot."""
    if any("#" in uri for uri in uris):
        return None  # inside another file
    if prefix.startswith(("http://", "https://")):
        return prefix
    if not prefix or "://" in prefix or not Path(prefix).is_dir():
        return None
    folder = Path(prefix).absolute()
    # Relative: photos and wall may be moved together.
    return quote(Path(os.path.relpath(folder, out.absolute())).as_posix()) + "/"
