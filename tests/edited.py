"""A picture with another recipe inside."""

import json
from pathlib import Path
from typing import Any

import torch

from pellucid.pictures import png_bytes
from pellucid.replay import read


def edited(path: Path, change: Any) -> Path:
    """The same file with another recipe inside: `change` gets it as a dict, or is its text."""
    if callable(change):
        data = json.loads(read(path).json())
        change(data)
        change = json.dumps(data)
    path.write_bytes(png_bytes(torch.zeros(3, 2, 2), change))
    return path
