"""When the training does what: stages of growing size, the later ones adversarial."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """Some epochs at one crop size.

    `budget` is the L2 radius of the adversary, in units of the pixel range 0 to 1 at 112 px;
    0 trains on the photos as they are.
    """

    epochs: int
    size: int
    budget: float


# Small crops first: four times cheaper, and they regularise. The adversary comes late, because
# a network that already knows the classes turns robust within a few epochs.
STAGES = (
    Stage(epochs=18, size=64, budget=0.0),
    Stage(epochs=8, size=80, budget=0.0),
    Stage(epochs=6, size=80, budget=1.0),
    Stage(epochs=2, size=96, budget=1.5),
    Stage(epochs=6, size=112, budget=2.0),
)

EPOCHS = sum(stage.epochs for stage in STAGES)
CLEAN = sum(stage.epochs for stage in STAGES if not stage.budget)
PEAK = 0.1
HORIZON = 44  # epochs in which the rate of the clean stages would fall to zero


def stage_of(epoch: int) -> Stage:
    """The stage that an epoch, counted from 0, belongs to."""
    for stage in STAGES:
        if epoch < stage.epochs:
            return stage
        epoch -= stage.epochs
    raise IndexError(f"the schedule ends after {EPOCHS} epochs")


def rate(epoch: float) -> float:
    """The learning rate after some epochs, fractions included.

    A short rise, then a cosine that the adversary interrupts halfway down; from there a second,
    slower one goes to zero.
    """
    rise = 0.06 * HORIZON
    if epoch < rise:
        return PEAK * (0.1 + 0.9 * epoch / rise)
    fallen = _cosine((min(epoch, CLEAN) - rise) / (HORIZON - rise))
    return PEAK * fallen * _cosine(max(0.0, epoch - CLEAN) / (EPOCHS - CLEAN))


def _cosine(share: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
