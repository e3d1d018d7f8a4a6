"""Regional: what was found for each region, as a map, and how sure that is."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.digits import apart
from pellucid.heatmap import ROUNDING, Heatmap, Heatmaps
from pellucid.see.coalitions import Coalitions

CHANCE = 0.0455  # the share of normal numbers beyond two standard errors


def answered(
    games: list[Coalitions],
    found: list[tuple[Tensor, Tensor]],
    caption: Callable[[int, int], str],
    facts: dict[str, Any],
) -> Heatmap | Heatmaps:
    """The maps of all photos and targets.

    Args:
        found: for each photo the regions' values and their standard errors: (regions, targets).
        facts: what is to be told besides these.
    """
    maps = torch.stack([v.T[:, game.regions] for (v, _), game in zip(found, games, strict=True)])
    told = {
        "regions": [[game.count] * len(game.asked.targets) for game in games],
        "values": [value.T.tolist() for value, _ in found],
        "errors": [error.T.tolist() for _, error in found],
    }
    return games[0].asked.answer(maps, caption, facts | told, scale="signed", colours="signed")


def surely(
    values: Float[Tensor, "regions"],
    errors: Float[Tensor, "regions"],
    seen: Float[Tensor, "coalitions"],
) -> str:
    """How many regions differ from zero by more than chance.

    Args:
        seen: the values that they were found from.
    """
    rounding = ROUNDING * float(seen.abs().max())
    sure = int(((values.abs() > 2 * errors) & (values.abs() > rounding)).sum())
    low, high = apart(float(values.min()), float(values.max()))
    error = float(errors.square().mean().sqrt())
    chance = round(CHANCE * len(values))
    told = f"{low} to {high} each, ±{error:.1g} (standard error); "
    if sure == 0:
        return f"{told}none differs from zero by more than two standard errors: it may be chance"
    told += f"{sure} of {len(values)} differ from zero by more than two standard errors"
    return f"{told}, {chance} would by chance" if chance else told
