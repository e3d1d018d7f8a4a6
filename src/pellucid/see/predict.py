"""What does the network answer?"""

from typing import Annotated

from pellucid.errors import PellucidError
from pellucid.images import Photo
from pellucid.method import method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.results import Ranking
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

    Returns:
        Ranking with `.values` (top,), probabilities; `.scores` (top,), unnormalised.

    Raises:
        PellucidError: the network puts out no row of class scores, or some that are no numbers.

    Example:
        >>> predict(net, "photo:cat", top=3).names
        ('wild_cat', 'Leopards', 'cougar_face')
    """
    inputs, _ = net.prepare(photo)
    labels = net.labels
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
