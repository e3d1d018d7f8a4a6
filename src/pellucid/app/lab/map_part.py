"""The collection's map, with a panel for the photo that is picked."""

# Gradio reads the annotations of these functions, which must not be text.
import json
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from pellucid.app.lab import collection_html as html
from pellucid.app.lab.collection import address, manifest, methods
from pellucid.app.lab.collection_words import MAP
from pellucid.app.lab.errand import errand
from pellucid.app.lab.lab import Lab
from pellucid.app.lab.panel_part import PRIVATE, Panel, named
from pellucid.atlas.projections import NAMES


def build(lab: Lab, words: dict[str, str], handed: tuple[Any, Any]) -> None:
    """Its parts; called inside of the tab."""
    import gradio as gr

    known = manifest(lab.place)
    job = gr.State(0)
    kinds = methods()
    with gr.Row(equal_height=False):
        with gr.Column(scale=7, min_width=320):
            with gr.Row():
                how = gr.Dropdown(
                    kinds, value=kinds[0][1], label=words["how"], elem_id="map-how", min_width=120
                )
                layer = gr.Dropdown(
                    list(known.plan.layers),
                    value=known.plan.layers[-1],
                    label=words["layer"],
                    elem_id="map-layer",
                    min_width=120,
                )
                stop = gr.Button(
                    words["stop"], elem_id="map-stop", visible=False, variant="stop", min_width=90
                )
            state = gr.HTML(elem_id="map-stage", elem_classes="stage")
            drawn = gr.HTML(
                None,
                html_template='<div class="cmap"></div>',
                js_on_load=_script(),
                elem_id="map",
                words={name: words[name] for name in MAP},
                address=address(lab),
            )
            note = gr.HTML(elem_id="map-note", elem_classes="best")
        with gr.Column(scale=4, min_width=320):
            panel = Panel(lab, words, layer, handed, "neighbours")
            with gr.Accordion(words["photo"], open=False, elem_id="own"):
                photo: Any = gr.Image(
                    type="filepath",
                    image_mode=None,
                    sources=["upload", "clipboard"],
                    show_label=False,
                    label=words["photo"],
                    elem_id="own-photo",
                    height=180,
                    buttons=[],
                )
                # As it came: the worker opens it, with its bounds on pixels.
                photo.preprocess = lambda payload: payload and payload.path
                stock = gr.Dropdown(
                    [(name.removeprefix("photo:"), name) for name in lab.stock()],
                    value=None,
                    label=words["stock"],
                    elem_id="own-stock",
                )
    panel.hears(drawn)

    def show(how: str, layer: str) -> Iterator[tuple[Any, ...]]:
        yield from _shown(lab, how, layer, words)

    outputs = [job, state, note, how, layer, stop]
    for event in (drawn.begin, how.input, layer.input):
        event(show, [how, layer], outputs, **PRIVATE)
    stop.click(lab.desk.stop, job, None, api_visibility="private", queue=False)

    def own(path: str | None, layer: str) -> Iterator[tuple[Any, ...]]:
        if path:
            yield from panel.look({"photo": named(path), "layer": layer})

    def installed(name: str | None, layer: str) -> Iterator[tuple[Any, ...]]:
        if name:
            yield from panel.look({"photo": [name, ""], "layer": layer})

    photo.input(own, [photo, layer], [panel.state, panel.body], **PRIVATE)
    stock.input(installed, [stock, layer], [panel.state, panel.body], **PRIVATE)


def _script() -> str:
    """The map's, in its two halves."""
    here = Path(__file__).parent
    halves = ("collection_map.js", "collection_choose.js")
    return "".join((here / name).read_text("utf-8") for name in halves)


def _shown(lab: Lab, how: str, layer: str, words: dict[str, str]) -> Iterator[tuple[Any, ...]]:
    """First what is quick (a map that is kept, or PCA), then thumbnails, then what takes long."""
    import gradio as gr

    facts: dict[str, Any] = {}
    network = manifest(lab.place).network["name"]
    asked = {"method": how, "layer": layer}
    for task, more in (("map", {"quick": True}), ("unpack", {}), ("map", {})):
        if task == "map" and facts.get("final"):
            break
        given = asked | more if task == "map" else {}
        for number, shown, news in errand(lab, f"collection {task}", given, words):
            if not number and (news is None or news.kind != "done"):
                yield (0, shown, gr.skip(), *_busy(False))
                return
            if number:
                head = _head(task, how, layer, words, bool(facts) and not facts.get("final"))
                yield (number, head + shown, gr.skip(), *_busy(True))
            elif news is not None:
                facts |= news.facts
                yield (0, gr.skip(), _told(facts, layer, network, words), *_busy(True))
    yield (0, "", gr.skip(), *_busy(False))


def _head(task: str, how: str, layer: str, words: dict[str, str], sketched: bool) -> str:
    if task == "unpack":
        return f'<p class="told">{escape(words["thumbs"])}</p>'
    name = words["drawing"].format(how=NAMES[how], layer=layer)
    if sketched:
        name += " · " + words["sketch"].format(how=NAMES[how])
    return f'<p class="told">{escape(name)}</p>'


def _told(facts: dict[str, Any], layer: str, network: str, words: dict[str, str]) -> str:
    """What the map shows, in words; and for its script, where it is."""
    shown = f"{facts['shown']:,}"
    if facts["shown"] < facts["count"]:
        shown = words["part"].format(shown=shown, count=f"{facts['count']:,}")
    text = words["drawn_pca" if facts["how"] == "pca" else "drawn"].format(
        shown=shown, layer=layer, network=network, how=NAMES[facts["how"]]
    )
    carried = escape(json.dumps({"file": facts["file"], "sheets": facts["sheets"]}))
    return (
        f'<div data-map="{carried}"><p class="faint">{escape(text)}</p>'
        f"{html.quality(facts, words)}</div>"
    )


def _busy(working: bool) -> list[Any]:
    """Kind, layer and stop button, while a map is made and after it."""
    import gradio as gr

    return [gr.update(interactive=not working)] * 2 + [gr.update(visible=working)]
