"""Script: the Python lines that make what a recipe says."""

from __future__ import annotations

from typing import Any

from pellucid.assets import BUNDLED
from pellucid.heatmap import OPACITY
from pellucid.recipe import Recipe, keys
from pellucid.register import entry

OWN = "my_network()  # your own module: pl.Network(module, size=…, mean=…, std=…)"


def script(recipe: Recipe, name: str = "picture.png") -> str:
    """Lines to paste into Python or a notebook, that make a result and save it.

    Args:
        name: of the file that they save.

    Raises:
        Unknown: the recipe is of a method that is not there.
    """
    call = f"pl.{recipe.method}({', '.join(['net', *_arguments(recipe)])})"
    return "\n".join(
        [
            "import pellucid as pl",
            "",
            f"net = {_network(recipe.network)}",
            f"result = {call}",
            f"result{_drawing(recipe)}.save({name!r})",
        ]
    )


def _network(network: dict[str, Any]) -> str:
    spec = network.get("spec") or {}
    if not spec.get("name"):
        return OWN
    words = [] if spec["name"] == BUNDLED else [repr(spec["name"])]
    words += [f"{key}={value!r}" for key, value in spec.items() if key != "name"]
    return f"pl.load({', '.join(words)})"


def _arguments(recipe: Recipe) -> list[str]:
    """Photos and settings; a word without its name only where no other is left out before it."""
    words: list[str] = []
    bare = True
    for name, known in entry(recipe.method).load().options.items():
        if known.kind == "network":
            continue
        if known.kind == "photo":
            sources = [
                recipe.photos[key]["source"] or "PHOTO.png" for key in keys(recipe.photos, name)
            ]
            several = len(sources) > 1 or f"{name}#1" in recipe.photos
            value: Any = sources if several else next(iter(sources), None)
            left_out = not sources
        else:
            value = recipe.settings.get(name, known.default)
            left_out = not known.required and value == known.default
        bare = bare and known.positional and not left_out
        if not left_out:
            words.append(repr(value) if bare else f"{name}={value!r}")
    return words


def _drawing(recipe: Recipe) -> str:
    if recipe.drawing is None or recipe.drawing[0] != "over":
        return ""
    opacity = recipe.drawing[1].get("opacity")
    return ".over()" if opacity in (None, OPACITY) else f".over(opacity={opacity!r})"
