"""How much does a survey cost beside the loop that people write, and what does best-k add?

    python benchmarks/survey.py [FOLDER] [--photos COUNT] [--rounds COUNT] [--network NAME]

The plain loop: Pillow decoding, torchvision's transforms, the eager network, its last features
only. Ratios are of one run; each round does all of them, and the best round of each counts.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torchvision import transforms

import pellucid as pl
from pellucid.atlas.best import Best
from pellucid.atlas.plan import Plan
from pellucid.make.traits import penultimate

CALTECH = Path(__file__).parents[2] / "shared/data/caltech101/101_ObjectCategories"
BATCH = 32


def plain(net: pl.Network, files: list[str], layers: list[str]) -> None:
    """The loop that people write."""
    preprocess = net.preprocess
    resize = preprocess.resize if isinstance(preprocess.resize, int) else list(preprocess.resize)
    ready = transforms.Compose(
        [
            transforms.Resize(resize),
            transforms.CenterCrop(preprocess.size),
            transforms.ToTensor(),
            transforms.Normalize(preprocess.mean, preprocess.std),
        ]
    )
    module = net.module.eval()
    found: list[torch.Tensor] = []
    handle = module.get_submodule(layers[0]).register_forward_hook(
        lambda _part, _given, output: found.append(
            output.flatten(2).mean(2) if output.ndim > 2 else output
        )
    )
    with torch.no_grad():
        for first in range(0, len(files), BATCH):
            some = [ready(Image.open(file).convert("RGB")) for file in files[first : first + BATCH]]
            module(torch.stack(some).to(net.device))
    handle.remove()


def surveyed(net: pl.Network, files: list[str], layers: list[str], **more: Any) -> None:
    """A survey into a store that is then thrown away."""
    with tempfile.TemporaryDirectory() as place:
        pl.Atlas.build(f"{place}/a", net, files, layers=layers, **more)


def without_best(run: Callable[[], None]) -> None:
    """The same without the search for best places."""
    found = Best.updated
    Best.updated = lambda self, *_: self  # type: ignore[method-assign,assignment]
    try:
        run()
    finally:
        Best.updated = found  # type: ignore[method-assign]


def held() -> float:
    """Peak memory in GB of this process; `ru_maxrss` would be the parent's, which it inherits."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) / 1e6 for line in lines if line.startswith("VmHWM"))


def memory(which: str, args: argparse.Namespace) -> float:
    """Peak memory in GB of one of them, in a process of its own."""
    command = [sys.executable, __file__, str(args.folder), "--only", which]
    command += ["--photos", str(args.photos), "--network", args.network]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.strip().splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=CALTECH)
    parser.add_argument("--photos", type=int, default=2400)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--network", default="pane")
    parser.add_argument("--only", choices=["plain", "survey"])
    args = parser.parse_args()
    if not args.folder.is_dir():
        print(f"no photos at {args.folder}: name a folder")
        return
    weights = None if args.network == "pane" else "random"
    net = pl.load(args.network, weights=weights)
    convs = [name for name, layer in net.layers.items() if layer.kind == "Conv2d"]
    last = [penultimate(net)]
    every = [item.uri for item in pl.stream(args.folder)]
    files = [every[len(every) * number // args.photos] for number in range(args.photos)]
    if args.only:
        if args.only == "plain":
            plain(net, files, last)
        else:
            surveyed(net, files, [*convs, *last])
        print(held())
        return
    everything = [*convs, *last]
    runs: dict[str, Callable[[], None]] = {
        "plain loop, last features": lambda: plain(net, files, last),
        "survey, last features": lambda: surveyed(net, files, last),
        "survey, all convolutions": lambda: surveyed(net, files, everything),
        "the same without best": lambda: without_best(lambda: surveyed(net, files, everything)),
    }
    channels = sum(net.layers[name].layout.channels for name in Plan.of(net, everything).layers)
    print(f"{net.name}: {len(files)} photos, {len(convs)} convolutions, {channels} channels, k = 9")
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(args.rounds):
        for name, run in runs.items():
            begun = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - begun)
    base = min(times["plain loop, last features"])
    for name, seconds in times.items():
        best = min(seconds)
        print(f"{name:26} {1e3 * best / len(files):6.1f} ms a photo   {best / base:5.2f} x plain")
    share = min(times["survey, all convolutions"]) / min(times["the same without best"]) - 1
    print(f"best places cost {share:.1%}")
    peaks = {which: memory(which, args) for which in ("plain", "survey")}
    print(f"peak memory: plain {peaks['plain']:.2f} GB, survey {peaks['survey']:.2f} GB")


if __name__ == "__main__":
    main()
