"""What every method costs: its first example against a bare pass of the bundled network.

    OMP_NUM_THREADS=1 python benchmarks/methods.py --write         # docs/speed.json, for the manual
    OMP_NUM_THREADS=1 python benchmarks/methods.py --write guided  # there, of one method only
    OMP_NUM_THREADS=1 python benchmarks/methods.py guided          # prints only

The picture is the one of the method's page in the manual. A method that only looks is held against
the bare forward pass of one photo, any other against forward and backward; both are taken anew
right before it, in the same run. Ours includes all that a call does: the photo is read from its
file and prepared, its best class is found, the recipe is written. Processor time of one thread,
which other programs disturb least: the median of five, of slow methods one run.
"""

import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch

import pellucid as pl
from pellucid.register import entries
from pellucid.writing import write_whole

sys.path.insert(0, str(Path(__file__).parents[1]))

from docs.generate import DOCS, example

SLOW = 2.0  # seconds
TARGET = Path(DOCS / "speed.json")


def spent(work: Callable[[], object]) -> float:
    """Seconds of the processor."""
    start = time.process_time()
    work()
    return time.process_time() - start


def often(work: Callable[[], object]) -> float:
    """The median of five after one to warm up; a slow one is taken as it is."""
    first = spent(work)
    return first if first > SLOW else median(spent(work) for _ in range(5))


def main() -> None:
    """Prints a table, and writes it where that was asked for."""
    torch.set_num_threads(1)
    net = pl.load(device="cpu")
    inputs, _ = net.prepare(pl.open_image("photo:motorcycle"))

    def forward() -> None:
        with torch.no_grad():
            net.module(inputs)

    def backward() -> None:
        pixels = inputs.clone().requires_grad_()
        torch.autograd.grad(net.module(pixels).max(), pixels)

    found = {}
    for name in [word for word in sys.argv[1:] if word != "--write"] or entries():
        method = entries()[name].load()
        if not list(method.examples(net)):
            continue
        given = example(net, method)
        method(net, **given) if entries()[name].room != "make" else None
        bare = "forward" if entries()[name].room == "see" else "backward"
        with net.at_rest():
            one = often(forward if bare == "forward" else backward)
        seconds = often(lambda method=method, given=given: method(net, **given))
        found[name] = {"bare": bare, "seconds": round(seconds, 4), "ratio": round(seconds / one, 2)}
        print(f"{name:18}{seconds:9.3f} s {seconds / one:10.2f} x {bare}", flush=True)
    if "--write" in sys.argv[1:]:
        before = json.loads(TARGET.read_text("utf-8"))["methods"] if TARGET.exists() else {}
        found = {name: (before | found)[name] for name in entries() if name in before | found}
        torch_version = torch.__version__.partition("+")[0]
        machine = {
            "en": f"{platform.machine()}, torch {torch_version}",
            "zh": f"{platform.machine()}，torch {torch_version}",
        }
        if os.getloadavg()[0] > 2:  # more than this program and a little
            machine = {
                "en": machine["en"] + ", shared with other work",
                "zh": machine["zh"] + "，同时有其他任务",
            }
        told = {"machine": machine, "cores": os.cpu_count(), "methods": found}
        write_whole(TARGET, (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode())


if __name__ == "__main__":
    main()
