"""The zoo: where networks come from, by name."""

from __future__ import annotations

import importlib.util
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pellucid import weights as files
from pellucid.assets import BUNDLED, FOLDER
from pellucid.errors import PellucidError, Unknown, existing
from pellucid.network import Network
from pellucid.surroundings import settle

MOST_CLASSES = 1_000_000  # more, from a damaged recipe, would fill the memory


@dataclass(frozen=True)
class Model:
    """What a source knows of a network before it has weights.

    Attributes:
        build: makes the module for a number of classes (None: its own), without weights.
        options: `size`, `resize`, `mean`, `std`, `interpolation` of `Network`.
        labels: of its own weights.
        fetch: its own weights as a state dict; None where it has none.
        renamed: weights from a file, for a number of classes, under the module's own names.
    """

    build: Callable[[int | None], nn.Module]
    options: dict[str, Any]
    labels: list[str] | None = None
    fetch: Callable[[], files.State] | None = None
    renamed: Callable[[files.State, int | None], files.State] | None = None


def load(
    name: str = BUNDLED,
    *,
    weights: str | os.PathLike[str] | None = None,
    labels: str | os.PathLike[str] | None = None,
    classes: int | None = None,
    seed: int = 0,
    device: str | torch.device | None = None,
) -> Network:
    """A network by name, ready to be looked into.

    Args:
        name: "pane" (bundled), a torchvision model of classification or segmentation,
            "timm:NAME", "hf:NAME" (or hf:FOLDER), or "path/to/file.py:factory" for a function that
            returns a module or a Network.
        weights: a safetensors file, or a state dict saved by torch.save; "random" (with another
            seed "random:7") for none; None for the network's own.
        labels: a text file with one class name per line.
        classes: number of classes; otherwise that of the weights.
        seed: of random weights.
        device: "cpu", "cuda", "mps"; None chooses the best there is.

    Raises:
        PellucidError: unknown name, weights that do not fit or cannot be had, wrong labels.

    Example:
        >>> load("resnet18", weights="random").layers["layer4"].shape
        (512, 7, 7)
    """
    if not isinstance(name, str):
        raise PellucidError(f"a network is loaded by its name, not by {type(name).__name__}")
    if classes is not None and not (type(classes) is int and 0 < classes <= MOST_CLASSES):
        raise PellucidError(
            f"classes is a whole number from 1 to {MOST_CLASSES:,}, not {classes!r}"
        )
    chosen = _device(device)
    names = files.labels(labels) if labels is not None else None
    seeded = isinstance(weights, str) and weights.startswith("random:")
    seed = _seed(str(weights) if seeded else f"random:{seed}")
    weights = "random" if seeded else weights
    path, colon, factory = name.rpartition(":")
    own = bool(colon) and path.endswith(".py")
    random = weights == "random" or (own and weights is None)
    written = None if weights is None else os.fspath(weights)
    spec = {
        "name": name,
        "weights": f"random:{seed}" if random and seed else written,
        "labels": os.fspath(labels) if labels is not None else None,
        "classes": classes,
    }
    spec = {key: value for key, value in spec.items() if value is not None}
    if own:
        net = _from_file(Path(path), factory, weights, names, chosen, seed, spec)
        if labels is not None or classes is not None:
            _check_classes(net, names, classes)
        return net
    model = _find(name)
    if weights is None:
        if model.fetch is None:
            raise PellucidError(f"{name} has no weights of its own; give weights=PATH or 'random'")
        if classes is not None:
            raise PellucidError("the network's own weights have their own number of classes")
        module = files.fitted(model.build, model.fetch(), name)
        names = names or model.labels
    elif weights == "random":
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            module = model.build(classes)
        names = names or (model.labels if classes is None else None)
    else:
        module = files.fitted(model.build, files.read(weights), os.fspath(weights), model.renamed)
    module.eval().requires_grad_(False)
    net = Network(module.to(chosen), labels=names, name=name, spec=spec, **model.options)
    if labels is not None or classes is not None:
        _check_classes(net, names if labels is not None else None, classes)
    return net


def networks() -> dict[str, list[str]]:
    """Names that `load` knows, by source; those of timm only where it is installed.

    Of torchvision those that answer with one class ("torchvision") and place by place
    ("segmentation").
    """
    from pellucid import standard

    found = {
        "bundled": [BUNDLED],
        "torchvision": standard.classifiers(),
        "segmentation": standard.segmenters(),
    }
    if importlib.util.find_spec("timm"):
        import timm

        found["timm"] = [f"timm:{name}" for name in timm.list_models()]
    return found


def _find(name: str) -> Model:
    if name == BUNDLED:
        return _bundled()
    source, colon, rest = name.partition(":")
    if colon and source in ("timm", "hf"):
        from pellucid import hubs

        return hubs.timm_model(rest) if source == "timm" else hubs.hf_model(rest)
    if colon or name.endswith(".py"):
        raise PellucidError(
            f"no network {name!r}: a name is NAME (torchvision), timm:NAME, hf:NAME or FILE.py:NAME"
        )
    from pellucid import standard

    return standard.torchvision_model(name)


def _bundled() -> Model:
    from pellucid.pane import SIZE, Pane

    labels = files.labels(FOLDER / "pane.labels.txt")
    return Model(
        build=lambda classes: Pane(classes or len(labels)),
        options={"size": SIZE, "resize": SIZE},
        labels=labels,
        fetch=lambda: files.read(FOLDER / "pane.safetensors"),
    )


def _from_file(
    path: Path,
    factory: str,
    weights: str | os.PathLike[str] | None,
    names: list[str] | None,
    device: torch.device,
    seed: int,
    spec: dict[str, Any],
) -> Network:
    path = existing("file", path)
    described = importlib.util.spec_from_file_location(f"pellucid_user_{path.stem}", path)
    assert described and described.loader
    code = importlib.util.module_from_spec(described)
    with torch.random.fork_rng(devices=[]), _beside(path), _blaming(path):
        torch.manual_seed(seed)
        sys.modules[code.__name__] = code  # dataclasses look themselves up there
        described.loader.exec_module(code)
        make = getattr(code, factory, None)
        if make is None:
            public = [name for name in vars(code) if not name.startswith("_")]
            raise Unknown(f"name in {path}", factory, public)
        made = make() if callable(make) and not isinstance(make, nn.Module) else make
    if not isinstance(made, Network | nn.Module):
        raise PellucidError(
            f"{path}:{factory} gives {type(made).__name__}, not a torch module or a Network"
        )
    net = made if isinstance(made, Network) else Network(made)
    if weights is not None and weights != "random":
        files.fill(net.module, files.read(weights), os.fspath(weights))
    settle(net.module, device)
    return net.renamed(f"{path.name}:{factory}", spec, names)


@contextmanager
def _beside(path: Path) -> Iterator[None]:
    """The folder of a file first in the search path, so that it finds its neighbours."""
    folder = str(path.parent.resolve())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        if folder in sys.path:
            sys.path.remove(folder)


@contextmanager
def _blaming(path: Path) -> Iterator[None]:
    """An error inside a user's file, said with the line where it happened."""
    try:
        yield
    except PellucidError:
        raise
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if Path(frame.filename).name == path.name]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
        where = f"{path}, line {line}" if line else f"{path}"
        what = error.msg if isinstance(error, SyntaxError) else error
        raise PellucidError(f"{where}: {type(error).__name__}: {what}") from error


def _seed(weights: str) -> int:
    number = weights.removeprefix("random:")
    if not (number.isdecimal() and len(number) < 20 and int(number) < 2**63):
        raise PellucidError(f"random weights are random or random:SEED, not {weights[:40]!r}")
    return int(number)


def _check_classes(net: Network, names: list[str] | None, classes: int | None) -> None:
    if classes is not None and net.classes != classes:
        raise PellucidError(f"{net.name} has {net.classes} classes with these weights")
    if names is not None and len(names) != net.classes:
        raise PellucidError(f"{net.name} has {net.classes} classes but {len(names)} labels")


def _device(device: str | torch.device | None) -> torch.device:
    if device is None or device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
        if chosen.type == "meta":
            raise RuntimeError("it holds no values")
    except (RuntimeError, AssertionError, ImportError, AttributeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise PellucidError(f"device {str(device)!r} cannot be used here: {reason}") from None
    return chosen
