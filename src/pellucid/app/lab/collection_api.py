"""What programs can ask of the lab's collection."""

# Gradio reads the annotations of these functions, which must not be text.
from typing import Any

from pellucid.app.lab import stage
from pellucid.app.lab.collection import bare, manifest
from pellucid.app.lab.lab import Lab
from pellucid.app.lab.words import WORDS
from pellucid.errors import PellucidError


def build(lab: Lab) -> None:
    """The functions by name; called inside of the page."""
    import gradio as gr
    from gradio import FileData

    def done(task: str, given: dict[str, Any]) -> Any:
        try:
            last = lab.desk.last(f"collection {task}", given)
        except PellucidError as error:
            raise gr.Error(str(error), print_exception=False) from None
        if last.kind != "done":
            raise gr.Error(stage.problem(last, WORDS["en"]), print_exception=False)
        return last

    def collection() -> dict[str, Any]:
        """What the atlas is of: name, network, number of photos, channels by layer."""
        known = manifest(lab.place)
        return {
            "name": bare(lab.place),
            "network": known.network["name"],
            "photos": known.images,
            "layers": {name: known.grids[name][0] for name in known.plan.layers},
            "negative": known.plan.negative,
        }

    def neighbours(
        row: int | None, photo: str, upload: list[FileData], layer: str, count: int
    ) -> dict[str, Any]:
        """Photos nearest to one, in a layer's features and in pixels, the nearest first.

        Args:
            row: of the collection; None for another photo:
            photo: an installed one, "photo:cat"; "" for the first of `upload`.
        """
        given: dict[str, Any] = {"layer": layer, "count": count}
        if row is not None:
            given["row"] = row
        elif photo:
            given["photo"] = [photo, ""]
        elif upload:
            one: Any = upload[0]
            known = one if isinstance(one, dict) else one.model_dump()
            given["photo"] = [known["path"], known.get("orig_name") or bare(known["path"])]
        else:
            raise gr.Error("give a row, the name of a photo, or an upload", print_exception=False)
        facts: dict[str, Any] = done("photo", given).facts
        return facts

    def best_patches(
        layer: str, channel: int, negative: bool, count: int
    ) -> tuple[FileData, dict[str, Any]]:
        """Where a channel answers most: a picture with its recipe, and the places."""
        last = done(
            "channel",
            {"layer": layer, "channel": channel, "negative": negative, "count": count},
        )
        picture = next(path for path in lab.keep(last) if path.suffix == ".png")
        return FileData(path=str(picture), orig_name=picture.name), last.facts

    for function in (collection, neighbours, best_patches):
        gr.api(function, api_name=function.__name__, concurrency_limit=16)
