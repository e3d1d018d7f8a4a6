"""The photo's tab: any method of the register, on any photo."""

# Gradio reads the annotations of these functions, which must not be text.
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pellucid.app.lab import lecture, stage
from pellucid.app.lab.controls import control, empty, shown, value
from pellucid.app.lab.errand import errand
from pellucid.app.lab.lab import Lab
from pellucid.errors import PellucidError
from pellucid.heatmap import Mapped
from pellucid.method import Method
from pellucid.option import Option, kinds
from pellucid.page import Language
from pellucid.register import entry

FIRST = "saliency"
HIDDEN = "hidden"  # on the page, yet not seen: what is taken off it (False) can miss its next value
MAIN = ("photo", "content", "sample")  # the photo at the left, whatever a method calls it
SHOW_STAGE = "() => document.getElementById('stage').scrollIntoView({block: 'nearest'})"
SIDE_PHOTOS = 64  # most that are uploaded for one argument


def build(lab: Lab, words: dict[str, str], lang: Language) -> tuple[Any, Any]:
    """Its parts; called inside of the tab. Gives what another tab hands a photo to."""
    import gradio as gr

    stock = lab.stock()
    source = gr.State("")
    job = gr.State(0)
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300):
            photo = gr.Image(
                type="filepath",
                image_mode=None,
                sources=["upload", "webcam", "clipboard"],
                label=words["photo"],
                elem_id="photo",
                height=320,
                buttons=["fullscreen"],
                interactive=True,
            )
            # As it came: the worker opens it, with its bounds on pixels, in its own process.
            photo.preprocess = lambda payload: payload and payload.path
            gr.Markdown(words["stock"], elem_classes="small")
            gallery = gr.Gallery(
                [(str(path), name.removeprefix("photo:")) for name, path in stock.items()],
                label=words["stock"],
                show_label=False,
                columns=3,
                height=240,
                allow_preview=False,
                elem_id="stock",
                object_fit="cover",
                interactive=False,
                buttons=[],
            )
        with gr.Column(scale=3, min_width=300):
            network = gr.Dropdown(
                lab.networks, value=lab.networks[0], label=words["network"], elem_id="network"
            )
            method = gr.Dropdown(
                lecture.methods(lang, words), value=FIRST, label=words["method"], elem_id="method"
            )
            question = gr.Markdown(lecture.question(FIRST, lang), elem_id="question")
            with gr.Row():
                stop = gr.Button(words["stop"], elem_id="stop", visible=HIDDEN, variant="stop")
                go = gr.Button(words["run"], elem_id="run", variant="primary")
            parts = gr.Column(elem_id="settings")
        with gr.Column(scale=5, min_width=320):
            state = gr.HTML(stage.told(words["here"]), elem_id="stage", elem_classes="stage")
            picture = gr.Image(
                type="filepath",
                label=words["result"],
                show_label=False,
                elem_id="result",
                interactive=False,
                format="png",
                buttons=["fullscreen"],
                visible=HIDDEN,
            )
            with gr.Row():
                saved = gr.DownloadButton(words["download"], elem_id="save", visible=HIDDEN)
                recipe = gr.DownloadButton(words["recipe"], elem_id="recipe", visible=HIDDEN)
            shell, python = (
                gr.Code(
                    language=name,
                    label=words[name],
                    elem_id=name,
                    interactive=False,
                    visible=HIDDEN,
                    wrap_lines=True,
                    lines=lines,
                )
                for name, lines in (("shell", 1), ("python", 5))
            )
            with gr.Accordion(words["read"], open=False):
                reading = gr.Markdown(lecture.reading(FIRST, lang), elem_id="reading")
            with gr.Accordion(words["misleads"], open=False):
                misleading = gr.Markdown(
                    lecture.misleading(FIRST, lang, words), elem_id="misleading"
                )
    outputs = [job, state, picture, saved, recipe, shell, python, go, stop]

    def pick(event: gr.SelectData) -> tuple[str, str]:
        name = list(stock)[event.index]
        return str(stock[name]), name

    gallery.select(pick, None, [photo, source], api_visibility="private", show_progress="hidden")
    photo.input(lambda: "", None, source, api_visibility="private", show_progress="hidden")
    method.change(
        lambda name: (
            lecture.question(name, lang),
            lecture.reading(name, lang),
            lecture.misleading(name, lang, words),
        ),
        method,
        [question, reading, misleading],
        api_visibility="private",
        show_progress="hidden",
    )
    # On a phone the result stands below all settings.
    go.click(None, None, None, js=SHOW_STAGE, api_visibility="private")
    stop.click(lab.desk.stop, job, None, api_visibility="private", queue=False)

    with parts:

        @gr.render(inputs=[method, network], show_progress="hidden")  # type: ignore[untyped-decorator]
        def controls(name: str, net: str) -> None:
            chosen = entry(name).load()
            facts = lab.facts(net)
            options = shown(chosen)
            over = gr.Checkbox(
                value=True,
                label=words["over"],
                elem_id="over",
                visible=any(issubclass(kind, Mapped) for kind in kinds(chosen.function)),
            )
            others = _others(chosen, words)
            made = [control(known, facts, words, lang) for known in options]

            def run(
                photo: str | None, source: str, net: str, over: bool, *given: Any
            ) -> Iterator[tuple[Any, ...]]:
                try:
                    asked = _asked(chosen, options, photo, source, given, words)
                except PellucidError as error:
                    yield (0, stage.trouble(str(error)), *_nothing(), *_buttons(False))
                    return
                job = {"method": name, "network": net, "over": over} | asked
                yield from _run(lab, job, words)

            go.click(
                run,
                [photo, source, network, over, *others, *made],
                outputs,
                api_visibility="private",
                show_progress="hidden",
                concurrency_limit=16,
                trigger_mode="once",
            )

    return photo, source


def _run(lab: Lab, asked: dict[str, Any], words: dict[str, str]) -> Iterator[tuple[Any, ...]]:
    """What becomes of the page while a job is done."""
    import gradio as gr

    begun = False
    for number, told, news in errand(lab, "method", asked, words):
        if news is not None and news.kind == "done":
            image, recipe = map(str, lab.keep(news))
            values = image, image, recipe, news.facts["command"], news.facts["python"]
            made = [gr.update(value=value, visible=True) for value in values]
            yield (0, told, *made, *_buttons(False))
        elif not number:
            yield (0, told, *_nothing(), *_buttons(False))
        elif not begun:
            yield (number, told, *_nothing(), *_buttons(True))
        else:
            yield (number, told, *[gr.skip()] * 7)
        begun = True


def _nothing() -> list[Any]:
    import gradio as gr

    return [gr.update(value=None, visible=HIDDEN)] * 3 + [gr.update(value="", visible=HIDDEN)] * 2


def _buttons(working: bool) -> list[Any]:
    import gradio as gr

    return [gr.update(interactive=not working), gr.update(visible=working or HIDDEN)]


def _asked(
    method: Method[Any],
    options: list[Option],
    photo: str | None,
    source: str,
    given: tuple[Any, ...],
    words: dict[str, str],
) -> dict[str, Any]:
    """Photos and settings as the task has them.

    Raises:
        PellucidError: one that is needed is not given.
    """
    photos: dict[str, list[list[str]]] = {}
    rest = list(given)
    for known in _photos(method):
        if known.name in MAIN:
            main = source or photo
            files = [main] if main else []
        else:
            got = rest.pop(0)
            files = got if isinstance(got, list) else [got] if got else []
        if files:
            photos[known.name] = [[file, Path(file).name] for file in files[:SIDE_PHOTOS]]
        elif known.required:
            text = words["no_photo"] if known.name in MAIN else words["missing"]
            raise PellucidError(text.format(name=known.name))
    settings = {}
    for known, word in zip(options, rest, strict=True):
        if known.required and empty(word):
            raise PellucidError(words["missing"].format(name=known.name))
        settings[known.name] = value(known, word)
    return {"photos": photos, "settings": settings}


def _photos(method: Method[Any]) -> list[Option]:
    return [known for known in method.options.values() if known.kind == "photo"]


def _others(method: Method[Any], words: dict[str, str]) -> list[Any]:
    """Where photos beside the main one are uploaded."""
    import gradio as gr

    return [
        gr.File(
            label=words["more_photos" if known.many else "one_photo"].format(name=known.name),
            file_count="multiple" if known.many else "single",
            file_types=["image"],
            elem_id=f"photos-{known.name}",
            height=120,
        )
        for known in _photos(method)
        if known.name not in MAIN
    ]
