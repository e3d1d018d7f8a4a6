"""The network's tab: its layers as a drawing, what each says of a photo, and every unit."""

# Gradio reads the annotations of these functions, which must not be text.
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pellucid.app.lab.lab import Lab
from pellucid.app.lab.network_moves import PARTS, Moves
from pellucid.app.lab.network_pictures import Changes, Looked
from pellucid.app.lab.network_words import WORDS
from pellucid.app.lab.visit import Visit
from pellucid.page import Language

SCRIPT = (Path(__file__).parent / "network.js").read_text("utf-8")
MOST = [16, 64, 256, 1024, 4096]
STEPS, STEPS_ONE = 96, 256  # of drawings
CLICKABLE = (
    "drawing", "layer", "filters", "channels", "drawn", "unit", "answers", "guided", "looks",
    "known",
)  # fmt: skip


def build(lab: Lab, words: dict[str, str], lang: Language) -> None:
    """Its parts; called inside of the tab."""
    import gradio as gr

    tab: Any = gr.context.Context.block
    moves = Moves(lab, words | WORDS[lang], lang)
    parts = _parts(lab, moves)
    visit = gr.State(Visit())
    looked = [parts[name] for name in ("photo", "sort", "most")]
    common: dict[str, Any] = {
        "outputs": [parts[name] for name in PARTS],
        "api_visibility": "private",
        "show_progress": "hidden",
        "concurrency_limit": 16,
        "trigger_mode": "multiple",
    }

    def told(changes: Iterator[Changes]) -> Iterator[dict[Any, Any]]:
        for change in changes:
            made = {parts[name]: value for name, value in change.items()}
            yield made or {parts["busy"]: gr.skip()}

    def enter(network: str, visit: Visit, photo: str, sort: str, most: int) -> Iterator[Any]:
        yield from told(moves.enter(visit, network, Looked(photo, sort, most)))

    def clicked(
        event: gr.EventData, visit: Visit, photo: str, sort: str, most: int
    ) -> Iterator[Any]:
        yield from told(moves.go(visit, dict(event._data or {}), Looked(photo, sort, most)))

    def found(name: str | None, visit: Visit, photo: str, sort: str, most: int) -> Iterator[Any]:
        yield from told(moves.go(visit, {"find": name or ""}, Looked(photo, sort, most)))

    def again(visit: Visit, photo: str, sort: str, most: int) -> Iterator[Any]:
        yield from told(moves.again(visit, Looked(photo, sort, most)))

    def uploaded(file: str, visit: Visit, sort: str, most: int) -> Iterator[Any]:
        yield from told(moves.uploaded(visit, file, Looked("", sort, most)))

    def draw(visit: Visit, channels: str, steps: float | None) -> Iterator[Any]:
        yield from told(moves.draw(visit, channels, steps))

    def draw_one(visit: Visit, steps: float | None) -> Iterator[Any]:
        yield from told(moves.draw_one(visit, steps))

    def stop(visit: Visit) -> None:
        lab.desk.stop(visit.job)

    network = parts["network"]
    gr.on([tab.select, network.input], enter, [network, visit, *looked], **common)
    gr.on([parts[name].click for name in CLICKABLE], clicked, [visit, *looked], **common)
    parts["find"].input(found, [parts["find"], visit, *looked], **common)
    gr.on([part.input for part in looked], again, [visit, *looked], **common)
    parts["upload"].upload(uploaded, [parts["upload"], visit, *looked[1:]], **common)
    parts["draw"].click(draw, [visit, parts["range"], parts["steps"]], **common)
    parts["draw_one"].click(draw_one, [visit, parts["steps_one"]], **common)
    parts["stop"].click(stop, visit, None, api_visibility="private", queue=False)


def _parts(lab: Lab, moves: Moves) -> dict[str, Any]:
    """Everything on the page, by name."""
    import gradio as gr

    words = moves.words
    names = [(name.removeprefix("photo:"), name) for name in moves.pictures.stock]
    parts: dict[str, Any] = {}

    def shown(name: str) -> Any:
        return gr.HTML(
            elem_id=f"net-{name}",
            elem_classes=["stage", "net-stage"],
            apply_default_css=False,
            js_on_load=SCRIPT if name in CLICKABLE else None,
        )

    with gr.Row():
        parts["network"] = gr.Dropdown(
            lab.networks, value=lab.networks[0], label=words["network"],
            elem_id="net-network", scale=2, min_width=180,
        )  # fmt: skip
        parts["find"] = gr.Dropdown(
            [], value=None, label=words["find"], elem_id="net-find", allow_custom_value=True,
            scale=3, min_width=220,
        )  # fmt: skip
        parts["photo"] = gr.Dropdown(
            names, value=names[0][1] if names else None, label=words["photo"],
            elem_id="net-photo", scale=2, min_width=150,
        )  # fmt: skip
        with gr.Column(scale=1, min_width=120):
            parts["upload"] = gr.UploadButton(
                words["upload"], file_types=["image"], elem_id="net-upload", size="sm"
            )
            parts["glance"] = gr.HTML(
                moves.pictures.small(names[0][1]) if names else "", elem_id="net-glance",
                elem_classes="net-photo", apply_default_css=False,
            )  # fmt: skip
    with gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=300, elem_id="net-left"):
            parts["drawing"] = shown("drawing")
        # What is shown of these is decided in network.css by what is in them: parts that Gradio
        # takes out of the page and puts into it again may miss what is told them meanwhile.
        with gr.Column(scale=6, min_width=320, elem_id="net-right"):
            parts["busy"] = shown("busy")
            parts["stop"] = gr.Button(words["stop"], elem_id="net-stop", variant="stop", size="sm")
            parts["state"] = shown("state")
            with gr.Column(elem_id="net-of-layer"):
                parts["layer"] = shown("layer")
                parts["filters"] = shown("filters")
                with gr.Row(elem_classes="net-countable"):
                    orders = list(zip(words["sorts"], ["index", "strength"], strict=True))
                    parts["sort"] = gr.Radio(
                        orders, value="index", label=words["sort"], elem_id="net-sort",
                        min_width=200,
                    )  # fmt: skip
                    parts["most"] = gr.Dropdown(
                        MOST, value=64, label=words["most"], elem_id="net-most", min_width=100
                    )
                parts["channels"] = shown("channels")
                with gr.Row(elem_classes="net-countable"):
                    parts["range"] = gr.Textbox(
                        "0-15", label=words["range"], info=words["range_hint"], max_length=200,
                        elem_id="net-range", min_width=120,
                    )  # fmt: skip
                    parts["steps"] = _steps("steps", STEPS, words)
                    parts["draw"] = gr.Button(words["draw"], elem_id="net-draw", min_width=120)
                parts["drawn"] = shown("drawn")
            with gr.Column(elem_id="net-of-unit"):
                parts["unit"] = shown("unit")
                with gr.Row(equal_height=False):
                    with gr.Column(min_width=240, elem_classes="net-answer"):
                        parts["answers"] = shown("answers")
                    with gr.Column(min_width=240, elem_classes="net-answer"):
                        parts["guided"] = shown("guided")
                with gr.Row():
                    parts["steps_one"] = _steps("steps-one", STEPS_ONE, words)
                    parts["draw_one"] = gr.Button(
                        words["draw_one"], elem_id="net-draw-one", min_width=120
                    )
                parts["looks"] = shown("looks")
                parts["known"] = shown("known")
    return parts


def _steps(name: str, value: int, words: dict[str, Any]) -> Any:
    import gradio as gr

    return gr.Number(
        value, label=words["steps"], info=words["steps_hint"], precision=0, minimum=1, maximum=4096,
        elem_id=f"net-{name}", min_width=120,
    )  # fmt: skip
