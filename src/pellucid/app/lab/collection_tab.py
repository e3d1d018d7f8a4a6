"""The collection's tab: a map, a wall, and the best patches of each channel."""

from typing import Any

from pellucid.app.lab import channel_part, map_part, wall_part
from pellucid.app.lab.collection import bare, manifest
from pellucid.app.lab.collection_words import WORDS
from pellucid.app.lab.lab import Lab
from pellucid.page import Language


def build(lab: Lab, words: dict[str, str], lang: Language, handed: tuple[Any, Any]) -> None:
    """Its parts; called inside of the tab.

    Args:
        handed: where the photo's tab takes a photo: its picture, and the file's place.
    """
    import gradio as gr

    words = words | WORDS[lang]
    known = manifest(lab.place)
    gr.Markdown(
        words["lead"].format(
            name=bare(lab.place), count=f"{known.images:,}", network=known.network["name"]
        )
    )
    with gr.Tab(words["tab_map"], elem_id="tab-map"):
        map_part.build(lab, words, handed)
    with gr.Tab(words["tab_wall"], elem_id="tab-wall"):
        wall_part.build(lab, words, lang)
    with gr.Tab(words["tab_channel"], elem_id="tab-channel"):
        channel_part.build(lab, words, handed)
