"""Panel: one photo of the collection with its neighbours, and on from one to the next."""

# Gradio reads the annotations of these functions, which must not be text.
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pellucid.app.lab import collection_html as html
from pellucid.app.lab import stage
from pellucid.app.lab.collection import address
from pellucid.app.lab.errand import errand
from pellucid.app.lab.lab import Lab

# What is clicked in it asks for another photo, or hands this one on; the map hears what is near.
SCRIPT = """
element.addEventListener('click', event => {
  const photo = event.target.closest('[data-row]'), other = event.target.closest('[data-hand]');
  if (photo) trigger('pick', { row: Number(photo.dataset.row) });
  if (other) trigger('hand', { row: Number(other.dataset.hand) });
});
let before = '';
new MutationObserver(() => {
  const told = element.querySelector('[data-near]');
  if (!told || told.dataset.near === before) return;
  before = told.dataset.near;
  const detail = JSON.parse(told.dataset.near);
  document.dispatchEvent(new CustomEvent('pellucid-near', { detail }));
  const box = element.getBoundingClientRect();  // on a phone it is far below what was clicked
  if (box.top < 0 || box.top > innerHeight - 120) element.scrollIntoView({ block: 'start' });
}).observe(element, {
  childList: true, subtree: true, attributes: true, attributeFilter: ['data-near'],
});
"""
OPEN_PHOTO = "() => document.getElementById('tab-photo-button')?.click()"
PRIVATE: dict[str, Any] = {
    "api_visibility": "private",
    "show_progress": "hidden",
    "concurrency_limit": 16,
}


class Panel:
    """One photo with its neighbours.

    Args:
        layer: the part of the page that says in whose features is searched.
        handed: where the photo's tab takes a photo.
        name: of its part of the page.
    """

    def __init__(
        self, lab: Lab, words: dict[str, str], layer: Any, handed: tuple[Any, Any], name: str
    ) -> None:
        import gradio as gr

        self.lab, self.words, self.layer = lab, words, layer
        self.state = gr.HTML(elem_classes="stage", elem_id=f"{name}-stage")
        self.body = gr.HTML(
            f'<p class="faint">{words["ask"]}</p>',
            elem_classes="panel",
            elem_id=name,
            js_on_load=SCRIPT,
        )
        self.hears(self.body)
        # Gradio passes EventData to what asks for it by its annotation.

        def hand(event: gr.EventData) -> Iterator[tuple[Any, ...]]:
            yield from self._hand(_row(event))

        self.body.hand(hand, None, [self.state, *handed], **PRIVATE).success(
            None, None, None, js=OPEN_PHOTO, api_visibility="private"
        )

    def hears(self, part: Any) -> None:
        """Shows a photo when it is picked in a part of the page."""
        import gradio as gr

        def pick(layer: str, event: gr.EventData) -> Iterator[tuple[Any, ...]]:
            yield from self.look({"row": _row(event), "layer": layer})

        part.pick(pick, self.layer, [self.state, self.body], **PRIVATE)

    def look(self, given: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
        """State and body while a photo is looked up."""
        import gradio as gr

        base = address(self.lab)
        for _, shown, news in errand(self.lab, "collection photo", given, self.words):
            if news is not None and news.kind == "done":
                body = html.panel(news.facts, news.files["photo.jpg"], base, self.words)
                yield "", body
            else:
                yield shown, gr.skip()

    def _hand(self, row: Any) -> Iterator[tuple[Any, ...]]:
        import gradio as gr

        for _, shown, news in errand(self.lab, "collection hand", {"row": row}, self.words):
            if news is not None and news.kind == "done":
                path = str(self.lab.keep(news)[0])
                yield "", gr.update(value=path), path
            elif news is not None:
                text = stage.problem(news, self.words)
                raise gr.Error(text, print_exception=False)
            else:
                yield shown, gr.skip(), gr.skip()


def named(path: str | None) -> list[str]:
    """An uploaded file as the worker has it: where it is, and what it is called."""
    return [path or "", Path(path or "").name]


def _row(event: Any) -> Any:
    """What a click says; the worker checks it."""
    return (event._data or {}).get("row")
