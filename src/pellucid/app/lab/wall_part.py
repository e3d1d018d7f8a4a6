"""The collection's wall: made once for a map, then shown inside of the page."""

# Gradio reads the annotations of these functions, which must not be text.
from collections.abc import Iterator
from html import escape
from typing import Any

from pellucid.app.lab.collection import address, manifest, methods
from pellucid.app.lab.errand import errand
from pellucid.app.lab.lab import Lab
from pellucid.app.lab.panel_part import PRIVATE
from pellucid.page import Language


def build(lab: Lab, words: dict[str, str], lang: Language) -> None:
    """Its parts; called inside of the tab."""
    import gradio as gr

    known = manifest(lab.place)
    job = gr.State(0)
    kinds = methods()
    gr.Markdown(words["wall_why"])
    with gr.Row():
        how = gr.Dropdown(kinds, value=kinds[0][1], label=words["how"], elem_id="wall-how")
        layer = gr.Dropdown(
            list(known.plan.layers),
            value=known.plan.layers[-1],
            label=words["layer"],
            elem_id="wall-layer",
        )
        go = gr.Button(words["wall_go"], elem_id="wall-go", variant="primary")
        stop = gr.Button(words["stop"], elem_id="wall-stop", visible=False, variant="stop")
    state = gr.HTML(elem_id="wall-stage", elem_classes="stage")
    shown = gr.HTML(elem_id="wall", elem_classes="wall")

    def hang(how: str, layer: str) -> Iterator[tuple[Any, ...]]:
        given = {"method": how, "layer": layer, "lang": lang}
        for number, told, news in errand(lab, "collection wall", given, words):
            page: Any = gr.skip()
            if news is not None and news.kind == "done":
                page = _framed(f"{address(lab)}/{news.facts['folder']}/index.html", words)
            yield (
                number,
                told,
                page,
                gr.update(interactive=not number),
                gr.update(visible=bool(number)),
            )

    go.click(hang, [how, layer], [job, state, shown, go, stop], **PRIVATE)
    stop.click(lab.desk.stop, job, None, api_visibility="private", queue=False)


def _framed(place: str, words: dict[str, str]) -> str:
    text = escape(words["wall_open"])
    return (
        f'<p><a href="{place}" target="_blank" rel="noopener">{text}</a></p>'
        f'<iframe src="{place}" title="{escape(words["tab_wall"])}"></iframe>'
    )
