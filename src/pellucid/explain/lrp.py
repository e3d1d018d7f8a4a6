"""Which pixels hold the score, if every layer shares out what it has among those before it?"""

from __future__ import annotations

from collections.abc import Generator
from typing import Annotated

import torch
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.explain.gradient import Reduce, shown
from pellucid.explain.relevance.flow import Flow
from pellucid.explain.relevance.rules import COMPOSITES, Composite
from pellucid.explain.relevance.spelled import spelled
from pellucid.explain.written import written
from pellucid.heatmap import Heatmap, Heatmaps
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.question import Photos, Question, Wanted
from pellucid.results import Grid


@method(examples=lambda net: [{}, {"composite": "epsilon_plus_flat"}])
def lrp(
    net: Network,
    photo: Photos,
    *,
    target: Wanted = None,
    composite: Annotated[
        Composite,
        Help("the rules: of dense layers, of convolutions, of what looks at the photo first"),
    ] = "epsilon_gamma_box",
    reduce: Reduce = "signed",
) -> Generator[Step, None, Heatmap | Heatmaps | Grid]:
    """The score of the photo, handed back layer by layer to what it was added up from.

    Layer-wise relevance propagation (Bach, Binder, Montavon, Klauschen, Müller, Samek 2015): each
    number of a layer shares its relevance among those before it, by what each added to it. Nothing
    is lost but what biases and other constants hold; how much arrives is in the caption and in
    `data()`. The rules differ from layer to layer, put together as Montavon et al. (2019) and
    Kohlbrenner et al. (2020) advise, under zennit's names.

    It needs no modules: the operations are written down as they are computed, so that functions,
    layers used twice and additions of branches are all seen, and batch normalisation is folded
    into the convolution or dense layer before it. Activations and norms pass relevance on as it
    is; of a gate, and of attention, the weights are taken as given (Ali et al. 2022).

    Returns:
        Heatmap with `.values` (height, width) on the network's input, in units of the score, and
        `.facts`: "score", and "arrived", the sum of the map. Heatmaps of several. With
        reduce="colour" a Grid of the relevance in colours.

    Raises:
        PellucidError: unknown target, a network whose operations cannot be written down, or one
            with operations that have no derivative, as quantised layers, on every way to the photo.

    Example:
        >>> lrp(net, "photo:cat", composite="epsilon_plus_flat").over().save("why.png")
    """
    asked = Question.of(net, photo, target)
    rules = COMPOSITES[composite]
    scores = torch.zeros(len(asked.inputs), len(asked.targets))
    maps = torch.zeros(*scores.shape, *asked.inputs.shape[1:])
    lost = {}
    for row, inputs in enumerate(asked.inputs[:, None]):
        flow = _flow(asked, row, inputs)
        if not bool(flow.answer.isfinite().all()):
            with torch.no_grad():
                asked.values(inputs, asked.rows()[row : row + 1])  # says which one
        scores[row] = flow.answer[0].float().cpu()
        for column in range(len(asked.targets)):
            start = torch.zeros_like(flow.answer)
            start[0, column] = flow.answer[0, column]
            maps[row, column] = flow.back(start, rules)[0].float().cpu()
            stuck = ", ".join(sorted(flow.stuck))
            if stuck and not bool(maps[row, column].any()):
                raise PellucidError(
                    f"no relevance of {asked.targets[column].name(row)} reaches the photo: it "
                    f"cannot be sent through {stuck}; ask for occlusion"
                )
            lost[row, column] = f"; some was lost at {stuck}" if stuck else ""
            if scores.numel() > 1:
                yield Step(row * len(asked.targets) + column + 1, scores.numel(), "relevance")
    arrived = maps.sum((2, 3, 4))

    def caption(row: int, column: int) -> str:
        one, score = asked.targets[column], float(scores[row, column])
        return (
            f"relevance of {one.name(row)}, whose {one.what} is {score:.3g}, by {composite}; "
            f"{float(arrived[row, column]):.3g} of it arrived at the pixels, biases and other "
            f"constants hold the rest{lost[row, column]}"
        )

    return shown(asked, maps, reduce, caption, {"score": scores, "arrived": arrived})


def _flow(asked: Question, row: int, inputs: Tensor) -> Flow:
    levels = torch.tensor([0.0, 1.0], device=inputs.device)
    size = inputs.shape[1:]
    ends = [asked.net.preprocess.normalise(one.expand(size)).to(inputs)[None] for one in levels]
    return Flow(spelled(written(asked, row)), inputs, ends)
