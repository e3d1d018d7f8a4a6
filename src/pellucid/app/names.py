"""Names for completion at the prompt, found without importing torch: a Tab key waits for nobody."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from pellucid.assets import BUNDLED
from pellucid.stock import photos

_REGISTERED = re.compile(r"^@register_model\(\)\n(?:[@ )].*\n)*def (\w+)\(", re.MULTILINE)


@cache
def networks() -> list[str]:
    """The bundled network and torchvision's classifiers: read from torchvision's source text."""
    return [BUNDLED, *_registered("models")]


@cache
def segmenters() -> list[str]:
    """Torchvision's networks that answer place by place."""
    return _registered("models/segmentation")


def methods() -> list[str]:
    """Commands of the register's methods."""
    from pellucid.register import entries

    return [entry.command for entry in entries().values()]


def complete_photo(incomplete: str) -> list[str]:
    """Installed photos; of a path nothing, so that the shell completes files itself."""
    return [name for name in photos() if name.startswith(incomplete)]


def complete_network(incomplete: str) -> list[str]:
    """Names that need no connection to be known."""
    return [name for name in [*networks(), *segmenters()] if name.startswith(incomplete)]


def _registered(place: str) -> list[str]:
    spec = find_spec("torchvision")
    folder = Path(spec.origin).parent / place if spec and spec.origin else Path()
    texts = map(_text, sorted(folder.glob("*.py")))
    return sorted({name for text in texts for name in _REGISTERED.findall(text)})


def _text(file: Path) -> str:
    return file.read_text("utf-8", errors="replace")
