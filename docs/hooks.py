"""What mkdocs is told besides mkdocs.yml: the methods in the nav, and two languages in one site.

Each page is built in its own language, with the nav of that language and a link to its counterpart.
The methods are listed by family, from the register, so that a new one finds its place by itself.
"""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from docs import cards, tables

from pellucid import page as pages

MARK = "METHODS"  # stands in the nav for the methods by family
PEERS = "COMING FROM"


def on_config(config: Any) -> Any:
    """Puts the methods and the peers into the nav."""
    config.nav = [_filled(part, "en") for part in config.nav]
    return config


def _filled(part: Any, lang: pages.Language) -> Any:
    if not isinstance(part, dict):
        return part
    ((title, inner),) = part.items()
    lang = "zh" if title == "中文" else lang
    up = "zh/" if lang == "zh" else ""
    if inner == MARK:
        return {
            title: [
                {
                    cards.WORDS[lang]["families"][family][0]: [
                        {pages.page(name).texts[lang].title: f"{up}methods/{name}.md"}
                        for name in names
                    ]
                }
                for family, names in cards.families().items()
                if names
            ]
        }
    if inner == PEERS:
        listed = [
            {peer["name"]: f"{up}coming-from/{name}.md"} for name, peer in tables.PEERS.items()
        ]
        return {title: listed}
    return {title: [_filled(one, lang) for one in inner] if isinstance(inner, list) else inner}


def on_page_context(context: Any, *, page: Any, config: Any, nav: Any) -> Any:
    """The language of one page, its part of the nav, and its counterpart."""
    path = page.file.src_uri
    chinese = path.startswith("zh/")
    config.theme["language"] = "zh" if chinese else "en"
    own = next(part for part in nav.items if part.title == ("中文" if chinese else "English"))
    context["nav"] = _Part(own.children, nav, own.children[0])
    plain = path.removeprefix("zh/").removesuffix(".md") + ".html"
    there = {file.src_uri for file in config.extra["files"]}
    other = path.removeprefix("zh/") if chinese else f"zh/{path}"
    links = {"en": plain if not chinese or other in there else "index.html"}
    links["zh"] = f"zh/{plain}" if chinese or other in there else "zh/index.html"
    names = {"en": "English", "zh": "中文"}
    config.extra["alternate"] = [
        {"name": names[lang], "link": links[lang], "lang": lang} for lang in names
    ]
    return context


def on_files(files: Any, config: Any) -> Any:
    """Remembers which pages there are."""
    config.extra["files"] = list(files)
    return files


class _Part:
    """The nav of one language, as the theme reads it."""

    def __init__(self, items: Any, whole: Any, home: Any) -> None:
        self.items, self.pages, self.homepage = items, whole.pages, home

    def __iter__(self) -> Any:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)
