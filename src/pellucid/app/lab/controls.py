"""Controls: a part of the page for each setting of a method, made from its annotation."""

from __future__ import annotations

from typing import Any

from pellucid.app.commands import meant
from pellucid.app.lab.tasks import HIDDEN
from pellucid.method import Method
from pellucid.option import Option
from pellucid.page import Language
from pellucid.phrase import phrase
from pellucid.register import entries

SEARCHED = 4000  # most names in a list that is searched by typing
FEW = 4  # choices that are shown all at once
UNITS = ("unit", "units", "objective")


def shown(method: Method[Any]) -> list[Option]:
    """The settings that have a control: all but those that name places on this machine."""
    return [
        known
        for known in method.options.values()
        if known.kind == "setting" and known.help.names not in HIDDEN
    ]


def control(known: Option, facts: dict[str, Any], words: dict[str, str], lang: Language) -> Any:
    """The control of one setting.

    Args:
        facts: layers and labels of the network, to search in.
    """
    import gradio as gr

    common: dict[str, Any] = {
        "label": known.name.replace("_", " "),
        "info": phrase(known.help.text, lang) + _bounds(known),
        "elem_id": f"set-{known.name}",
        "interactive": True,
    }
    default = None if known.required else known.default
    if known.type is bool:
        return gr.Checkbox(value=bool(default), **common)
    names = _names(known, facts)
    if names is not None:
        if known.help.names in UNITS:
            common["info"] += f"; {words['unit_hint']}"
        value = next(iter(names), None) if known.required else default
        return gr.Dropdown(names, value=value, allow_custom_value=True, filterable=True, **common)
    if known.choices:
        few = len(known.choices) <= FEW and not known.optional
        part = gr.Radio if few else gr.Dropdown
        return part(list(known.choices), value=default, **common)
    if known.type in (int, float) and default is not None:
        whole = known.type is int
        step = 1 if whole else None
        return gr.Number(value=default, precision=0 if whole else None, step=step, **common)
    hint = words["needed"] if known.required else words["auto"] if default is None else ""
    return gr.Textbox(value=default or "", placeholder=hint, max_length=500, **common)


def empty(given: Any) -> bool:
    """Whether nothing was put into a control."""
    return given is None or (isinstance(given, str) and not given.strip())


def value(known: Option, given: Any) -> Any:
    """What a control says, as the method has it; the default where it is empty.

    Raises:
        PellucidError: it is no number, where one is wanted.
    """
    if empty(given):
        return known.default
    return meant(known, given.strip() if isinstance(given, str) else given)


def _names(known: Option, facts: dict[str, Any]) -> list[str] | None:
    """What may be searched for; None where the setting names nothing."""
    layers = [layer["name"] for layer in facts["layers"] if layer["channels"]]
    kind = known.help.names
    if kind == "layer" or (known.name == "layers" and kind == "units"):
        return layers
    if kind in UNITS:
        labels = [f"class:{label}" for label in facts["labels"]]
        room = SEARCHED - len(labels)
        every = [
            f"{layer['name']}:{channel}"
            for layer in facts["layers"]
            if layer["channels"] and layer["leaf"]
            for channel in range(layer["channels"])
        ]
        if len(every) > room:  # then one of each layer, whose number is typed over
            every = [f"{name}:0" for name in layers]
        return labels + every
    if kind == "method":
        return [name for name, entry in entries().items() if entry.room == "explain"]
    if kind == "style":
        from pellucid.make.stylist import opened

        return list(opened(None).names)
    return None


def _bounds(known: Option) -> str:
    low, high = known.help.low, known.help.high
    if known.type is bool or (low is None and high is None):
        return ""
    if low is None:
        return f" (≤ {high:g})"
    return f" (≥ {low:g})" if high is None else f" ({low:g} … {high:g})"
