"""What pellucid adds to the bare network: each method against the passes that it cannot do without.

Every figure is a ratio of two times taken in turns in this run: machines are noisy, and a second
means nothing elsewhere. 1.00 is the bare forward (and backward) pass.
"""

import time
from collections.abc import Callable
from statistics import median

import torch
from torch import nn

import pellucid as pl


def ratio(ours: Callable[[], object], bare: Callable[[], object], rounds: int = 7) -> float:
    """Median time of ours over median time of the bare pass, taken in turns after a warm-up.

    Where one thread works, the processor's time, which other programs disturb least; else the
    clock's.
    """
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    times: dict[Callable[[], object], list[float]] = {ours: [], bare: []}
    for number in range(rounds + 1):
        for work, taken in times.items():
            start = clock()
            work()
            if number:
                taken.append(clock() - start)
    return median(times[ours]) / median(times[bare])


def passes(module: nn.Module, inputs: torch.Tensor, count: int, batch: int) -> None:
    """Forward and backward for so many copies of an input, some at a time."""
    for _ in range(0, count, batch):
        pixels = inputs.repeat(min(count, batch), 1, 1, 1).requires_grad_()
        torch.autograd.grad(module(pixels)[:, 0].sum(), pixels)


def main() -> None:
    """Prints a table for the bundled network and a ResNet-18 with random weights."""
    print(f"{'':32}{'pane':>8}{'resnet18':>10}")
    networks = [pl.load(device="cpu"), pl.load("resnet18", weights="random", device="cpu")]
    photo = pl.open_image("photo:cat")
    rows: dict[str, list[float]] = {}
    for net in networks:
        inputs, _ = net.prepare(photo)
        middle = list(net.layers)[len(net.layers) // 2]

        def forward(net: pl.Network = net, inputs: torch.Tensor = inputs) -> None:
            with torch.no_grad():
                net.module(inputs)

        def backward(net: pl.Network = net, inputs: torch.Tensor = inputs) -> None:
            pixels = inputs.clone().requires_grad_()
            torch.autograd.grad(net.module(pixels).max(), pixels)

        def batches(net: pl.Network = net, inputs: torch.Tensor = inputs) -> None:
            with torch.no_grad():
                for _ in range(4):
                    net.module(inputs.repeat(64, 1, 1, 1))

        def recorded(
            net: pl.Network = net, inputs: torch.Tensor = inputs, layer: str = middle
        ) -> None:
            with torch.no_grad(), pl.recording(net.module, [layer], stop=False):
                net.module(inputs)

        side = net.preprocess.size[0] // 16
        measured = {
            "recording / forward": ratio(recorded, forward, 15),
            "saliency / forward + backward": ratio(
                lambda net=net: pl.saliency(net, photo, target="0"), backward, 15
            ),
            "occlusion 16x16 / 4 batches of 64": ratio(
                lambda net=net, side=side: pl.occlusion(net, photo, window=4 * side, stride=side),
                batches,
                3,
            ),
        }
        for name, value in measured.items():
            rows.setdefault(name, []).append(value)
    for name, values in rows.items():
        print(f"{name:34}" + "".join(f"{value:8.2f}" for value in values))


if __name__ == "__main__":
    main()
