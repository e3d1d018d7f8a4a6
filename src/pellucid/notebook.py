"""Notebook: pictures with a caption and tables, as HTML that every notebook shows.

Plain tags and styles inside of them: VS Code, Colab and a notebook that is not trusted take out
scripts and style sheets. No colour of text or paper is set, so that light and dark pages both suit.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from typing import Literal

MOST_ROWS = 60  # a longer table is folded
ONE_LINE = 32  # characters of a cell that stay in one line


def figure(
    picture: bytes,
    kind: Literal["png", "webp", "jpeg"],
    caption: str,
    more: str = "",
    style: str = "",
) -> str:
    """A picture with a line below it.

    Args:
        picture: as in its file.
        more: HTML below the caption.
        style: more CSS for the picture.
    """
    address = f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"
    told, style = escape(caption), f"max-width:100%;{style}"
    return (
        f'<figure style="margin:0"><img src="{address}" alt="{told}" style="{style}">'
        f"<figcaption>{told}</figcaption>{more}</figure>"
    )


def strip(photos: Iterable[bytes], height: int = 72) -> str:
    """Small JPEG files side by side, of one height in px."""
    return "".join(
        f'<img src="data:image/jpeg;base64,{base64.b64encode(photo).decode()}" alt="" '
        f'style="height:{height}px;margin:2px">'
        for photo in photos
    )


def folded(title: str, inside: str, unfolded: bool = False) -> str:
    """HTML that a click on its title shows."""
    state = " open" if unfolded else ""
    return f"<details{state}><summary>{escape(title)}</summary>{inside}</details>"


def by(numbers: Iterable[float]) -> str:
    """Sides of something: "3 x 28 x 28", and of a square "28"."""
    sides = [f"{number:g}" for number in numbers]
    return sides[0] if len(sides) == 2 and len(set(sides)) == 1 else " x ".join(sides)


def pre(text: str) -> str:
    """A text in its own lines."""
    return f'<pre style="white-space:pre-wrap">{escape(text)}</pre>'


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()
) -> str:
    """A table under a title, folded where it is long.

    Args:
        right: columns that hold numbers.
    """
    sides = ["right" if name in right else "left" for name in columns]
    lines = [[str(cell) for cell in row] for row in rows]

    def line(cells: Sequence[str], tag: str) -> str:
        parts = (
            f'<{tag} style="text-align:{side};padding:1px 8px;white-space:{_breaks(cell)}">'
            f"{escape(cell)}</{tag}>"
            for cell, side in zip(cells, sides, strict=True)
        )
        return f"<tr>{''.join(parts)}</tr>"

    body = "".join(line(cells, "td") for cells in lines)
    made = (
        f'<table style="border-collapse:collapse"><thead>{line(columns, "th")}</thead>'
        f"<tbody>{body}</tbody></table>"
    )
    return folded(title, made, unfolded=len(lines) <= MOST_ROWS)


def _breaks(cell: str) -> str:
    return "nowrap" if len(cell) <= ONE_LINE else "normal"
