"""A small atlas, and what its site consists of: pages, files, and where their links lead."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

from atlas.collection import folder, network
from pellucid.atlas.atlas import Atlas

LAYERS = ["2", "5", "7"]  # of the last, 8 units that see all of the image
FEW = {"steps": 2}


def small(place: Path) -> Atlas:
    """Two dozen photos of two classes, one of which would be markup if it could."""
    photos = folder(place / "photos", 24, classes=["x", "<b>&y"])
    return Atlas.build(place / "small.atlas", network(), photos, layers=LAYERS, keep=5)


class Page(HTMLParser):
    """Addresses of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.lang = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.lang = given.get("lang") or self.lang if tag == "html" else self.lang
        self.addresses += [given[name] or "" for name in ("src", "href") if name in given]
        self.addresses += re.findall(r"url\(([^)]*)\)", given.get("style") or "")


def pages(out: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(out.rglob("*.html")):
        yield path, path.read_text("utf-8")


def files(out: Path) -> dict[str, bytes]:
    """All but the list of what is finished, in which the order of the work may show."""
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def crawled(out: Path) -> set[Path]:
    """All files that can be reached from the first page; fails where one is not there."""
    found: set[Path] = set()
    todo = [out / "index.html"]
    while todo:
        path = todo.pop()
        if path in found:
            continue
        assert path.is_file(), path
        found.add(path)
        if path.suffix == ".html":
            for address in Page(path.read_text("utf-8")).addresses:
                assert not re.match(r"\w+:|//|/", address), address
                todo.append((path.parent / unquote(address)).resolve())
    return found
