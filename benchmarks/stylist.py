"""One pass of a trained stylist beside the optimisation that it stands for, on the same photo.

    python benchmarks/stylist.py
    python benchmarks/stylist.py PHOTO

The optimisation changes the photo's own pixels (Adam, as many steps as Gatys's 500) against the
losses that the stylist was trained with: the same network, layers, weights and style, the photo's
features worked out once. Printed: what either takes, on one thread; the ratio; the loss that
either reaches, and after how many steps the optimisation has the stylist's.
"""

import sys
import time
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))

from recipes.stylist.styles import drawn

import pellucid as pl
from pellucid.make.painting.losses import Losses, Terms
from pellucid.make.stylist import laid, opened, paint

STEPS, ROUNDS, RATE = 500, 7, 0.02
Kept = dict[str, Tensor]


def main() -> None:
    """Prints a block for each of two styles."""
    torch.set_num_threads(1)
    photo = laid(pl.open_image(sys.argv[1] if len(sys.argv) > 1 else "photo:cat"), None)
    net, trained = pl.load(device="cpu"), opened(None)
    plan = trained.card["plan"]
    layers = [plan[kind].split("; ") for kind in ("content", "style")]
    usual = torch.stack(
        [laid(pl.open_image(f"photo:{name}"), None)[:, :300, :400] for name in ("cat", "coffee")]
    )
    for number, name in list(enumerate(trained.names))[:2]:
        mix = torch.eye(len(trained.names))[number : number + 1]
        paint(trained.painter, photo, mix)
        passes = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            made = paint(trained.painter, photo, mix)
            passes.append(time.perf_counter() - began)
        with net.at_rest():
            losses = Losses(net, [drawn(name)], *layers, usual)

            before = losses.features(photo[None])

            def total(image: Tensor, losses: Losses = losses, kept: Kept = before) -> Tensor:
                terms: Terms = losses(image, kept, torch.zeros(1, dtype=torch.long))
                styled = terms.style + terms.colour
                whole = terms.content + plan["strength"] * styled + plan["smooth"] * terms.rough
                return whole.sum()

            with torch.no_grad():
                reached = float(total(made[None]))
            pixels = photo[None].clone().requires_grad_()
            adam, values, began = torch.optim.Adam([pixels], RATE), [], time.perf_counter()
            for _ in range(STEPS):
                loss = total(pixels)
                adam.zero_grad()
                loss.backward()
                adam.step()
                with torch.no_grad():
                    pixels.clamp_(0, 1)
                values.append(float(loss.detach()))
            seconds = time.perf_counter() - began
        once = median(passes)
        as_low = next((at for at, value in enumerate(values) if value <= reached), None)
        height, width = photo.shape[1:]
        print(f"{name}, {width} x {height} px, {net.name}, one thread of this machine")
        print(f"  one pass {once * 1000:.0f} ms, loss {reached:.3f}")
        print(f"  {STEPS} steps {seconds:.1f} s ({seconds / STEPS * 1000:.0f} ms each), ", end="")
        print(f"loss {values[0]:.3f} at first, {values[-1]:.3f} at last")
        when = f"after {as_low} steps" if as_low is not None else "never"
        print(f"  the optimisation has the stylist's loss {when}")
        print(f"  one pass is {seconds / once:.0f} times as fast as {STEPS} steps")


if __name__ == "__main__":
    main()
