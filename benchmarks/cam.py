"""Class activation maps: against the passes that they cannot do without, and against a peer.

Every figure is a ratio of two times taken in turns in this run. "bare" is one forward and backward
pass of the network with frozen weights, down to the pixels, and 1.00 is that; "shortest" goes back
to the layer only, which is all that these maps need. The peer is
pytorch-grad-cam on the same layer, its own weights as it finds them (which asks for their
gradients) and frozen (which it needs an input with a gradient for); its map is then stretched and
enlarged to the input, which ours leaves to the drawing. For Score-CAM "bare" is as many forward
passes, in batches as large as ours, with what they are fed prepared before.
"""

import time
from collections.abc import Callable
from copy import deepcopy
from statistics import median

import torch
from pytorch_grad_cam import GradCAM, ScoreCAM, score_cam
from pytorch_grad_cam.base_cam import BaseCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

import pellucid as pl
from pellucid.explain.scorecam import MOST_NUMBERS

CLASS = 5
Work = Callable[[], object]


def medians(works: dict[str, Work], rounds: int) -> dict[str, float]:
    """Median seconds of each, taken in turns after a warm-up."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            if number:
                times[name].append(time.perf_counter() - start)
    return {name: median(taken) for name, taken in times.items()}


def peer(
    kind: type[BaseCAM], net: pl.Network, layer: str, inputs: torch.Tensor, free: bool
) -> Work:
    """The peer, ready to be called."""
    module = deepcopy(net.module).requires_grad_(free)
    made = kind(model=module, target_layers=[module.get_submodule(layer)])
    made.batch_size = batch(inputs)
    pixels = inputs.clone().requires_grad_(not free)
    return lambda: made(pixels, [ClassifierOutputTarget(CLASS)])


def batch(inputs: torch.Tensor) -> int:
    """Images in a pass of Score-CAM, as ours has them."""
    return max(1, min(64, MOST_NUMBERS["cpu"] // inputs.numel()))


def once(net: pl.Network, layer: str, photo: pl.Photo) -> dict[str, float]:
    """Grad-CAM, over the bare pass."""
    inputs, _ = net.prepare(photo)
    frozen = deepcopy(net.module).eval().requires_grad_(False)

    def bare() -> None:
        pixels = inputs.clone().requires_grad_()
        torch.autograd.grad(frozen(pixels)[0, CLASS], pixels)

    def shortest() -> None:
        kept: list[torch.Tensor] = []

        def cut(_module: object, _inputs: object, output: torch.Tensor) -> torch.Tensor:
            kept.append(output.detach().requires_grad_())
            return kept[0]

        handle = frozen.get_submodule(layer).register_forward_hook(cut)
        score = frozen(inputs)[0, CLASS]
        handle.remove()
        torch.autograd.grad(score, kept)

    works: dict[str, Work] = {
        "bare": bare,
        "shortest": shortest,
        "cam, layer given": lambda: pl.cam(net, photo, target=CLASS, layer=layer),
        "cam, layer found": lambda: pl.cam(net, photo, target=CLASS),
        "cam, gradcam++": lambda: pl.cam(net, photo, target=CLASS, layer=layer, way="gradcam++"),
        "cam, layercam": lambda: pl.cam(net, photo, target=CLASS, layer=layer, way="layercam"),
        "pytorch-grad-cam, frozen": peer(GradCAM, net, layer, inputs, free=False),
        "pytorch-grad-cam, as it is": peer(GradCAM, net, layer, inputs, free=True),
    }
    taken = medians(works, 15)
    return {name: taken[name] / taken["bare"] for name in list(works)[1:]}


def scored(net: pl.Network, layer: str, photo: pl.Photo) -> dict[str, float]:
    """Score-CAM, over as many forward passes."""
    inputs, _ = net.prepare(photo)
    with torch.no_grad(), pl.recording(net, [layer]) as seen:
        net.module.eval()(inputs)
    live = int((seen[layer][0].flatten(1).std(1) > 0).sum())
    size = batch(inputs)
    ready = [inputs.repeat(min(size, live - at), 1, 1, 1) for at in range(0, live, size)]

    def bare() -> None:
        with torch.no_grad():
            for images in ready:
                net.module(images)

    works: dict[str, Work] = {
        "bare": bare,
        "Score-CAM": lambda: pl.cam(net, photo, target=CLASS, layer=layer, way="scorecam"),
        "Score-CAM of pytorch-grad-cam": peer(ScoreCAM, net, layer, inputs, free=True),
    }
    taken = medians(works, 3)
    return {name: taken[name] / taken["bare"] for name in list(works)[1:]}


def main() -> None:
    """Prints a table; a column for each network."""
    score_cam.tqdm.tqdm = lambda batches: batches  # its bar would be in the way
    networks = {
        "pane": (pl.load(device="cpu"), "relu7", "relu4"),
        "resnet18": (pl.load("resnet18", weights="random", device="cpu"), "layer4", "layer1"),
        "squeezenet1_1": (
            pl.load("squeezenet1_1", weights="random", device="cpu"), "features", "features.3",
        ),
    }  # fmt: skip
    photo = pl.open_image("photo:cat")
    print(f"{'':34}" + "".join(f"{name:>15}" for name in networks))
    rows: dict[str, list[float]] = {}
    for net, layer, few in networks.values():
        assert net.layers  # the inventory is taken once for a network, before the first map
        for name, value in {**once(net, layer, photo), **scored(net, few, photo)}.items():
            rows.setdefault(name, []).append(value)
    for name, values in rows.items():
        print(f"{name:34}" + "".join(f"{value:15.2f}" for value in values))


if __name__ == "__main__":
    main()
