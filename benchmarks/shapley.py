"""Shapley values beside Captum's: how far from a long run, with as many forward passes.

    OMP_NUM_THREADS=1 python benchmarks/shapley.py [photos]

The bundled network, the probability of each photo's class, regions of the default cut, covered
with the photo's mean. The error is the root mean square over regions and seeds, against one run
of many passes with another seed; beside it what ours says of itself, its standard error.
"""

import sys
import warnings
from typing import Any

import captum.attr as ca
import torch
from torch import Tensor

import pellucid as pl
from pellucid.see.regions import cut_up

LONG = 16_000
PASSES = (300, 1000, 4000)
SEEDS = 3


def table(name: str) -> None:
    """Prints the errors on one photo: ours, then Captum's and how many times ours they are."""
    net, photo = pl.load(device="cpu"), pl.open_image(name)
    inputs, _ = net.prepare(photo)
    target = int(net.best(inputs).channel)
    mask = cut_up(net.preprocess, inputs[0], 50, "superpixels")
    count = int(mask.max()) + 1
    long = pl.shapley.bare(net, photo, passes=LONG, seed=999)
    wanted = _by_region(long.values, mask)
    error = _size(torch.tensor(long.facts["errors"]))
    print(f"{name}: {count} regions, of size {_size(wanted):.4f}; {LONG} passes: ±{error:.5f}")
    print(f"{'passes':>8}{'pellucid':>10}{'says':>9}{'KernelShap':>19}{'ShapleyValueSampling':>27}")

    def forward(images: Tensor) -> Tensor:
        return net.scores(images).softmax(1)

    given: dict[str, Any] = {
        "inputs": inputs,
        "baselines": inputs.mean((2, 3), keepdim=True).expand_as(inputs),
        "feature_mask": mask[None, None],
        "target": target,
        "perturbations_per_eval": 32,
    }
    for passes in PASSES:
        far: dict[str, list[Tensor]] = {"ours": [], "says": [], "kernel": [], "sampling": []}
        for seed in range(SEEDS):
            ours = pl.shapley.bare(net, photo, passes=passes, seed=seed)
            far["ours"].append(_by_region(ours.values, mask) - wanted)
            far["says"].append(torch.tensor(ours.facts["errors"]))
            torch.manual_seed(seed)
            with net.at_rest(), torch.no_grad():
                for key, method, samples in (
                    ("kernel", ca.KernelShap(forward), passes),
                    ("sampling", ca.ShapleyValueSampling(forward), max(1, passes // count)),
                ):
                    found = method.attribute(**given, n_samples=samples)
                    far[key].append(_by_region(found[0, 0], mask) - wanted)
        ours, says, *others = (_size(torch.stack(some)) for some in far.values())
        told = "".join(f"{one:15.4f} ({one / ours:4.1f} x)" for one in others)
        print(f"{passes:8}{ours:10.4f}{says:9.4f}{told}", flush=True)


def _by_region(values: Tensor, mask: Tensor) -> Tensor:
    count = int(mask.max()) + 1
    return torch.stack([values[mask == number][0] for number in range(count)])


def _size(values: Tensor) -> float:
    return float(values.double().square().mean().sqrt())


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    for name in sys.argv[1:] or ("photo:cat",):
        table(name)
