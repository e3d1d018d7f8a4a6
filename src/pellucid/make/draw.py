"""draw(): a network, an objective and a manner come together, and pictures come out."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid import memory
from pellucid.make.ascend import FREED, ascend
from pellucid.make.manner import Manner
from pellucid.make.objective import Bound, Image, View
from pellucid.make.runner import Runner
from pellucid.make.transforms import Jitter, Noise, Rotate, Scale, Transform, seen
from pellucid.method import Step
from pellucid.network import Network

# How every finished picture is looked at again, whatever the manner that it was drawn in.
FRESH: tuple[Transform, ...] = (Jitter(0.04), Scale(0.05), Rotate(5))
FRESH_VIEWS = 16
FRESH_SEED = 1_000_003  # far from those that people choose


@dataclass(frozen=True)
class Drawn:
    """Where a drawing is; the last one is the end.

    Attributes:
        step: from 1.
        inputs: the pictures as the network's input.
        pictures: from 0 to 1, on the processor.
        curve: the objective before each step so far, for each picture.
        alive: which pictures have had a gradient of their own.
        weight: for each pixel the sum of its gradient's size so far: how much it was worked on.
    """

    step: int
    inputs: Image
    pictures: Float[Tensor, "batch channels height width"]
    curve: Float[Tensor, "steps batch"]
    alive: Bool[Tensor, "batch"]
    weight: Float[Tensor, "batch height width"]


COPIES = 24  # of a picture, that are in use during a step beside the network's own
PREVIEW = 20  # steps between two pictures on the way


class Drawing:
    """A drawing under way.

    `run` makes the steps; `so_far` tells at any time where it is, also after it was interrupted.

    Args:
        objective: bound to the network.
        count: of pictures, each climbing on its own.
        seed: of noise and transforms.
        begins: pictures to begin with, from 0 to 1.
        runner: of a drawing of the same layers and size, so that it is made once.
    """

    def __init__(
        self,
        net: Network,
        objective: Bound,
        manner: Manner,
        *,
        count: int = 1,
        seed: int = 0,
        begins: Float[Tensor, "count channels height width"] | None = None,
        runner: Runner | None = None,
    ) -> None:
        self.net, self.objective, self.manner = net, objective, manner
        self.random = torch.Generator().manual_seed(seed)
        self.sheet = manner.canvas.sheet(net, self.random, count, begins)
        # A neuron looks at one place, and would look at something else after each move.
        still = [one for one in manner.transforms if isinstance(one, Noise)]
        self.transforms: Sequence[Transform] = still if objective.fixed else manner.transforms
        with torch.no_grad():
            blank = torch.zeros(1, *self.sheet.images().shape[1:])
            height, width = seen(blank, self.transforms, torch.Generator()).shape[2:]
        self.size = height, width
        self.runner = runner or Runner(net, objective.layers, self.size)
        self.values: list[list[float]] = []
        self.alive = torch.zeros(count, dtype=torch.bool)
        self.weight = torch.zeros(count, *blank.shape[2:], device=net.device)

    def run(self, name: object, before: int = 0) -> Generator[Step, None, bool]:
        """Makes the steps; Ctrl-C, once there is a picture, ends it early and loses nothing.

        Args:
            name: of what is raised, for the steps' texts.
            before: steps of the whole work that were made before it.

        Returns:
            Whether it came to its end.
        """
        total = before + self.manner.steps
        try:
            for done in self._steps():
                values = self.values[-1]
                told = f"{values[0]:.3g}" if len(values) == 1 else f"{_mean(values):.3g} on average"
                picture = self.sheet.pictures()[0] if done % PREVIEW == 0 else None
                yield Step(before + done, total, f"{name} = {told}", picture)
        except KeyboardInterrupt:
            if not self.values:
                raise
            return False
        return True

    def _steps(self) -> Generator[int, None, None]:
        work = ascend(
            self.sheet,
            self._value,
            steps=self.manner.steps,
            climb=self.manner.climb,
            regularisers=self.manner.regularisers,
        )
        for moment in work:
            self.values.append(moment.values)
            self.alive = moment.alive
            self.weight = self.weight + moment.gradient.abs().sum(1).float()
            yield moment.step

    def weighs(self) -> int:
        """Bytes of memory that a picture takes in a step."""
        blank = self.net.blank(1)[:, :, :1, :1].expand(-1, -1, *self.size)
        image = blank.clone().requires_grad_()
        module = self.runner.fast.module
        weights = [*module.parameters(), *module.buffers()]
        # What is kept, and gradients on their way back; beside it canvas, views and climb.
        network = 2 * memory.kept(lambda: self.runner(image), weights)
        return self.manner.views * (network + COPIES * image.numel() * image.element_size())

    def dead(self) -> Bool[Tensor, "batch"]:
        """Of which pictures there is nothing to climb.

        None had a gradient, not even with its rectifiers held open; or none of its own in so many
        steps that it would have been woken.
        """
        worked_on = self.weight.flatten(1).any(1).cpu()
        return ~self.alive & (~worked_on | (len(self.values) >= FREED))

    def so_far(self) -> Drawn:
        """Where it is."""
        with torch.no_grad():
            inputs = self.sheet.images()
        curve = torch.tensor(self.values).reshape(-1, len(inputs))
        return Drawn(
            len(curve), inputs, self.sheet.pictures(), curve, self.alive, self.weight.cpu()
        )

    def fresh(self, views: int = FRESH_VIEWS) -> Float[Tensor, "views batch"]:
        """The objective on the finished pictures under transforms that they have not met."""
        random = torch.Generator().manual_seed(FRESH_SEED)
        still = () if self.objective.fixed else FRESH
        with torch.no_grad():
            images = self.sheet.images()
            return (
                torch.stack([self._look(images, seen(images, still, random)) for _ in range(views)])
                .float()
                .cpu()
            )

    def fresh_probabilities(
        self, views: int = FRESH_VIEWS
    ) -> Float[Tensor, "views batch classes *places"]:
        """Of every class, on the finished pictures under transforms that they have not met."""
        random = torch.Generator().manual_seed(FRESH_SEED)
        runner = Runner(self.net, frozenset({""}), self.size, copied=False)
        with torch.no_grad():
            images = self.sheet.images()
            shown = [seen(images, FRESH, random) for _ in range(views)]
            return torch.stack([runner(view)[""].float().softmax(1).cpu() for view in shown])

    def plain(self) -> Float[Tensor, "batch"]:
        """The objective on the pictures as they are."""
        with torch.no_grad():
            images = self.sheet.images()
            return self._look(images, images).float().cpu()

    def _value(self, images: Image) -> Float[Tensor, "batch"]:
        views = [seen(images, self.transforms, self.random) for _ in range(self.manner.views)]
        if len(views) == 1:
            return self._look(images, views[0], exact=False)
        outputs = self.runner(torch.cat(views), self.objective.channels, exact=False)
        count = len(images)
        values = [
            self._read(images, {name: out[at : at + count] for name, out in outputs.items()})
            for at in range(0, len(views) * count, count)
        ]
        return torch.stack(values).mean(0)

    def _look(
        self, images: Image, shown: Float[Tensor, "batch channels h w"], exact: bool = True
    ) -> Float[Tensor, "batch"]:
        return self._read(images, dict(self.runner(shown, self.objective.channels, exact=exact)))

    def _read(self, images: Image, outputs: dict[str, Tensor]) -> Float[Tensor, "batch"]:
        return self.objective.value(View(self.net, images, outputs))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
