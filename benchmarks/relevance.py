"""Relevance beside zennit, DeepLIFT beside Captum: how many bare passes each takes.

    OMP_NUM_THREADS=1 python benchmarks/relevance.py [networks]

1.00 is the bare forward and backward pass of one photo with frozen parameters, in the same run.
Ours is the whole call: the photo prepared, the operations written down, batch normalisation
folded, the recipe written. Zennit's is its context entered, which hooks the modules and folds, the
relevance, and the context left. Both begin with the score of the same class. Captum's is the
attribution with its hooks set and removed, from the same baseline; it refuses modules that are
used twice.
"""

import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, get_args

import torch
from captum.attr import DeepLift
from overhead import passes, ratio
from zennit.attribution import Gradient
from zennit.canonizers import Canonizer
from zennit.composites import EpsilonAlpha2Beta1Flat, EpsilonGammaBox, EpsilonPlusFlat
from zennit.torchvision import ResNetCanonizer, VGGCanonizer

import pellucid as pl
from pellucid.explain.relevance.rules import Composite

CANONIZERS: dict[str, list[type[Canonizer]]] = {
    "pane": [], "squeezenet1_1": [], "resnet18": [ResNetCanonizer], "vgg16": [VGGCanonizer]
}  # fmt: skip
ROUNDS = 7


def table(name: str) -> None:
    """Prints the ratios on one network: ours, then zennit's."""
    net = pl.load(name, device="cpu", **({} if name == "pane" else {"weights": "random"}))
    photo = pl.open_image("photo:cat")
    module = net.module.eval().requires_grad_(False)
    inputs, _ = net.prepare(photo)
    ends = [net.preprocess.normalise(torch.full_like(inputs[0], end))[None] for end in (0.0, 1.0)]
    kinds: dict[Composite, Callable[[Any], Any]] = {
        "epsilon_gamma_box": lambda some: EpsilonGammaBox(*ends, canonizers=some),
        "epsilon_plus_flat": lambda some: EpsilonPlusFlat(canonizers=some),
        "epsilon_alpha2_beta1_flat": lambda some: EpsilonAlpha2Beta1Flat(canonizers=some),
    }

    def theirs(composite: Composite) -> None:
        made = kinds[composite]([kind() for kind in CANONIZERS[name]])
        with Gradient(module, made) as gradient:
            gradient(inputs, lambda out: out * torch.eye(out.shape[1])[[0]])

    def bare() -> None:
        passes(module, inputs, 1, 1)

    def captums() -> None:
        DeepLift(module).attribute(inputs, torch.zeros_like(inputs), target=0)

    print(f"{name:28}{'pellucid':>10}{'zennit':>10}")
    for composite in get_args(Composite):
        ours = partial(pl.lrp, net, photo, target="0", composite=composite)
        figures = [ratio(work, bare, ROUNDS) for work in (ours, partial(theirs, composite))]
        print(f"  {composite:26}" + "".join(f"{one:10.2f}" for one in figures), flush=True)
    lifted = partial(pl.deeplift, net, photo, target="0", baseline="zero")
    figures = [ratio(lifted, bare, ROUNDS)]
    with suppress(RuntimeError):
        figures.append(ratio(captums, bare, ROUNDS))
    print(f"{name:28}{'pellucid':>10}{'captum':>10}")
    print(f"  {'deeplift':26}" + "".join(f"{one:10.2f}" for one in figures), flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for name in sys.argv[1:] or CANONIZERS:
        table(name)
