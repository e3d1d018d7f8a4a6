"""API: what programs can ask of the lab, through `gradio_client` or plain HTTP."""

# Gradio reads the annotations of these functions, which must not be text.
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pellucid.app.lab import collection_api, stage
from pellucid.app.lab.lab import Lab
from pellucid.app.lab.words import WORDS
from pellucid.errors import PellucidError
from pellucid.option import Option
from pellucid.register import entries


def build(lab: Lab) -> None:
    """The functions by name; called inside of the page."""
    import gradio as gr
    from gradio import FileData

    def methods() -> dict[str, Any]:
        """Every method with its settings: what each is, its default, choices and bounds."""
        return {
            name: {"summary": found.summary, "settings": _settings(found.load().options)}
            for name, found in entries().items()
        }

    def networks() -> list[str]:
        """Names that `network` may have."""
        return lab.networks

    def layers(network: str) -> dict[str, Any]:
        """Layers and class names of a network."""
        try:
            last = lab.desk.last("facts", {"network": network})
        except PellucidError as error:
            raise gr.Error(str(error), print_exception=False) from None
        if last.kind != "done":
            raise gr.Error(stage.problem(last, WORDS["en"]), print_exception=False)
        return last.facts

    def run(
        method: str,
        photos: dict[str, list[str]],
        settings: dict[str, Any],
        network: str,
        over: bool,
        uploads: list[FileData],
    ) -> Iterator[tuple[FileData | None, dict[str, Any]]]:
        """A method on photos; how far it is, and at last the picture and what belongs to it.

        Args:
            photos: by argument: names of installed photos ("photo:cat"), or "upload:0" for the
                first of `uploads`.
            settings: those that are not the defaults.
        """
        try:
            asked = {
                "method": method,
                "network": network,
                "over": over,
                "settings": settings,
                "photos": {
                    name: [_place(word, uploads) for word in given]
                    for name, given in photos.items()
                },
            }
            for news in lab.desk.news(lab.desk.take("method", asked)):
                if news.kind == "done":
                    image, *_ = lab.keep(news)
                    yield FileData(path=str(image), orig_name=image.name), news.facts
                elif news.over:
                    text = stage.problem(news, WORDS["en"])
                    raise gr.Error(text, print_exception=False)
                elif "done" in news.facts:
                    yield None, {key: news.facts[key] for key in ("done", "total", "text")}
        except PellucidError as error:
            raise gr.Error(str(error), print_exception=False) from None

    for function in (methods, networks, layers, run):
        gr.api(function, api_name=function.__name__, concurrency_limit=16)
    if lab.place:
        collection_api.build(lab)


def _place(word: str, uploads: list[Any]) -> list[str]:
    """Where a photo is, and what it is called."""
    kind, _, number = word.partition(":")
    if kind != "upload":
        return [word, ""]
    if not number.isdecimal() or int(number) >= len(uploads):
        raise PellucidError(f"{word}: there are {len(uploads)} uploads")
    file = uploads[int(number)]
    path = file["path"] if isinstance(file, dict) else file.path
    name = file.get("orig_name") if isinstance(file, dict) else file.orig_name
    return [path, name or Path(path).name]


def _settings(options: dict[str, Option]) -> dict[str, Any]:
    return {
        name: {
            "kind": known.help.names or known.type.__name__ if known.kind == "setting" else "photo",
            "help": known.help.text,
            "required": known.required,
            "default": None if known.required else known.default,
            "choices": list(known.choices),
            "low": known.help.low,
            "high": known.help.high,
        }
        for name, known in options.items()
        if known.kind != "network"
    }
