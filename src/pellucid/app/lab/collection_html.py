"""HTML of the collection's tab: a photo with its neighbours, a channel with its patches."""

from __future__ import annotations

import base64
import json
from html import escape
from typing import Any

from pellucid.app.lab.collection import MOST

WIDE, TALL, FOOT, LEFT = 480, 130, 34, 40  # px of the histogram


def address(content: bytes) -> str:
    """A JPEG file as an address inside the page."""
    return "data:image/jpeg;base64," + base64.b64encode(content).decode()


def panel(facts: dict[str, Any], picture: bytes, base: str, words: dict[str, str]) -> str:
    """A photo, what is known of it, and its neighbours of both kinds."""
    row, label = facts["row"], facts["label"]
    near = [one["row"] for one in facts["features"]]
    lines = [f"<p><strong>{escape(label)}</strong></p>" if label else ""]
    lines.append(_sees(facts, words))
    height, width = facts["size"]
    size = words["size"].format(width=width, height=height)
    lines.append(f'<p class="faint">{escape(facts["file"])}<br>{size}</p>')
    if facts.get("gone"):
        lines.append(f'<p class="faint">{escape(words["gone"])}</p>')
    elif row is not None:
        lines.append(f'<button type="button" data-hand="{row}">{escape(words["look"])}</button>')
    name = escape(label or facts["file"] or words["original"])
    parts = [
        f'<div class="asked"><img src="{address(picture)}" alt="{name}"><div>{"".join(lines)}</div>'
        "</div>"
    ]
    head = words["in_features"].format(layer=facts["layer"])
    parts.append(_near(head, "features_why", facts["features"], label, base, words))
    if facts["pixels"] is None:
        text = words["no_pixels"].format(most=f"{MOST:,}")
        parts.append(f'<p class="faint">{escape(text)}</p>')
    else:
        parts.append(_near(words["in_pixels"], "pixels_why", facts["pixels"], label, base, words))
    told = escape(json.dumps({"row": row, "near": near}))
    return f'<div data-near="{told}">{"".join(parts)}</div>'


def channel(
    facts: dict[str, Any], files: dict[str, bytes], base: str, words: dict[str, str]
) -> str:
    """A channel's best patches, each in its photo, and how it answers to all photos."""
    title = words["of_channel"].format(layer=facts["layer"], channel=facts["channel"])
    which = "patches_negative" if facts["negative"] else "patches"
    count = words[which].format(count=len(facts["patches"]))
    about = f"{count} {words[facts['status']]}"
    if not facts["patches"]:
        about = words["never_negative" if facts["negative"] else "silent"]
    cells = [
        _patch(one, files[f"{number}.jpg"], base, words)
        for number, one in enumerate(facts["patches"])
    ]
    numbers = [
        (f"{facts['active']:.1%}", words["active"]),
        (f"{facts['mean']:.3g}", words["mean"]),
        (f"{facts['highest']:.3g}", words["highest"]),
        (f"{facts['lowest']:.3g}", words["lowest"]),
    ]
    listed = "".join(f"<dt>{value}</dt><dd>{escape(name)}</dd>" for value, name in numbers)
    return (
        f"<h3>{escape(title)}</h3><p class='faint'>{escape(about)}</p>"
        f"<ul class='patches'>{''.join(cells)}</ul>"
        f"<h3>{escape(words['histogram'])}</h3><figure>{histogram(facts, words)}</figure>"
        f"<dl>{listed}</dl>"
    )


def histogram(facts: dict[str, Any], words: dict[str, str]) -> str:
    """Photos by a channel's greatest value in them, as a drawing."""
    counts, edges = facts["counts"], facts["edges"]
    most, wide = max([*counts, 1]), (WIDE - LEFT) / max(1, len(counts))
    bars = []
    for at, count in enumerate(counts):
        tall = count / most * (TALL - 14)
        if count:
            tall = max(tall, 1.0)  # a single photo is seen, too
        text = f"{edges[at]:.3g} … {edges[at + 1]:.3g}: {count:,} {words['photos']}"
        bars.append(
            f'<rect x="{LEFT + at * wide + 0.5:.1f}" y="{TALL - tall:.1f}" '
            f'width="{wide - 1:.1f}" height="{tall:.1f}"><title>{escape(text)}</title></rect>'
        )
    ticks = []
    for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        at = round(share * (len(edges) - 1))
        ticks.append(
            f'<text x="{LEFT + at * wide:.1f}" y="{TALL + 16}" text-anchor="{anchor}">'
            f"{edges[at]:.3g}</text>"
        )
    return (
        f'<svg viewBox="0 0 {WIDE} {TALL + FOOT - 12}" role="img" '
        f'aria-label="{escape(words["histogram"])}">'
        f'<text x="{LEFT - 6}" y="22" text-anchor="end">{most:,}</text>'
        f'<text x="{LEFT - 6}" y="{TALL}" text-anchor="end">0</text>{"".join(bars)}'
        f'<line x1="{LEFT}" x2="{WIDE}" y1="{TALL + 0.5}" y2="{TALL + 0.5}"/>{"".join(ticks)}</svg>'
    )


def quality(facts: dict[str, Any], words: dict[str, str]) -> str:
    """What a map keeps, in numbers, to be unfolded."""
    rows = "".join(
        f"<dt>{value:.3f}</dt><dd>{escape(words[name])}</dd>" for name, value in facts["quality"]
    )
    if not rows:
        return ""
    return f"<details><summary>{escape(words['quality'])}</summary><dl>{rows}</dl></details>"


def _sees(facts: dict[str, Any], words: dict[str, str]) -> str:
    if not facts["sees"]:
        return ""
    kind = {True: "right", False: "wrong", None: "only"}[facts["right"]]
    text = words[f"sees_{kind}"].format(name=facts["sees"], share=round(100 * facts["share"]))
    return f'<p class="{kind}">{escape(text)}</p>'


def _near(
    head: str,
    why: str,
    found: list[dict[str, Any]],
    label: str,
    base: str,
    words: dict[str, str],
) -> str:
    same = sum(one["label"] == label for one in found)
    shared = words["same"].format(same=same, count=len(found)) if label else words["no_label"]
    cells = []
    for one in found:
        other = bool(label and one["label"] and one["label"] != label)
        name = " · ".join(filter(None, [one["label"], one["file"]]))
        cells.append(
            f'<li><button type="button" data-row="{one["row"]}" title="{escape(name)}"'
            f"{' class=other' if other else ''}>"
            f'<img src="{base}/thumbs/{one["row"]}.jpg" alt="{escape(name)}" loading="lazy">'
            f"<span>{escape(one['label'] or one['file'])}</span>"
            f"<small>{one['distance']:.3g}</small></button></li>"
        )
    text = words[why].format(same=shared)
    return (
        f'<h3>{escape(head)}</h3><p class="faint">{escape(text)}</p>'
        f'<ul class="near">{"".join(cells)}</ul>'
    )


def _patch(one: dict[str, Any], crop: bytes, base: str, words: dict[str, str]) -> str:
    top, left, bottom, right = (100 * min(max(at, 0.0), 1.0) for at in one["box"])
    box = f"top:{top:.1f}%;left:{left:.1f}%;height:{bottom - top:.1f}%;width:{right - left:.1f}%"
    name = " · ".join(filter(None, [one["label"], one["file"]]))
    value = words["unread"] if one["gone"] else words["value"].format(value=f"{one['value']:.3g}")
    return (
        f'<li><button type="button" data-row="{one["row"]}" title="{escape(name)}">'
        f'<img class="crop" src="{address(crop)}" alt="{escape(name)}">'
        f'<span class="whole"><img src="{base}/thumbs/{one["row"]}.jpg" alt="" loading="lazy">'
        f'<i style="{box}"></i></span>'
        f"<span>{escape(one['label'] or one['file'])}</span><span>{escape(value)}</span>"
        "</button></li>"
    )
