"""Gradient methods against the bare passes that they need, and beside Captum's.

Every figure is a ratio of two times taken in turns in this run: machines are noisy, and a second
means nothing elsewhere. 1.00 is the bare forward and backward passes with frozen parameters; where
many are needed, in batches of eight.
"""

import sys
import warnings
from collections.abc import Callable
from typing import Any

from captum.attr import (
    Deconvolution,
    GuidedBackprop,
    InputXGradient,
    IntegratedGradients,
    NoiseTunnel,
    Saliency,
)
from overhead import passes, ratio

import pellucid as pl

NETWORKS = ("pane", "resnet18", "squeezenet1_1", "vgg16")
BATCH = 8
MANY = 16


def table(name: str) -> None:
    """Prints the ratios on one network: ours, then Captum's."""
    net = pl.load(name, device="cpu", **({} if name == "pane" else {"weights": "random"}))
    photo = pl.open_image("photo:cat")
    module = net.module.eval().requires_grad_(False)
    inputs, _ = net.prepare(photo)

    def bare(count: int) -> None:
        passes(module, inputs, count, BATCH)

    def ours(method: Any, **settings: Any) -> Callable[[], Any]:
        return lambda: method(net, photo, target="0", **settings)

    def theirs(peer: Any, **settings: Any) -> Callable[[], Any]:
        return lambda: peer.attribute(inputs.clone().requires_grad_(), target=0, **settings)

    rows: dict[str, tuple[int, Callable[[], Any], Callable[[], Any]]] = {
        "saliency": (1, ours(pl.saliency), theirs(Saliency(module))),
        "input_x_gradient": (1, ours(pl.input_x_gradient), theirs(InputXGradient(module))),
        "guided": (1, ours(pl.guided), theirs(GuidedBackprop(module))),
        "deconv": (1, ours(pl.deconv), theirs(Deconvolution(module))),
        f"saliency, {MANY} noisy copies": (
            MANY,
            ours(pl.saliency, smooth=MANY),
            theirs(NoiseTunnel(Saliency(module)), nt_samples=MANY, nt_samples_batch_size=BATCH),
        ),
        f"integrated, {MANY} steps": (
            MANY,
            ours(pl.integrated, steps=MANY),
            theirs(IntegratedGradients(module), n_steps=MANY, internal_batch_size=BATCH),
        ),
    }
    print(f"{name:28}{'pellucid':>10}{'captum':>10}")
    for title, (count, *works) in rows.items():
        rounds = 15 if count == 1 else 3
        figures = [ratio(work, lambda count=count: bare(count), rounds) for work in works]
        print(f"  {title:26}" + "".join(f"{figure:10.2f}" for figure in figures), flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # Captum warns on every call
    for name in sys.argv[1:] or NETWORKS:
        table(name)
