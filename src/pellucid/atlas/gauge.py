"""Gauge: one network read at several layers, and what was counted there so far."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from pellucid.atlas.best import Best
from pellucid.atlas.plan import Plan
from pellucid.atlas.tally import Scale, Tally
from pellucid.make.runner import Runner
from pellucid.network import Network
from pellucid.record import watching
from pellucid.returned import first_tensor

CACHED = 1 << 20  # numbers
Numbers = Float[Tensor, "batch channels"]


@dataclass(frozen=True, eq=False)
class Reading:
    """What is counted of one layer: its best places, its most negative ones, its tally."""

    best: Best
    worst: Best | None
    tally: Tally | None

    def merged(self, other: Reading) -> Reading:
        """Of the images of both."""
        worst = None
        if self.worst and other.worst:
            worst = self.worst.negated().merged(other.worst.negated()).negated()
        if self.tally and other.tally:
            tally: Tally | None = self.tally.merged(other.tally)
        else:
            tally = self.tally or other.tally
        return Reading(self.best.merged(other.best), worst, tally)


@dataclass
class Seen:
    """A batch as the network saw it.

    Attributes:
        features: by layer, (batch, numbers).
        predicted: (batch,), the most probable class; -1 where the network has no classes.
        probability: (batch,), of that class.
    """

    features: dict[str, Float[Tensor, "batch numbers"]] = field(default_factory=dict)
    predicted: Int[Tensor, "batch"] | None = None
    probability: Float[Tensor, "batch"] | None = None


class Gauge:
    """Runs batches through a network, and keeps what a plan asks for of each layer.

    The layers' answers are read while the network runs and not kept, so that all of them together
    need no more memory than the network itself.

    Attributes:
        readings: by layer, of all batches so far.
        scales: by layer, how numbers are counted; set by the first batch where there are none yet.
    """

    def __init__(
        self,
        net: Network,
        plan: Plan,
        readings: dict[str, Reading] | None = None,
        scales: dict[str, Scale] | None = None,
    ) -> None:
        self.net, self.plan = net, plan
        wanted = frozenset({*plan.layers, ""})
        with net.at_rest():
            self.fast = Runner(net, wanted, net.preprocess.size).fast
        if self.copied:
            self.fast.module.eval().requires_grad_(False)
        self.readings = readings if readings is not None else empty(net, plan)
        self.scales = scales if scales is not None else scales_of(self.readings)

    @property
    def copied(self) -> bool:
        """Whether it has a module of its own, so that others may work beside it."""
        return self.fast is not self.net

    def beside(self) -> Gauge:
        """One for other batches at the same time: the same weights, and nothing read so far."""
        other = copy.copy(self)
        weights = chain(self.fast.module.parameters(), self.fast.module.buffers())
        shared = {id(weight): weight for weight in weights}
        other.fast = self.fast.with_module(copy.deepcopy(self.fast.module, shared))
        other.readings = empty(self.net, self.plan)
        return other

    def run(
        self, crops: Sequence[Float[Tensor, "channels height width"]], numbers: Sequence[int]
    ) -> Seen:
        """A batch through the network.

        Args:
            crops: what it is to see, values 0 to 1.
            numbers: of the images, rising, greater than all before.
        """
        seen, which = Seen(), torch.tensor(numbers)
        form = torch.channels_last if self.copied else torch.contiguous_format
        batch = self.net.preprocess.normalise(torch.stack(list(crops)))
        inputs = batch.to(self.net.device, self.net.dtype).contiguous(memory_format=form)
        readings = dict(self.readings)

        def take(name: str, output: Any, _inputs: Any, _in_place: bool) -> Any:
            tensor = first_tensor(output)
            if name in self.plan.layers and name not in seen.features and tensor is not None:
                readings[name] = self._read(name, tensor.detach(), which, seen)
            return output

        names = {name.partition("#")[0] for name in self.plan.layers}
        with self.fast.at_rest(), torch.no_grad(), watching(self.fast.module, take, names):
            scores = self.fast.scores(inputs)
        if "" in self.plan.layers and "" not in seen.features:
            readings[""] = self._read("", scores, which, seen)
        self.readings = readings  # all of them together, or after an error none
        if scores.ndim == 2:
            seen.probability, seen.predicted = scores.float().softmax(1).cpu().max(1)
        return seen

    def _read(self, name: str, output: Tensor, which: Tensor, seen: Seen) -> Reading:
        layout = self.net.layers[name].layout
        maps = layout.maps(output).float()
        before = self.readings[name]
        highest, means, active = _summed_up(maps)
        features = maps.flatten(1) if self.plan.whole else means
        seen.features[name] = features.cpu()
        per = self.plan.per_image
        worst = before.worst
        if worst is not None:
            worst = worst.negated().updated(-maps, -maps.amin((2, 3)), which, per).negated()
        # On the device the best are few; what is kept of them lies in memory.
        best = before.best.updated(maps, highest, which, per)
        scale = self.scales.setdefault(name, Scale.of(highest.cpu()))
        tally = before.tally or Tally.none(scale, maps[0, 0].numel())
        return Reading(best, worst, tally.updated(highest.cpu(), means.cpu(), active.cpu()))


def scales_of(readings: dict[str, Reading]) -> dict[str, Scale]:
    """How the numbers of each layer are counted, where that is settled."""
    return {name: one.tally.scale for name, one in readings.items() if one.tally}


def empty(net: Network, plan: Plan) -> dict[str, Reading]:
    """Readings of no images at all."""
    made = {}
    for name in plan.layers:
        none = Best.none(net.layers[name].layout.channels, plan.keep)
        made[name] = Reading(none, none.negated() if plan.negative else None, None)
    return made


def _summed_up(maps: Float[Tensor, "batch channels height width"]) -> tuple[Numbers, ...]:
    """The greatest value of each map, its mean, and how many of its places are above zero.

    On a processor a few images at a time, which stay in its cache from one to the next.
    """
    found = []
    few = max(1, CACHED // max(1, maps[0].numel())) if maps.device.type == "cpu" else len(maps)
    for part in torch.split(maps, few):
        # The sign, and not a comparison, whose truth values are slow to add up.
        active = part.sign().clamp_(min=0).sum((2, 3))
        found.append((_highest(part), part.mean((2, 3)), active))
    return tuple(torch.cat(each) for each in zip(*found, strict=True))


def _highest(maps: Float[Tensor, "batch channels height width"]) -> Numbers:
    if maps.device.type != "cpu":
        return maps.amax((2, 3))
    # Of channels that do not fill the processor's registers `amax` takes five times as long.
    return F.adaptive_max_pool2d(maps, 1).flatten(1)
