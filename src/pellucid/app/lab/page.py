"""Page: the lab in one language."""

from __future__ import annotations

import html
from importlib import import_module
from typing import Any

from pellucid.app.lab import api
from pellucid.app.lab.lab import Lab
from pellucid.app.lab.words import WORDS
from pellucid.page import Language

PATHS: dict[Language, str] = {"en": "/", "zh": "/zh/"}
TABS = {"photo": "photo_tab", "network": "network_tab", "collection": "collection_tab"}


def build(lab: Lab, lang: Language) -> Any:
    """The page as Gradio's blocks."""
    import gradio as gr

    words = WORDS[lang]
    other: Language = "zh" if lang == "en" else "en"
    with gr.Blocks(title=words["title"], analytics_enabled=False, fill_width=True) as blocks:
        gr.HTML(
            f'<header class="head"><h1>{html.escape(words["title"])}</h1>'
            f"<p>{html.escape(words['lead'])}</p>"
            f'<a href="{PATHS[other]}" lang="{other}" id="other">{words["other"]}</a></header>'
        )
        made: dict[str, Any] = {}
        for name, module in TABS.items():
            if name == "collection" and not lab.place:
                continue
            with gr.Tab(words[f"tab_{name}"], elem_id=f"tab-{name}"):
                part = import_module(f"pellucid.app.lab.{module}")
                # The collection hands photos to the photo's tab.
                more = [made["photo"]] if name == "collection" else []
                made[name] = part.build(lab, words, lang, *more)
        if lang == "en":
            api.build(lab)
    return blocks
