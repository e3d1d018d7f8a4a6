"""Linear: a weighted linear model, and how sure its coefficients are."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

MOST = 0.95  # of a row's leverage: one that the model goes through tells nothing of its own error


@dataclass(frozen=True)
class Linear:
    """A fitted model of each target.

    Attributes:
        coefficients: of each column.
        errors: the coefficients' standard errors, had other rows been drawn.
        fidelity: weighted R², the share of the values' variance that it tells.
        beyond: the same of rows that it was not fitted to, each left out in turn.
    """

    coefficients: Float[Tensor, "columns targets"]
    errors: Float[Tensor, "columns targets"]
    fidelity: Float[Tensor, "targets"]
    beyond: Float[Tensor, "targets"]


def fitted(
    design: Float[Tensor, "rows columns"],
    values: Float[Tensor, "rows targets"],
    weights: Float[Tensor, "rows"],
    penalty: Float[Tensor, "columns columns"],
) -> Linear:
    """Least weighted squares, plus the penalty, a quadratic form of the coefficients.

    The rows are independent draws, and the values need not be linear in them. So the errors are
    those of a sandwich, with the residuals of rows left out (HC3: MacKinnon & White 1985).
    """
    weighed = design * weights[:, None]
    inverse = torch.linalg.pinv(design.T @ weighed + penalty, hermitian=True)
    coefficients = inverse @ (weighed.T @ values)
    pull = weighed @ inverse  # of each row on each coefficient
    leverage = (pull * design).sum(1).clamp(max=MOST)
    residuals = values - design @ coefficients
    beyond = residuals / (1 - leverage)[:, None]
    errors = (pull.square().T @ beyond.square()).sqrt()
    mean = (weights[:, None] * values).sum(0) / weights.sum()
    spread = (weights[:, None] * (values - mean).square()).sum(0)
    told = [
        torch.where(spread > 0, 1 - (weights[:, None] * one.square()).sum(0) / spread, 1.0)
        for one in (residuals, beyond)
    ]
    return Linear(coefficients, errors, *told)
