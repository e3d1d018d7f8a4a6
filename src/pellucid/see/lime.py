"""Which regions would a linear model of the network, around this photo, go by?"""

from collections.abc import Generator
from typing import Annotated

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.heatmap import Heatmap, Heatmaps
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.question import Photos, Question, Wanted
from pellucid.see.coalitions import Coalitions, asks, valued
from pellucid.see.linear import Linear, fitted
from pellucid.see.masks import Covering
from pellucid.see.readings import Measured, measured
from pellucid.see.regional import answered, surely
from pellucid.see.regions import Cut, Many

RIDGE = 1.0
POOR = 0.5  # of the fidelity: below it the model leaves most untold


@method(examples=lambda net: [{}])
def lime(
    net: Network,
    photo: Photos,
    *,
    target: Wanted = None,
    regions: Many = 50,
    cut: Cut = "superpixels",
    fill: Covering = "mean",
    measure: Measured = "probability",
    passes: Annotated[
        int, Help("forward passes, each of the photo with other regions covered", low=2,
                  high=1_000_000)
    ] = 1000,
    width: Annotated[
        float, Help("of the kernel: how far from the photo a coalition still counts", low=1e-3)
    ] = 0.25,
    seed: Annotated[int, Help("of the coalitions that are drawn, and of the noise")] = 0,
) -> Generator[Step, None, Heatmap | Heatmaps]:  # fmt: skip
    """The weights of a linear model that does around this photo what the network does.

    Each region is shown or covered by the toss of a coin, and the model is fitted to what the
    network makes of that (Ribeiro, Singh, Guestrin 2016). As the image explainer of the package
    `lime` defines it: the distance *d* of a coalition is the cosine distance from the one with all
    regions, 1 − √(share of the regions that are shown); its weight is exp(−*d*² / 2 `width`²); the
    photo itself is the first of the samples; and the model is a ridge regression with penalty 1
    on the sum of the squared weights, none on the intercept. All regions are kept in it.

    Returns:
        Heatmap with `.values` (height, width) on the network's input: for each pixel its region's
        weight, what showing it adds to the probability (score, activation) in the model, not
        divided by its area. Red for the target, blue against it. `.facts` has "values" and standard
        "errors" of the regions, numbered from the top left, the "intercept", and the "fidelity":
        the model's weighted R², and "fidelity_beyond", that of coalitions left out of the fit.
        Heatmaps of several.

    Raises:
        PellucidError: unknown target, or scores that are no numbers.

    Example:
        >>> lime(net, "photo:cat", regions=20, passes=300).facts["fidelity"]
        0.78...
    """
    asked = Question.of(net, photo, target)
    measure = measured(asked, measure)
    games = Coalitions.of(asked, regions, cut, fill, measure)
    shown = [_shown(game.count, passes, seed) for game in games]
    values = yield from valued(games, shown)
    models = [_model(*each, width) for each in zip(shown, values, strict=True)]
    found = [(model.coefficients[:-1], model.errors[:-1]) for model in models]
    facts = {
        "intercept": [
            (one[0] + model.coefficients[-1]).tolist()
            for one, model in zip(values, models, strict=True)
        ],
        "fidelity": [model.fidelity.tolist() for model in models],
        "fidelity_beyond": [model.beyond.tolist() for model in models],
    }

    def caption(row: int, at: int) -> str:
        target, count = asked.targets[at], games[row].count
        seen = values[row][:, at]
        what = measure if target.what == "score" else target.what
        made = asks(shown[row])
        told = f"{what} of {target.name(row)}: {float(seen[0]):.3g} uncovered"
        if not bool((seen != seen[0]).any()):
            return (
                f"{told}, and the same whatever is covered: nothing changes it ({count} regions, "
                f"{made} passes)"
            )
        own, beyond = float(models[row].fidelity[at]), float(models[row].beyond[at])
        told += f"; a linear model of {count} regions has a weighted R² of {own:.2f}, of coalitions"
        told += f" that it was not fitted to {beyond:.2f}"
        told += ": most of what happens is not linear" if beyond < POOR else ""
        weights, errors = (some[:, at] for some in found[row])
        return f"{told}; weights {surely(weights, errors, seen)}; {made} passes"

    return answered(games, found, caption, facts)


def _shown(regions: int, passes: int, seed: int) -> Bool[Tensor, "coalitions regions"]:
    """Which regions are shown: first all, then each by the toss of a coin."""
    random = torch.Generator().manual_seed(seed)
    shown = torch.rand(passes, regions, generator=random) < 0.5
    shown[0] = True
    return shown


def _model(
    shown: Bool[Tensor, "coalitions regions"],
    values: Float[Tensor, "coalitions targets"],
    width: float,
) -> Linear:
    """Of the values beyond the photo's own, so that where nothing changes all is exactly zero."""
    inside = shown.double()
    weights = torch.exp(-((1 - inside.mean(1).sqrt()) ** 2) / (2 * width**2))
    design = torch.cat([inside, torch.ones(len(inside), 1, dtype=torch.float64)], 1)
    penalty = RIDGE * torch.eye(design.shape[1], dtype=torch.float64)
    penalty[-1, -1] = 0
    return fitted(design, values - values[0], weights, penalty)
