"""Checkup: whether pellucid is well here: its packages, devices, caches, network and plug-ins."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from importlib.metadata import metadata, requires
from pathlib import Path
from typing import Any, TypeVar

import pellucid
from pellucid.app.wanted import OURS, Wanted, core, extras
from pellucid.assets import BUNDLED, WEIGHTS_HASH
from pellucid.register import broken, plugins

T = TypeVar("T")
PHOTO, ANSWER = "photo:motorcycle", "Motorbikes"  # which the bundled network knows


@dataclass
class Checkup:
    """What was found.

    Attributes:
        problems: what must be mended before pellucid can be used; nothing where all is well.
        extras: what each extra consists of, by its name.
        devices: each with its name, what it is, and bytes of memory free and in all.
        caches: each with what it holds, its folder, bytes and files.
        letters: the font that draws Chinese ones in pictures; "" where none is here.
        network: of the bundled one, the hash of its weights, and what it saw.
        plugins: each with its package and version, and what is wrong with it.
    """

    problems: list[str] = field(default_factory=list)
    core: list[Wanted] = field(default_factory=list)
    extras: dict[str, list[Wanted]] = field(default_factory=dict)
    devices: list[dict[str, Any]] = field(default_factory=list)
    caches: list[dict[str, Any]] = field(default_factory=list)
    letters: dict[str, str] = field(default_factory=dict)
    network: dict[str, Any] = field(default_factory=dict)
    plugins: list[dict[str, str]] = field(default_factory=list)

    @classmethod
    def made(cls) -> Checkup:
        """Looks at everything; a part that fails is a problem, and the others are still told."""
        found = cls()
        found.core = found._tried("packages", lambda: core(requires(OURS) or []), [])
        found.extras = found._tried("extras", _extras, {})
        found.problems += [f"the core needs {each}" for each in found.core if not each.fits]
        found.devices = found._tried("devices", _devices, [])
        found.caches = found._tried("caches", _caches, [])
        found.letters = found._tried("fonts", _letters, {})
        found.network = found._tried("the bundled network", _network, {})
        if found.network:
            found.problems += _doubts(found.network)
        found.plugins = _plugins()
        return found

    def data(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "well": not self.problems,
            "pellucid": pellucid.__version__,
            "python": platform.python_version(),
            "platform": platform.platform(),
            "executable": sys.executable,
            **asdict(self),
        }

    def _tried(self, what: str, look: Callable[[], T], otherwise: T) -> T:
        try:
            return look()
        except Exception as error:  # a damaged installation has many kinds, and says which
            first = (str(error).strip().splitlines() or [""])[0]
            self.problems.append(f"{what}: {type(error).__name__}: {first}")
            return otherwise


def _extras() -> dict[str, list[Wanted]]:
    return extras(requires(OURS) or [], metadata(OURS).get_all("Provides-Extra") or [])


def _devices() -> list[dict[str, Any]]:
    import torch

    from pellucid.memory import free

    def row(name: str, what: str, most: int | None = None) -> dict[str, Any]:
        return {"name": name, "what": what, "free": free(torch.device(name)), "memory": most}

    threads = torch.get_num_threads()
    found = [row("cpu", f"{threads} of {os.cpu_count()} processors are used", _memory())]
    for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        known = torch.cuda.get_device_properties(number)
        found.append(row(f"cuda:{number}", known.name, known.total_memory))
    if torch.backends.mps.is_available():
        found.append(row("mps", "Apple's graphics processor"))
    return found


def _memory() -> int | None:
    """Bytes that the machine has; None where it does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not POSIX
        return None


def _caches() -> list[dict[str, Any]]:
    import torch

    folders = {"torchvision": Path(torch.hub.get_dir()) / "checkpoints"}
    try:
        from huggingface_hub import constants

        folders["timm, Hugging Face"] = Path(constants.HF_HUB_CACHE)
    except ImportError:
        pass
    return [{"of": of, "folder": str(place), **_size(place)} for of, place in folders.items()]


def _size(folder: Path) -> dict[str, int]:
    """Bytes and files below a folder; a link counts for nothing, as what it names lies beside."""
    sizes = [
        (Path(above) / name).lstat().st_size
        for above, _, names in os.walk(folder)
        for name in names
        if not (Path(above) / name).is_symlink()
    ]
    return {"bytes": sum(sizes), "files": len(sizes)}


def _letters() -> dict[str, str]:
    from pellucid.fonts import face_of

    return {"Chinese": face_of("猫") or ""}


def _network() -> dict[str, Any]:
    from pellucid.images import open_image
    from pellucid.zoo import load

    net = load(BUNDLED, device="cpu")
    inputs, _ = net.prepare(open_image(PHOTO))
    best = int(net.scores(inputs)[0].argmax())
    return {"name": net.name, "weights_hash": net.weights_hash, "photo": PHOTO,
            "answer": net.labels[best] if net.labels else str(best)}  # fmt: skip


def _doubts(network: dict[str, Any]) -> list[str]:
    wrong = []
    if network["weights_hash"] != WEIGHTS_HASH:
        wrong.append(
            f"the bundled network's weights are {network['weights_hash']}, not {WEIGHTS_HASH}: "
            f"its file is damaged or was replaced"
        )
    if network["answer"] != ANSWER:
        wrong.append(f"the bundled network sees {network['answer']} in {PHOTO}, not {ANSWER}")
    return wrong


def _plugins() -> list[dict[str, str]]:
    wrong = {(each.package, each.name): why for each, why in broken()}
    return [
        {
            "method": each.name,
            "package": each.package,
            "version": each.version,
            "problem": each.problem or wrong.get((each.package, each.name), ""),
        }
        for each in plugins()
    ]
