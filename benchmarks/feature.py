"""What a step of a drawing costs, and a whole grid of channels beside Lucent's.

    python benchmarks/feature.py
    python benchmarks/feature.py grid      # only the grid

1. One step, canvas, views and climb included, against the plain forward and backward pass of the
   network as it is, its weights frozen, cut off at the layer.
2. A grid of 32 channels against what Lucent takes for each channel: as many steps, the same
   views. Lucent enlarges what is smaller than 224 px to that; the second column is without it. It
   is no dependency of pellucid: `pip install --no-deps torch-lucent 'kornia<=0.4.1'`, and IPython.
   On a GPU see gpu.py.

Times are those of one thread, of the processor, taken in turns: machines are noisy, and a second
means nothing elsewhere. The step is the median of the ratios. A processor that multiplies bfloat16
itself draws in that; all is measured with it and without.
"""

import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from statistics import median

import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.make import coarse
from pellucid.make.draw import Drawing
from pellucid.make.manner import manner
from pellucid.make.objective import Objective, each
from pellucid.make.objectives import channel

NETWORKS = (
    ("pane", "relu7"),
    ("resnet18", "layer2"),
    ("squeezenet1_1", "features.9"),
    ("vgg16", "features.20"),
    ("mobilenet_v2", "features.10"),
)
COUNTS = 1, 8
WARM = 17  # steps until no gradient is freed any more, which costs a second pass
ROUNDS = 5
STEPS, CHANNELS, SIZE = 24, 32, 128
VIEWS = "pad 0.09375; jitter 0.0265; scale 0.1; rotate 10; jitter 0.0135"  # Lucent's, as shares


class _Cut(Exception):
    """The layer was reached."""


def plain(net: pl.Network, layer: str, channels: Sequence[int]) -> Callable[[], None]:
    """Forward to the layer and back to the image: the mean of one channel of each picture."""
    images = torch.randn(len(channels), 3, *net.preprocess.size, device=net.device)
    rows, columns = torch.arange(len(channels)), torch.tensor(channels)
    seen: list[Tensor] = []

    def stop(_part: nn.Module, _given: object, output: Tensor) -> None:
        seen.append(output)
        raise _Cut

    def run() -> None:
        pixels = images.clone().requires_grad_()
        handle = net.module.get_submodule(layer).register_forward_hook(stop)
        try:
            net.module(pixels)
        except _Cut:
            pass
        finally:
            handle.remove()
        torch.autograd.grad(seen.pop()[rows, columns].mean((1, 2)).sum(), pixels)

    return run


def spent(work: Callable[[], object]) -> float:
    """Seconds of the processor."""
    start = time.process_time()
    work()
    return time.process_time() - start


def step(name: str, layer: str, count: int) -> float:
    """A step of a drawing over the plain pass."""
    net = pl.load(name, weights="random" if name != "pane" else None, device="cpu")
    how = manner("lucid").but(steps=10**6)
    with net.at_rest():
        # A channel that is dead with these weights is tried to be woken: not what is measured here.
        first = range(2 * count + 4)
        trial = Drawing(net, _channels(layer, first).bind(net), how, count=len(first))
        next(trial.run(""))
        living = [number for number in first if bool(trial.alive[number])][:count]
        want = _channels(layer, living)
        drawing = Drawing(net, want.bind(net), how, count=count)
        work: Iterator[object] = drawing.run(want)
        for _ in range(WARM):
            next(work)
        bare = plain(net, layer, living)
        bare()
        return median(spent(lambda: next(work)) / spent(bare) for _ in range(ROUNDS))


def _channels(layer: str, numbers: Sequence[int]) -> Objective:
    return each([channel(layer, number) for number in numbers])


def grid(net: pl.Network) -> float:
    """Seconds for each channel of the grid."""

    def work() -> None:
        pl.features(
            net, "layer2", channels=range(CHANNELS), recipe="lucid", steps=STEPS, size=SIZE,
            transforms=VIEWS,
        )  # fmt: skip

    return spent(work) / CHANNELS


def lucent(module: nn.Module, number: int, size: int | None) -> float:
    """Seconds for one channel, drawn by Lucent."""
    from lucent.optvis import param, render

    def work() -> None:
        render.render_vis(
            module, f"layer2:{number}", lambda: param.image(SIZE), thresholds=(STEPS,),
            show_image=False, progress=False, fixed_image_size=size,
        )  # fmt: skip

    return spent(work)


def kinds() -> Iterator[str]:
    """The numbers that passes may be made in, set one after the other."""
    found = coarse.quick()
    for name, value in (("float32", False), ("bfloat16", True))[: 1 + found]:
        coarse.quick = lambda value=value: value
        yield name


def grids(numbers: str) -> None:
    """Prints how much quicker the grid is."""
    net = pl.load("resnet18", weights="random", device="cpu")
    module = pl.load("resnet18", weights="random", device="cpu").module.eval()
    seen = SIZE + 2 * int(0.09375 * SIZE)
    lucent(module, 0, None)  # to warm up
    used, same, ours = [], [], []
    for number in range(3):
        ours.append(grid(net))
        used += [lucent(module, 2 * number + more, None) for more in (0, 1)]
        same += [lucent(module, 2 * number + more, seen) for more in (0, 1)]
    text = f"{CHANNELS} channels of resnet18 layer2, {SIZE} px, {STEPS} steps, for each channel"
    print(f"{text}, {numbers}")
    print(f"  as Lucent is used (it shows the network 224 px): {median(used) / median(ours):.1f}x")
    print(f"  Lucent told to show it {seen} px, as we do:       {median(same) / median(ours):.1f}x")


def main() -> None:
    """Prints all."""
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")  # Lucent's own
    try:
        import lucent.optvis  # noqa: F401
    except ImportError as missing:
        print(f"the grid is not measured: {missing}")
        other = False
    else:
        other = True
    for numbers in kinds():
        if sys.argv[1:] != ["grid"]:
            head = f"a step over the plain pass, {numbers}"
            print(f"{head:40}" + "".join(f"{count:>5} at once" for count in COUNTS))
            for name, layer in NETWORKS:
                ratios = "".join(f"{step(name, layer, count):13.2f}" for count in COUNTS)
                print(f"  {f'{name} {layer}':38}{ratios}", flush=True)
        if other:
            grids(numbers)


if __name__ == "__main__":
    main()
