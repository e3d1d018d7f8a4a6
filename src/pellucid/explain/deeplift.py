"""How much of the score's difference from an empty picture does each pixel bring?"""

from __future__ import annotations

from collections.abc import Generator
from typing import Annotated

import torch
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.explain.baseline import Baseline, baseline_of, beside
from pellucid.explain.gradient import Reduce, shown
from pellucid.explain.multipliers.pair import Pair
from pellucid.explain.multipliers.spelled import spelled
from pellucid.explain.relevance.spelled import spelled as halved
from pellucid.explain.written import written
from pellucid.heatmap import Heatmap, Heatmaps
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.question import Photos, Question, Wanted
from pellucid.results import Grid

TOLD = 0.01  # share of the difference: so much lost at one operation is told
ROUNDING = 1e-5  # share of the score


@method(examples=lambda net: [{}])
def deeplift(
    net: Network,
    photo: Photos,
    *,
    target: Wanted = None,
    baseline: Annotated[
        Baseline,
        Help("what the photo is held against: black, white, its mean, zero after normalising, …"),
    ] = "black",
    reduce: Reduce = "signed",
    seed: Annotated[int, Help("of the baseline's noise")] = 0,
) -> Generator[Step, None, Heatmap | Heatmaps | Grid]:
    """What each pixel adds to the score's difference from that of a baseline, layer by layer.

    DeepLIFT with the rescale rule (Shrikumar, Greenside, Kundaje 2017). Photo and baseline go
    through the network side by side. On the way back every operation hands on not its gradient but
    the quotient of the differences behind and before it, which is not zero where a rectifier or a
    sigmoid is saturated. The map adds up to the difference of the two scores; what is left of an
    error is in the caption and in `data()`.

    The paper's rule is for functions of one number. We depart from its implementations where
    several that depend on the photo meet, as in gates, norms and attention: of a product each
    factor has its difference times the other's mean of photo and baseline, and what is more
    complicated is spelled out in sums, products and functions of one number. No modules are
    needed: the operations are written down as they are computed.

    Returns:
        Heatmap with `.values` (height, width) on the network's input, in units of the score, and
        `.facts`: "difference" of the scores and "completeness_error", the sum of the map minus
        that. Heatmaps of several. With reduce="colour" a Grid of the contributions in colours.

    Raises:
        PellucidError: unknown target, a network whose operations cannot be written down, or one
            with operations that have no derivative, as quantised layers, on every way to the photo.

    Example:
        >>> deeplift(net, "photo:cat", baseline="blur").facts["completeness_error"]
    """
    asked = Question.of(net, photo, target)
    start = baseline_of(baseline, asked.inputs, net.preprocess)
    differences = torch.zeros(len(asked.inputs), len(asked.targets))
    maps = torch.zeros(*differences.shape, *asked.inputs.shape[1:])
    values, errors = torch.zeros_like(differences), torch.zeros_like(differences)
    lost = {}
    for row in range(len(asked.inputs)):
        pair = _pair(asked, row, start[row : row + 1])
        here, there = pair.answers
        values[row], differences[row] = here[0].float(), (here - there)[0].float()
        way = pair.photo[0] - pair.start[0]
        for column, wanted in enumerate(asked.targets):
            one = torch.zeros_like(here)
            one[0, column] = 1
            found = pair.back(one)[0] * way[0]
            maps[row, column] = found.float()
            errors[row, column] = (found.sum() - (here - there)[0, column]).float()
            whole, value = (abs(float(one[row, column])) for one in (differences, values))
            limit = TOLD * whole + ROUNDING * value
            at = [name for name, much in pair.lost.items() if abs(much) > limit]
            if at and not bool(found.any()):
                raise PellucidError(
                    f"no difference of {wanted.name(row)} can be followed to the photo: it gets "
                    f"lost at {', '.join(at)}; ask for occlusion"
                )
            much = sum(pair.lost[name] for name in at)
            lost[row, column] = f"; {much:.3g} got lost at {', '.join(at)}" if at else ""
            done, total = row * len(asked.targets) + column + 1, differences.numel()
            if total > 1:
                yield Step(done, total, "multipliers")

    def caption(row: int, column: int) -> str:
        one, whole = asked.targets[column], float(differences[row, column])
        return (
            f"DeepLIFT of {one.name(row)}, whose {one.what} is {float(values[row, column]):.3g}; "
            f"{beside(whole, baseline)}, "
            f"the map adds up to {whole + float(errors[row, column]):.4g}{lost[row, column]}"
        )

    facts = {"difference": differences, "completeness_error": errors}
    return shown(asked, maps, reduce, caption, facts, start)


def _pair(asked: Question, row: int, start: Tensor) -> Pair:
    photo = asked.inputs[row : row + 1]
    pair = Pair(spelled(halved(written(asked, row))), photo, start)
    for inputs, answer in zip((photo, start), pair.answers, strict=True):
        if not bool(answer.isfinite().all()):
            with torch.no_grad():
                asked.values(inputs, asked.rows()[row : row + 1])  # says which one
    return pair
