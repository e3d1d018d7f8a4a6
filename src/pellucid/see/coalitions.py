"""Coalitions: a photo of which only some regions are shown, and what the targets make of it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.batches import Batches, fitting
from pellucid.method import Step
from pellucid.question import Question
from pellucid.see.incremental.answers import MOST_NUMBERS
from pellucid.see.masks import Fill, cover
from pellucid.see.readings import Measure, check_sound, steadied
from pellucid.see.regions import cut_up


@dataclass(frozen=True)
class Coalitions:
    """One photo of a question, cut into regions that can be covered.

    Attributes:
        row: the photo's number.
        regions: of each pixel of the input.
        covered: what is seen where nothing of the photo is.
    """

    asked: Question
    row: int
    regions: Int[Tensor, "height width"]
    covered: Float[Tensor, "channels height width"]
    measure: Measure

    @classmethod
    def of(
        cls, asked: Question, many: int, cut: str, fill: Fill, measure: Measure
    ) -> list[Coalitions]:
        """Those of each photo."""
        covers = cover(asked.net, asked.inputs, fill)
        return [
            cls(asked, row, cut_up(asked.net.preprocess, image, many, cut), covers[row], measure)
            for row, image in enumerate(asked.inputs)
        ]

    @property
    def count(self) -> int:
        """How many regions there are."""
        return int(self.regions.max()) + 1

    def images(
        self, shown: Bool[Tensor, "coalitions regions"]
    ) -> Float[Tensor, "coalitions channels height width"]:
        """The photo with all covered but the regions of each coalition."""
        image = self.asked.inputs[self.row]
        seen = shown.to(image.device)[:, self.regions.to(image.device)]
        return torch.where(seen[:, None], image, self.covered)

    def values(
        self, shown: Bool[Tensor, "coalitions regions"]
    ) -> Generator[int, None, Float[Tensor, "coalitions targets"]]:
        """The targets' values of each coalition; yields how many passes were made.

        Raises:
            PellucidError: a value is NaN or infinite.
        """
        read = self.asked.reader(self.row, share=self.measure == "probability")
        found: list[Tensor] = []
        image = self.asked.inputs[self.row]
        work = Batches(shown, fitting(image.device, image.numel(), MOST_NUMBERS))
        for some in work:
            images = partial(self.images, torch.stack(some))
            alone = partial(_alone, read, partial(self.images, some[0][None]))
            try:
                # Not around the loop: a `yield` inside would put the caller in this mode too.
                with torch.inference_mode():
                    values = read(images())
                    if work.mixed(some, values[0], alone):
                        continue
            except Exception as error:
                work.again(some, error)
                continue
            check_sound(values, self.asked, self.row, images)
            found.append(values.double().cpu())
            yield len(some)
        return torch.cat(found).clone()


def valued(games: list[Coalitions], shown: list[Tensor]) -> Generator[Step, None, list[Tensor]]:
    """For each photo the values of its coalitions: (coalitions, targets).

    What is asked for twice is computed once. Where a target differs by roundings only, it is the
    same as of the first coalition.

    Args:
        shown: for each photo: (coalitions, regions).
    """
    once = [torch.unique(some, dim=0, return_inverse=True) for some in shown]
    total, done = sum(len(some) for some, _ in once), 0
    found = []
    for game, (some, places) in zip(games, once, strict=True):
        work = game.values(some)
        while True:
            try:
                done += next(work)
            except StopIteration as end:
                values: Tensor = end.value[places]
                break
            yield Step(done, total, game.asked.targets[0].name(game.row))
        kind = game.asked.net.dtype
        columns = [steadied(column, column[0], kind) for column in values.T]
        found.append(torch.stack(columns, 1))
    return found


def asks(shown: Bool[Tensor, "coalitions regions"]) -> int:
    """How many passes these coalitions take."""
    return len(torch.unique(shown, dim=0))


def _alone(read: Callable[[Tensor], Tensor], images: Callable[[], Tensor]) -> Tensor:
    return read(images())[0]
