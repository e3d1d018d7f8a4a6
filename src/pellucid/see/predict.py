"""What does the network answer?"""

from typing import Annotated

import torch

from pellucid.area import Area, sizes, winners
from pellucid.errors import PellucidError
from pellucid.images import Photo
from pellucid.method import method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.panels import percent
from pellucid.results import Ranking
from pellucid.segmented import Segmentation
from pellucid.target import UNSOUND


@method()
def predict(
    net: Network,
    photo: Photo,
    *,
    top: Annotated[int, Help("how many classes", low=1)] = 5,
) -> Ranking:
    """The classes that the network holds most probable.

    The softmax of the class scores, highest first: what every explanation is an explanation of.
    Of a network that answers place by place, the classes of the largest areas, and where they are.

    Returns:
        Ranking with `.values` (top,), probabilities; `.scores` (top,), unnormalised. Place by place
        a Segmentation: `.values` are shares of the area, `.answers` (rows, columns) the number of
        the class of each place.

    Raises:
        PellucidError: the network puts out no row of class scores, or some that are no numbers.

    Example:
        >>> predict(net, "photo:cat", top=3).names
        ('wild_cat', 'Leopards', 'cougar_face')
    """
    inputs, _ = net.prepare(photo)
    labels = net.labels
    if net.places:
        return _segmentation(net, photo, top)
    scores = net.scores(inputs)[0].float()
    # Of equal scores the first comes first, as in argmax.
    best = scores.argsort(descending=True, stable=True)[:top]
    every = scores.softmax(0)
    if not bool(every.isfinite().all()):
        # A class that is left out has -inf; it is wrong only where no other is.
        bad = scores.isnan() | scores.isposinf()
        wrong = int((bad if bool(bad.any()) else ~scores.isfinite()).nonzero()[0])
        raise PellucidError(f"the score of {net.unit(wrong)} is {float(scores[wrong])}: {UNSOUND}")
    shares = every[best].cpu()
    alike = ""
    if len(scores) > 1 and bool(scores.min() == scores.max()):
        alike = ", which scores all classes alike: is it trained?"
    names = tuple(labels[number] for number in best.tolist())
    sure = f"at {float(shares[0]):.0%}, says {net.name}{alike}"
    if len(scores) == 1:
        sure = (
            f"scores {float(scores[0]):.3g}; {net.name} knows no other class, so that its share "
            f"is 100% whatever it sees"
        )
    return Ranking(
        values=shares,
        names=names,
        numbers=tuple(best.tolist()),
        scores=scores[best].cpu(),
        photo=photo,
        measure="score" if len(scores) == 1 else "probability",
        caption=f"{names[0]} {sure}",
    )


def _segmentation(net: Network, photo: Photo, top: int) -> Segmentation:
    inputs, frame = net.prepare(photo)
    scores = net.scores(inputs).float()
    bad = scores[0].isnan() | scores[0].isposinf()
    if bool(bad.any()):
        number, row, column = bad.nonzero()[0].tolist()
        unit = net.unit(f"class:{number}@{row},{column}")
        raise PellucidError(
            f"the score of {unit} is {float(scores[0, number, row, column])}: {UNSOUND}"
        )
    answers = winners(scores)[0]
    counts = sizes(answers, net.classes)
    best = counts.argsort(descending=True, stable=True)[:top].tolist()
    kept = [number for number in best if counts[number]] or best[:1]
    areas = [Area.of(answers, number).places for number in kept]
    means = [scores[0, number][area].mean() for number, area in zip(kept, areas, strict=True)]
    shares = counts[kept].cpu().double() / answers.numel()
    names = tuple(net.labels[number] for number in kept)
    told = ", ".join(f"{n} {percent(float(s))}" for n, s in zip(names[:3], shares, strict=False))
    alike = ""
    if net.classes > 1 and bool((scores.amax(1) == scores.amin(1)).all()):
        alike = ", which scores all classes alike: is it trained?"
    rows, columns = answers.shape
    return Segmentation(
        values=shares.float(),
        names=names,
        numbers=tuple(kept),
        scores=torch.stack(means).cpu(),
        photo=photo,
        measure="area",
        answers=answers.cpu(),
        frame=frame,
        rest=int((counts > 0).sum()) - len([n for n in kept if counts[n]]),
        caption=f"{told} of {rows} x {columns} places, says {net.name}{alike}",
    )
