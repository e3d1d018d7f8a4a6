"""How much of the score does each pixel bring, on the way from an empty picture to the photo?"""

from collections.abc import Generator
from typing import Annotated

import numpy as np

from pellucid.explain.baseline import Baseline, baseline_of, beside
from pellucid.explain.gradient import Noise, Reduce, Seed, Smooth, gradients, shown
from pellucid.heatmap import Heatmap, Heatmaps
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.question import Photos, Question, Wanted
from pellucid.results import Grid


@method(examples=lambda net: [{}])
def integrated(
    net: Network,
    photo: Photos,
    *,
    target: Wanted = None,
    baseline: Annotated[
        Baseline,
        Help("where the way begins: black, white, the photo's mean, zero after normalising, …"),
    ] = "black",
    steps: Annotated[
        int, Help("places on the way where the gradient is taken", low=1, high=10_000)
    ] = 50,
    reduce: Reduce = "signed",
    smooth: Smooth = 1,
    noise: Noise = None,
    seed: Seed = 0,
) -> Generator[Step, None, Heatmap | Heatmaps | Grid]:
    """What each pixel adds to the score on the way from a baseline to the photo.

    Integrated gradients (Sundararajan, Taly, Yan 2017): the photo minus the baseline, times the
    mean gradient on the straight line between them. The map adds up to the difference of the two
    scores (completeness); what the finite number of steps leaves of an error is in the caption and
    in `data()`. The paper adds up at even distances; Gauss and Legendre's places need fewer.

    Returns:
        Heatmap with `.values` (height, width) on the network's input, in units of the score, and
        `.facts`: "difference" of the scores and "completeness_error", the sum of the map minus
        that. Heatmaps of several. With reduce="colour" a Grid of the contributions in colours.

    Raises:
        PellucidError: unknown target, or a network that lets no gradient through.

    Example:
        >>> integrated(net, "photo:cat", steps=100).facts["completeness_error"]
    """
    asked = Question.of(net, photo, target)
    start = baseline_of(baseline, asked.inputs, net.preprocess)
    places, weights = np.polynomial.legendre.leggauss(steps)  # on -1 to 1, weights adding up to 2
    inside = zip((places + 1) / 2, weights / 2, strict=True)
    ends = [(0.0, 0.0), (1.0, 0.0)]  # their values alone
    path = ends + [(float(place), float(weight)) for place, weight in inside]
    found = yield from gradients(asked, smooth=smooth, noise=noise, path=path, start=start)
    differences = (found.values - found.starts).cpu()
    errors = found.maps.sum((2, 3, 4)).cpu() - differences

    def caption(row: int, column: int) -> str:
        error, whole = float(errors[row, column]), float(differences[row, column])
        return (
            f"integrated gradient of {found.told(asked, row, column)}; "
            f"{beside(whole, baseline)}, the map adds up to {whole + error:.4g}"
        )

    facts = {"difference": differences, "completeness_error": errors}
    return shown(asked, found.maps, reduce, caption, facts, start)
