"""Does a class's picture show the class, also to another network? Every recipe, every class.

    python benchmarks/recognition.py WEIGHTS LABELS [EVERY] [RECIPE ...]

Takes the bundled network and a SqueezeNet 1.1 of the same classes, draws with each the picture of
every class (of every EVERYth), and counts: for how many it is sure of its own picture, seen afresh
under transforms that it has not met, and for how many the other network has the class first, or
among its first five. RECIPE is a name, or a name and what is otherwise, such as
"crop transforms=crop 0.4 1; noise 0.3, steps=192"; "lucid others=0.5" raises the class less half of
all others; "lucid begin=15" begins, as `facets` does, with the mean of the 15 photos of the class
that the network is surest of, and "lucid begin=15, steps=0" ends there, too. What was measured is
kept in recognition.json in this folder: a run that was stopped goes on.
"""

import json
import sys
import time
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

import pellucid as pl
from pellucid.make.draw import Drawing
from pellucid.make.manner import MANNERS, Manner, manner
from pellucid.make.objective import Objective, each

TOGETHER = 8
SURE = 0.99
FIRST = 60  # photos of a class
CALTECH = Path(__file__).parents[2] / "shared/data/caltech101/101_ObjectCategories"
KEPT = Path(__file__).parent / "recognition.json"


class Called(NamedTuple):
    """A recipe, the others' share in the objective, photos to begin with, and whether to go on."""

    how: Manner
    share: float
    begin: int
    climbs: bool


def called(text: str) -> Called:
    """What a text names."""
    name, _, rest = text.partition(" ")
    changes = dict(part.strip().split("=", 1) for part in rest.split(",")) if rest else {}
    share, begin = float(changes.pop("others", 0)), int(changes.pop("begin", 0))
    climbs = changes.get("steps") != "0"
    if not climbs:
        del changes["steps"]
    counts = {key: int(changes.pop(key)) for key in ("steps", "views") if key in changes}
    return Called(manner(name).but(**changes, **counts), share, begin, climbs)


@cache
def mean(net: pl.Network, name: str, count: int) -> Tensor:
    """Of those of the first photos of a class that a network is surest of."""
    files = sorted((CALTECH / name).glob("*.jpg"))[:FIRST]
    crops = torch.stack([net.preprocess.crop(pl.open_image(file))[0] for file in files])
    with torch.no_grad(), net.at_rest():
        scores = net.scores(net.preprocess.normalise(crops).to(net.device)).cpu()
    sure = scores.log_softmax(1)[:, net.labels.index(name)]
    return crops[sure.argsort(descending=True, stable=True)[:count]].mean(0)


def wanted(name: str, share: float) -> Objective:
    """A class, less so much of all others."""
    score = pl.class_score(name)
    return score - share * pl.others(name) if share else score


def drawn(net: pl.Network, text: str, classes: list[str]) -> tuple[Tensor, Tensor]:
    """Of some classes the pictures, and how sure the network is of each, seen afresh."""
    want = called(text)
    begins = torch.stack([mean(net, name, want.begin) for name in classes]) if want.begin else None
    with net.at_rest():
        objective = each([wanted(name, want.share) for name in classes])
        work = Drawing(net, objective.bind(net), want.how, count=len(classes), begins=begins)
        for _ in work.run("classes") if want.climbs else ():
            pass
        columns = torch.tensor([net.labels.index(name) for name in classes])
        sure = work.fresh_probabilities().mean(0)[torch.arange(len(classes)), columns]
        return work.sheet.pictures(), sure


def ranks(other: pl.Network, pictures: Tensor, classes: list[str]) -> Tensor:
    """The place of each class in what another network says of its picture, from 1."""
    sized = F.interpolate(pictures, other.preprocess.size, mode="bilinear", antialias=True)
    with torch.no_grad(), other.at_rest():
        scores = other.scores(other.preprocess.normalise(sized.clamp(0, 1)).to(other.device)).cpu()
    own = scores[torch.arange(len(classes)), [other.labels.index(name) for name in classes]]
    return (scores > own[:, None]).sum(1) + 1


def measured(net: pl.Network, other: pl.Network, text: str, classes: list[str]) -> dict:
    """One recipe on one network."""
    found, start = {}, time.perf_counter()
    for at in range(0, len(classes), TOGETHER):
        some = classes[at : at + TOGETHER]
        pictures, sure = drawn(net, text, some)
        places = ranks(other, pictures, some).tolist()
        for name, own, place in zip(some, sure.tolist(), places, strict=True):
            found[name] = {"sure": own, "rank": place}
    return {"classes": found, "seconds": time.perf_counter() - start}


def row(text: str, net: pl.Network, found: dict) -> str:
    """A line of the table."""
    rows = list(found["classes"].values())
    sure = sum(one["sure"] >= SURE for one in rows)
    first, five = (sum(one["rank"] <= limit for one in rows) for limit in (1, 5))
    least = min(one["sure"] for one in rows)
    return (
        f"| {text} | {net.name} | {sure} of {len(rows)} | {least:.3f} | {first} | {five} | "
        f"{found['seconds'] / len(rows):.1f} s |"
    )


def main() -> None:
    """Prints the table, a line as soon as it is known."""
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    weights, labels, *rest = sys.argv[1:]
    every = int(rest.pop(0)) if rest and rest[0].isdigit() else 1
    one, two = pl.load(), pl.load("squeezenet1_1", weights=weights, labels=labels)
    classes = one.labels[::every]
    known = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    print(
        f"| recipe | drawn by | sure at {SURE} | least sure | other first | other in five | each |"
    )
    print("|---|---|---|---|---|---|---|", flush=True)
    for text in rest or MANNERS:
        for net, other in ((one, two), (two, one)):
            key = f"{text}|{net.name}|{every}|{pl.__version__}"
            if key not in known:
                known[key] = measured(net, other, text, list(classes))
                KEPT.write_text(json.dumps(known))
            print(row(text, net, known[key]), flush=True)


if __name__ == "__main__":
    main()
