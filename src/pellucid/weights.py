"""Weights files: read safely, fitted to a network, or said why not."""

from __future__ import annotations

import hashlib
import http.client
import os
import pickle
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from pellucid.errors import PellucidError, existing

State = dict[str, Tensor]
WRAPPERS = ("state_dict", "model", "model_state_dict", "net", "network")


def read(path: str | os.PathLike[str]) -> State:
    """The state dict in a weights file: safetensors, or torch.save's with weights only.

    Accepted are state dicts under "state_dict" or "model", as training code writes them.

    Raises:
        PellucidError: no such file, truncated, a pickle of something else, or not a state dict.
    """
    file = existing("weights file", Path(path))
    content: Any
    if file.suffix.lower() == ".safetensors":
        try:
            content = load_file(file)
        except (SafetensorError, OSError, ValueError) as error:
            raise PellucidError(f"{file} is not a whole safetensors file ({error})") from None
    else:
        content = _read_torch(file)
    return _state(content, file)


def fitted(
    build: Callable[[int | None], nn.Module],
    state: State,
    name: str,
    renamed: Callable[[State, int | None], State] | None = None,
) -> nn.Module:
    """A module that carries the weights, with as many classes as they have.

    Args:
        build: makes the module for a number of classes; None for its own number.
        state: the weights.
        name: of the weights, for the message.
        renamed: gives weights whose names do not fit the names of the module.

    Raises:
        PellucidError: which names are missing, left over, or of another shape.
    """
    with torch.device("meta"):
        plan = build(None)
        classes = _classes(plan, _aligned(plan, state))
        if classes is not None:
            plan = build(classes)
    if renamed and not plan.state_dict().keys() <= _aligned(plan, state).keys():
        state = renamed(state, classes)
    _check(plan, _aligned(plan, state), name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # of an auxiliary head that the weights lack
        module = build(classes)
    fill(module, state, name)
    return module


def fill(module: nn.Module, state: State, name: str) -> None:
    """Puts weights into a module; an auxiliary head that they lack stays as it is.

    Names may begin with "module." or the like, as wrappers of training code have it.
    """
    state = _aligned(module, state)
    _check(module, state, name)
    module.load_state_dict(state, strict=False)


def labels(path: str | os.PathLike[str]) -> list[str]:
    """Class names from a text file, one per line."""
    file = existing("labels file", Path(path))
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PellucidError(f"{file} cannot be read as text ({error})") from None
    if "\0" in text:
        raise PellucidError(f"{file} is not a text file")
    names = [line.strip() for line in text.splitlines() if line.strip()]
    if not names:
        raise PellucidError(f"{file} has no labels in it")
    return names


def fetch(url: str, name: str) -> State:
    """A published weights file: from torch's cache, or downloaded into it, its hash checked."""
    file = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not file.exists():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            # Into a file of another name first: a download broken off leaves nothing behind.
            torch.hub.download_url_to_file(url, str(file), _prefix(file), progress=False)
        except (OSError, http.client.HTTPException, RuntimeError) as error:
            raise PellucidError(
                f"the weights of {name} cannot be downloaded ({error}). Put {file.name} into "
                f"{file.parent}, or use --weights PATH (weights=PATH), or --weights random"
            ) from None
    # torch.hub believes a file that is there already; we do not.
    prefix = _prefix(file)
    if prefix:
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        if not digest.startswith(prefix):
            raise PellucidError(
                f"{file} is damaged or not what its name says: its SHA-256 begins with "
                f"{digest[:8]}, not {prefix}. Delete it, or put the right file there"
            )
    return read(file)


def _prefix(file: Path) -> str | None:
    match = re.search(r"-([0-9a-f]{8,})\.", file.name)
    return match[1] if match else None


def _read_torch(file: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of old ways to save, which are read all the same
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL ([\w.]+)", str(error))
        with file.open("rb") as opened:
            bare = opened.read(1) == b"\x80"  # a pickle that torch did not write
        if not found and not bare:
            raise PellucidError(f"{file} is truncated or not a weights file") from None
        what = found[1] if found else "a pickle"
        raise PellucidError(
            f"{file} holds more than weights ({what}), which could run code when opened; nothing "
            f"of it was run. Save the state dict alone, best as safetensors"
        ) from None
    except Exception as error:  # damaged files raise nearly anything
        reason = str(error).partition("\n")[0].partition(". ")[0] or "it ends too early"
        raise PellucidError(f"{file} is truncated or not a weights file ({reason})") from None


def _state(content: Any, file: Path) -> State:
    while isinstance(content, dict):
        inner = [content[key] for key in WRAPPERS if isinstance(content.get(key), dict)]
        if not inner:
            break
        content = inner[0]
    if not isinstance(content, dict):
        raise PellucidError(f"{file} holds a {type(content).__name__}, not a state dict")
    state = {name: value for name, value in content.items() if isinstance(value, Tensor)}
    if not state:
        instead = f", but {_some([str(key) for key in content])}" if content else ""
        raise PellucidError(f"{file} holds no tensors by name{instead}")
    return {str(name): value for name, value in state.items()}


def _aligned(plan: nn.Module, state: State) -> State:
    """The weights without a prefix that all of their names share and the module does not know."""
    wanted = plan.state_dict().keys()
    while not wanted & state.keys():
        first = next(iter(state), "").partition(".")[0] + "."
        if not all(name.startswith(first) and len(name) > len(first) for name in state):
            break
        state = {name.removeprefix(first): value for name, value in state.items()}
    return state


def _classes(plan: nn.Module, state: State) -> int | None:
    """The number of classes, where the weights differ from the plan in nothing but that."""
    found = {
        state[name].shape[0]
        for name, wanted in plan.state_dict().items()
        if name in state
        and state[name].shape != wanted.shape
        and state[name].ndim == wanted.ndim > 0
        and state[name].shape[1:] == wanted.shape[1:]
    }
    return found.pop() if len(found) == 1 else None


def _check(plan: nn.Module, state: State, name: str) -> None:
    wanted = plan.state_dict()
    missing = [key for key in wanted if key not in state and not _spare(key)]
    extra = [key for key in state if key not in wanted and not _spare(key)]
    other = [
        f"{key} {tuple(state[key].shape)} in place of {tuple(wanted[key].shape)}"
        for key in wanted
        if key in state and state[key].shape != wanted[key].shape
    ]
    if missing or extra or other:
        parts = [("missing", missing), ("left over", extra), ("of another shape", other)]
        text = "; ".join(f"{what}: {_some(keys)}" for what, keys in parts if keys)
        raise PellucidError(f"the weights in {name} do not fit {type(plan).__name__}: {text}")


def _spare(key: str) -> bool:
    """What evaluation does not need: auxiliary heads of torchvision's networks, counters."""
    heads = r"(aux\d|AuxLogits|aux_classifier)\."
    return re.match(heads, key) is not None or key.endswith("num_batches_tracked")


def _some(keys: list[str]) -> str:
    return ", ".join(keys[:3]) + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")
