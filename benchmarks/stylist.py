"""One pass of a trained stylist beside the optimisation that it stands for, on the same photo.

    python benchmarks/stylist.py
    python benchmarks/stylist.py PHOTO

The optimisation changes the photo's own pixels (Adam, as many steps as Gatys's 500) against the
losses that the stylist was trained with: the same network, layers, weights and style, the photo's
features worked out once. Printed, on one thread: what the optimisation takes over one pass, for
100, 300 and 500 steps, as Johnson et al. (2016) compare them, who have a large network for the
losses; the losses that either reaches; and the same at equal loss, which they do not give.
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
TABLE = (100, 300, 500)  # steps, as Johnson et al. (2016) compare them
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
        each = seconds / STEPS
        print(f"{name}, {width} x {height} px, {net.name}, one thread of this machine")
        print(f"  one pass {once * 1000:.0f} ms, loss {reached:.3f}")
        print(f"  a step {each * 1000:.0f} ms, loss {values[0]:.3f} before the first")
        for steps in TABLE:
            told = f"{each * steps / once:.0f} times a pass, loss {values[steps - 1]:.3f}"
            print(f"  {steps} steps: {told}")
        told = "never" if as_low is None else f"after {as_low}: {each * as_low / once:.0f} times"
        print(f"  the stylist's loss: {told}", flush=True)


if __name__ == "__main__":
    main()
