"""What a step of a texture or a style costs, and how far it comes beside neural-style-pt's setting.

    python benchmarks/style.py
    python benchmarks/style.py 160     # steps

1. An iteration of ours (loss, gradient, step) over the plain forward and backward pass of the
   network as it is, cut off at its deepest layer: the mean squares of the same layers.
2. The same loss (content weight 5, style weight 100, total variation 1e-3: neural-style-pt's
   published setting, each term over its own worst as here) on the same network, layers, weights
   and photos, by torch.optim.LBFGS as neural-style-pt calls it (history 100, no line search, no
   tolerances), pixels clamped at the end; and by ours. From the photo, and from noise. Shown are
   the ratios of the losses after as many iterations, at full size, and of the times in which ours
   comes to the loss that the other ends with.

Times are those of one thread, of the processor; only ratios mean anything elsewhere.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.make.blend import Blend, Manner
from pellucid.make.easel import laid_out, seen, styled
from pellucid.make.pixels import PixelSheet
from pellucid.make.quasi import Quasi
from pellucid.make.strata import strata
from pellucid.make.synthesis import Synthesis, roots

SIZE, STEPS, ROUNDS = 256, 100, 9
LAYERS, NEAR = "relu1; relu2; relu3; relu4; relu6", "relu5"
NETWORKS = {  # the layers of Gatys et al., and what stands for them in the bundled network
    "pane": (LAYERS, NEAR),
    "vgg16": ("features.1; features.6; features.11; features.18; features.25", "features.20"),
    "vgg19": ("features.1; features.6; features.11; features.20; features.29", "features.22"),
}
CONTENT, STYLE, SMOOTH = 5.0, 100.0, 1e-3
PAIRS = (("cat", "coffee"), ("astronaut", "brick"))


class _Cut(Exception):
    """The deepest layer was reached."""


def plain(net: pl.Network, image: Tensor, layers: list[str]) -> Callable[[], None]:
    """Forward to the deepest layer and back: mean squares of all."""

    def run() -> None:
        pixels, found = image.clone().requires_grad_(), list[Tensor]()

        def note(_part: nn.Module, _given: object, output: Tensor) -> None:
            found.append(output.square().mean())
            if len(found) == len(layers):
                raise _Cut

        handles = [net.module.get_submodule(n).register_forward_hook(note) for n in layers]
        try:
            net.module(pixels)
        except _Cut:
            pass
        finally:
            for handle in handles:
                handle.remove()
        torch.autograd.grad(torch.stack(found).sum(), pixels)

    return run


def spent(work: Callable[[], object]) -> float:
    """Seconds of the processor."""
    start = time.process_time()
    work()
    return time.process_time() - start


class Asked(Blend):
    """With neural-style-pt's weights in place of a strength."""

    def look(self, size: tuple[int, int]):  # type: ignore[no-untyped-def]
        from dataclasses import replace

        from pellucid.make.synthesis import Look
        from pellucid.make.terms import NearTerm, SmoothTerm

        if size not in self.known:
            self.known[size] = self._found(size)
        mosaic, terms, window, rim = self.known[size]
        weighed = [
            replace(t, weight=t.weight * (CONTENT if isinstance(t, NearTerm) else STYLE))
            for t in terms
        ]
        return Look(mosaic, [*weighed, SmoothTerm("pixels", SMOOTH)], window, rim)


def asked(
    net: pl.Network, content: str, style: str, layers: str = LAYERS, near: str = NEAR
) -> Asked:
    """Photo and style."""
    photo = laid_out(pl.open_image(f"photo:{content}"), SIZE, True)
    painted = styled(net, pl.open_image(f"photo:{style}"), photo, 1.0, "style")
    return Asked(
        net, seen(net, photo), [Manner(painted, 1.0)], strata(net, layers), {near: 1.0}, smooth=1.0
    )


def theirs(net: pl.Network, blend: Asked, begin: Tensor, steps: int) -> tuple[float, float]:
    """The loss after so many iterations, pixels between black and white, and the seconds."""
    look = blend.look(blend.size)
    image = begin.clone().requires_grad_()
    optimiser = torch.optim.LBFGS(
        [image], max_iter=steps, max_eval=steps, tolerance_change=-1, tolerance_grad=-1
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = -look.value(image)[0]
        loss.backward()
        return loss

    seconds = spent(lambda: optimiser.step(closure))
    sheet = PixelSheet(net, image.detach().clone())
    sheet.settle()
    return look.loss(sheet.parameters[0]), seconds


def ours(
    net: pl.Network, blend: Asked, begin: Tensor, steps: int, octaves: int, goal: float
) -> tuple[float, float]:
    """The loss after as many iterations, all sizes together, and the seconds to a goal."""
    sizes = roots(blend.size, 96, octaves)
    each = steps // len(sizes)
    work = Synthesis(net, blend.look, sizes, begin, steps=each)
    for size in sizes:
        blend.look(size)  # targets are made before; theirs too
    start, reached = time.process_time(), float("inf")
    for _ in work.run(""):
        at_full = work.done > each * (len(sizes) - 1)
        if at_full and work.least <= goal and reached == float("inf"):
            reached = time.process_time() - start
    return work.least, reached


def iteration(net: pl.Network, words: str, near: str, pixels: bool) -> float:
    """What one takes, over the plain pass."""
    blend = asked(net, "cat", "coffee", words, near)
    if pixels:
        blend.weights = strata(net, f"pixels; {words}")
        look = blend.look(blend.size)
    else:
        blend.smooth = 0.0
        look = Blend.look(blend, blend.size)
    sheet = PixelSheet(net, blend.content.clone())
    step = Quasi(sheet.parameters)

    def once() -> None:
        (numbers,) = sheet.parameters
        numbers.requires_grad_()
        ways = torch.autograd.grad(look.value(sheet.images()).sum(), numbers)
        numbers.requires_grad_(False)
        step(ways)
        sheet.settle()

    bare = plain(net, blend.content, list(strata(net, words)))
    for _ in range(12):  # until the memory of steps is full
        once()
    bare()
    return median(spent(once) / spent(bare) for _ in range(ROUNDS))


def main() -> None:
    """Prints all."""
    torch.set_num_threads(1)
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else STEPS
    print(f"an iteration over the plain forward and backward pass, {SIZE} px")
    print("  of the layers; and of the pixels too, and their variation")
    for name, (words, near) in NETWORKS.items():
        net = pl.load(name, weights=None if name == "pane" else "random", device="cpu")
        with net.at_rest():
            found = [iteration(net, words, near, pixels) for pixels in (False, True)]
        print(f"  {name:8}{found[0]:6.2f}{found[1]:6.2f}", flush=True)
    net = pl.load(device="cpu")
    with net.at_rest():
        print(
            f"beside torch.optim.LBFGS as neural-style-pt calls it, {steps} iterations, {SIZE} px"
        )
        print("  loss ours/theirs after as many iterations; time ours/theirs to their last loss")
        for content, style in PAIRS:
            for kind in ("photo", "noise"):
                blend = asked(net, content, style)
                random = torch.Generator().manual_seed(0)
                noise = 0.1 * torch.randn(blend.content.shape, generator=random)
                begin = blend.content if kind == "photo" else noise
                loss, seconds = theirs(net, blend, begin, steps)
                for octaves in (1, 3):
                    least, reached = ours(net, blend, begin, steps, octaves, loss)
                    print(
                        f"  {content} as {style}, from {kind}, {octaves} size(s): "
                        f"loss {least / loss:.2f}, time {reached / seconds:.2f}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
