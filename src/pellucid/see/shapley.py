"""How much does each region of the photo bring, whatever else is shown?"""

from collections.abc import Generator
from math import comb
from typing import Annotated

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.digits import apart
from pellucid.errors import PellucidError
from pellucid.heatmap import Heatmap, Heatmaps
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.question import Photos, Question, Wanted
from pellucid.see.coalitions import Coalitions, asks, valued
from pellucid.see.linear import fitted
from pellucid.see.masks import Covering
from pellucid.see.readings import Measured, measured
from pellucid.see.regional import answered, surely
from pellucid.see.regions import Cut, Many

LEAST = 6  # passes for each region: with fewer the errors are no longer told well


@method(examples=lambda net: [{}])
def shapley(
    net: Network,
    photo: Photos,
    *,
    target: Wanted = None,
    regions: Many = 50,
    cut: Cut = "superpixels",
    fill: Covering = "mean",
    measure: Measured = "probability",
    passes: Annotated[
        int, Help("forward passes; where they are enough for all coalitions, the values are exact",
                  low=2, high=1_000_000)
    ] = 1000,
    seed: Annotated[int, Help("of the coalitions that are drawn, and of the noise")] = 0,
) -> Generator[Step, None, Heatmap | Heatmaps]:  # fmt: skip
    """The Shapley value of each region: what it adds, in the mean over all orders of uncovering.

    The regions are players who win the probability of the class together; a coalition is the
    photo with all other regions covered (Shapley 1953; Štrumbelj & Kononenko 2010). With as many
    passes as coalitions all of them are tried. Otherwise the values are estimated as in KernelSHAP
    (Lundberg & Lee 2017), by a weighted regression on coalitions and their complements with the
    sum held exactly (Covert & Lee 2021); where we depart: all sizes are drawn alike often, with
    weights that make up for it (Musco & Witter 2025), and what a coalition's size alone does, an
    odd curve in it, is fitted beside the values. It is orthogonal to them, so that they stay what
    they are.

    Returns:
        Heatmap with `.values` (height, width) on the network's input: for each pixel its region's
        value, as a probability (score, activation), not divided by its area. Red for the target,
        blue against it. `.facts` has "values" and standard "errors" of the regions, numbered from
        the top left, and "uncovered" and "covered", the photo's value and that of the cover: the
        values' sum is their difference. Heatmaps of several.

    Raises:
        PellucidError: unknown target, too few passes for the regions, or scores that are no
            numbers.

    Example:
        >>> shapley(net, "photo:cat", regions=8, passes=256).facts["sum"]
        0.377...
    """
    asked = Question.of(net, photo, target)
    measure = measured(asked, measure)
    games = Coalitions.of(asked, regions, cut, fill, measure)
    shown = [_shown(game.count, passes, seed) for game in games]
    values = yield from valued(games, shown)
    found = [_values(*each) for each in zip(shown, values, strict=True)]
    ends = [(one[0], one[1]) for one in values]
    facts = {
        "uncovered": [full.tolist() for full, _ in ends],
        "covered": [empty.tolist() for _, empty in ends],
        "sum": [value.sum(0).tolist() for value, _ in found],
    }

    def caption(row: int, at: int) -> str:
        full, empty = (float(end[at]) for end in ends[row])
        value, error = (some[:, at] for some in found[row])
        target = asked.targets[at]
        what = measure if target.what == "score" else target.what
        made = asks(shown[row])
        if not bool((values[row][:, at] != full).any()):
            return (
                f"{what} of {target.name(row)}: {full:.3g}, whatever is covered: nothing "
                f"changes it ({games[row].count} regions, {made} passes)"
            )
        whole, none = apart(full, empty)
        told = (
            f"{what} of {target.name(row)}: {whole} uncovered, {none} with all covered; the "
            f"difference shared out among {games[row].count} regions"
        )
        if len(shown[row]) == 2 ** games[row].count:
            return f"{told}, exactly: all {made} coalitions were tried"
        return f"{told}, {surely(value, error, values[row][:, at])}; {made} passes"

    return answered(games, found, caption, facts)


def _shown(regions: int, passes: int, seed: int) -> Bool[Tensor, "coalitions regions"]:
    """Which regions are shown: first all, then none, then the others.

    All coalitions; or pairs of one drawn and its complement, first the one of each, then the other.

    Raises:
        PellucidError: too few passes.
    """
    if regions < 31 and 2**regions <= passes:
        numbers = torch.arange(2**regions)
        every = (numbers[:, None] >> torch.arange(regions)) & 1 == 1
        return torch.cat([every[-1:], every[:-1]])
    least = min(LEAST * regions, 2 ** min(regions, 31))
    if passes < least:
        raise PellucidError(
            f"{regions} regions need at least {least} passes, not {passes}: ask for more passes, "
            f"or for fewer regions"
        )
    random = torch.Generator().manual_seed(seed)
    pairs = passes // 2 - 1
    begin = torch.rand(1, generator=random, dtype=torch.float64)
    sizes = 1 + ((torch.arange(pairs) + begin) * ((regions - 1) / pairs)).long()
    places = torch.rand(pairs, regions, generator=random, dtype=torch.float64).argsort(1).argsort(1)
    drawn = places < sizes[:, None]
    ends = torch.tensor([[True], [False]]).expand(2, regions)
    return torch.cat([ends, drawn, ~drawn])


def _values(
    shown: Bool[Tensor, "coalitions regions"], values: Float[Tensor, "coalitions targets"]
) -> tuple[Float[Tensor, "regions targets"], Float[Tensor, "regions targets"]]:
    """The regions' values, and their standard errors."""
    count = shown.shape[1]
    if len(shown) == 2**count:
        found = _weights(shown).T @ values
        return found, torch.zeros_like(found)
    drawn = shown[2 : len(shown) // 2 + 1]
    sizes = drawn.sum(1).double()
    # Of a pair only the difference matters: values(S) - values(rest), with +1 for what is in S.
    signs = 2 * drawn.double() - 1
    more = values[2 : 2 + len(drawn)] - values[2 + len(drawn) :]
    whole = values[0] - values[1]
    balance = signs.mean(1, keepdim=True)
    design = torch.cat([signs - balance, balance**3, balance**5], 1)
    penalty = torch.zeros(count + 2, count + 2, dtype=torch.float64)
    weights = 1 / (sizes * (count - sizes))
    penalty[:count, :count] = weights.mean()  # what is fitted sums to 0, the rest is shared evenly
    model = fitted(design, more - balance * whole, weights, penalty)
    return whole / count + model.coefficients[:count], model.errors[:count]


def _weights(shown: Bool[Tensor, "coalitions regions"]) -> Float[Tensor, "coalitions regions"]:
    """Of every coalition in the value of each region: by the orders that it comes about in."""
    count = shown.shape[1]
    sizes = shown.sum(1).double()
    ways = torch.tensor([comb(count, int(size)) for size in sizes], dtype=torch.float64)
    joined, before = 1 / (sizes * ways), -1 / ((count - sizes) * ways)
    return torch.where(shown, joined[:, None], before[:, None])
