"""How little fools a network, and whether it fools another one as well.

    python benchmarks/fooling.py
    python benchmarks/fooling.py FOLDER WEIGHTS LABELS

The first takes the bundled network and the photos installed here. The second has a SqueezeNet 1.1
of the same classes beside it, and of each of ten classes the first photo of FOLDER/CLASS/*.jpg that
both networks take for what it is. Both begin with static, for twenty classes.
"""

import sys
from pathlib import Path
from statistics import median

import torch
from torch.nn import functional as F

import pellucid as pl
from pellucid.misled import Misled

CLASSES, PHOTOS = 20, 10
CASES = (("away", "linf"), ("away", "l2"), ("to the next class", "linf"))


def pictures(folder: Path, nets: list[pl.Network]) -> dict[str, pl.Photo]:
    """By class a photo that all networks know."""
    labels, found = nets[0].labels, {}
    for name in labels[:: max(1, len(labels) // CLASSES)]:
        for path in sorted((folder / name).glob("*.jpg"))[:20]:
            photo = pl.open_image(path)
            if all(pl.predict(net, photo, top=1).names == (name,) for net in nets):
                found[name] = photo
                break
    return dict(list(found.items())[: 2 * PHOTOS : 2])


def rank(other: pl.Network, made: Misled, name: str) -> int:
    """The place of a class in what another network says of the picture, from 1."""
    picture = F.interpolate(
        made.values[None], other.preprocess.size, mode="bilinear", antialias=True
    )
    with torch.no_grad(), other.at_rest():
        scores = other.scores(other.preprocess.normalise(picture))[0]
    return int((scores > scores[other.labels.index(name)]).sum()) + 1


def attacked(net: pl.Network, others: list[pl.Network], photos: dict[str, pl.Photo]) -> None:
    """Prints the smallest changes."""
    names = list(photos)
    for aim, norm in CASES:
        sizes, kept, moved, opened = [], [], 0, 0
        for number, (name, photo) in enumerate(photos.items()):
            target = None if aim == "away" else names[(number + 1) % len(names)]
            made = pl.attack.bare(net, photo, target=target, norm=norm)
            sizes.append(made.facts.get("smallest", float("inf")))
            far = made.facts["largest change" if norm == "linf" else "length"]
            kept.append(far if made.facts["success"] else float("inf"))
            opened += made.facts["outlasts opening"]
            moved += sum(rank(other, made, name) > 1 for other in others)
        print(
            f"{net.name}: {aim}, {norm}: median {median(sizes):.3g} (from {min(sizes):.3g} to "
            f"{max(sizes):.3g}), in 8 bits {median(kept):.3g}; {opened} of {len(sizes)} outlast "
            f"opening as a photo" + (f"; {moved} mislead the other network" if others else ""),
            flush=True,
        )


def fooled(net: pl.Network, others: list[pl.Network], names: list[str]) -> None:
    """Prints how far static has to go."""
    made = [pl.fool.bare(net, name) for name in names]
    spread = [one.facts["mean change"] for one in made]
    line = f"{net.name}: static: {sum(one.facts['success'] for one in made)} of {len(made)} at 99 %"
    line += f", change {median(spread):.3g} levels (median; {min(spread):.3g} to {max(spread):.3g})"
    for other in others:
        ranks = [rank(other, one, name) for one, name in zip(made, names, strict=True)]
        line += f"; {other.name} has the class first for {sum(r == 1 for r in ranks)}"
        line += f", in its first five for {sum(r <= 5 for r in ranks)}"
    print(line, flush=True)


def main() -> None:
    """With a second network where its files are given."""
    torch.set_num_threads(1)
    nets = [pl.load(device="cpu")]
    if len(sys.argv) == 4:
        folder, weights, labels = sys.argv[1:]
        nets.append(pl.load("squeezenet1_1", weights=weights, labels=labels, device="cpu"))
        photos = pictures(Path(folder), nets)
    else:
        photos = {
            pl.predict(nets[0], name, top=1).names[0]: pl.open_image(name) for name in pl.photos()
        }
    names = nets[0].labels[:: max(1, len(nets[0].labels) // CLASSES)][:CLASSES]
    print(f"{len(photos)} photos, {len(names)} classes of static", flush=True)
    for net in nets:
        others = [other for other in nets if other is not net]
        fooled(net, others, names)
        attacked(net, others, photos)


if __name__ == "__main__":
    main()
