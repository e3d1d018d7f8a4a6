"""Best patches of a channel: found by its number or by what its best photos show."""

# Gradio reads the annotations of these functions, which must not be text.
from collections.abc import Iterator
from typing import Any

from pellucid.app.lab import collection_html as html
from pellucid.app.lab.collection import address, manifest
from pellucid.app.lab.errand import errand
from pellucid.app.lab.lab import Lab
from pellucid.app.lab.panel_part import PRIVATE, Panel


def build(lab: Lab, words: dict[str, str], handed: tuple[Any, Any]) -> None:
    """Its parts; called inside of the tab."""
    import gradio as gr

    known = manifest(lab.place)
    layers = list(known.plan.layers)
    with gr.Row(equal_height=False):
        with gr.Column(scale=7, min_width=320):
            with gr.Row():
                layer = gr.Dropdown(
                    layers, value=layers[-1], label=words["layer"], elem_id="channel-layer"
                )
                channel = gr.Dropdown(
                    list(range(known.grids[layers[-1]][0])),
                    value=0,
                    label=words["channel"],
                    info=words["channel_hint"],
                    elem_id="channel",
                    filterable=True,
                )
                sign = gr.Radio(
                    [(words["greatest"], False), (words["least"], True)],
                    value=False,
                    label=words["sign"],
                    elem_id="channel-sign",
                    visible=known.plan.negative,
                )
            state = gr.HTML(elem_id="channel-stage", elem_classes="stage")
            # It asks for the first channel once it is seen.
            best = gr.HTML(
                elem_id="best",
                elem_classes="best",
                js_on_load=SCRIPT,
            )
            saved = gr.DownloadButton(
                words["picture"], elem_id="channel-save", visible=False, size="sm"
            )
        with gr.Column(scale=4, min_width=320):
            panel = Panel(lab, words, layer, handed, "channel-neighbours")
    panel.hears(best)

    def fill(layer: str) -> Iterator[tuple[Any, ...]]:
        for _, told, news in errand(lab, "collection channels", {"layer": layer}, words):
            if news is not None and news.kind == "done":
                yield "", gr.update(choices=_listed(news.facts["channels"], words), value=0)
            else:
                yield told, gr.skip()

    def show(layer: str, channel: int | None, sign: bool) -> Iterator[tuple[Any, ...]]:
        if channel is None:
            return
        given = {"layer": layer, "channel": channel, "negative": sign}
        for _, told, news in errand(lab, "collection channel", given, words):
            if news is not None and news.kind == "done":
                picture = next(path for path in lab.keep(news) if path.suffix == ".png")
                page = html.channel(news.facts, news.files, address(lab), words)
                yield "", page, gr.update(value=str(picture), visible=True)
            else:
                yield told, gr.skip(), gr.skip()

    asked, outputs = [layer, channel, sign], [state, best, saved]
    for event in (best.begin, layer.input):
        event(fill, layer, [state, channel], **PRIVATE).success(show, asked, outputs, **PRIVATE)
    for part in (channel, sign):
        part.input(show, asked, outputs, **PRIVATE)


SCRIPT = """
element.addEventListener('click', event => {
  const photo = event.target.closest('[data-row]');
  if (photo) trigger('pick', { row: Number(photo.dataset.row) });
});
new IntersectionObserver((entries, watcher) => {
  if (!entries.some(one => one.isIntersecting)) return;
  watcher.disconnect();
  trigger('begin');
}).observe(element.closest('.tabitem') || element);
"""


def _listed(found: list[dict[str, Any]], words: dict[str, str]) -> list[tuple[str, int]]:
    """What the channels are called in the list that is searched."""
    return [
        (
            words["channel_all" if one["label"] else "channel_none"].format(
                **one | {"active": f"{100 * one['active']:.1f}"}
            ),
            one["channel"],
        )
        for one in found
    ]
