"""Occlusion by rectangles: how much sooner it is done than by whole photos.

Claims: with a mask of 32 px every 8 px on 224 px, at least 6 times as fast as the bare network in
plain batches, and as Captum's Occlusion with the batch that suits it best, on vgg16; 5 times on
squeezenet1_1, 2.4 times on resnet18; on no network slower. And no more memory.

Ours is timed whole, as a user calls it: preparing the photo, writing the network down, checking,
and all 784 masks. Plain batches and Captum are timed on some rows of masks and scaled: every mask
costs them the same. Each is given the batch that suits it best. Times are taken in turns, the
median of several rounds: of one thread the processor's time, which other programs disturb least;
of more the clock's. Memory is the most that a fresh process held, above what it held with the
network loaded and run once; that of plain batches of 16.

With `--measure score` all three are asked for the score of the class, not its probability: then
ours computes no other class.

    python benchmarks/occlusion.py [networks] [--rounds 3] [--rows 4] [--threads 1] [--measure M]
"""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Literal

import torch
from torch import Tensor

import pellucid as pl

Measure = Literal["probability", "score"]
WINDOW, STRIDE = 32, 8
CLAIMED = {"vgg16": 6.0, "squeezenet1_1": 5.0, "resnet18": 2.4}
NETWORKS = (
    *CLAIMED, "resnet50", "densenet121", "mobilenet_v2", "efficientnet_b0", "googlenet",
    "convnext_tiny", "alexnet", "vit_b_16", "pane",
)  # fmt: skip
BATCHES = (4, 16, 49)  # perturbations_per_eval of Captum, and photos of a plain batch


def network(name: str) -> pl.Network:
    """Weights are random but for the bundled network's: they do not matter to the time."""
    return (
        pl.load(device="cpu") if name == "pane" else pl.load(name, weights="random", device="cpu")
    )


def sizes(net: pl.Network) -> tuple[int, int]:
    """Mask and stride: of the bundled network, whose input is half as wide, half as large."""
    half = 2 if max(net.preprocess.size) < 224 else 1
    return WINDOW // half, STRIDE // half


def ours(net: pl.Network, measure: Measure = "probability") -> str:
    """The whole method; what it says of its way."""
    window, stride = sizes(net)
    found = pl.occlusion(net, "photo:cat", target=0, window=window, stride=stride, measure=measure)
    return found.caption.partition("; ")[2]


def answers(net: pl.Network, inputs: Tensor, measure: Measure) -> Tensor:
    """(batch, classes), of the bare network."""
    scores: Tensor = net.module(inputs)
    return scores.softmax(1) if measure == "probability" else scores


def plain(net: pl.Network, batch: int, count: int, measure: Measure = "probability") -> None:
    """That many masked photos through the bare network."""
    inputs, _ = net.prepare(pl.open_image("photo:cat"))
    window, stride = sizes(net)
    with torch.inference_mode(), net.at_rest():
        for first in range(0, count, batch):
            masked = inputs.repeat(min(batch, count - first), 1, 1, 1)
            for number, image in enumerate(masked):
                left = (first + number) * stride % inputs.shape[3]
                image[:, :window, left : left + window] = 0
            answers(net, masked, measure)[:, 0]


def captum(net: pl.Network, batch: int, rows: int, measure: Measure = "probability") -> None:
    """Captum's Occlusion on a strip of the photo that holds that many rows of masks."""
    from captum.attr import Occlusion

    inputs, _ = net.prepare(pl.open_image("photo:cat"))
    window, stride = sizes(net)
    height = inputs.shape[2]

    def strip(some: Tensor) -> Tensor:
        whole = inputs.repeat(len(some), 1, 1, 1)
        whole[:, :, : some.shape[2]] = some
        return answers(net, whole, measure)

    tall = min(height, window + (rows - 1) * stride)
    with torch.inference_mode(), net.at_rest():
        Occlusion(strip).attribute(
            inputs[:, :, :tall],
            sliding_window_shapes=(inputs.shape[1], window, window),
            strides=(inputs.shape[1], stride, stride),
            target=0,
            perturbations_per_eval=batch,
        )


def seconds(work: Callable[[], object]) -> float:
    """Of the processor where one thread works, else of the clock."""
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    begun = clock()
    work()
    return clock() - begun


def _peak(name: str, kind: str, measure: Measure, queue: "multiprocessing.Queue[float]") -> None:
    torch.set_num_threads(1)
    net = network(name)
    inputs, _ = net.prepare(pl.open_image("photo:cat"))
    with torch.inference_mode(), net.at_rest():
        net.module(inputs)
    pl.saliency(net, "photo:cat", target=0)  # names, layers and their modules are there from now on
    before = _held()
    if kind == "ours":
        ours(net, measure)
    else:
        plain(net, 16, 64, measure)
    queue.put(_held() - before)


def _held() -> float:
    """MB that this process has held at most."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def peak(name: str, kind: str, measure: Measure) -> float:
    """MB that a fresh process took for it, where that can be known (Linux)."""
    if sys.platform != "linux":
        return float("nan")
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_peak, args=(name, kind, measure, queue))
    process.start()
    found = queue.get()
    process.join()
    return float(found)


def measured(name: str, rounds: int, rows: int, measure: Measure) -> None:
    """One line for one network."""
    net = network(name)
    window, stride = sizes(net)
    side = net.preprocess.size[0]
    masks = (side // stride) ** 2
    across = -(-(side - window) // stride) + 1
    ways: list[str] = []
    works: dict[str, Callable[[], object]] = {"ours": lambda: ways.append(ours(net, measure))}
    scale = {"ours": 1.0}
    for batch in BATCHES:
        works[f"plain {batch}"] = partial(plain, net, batch, rows * across, measure)
        works[f"captum {batch}"] = partial(captum, net, batch, rows, measure)
        # Captum's first pass, of the photo itself, is not scaled away: it is one of many.
        scale |= {f"{kind} {batch}": masks / (rows * across) for kind in ("plain", "captum")}
    taken: dict[str, list[float]] = {what: [] for what in works}
    for _ in range(rounds):
        for what, work in works.items():
            taken[what].append(seconds(work) * scale[what])
    times = {what: median(some) for what, some in taken.items()}
    best = {
        kind: min(t for w, t in times.items() if w.startswith(kind)) for kind in ("plain", "captum")
    }
    ratios = {kind: found / times["ours"] for kind, found in best.items()}
    memory = peak(name, "ours", measure), peak(name, "plain", measure)
    claim = CLAIMED.get(name, 1.0)
    verdict = "ok" if min(ratios.values()) >= claim and not memory[0] > memory[1] else "MISSED"
    print(
        f"{name:16}{times['ours']:7.2f} s{ratios['plain']:8.2f}{ratios['captum']:8.2f}"
        f"{claim:7.1f}{memory[0]:8.0f}{memory[1]:8.0f}  {verdict}  {ways[-1]}",
        flush=True,
    )


def main() -> None:
    """A line for each network."""
    parser = argparse.ArgumentParser()
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--measure", choices=("probability", "score"), default="probability")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    print(f"{'':16}{'ours':>9}{'plain/':>8}{'captum/':>8}{'claim':>7}{'MB ours':>8}{'plain':>8}")
    for name in given.networks:
        measured(name, given.rounds, given.rows, given.measure)


if __name__ == "__main__":
    main()
