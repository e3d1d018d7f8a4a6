"""What a step of a texture or a style costs, and how far it comes beside neural-style-pt's setting.

    python benchmarks/style.py

1. An iteration of ours (loss, gradient, step) over the plain forward and backward pass of the
   network as it is, cut off at its deepest layer: the mean squares of the same layers.
2. The same loss (content weight 5, style weight 100, total variation 1e-3: neural-style-pt's
   published setting, each term over its own worst as here) on the same network, layers, weights
   and photos, by torch.optim.LBFGS as neural-style-pt calls it (history 100, no line search, no
   tolerances), and by ours; from the photo, and from noise. Of either the picture it would give
   if stopped there, pixels between black and white. Shown is the ratio of the losses after as many
   iterations at full size, and after as much time; and what is left after four times as many of
   ours, over the other's last: below that floor no ratio can be.

Times are those of one thread, of the processor; only ratios mean anything elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import product
from statistics import median

import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.make.blend import Blend, Manner
from pellucid.make.easel import laid_out, seen, styled
from pellucid.make.pixels import PixelSheet
from pellucid.make.quasi import Quasi
from pellucid.make.strata import strata
from pellucid.make.synthesis import Synthesis

SIZE, ROUNDS = 256, 9
CHECKS = (10, 25, 50, 100)  # iterations
LAYERS, NEAR = "relu1; relu2; relu3; relu4; relu6", "relu5"
NETWORKS = {  # the layers of Gatys et al., and what stands for them in the bundled network
    "pane": (LAYERS, NEAR),
    "vgg16": ("features.1; features.6; features.11; features.18; features.25", "features.20"),
    "vgg19": ("features.1; features.6; features.11; features.20; features.29", "features.22"),
}
CONTENT, STYLE, SMOOTH = 5.0, 100.0, 1e-3
PAIRS = (("cat", "coffee"), ("astronaut", "brick"), ("coffee", "gravel"))


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


Curve = list[tuple[float, float]]  # seconds and the loss, after each iteration


def theirs(net: pl.Network, blend: Asked, begin: Tensor, steps: int) -> Curve:
    """The loss, pixels between black and white."""
    look = blend.look(blend.size)
    image, passed, pictures = begin.clone().requires_grad_(), list[float](), list[Tensor]()
    optimiser = torch.optim.LBFGS(
        [image], max_iter=steps, max_eval=steps + 1, tolerance_change=-1, tolerance_grad=-1
    )
    start = time.process_time()

    def closure() -> Tensor:
        passed.append(time.process_time() - start)
        pictures.append(image.detach().clone())
        optimiser.zero_grad()
        loss = -look.value(image)[0]
        loss.backward()
        return loss

    optimiser.step(closure)
    passed.append(time.process_time() - start)
    pictures.append(image.detach().clone())
    found = []
    for seconds, picture in zip(passed[1:], pictures[1:], strict=True):
        sheet = PixelSheet(net, picture)
        sheet.settle()
        found.append((seconds, look.loss(sheet.parameters[0])))
    return found


def ours(net: pl.Network, blend: Asked, begin: Tensor, steps: int) -> Curve:
    """The least loss so far."""
    work, found = Synthesis(net, blend.look, [blend.size], begin, steps=steps), Curve()
    start = time.process_time()
    for _ in work.run(""):
        # Known is that of the picture before the step.
        found.append((time.process_time() - start, work.least))
    return found


def beside(net: pl.Network, content: str, style: str, kind: str, steps: int) -> str:
    """A row."""
    blend = asked(net, content, style)
    random = torch.Generator().manual_seed(0)
    noise = 0.1 * torch.randn(blend.content.shape, generator=random)
    begin = blend.content if kind == "photo" else noise
    other, own = theirs(net, blend, begin, steps), ours(net, blend, begin, 4 * steps)
    cells = []
    for at in CHECKS:
        seconds, loss = other[min(at, len(other)) - 1]
        in_time = min([own[0][1], *(least for spent, least in own if spent <= seconds)])
        cells.append(f"{own[at - 1][1] / loss:.2f} {in_time / loss:.2f}")
    cells.append(f"{own[-1][1] / other[-1][1]:.2f}")
    return f"  {f'{content} as {style}, from {kind}':34}" + "".join(f"{one:>12}" for one in cells)


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
    print(f"an iteration over the plain forward and backward pass, {SIZE} px")
    print("  of the layers; and of the pixels too, and their variation")
    for name, (words, near) in NETWORKS.items():
        net = pl.load(name, weights=None if name == "pane" else "random", device="cpu")
        with net.at_rest():
            found = [iteration(net, words, near, pixels) for pixels in (False, True)]
        print(f"  {name:8}{found[0]:6.2f}{found[1]:6.2f}", flush=True)
    net = pl.load(device="cpu")
    with net.at_rest():
        print(f"loss over that of torch.optim.LBFGS as neural-style-pt calls it, {SIZE} px")
        print(f"  {'iterations: after as many, in as much time':34}", *CHECKS, "floor", sep="   ")
        for (content, style), kind in product(PAIRS, ("photo", "noise")):
            print(beside(net, content, style, kind, CHECKS[-1]), flush=True)


if __name__ == "__main__":
    main()
