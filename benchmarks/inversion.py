"""What each layer keeps of a photo, and which climb finds it sooner.

    python benchmarks/inversion.py                    # the bundled network
    python benchmarks/inversion.py WEIGHTS LABELS     # and a squeezenet1_1 with weights of a file

1. Deeper layers keep less: `invert` with its defaults on some photos, for each stage of a network
   the relative error of the code, the error as Mahendran & Vedaldi (2015) count it, and the PSNR
   of the picture against the photo. Their error is the same distance over the mean distance
   between the codes of two photos, here of all those that are installed.
   The second table is of one photo, with little regularisation and more steps.
2. L-BFGS against Adam for as many seconds of one thread: what is left of the objective.

Errors and PSNR are the same on every machine but for rounding; only what a second gives is not.
"""

import sys
import time
from collections.abc import Sequence
from itertools import combinations
from statistics import mean
from typing import Any

import torch

import pellucid as pl
from pellucid import stock
from pellucid.make.climb import Climb
from pellucid.make.code import Code
from pellucid.make.curvature import Lbfgs, way
from pellucid.make.inverting import Inverting, codes, noise
from pellucid.make.prior import Prior
from pellucid.make.runner import Runner
from pellucid.target import observe

PHOTOS = ("photo:motorcycle", "photo:cat", "photo:astronaut", "photo:coffee")
CLIMBS = ("lbfgs", "adam 0.02", "adam 0.05", "adam 0.1", "adam 0.2")
SECONDS = 2.0


def apart(net: pl.Network, layers: list[str]) -> dict[str, float]:
    """The mean distance between the codes of two installed photos."""
    found: dict[str, list[torch.Tensor]] = {layer: [] for layer in layers}
    with net.at_rest(), torch.no_grad():
        for name in stock.photos():
            outputs = observe(net, net.prepare(pl.open_image(name))[0], set(layers))
            for layer in layers:
                found[layer].append(outputs[layer].flatten())
    return {
        layer: mean(float((a - b).norm()) for a, b in combinations(of, 2))
        for layer, of in found.items()
    }


def kept(net: pl.Network, photos: Sequence[str] = PHOTOS, **settings: Any) -> None:
    """Prints the table of one network."""
    made = [pl.invert(net, photo, **settings) for photo in photos]
    rows = made[0].rows
    usual = apart(net, [row.layer for row in rows])
    print(f"{net.name}, mean of {len(photos)} photos, {settings}")
    print(f"  {'code':34}{'weight':>8}{'relative error':>16}{'as in the paper':>17}{'PSNR':>9}")
    for at, row in enumerate(rows):
        errors = [float(one.errors[at, 0]) for one in made]
        theirs = []
        for one, photo in zip(made, photos, strict=True):
            with net.at_rest(), torch.no_grad():
                outputs = observe(net, net.prepare(pl.open_image(photo))[0], {row.layer})
            length = float(outputs[row.layer].norm())
            theirs.append(float(one.errors[at, 0]) * length / usual[row.layer])
        likeness = mean(float(one.psnr[at, 0]) for one in made)
        print(
            f"  {row.name:34}{row.variation:8g}{mean(errors):16.1%}{mean(theirs):17.1%}"
            f"{likeness:6.1f} dB",
            flush=True,
        )


def sooner(net: pl.Network) -> None:
    """Prints what each climb reaches in the same time."""
    inputs, _ = net.prepare(pl.open_image(PHOTOS[0]))
    with net.at_rest():
        wanted = codes(net, inputs, None)
        print(f"{net.name}: what is left of the objective after {SECONDS:g} s, {PHOTOS[0]}")
        print(f"  {'':14}" + "".join(f"{row.name:>14}" for row, _ in wanted))
        for climb in CLIMBS:
            left = []
            for row, code in wanted:
                runner = Runner(net, frozenset({row.layer}), net.preprocess.size)
                left.append(reached(runner, code, row.variation, way(climb)))
            print(f"  {climb:14}" + "".join(f"{value:14.4f}" for value in left), flush=True)


def reached(runner: Runner, code: Code, variation: float, climb: Lbfgs | Climb) -> float:
    """The least that was left of the objective."""
    (begin,) = noise(runner.net, 1, 0)
    work = Inverting(runner, code, Prior(variation), begin)
    start = time.process_time()
    for _ in work.run(climb, 10**6):
        if time.process_time() - start > SECONDS:
            break
    return -work.best.value


def main() -> None:
    """Prints all."""
    torch.set_num_threads(1)
    nets = [pl.load(device="cpu")]
    if len(sys.argv) == 3:
        weights, labels = sys.argv[1:]
        nets.append(pl.load("squeezenet1_1", weights=weights, labels=labels, device="cpu"))
    for net in nets:
        kept(net, layers="all")
        kept(net, PHOTOS[:1], variation=1, steps=300)
        sooner(net)


if __name__ == "__main__":
    main()
