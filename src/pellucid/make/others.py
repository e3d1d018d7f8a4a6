"""Others: all the classes that a picture is not to show."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from pellucid.errors import PellucidError
from pellucid.make.objective import Bound, Objective, Values, View
from pellucid.network import Network
from pellucid.unit import Unit


@dataclass(frozen=True)
class Others(Objective):
    """The scores of all classes but one, by the logarithm of their summed exponentials.

    A smooth maximum: mostly the strongest rival. The score less half of it rises as the score does
    and leaves out what two classes share, as crocodiles and their heads do; less the whole of it,
    it is the logarithm of the odds, which a network may be sure of while it shows little
    (Simonyan, Vedaldi, Zisserman 2014).
    """

    name: str | Unit

    def bind(self, net: Network) -> Bound:
        """See `Others`."""
        unit = net.unit(self.name)
        if not unit.is_class or net.classes < 2:
            raise PellucidError(f"others(…) takes a class that has others, not {self.name}")
        kept = torch.tensor([number for number in range(net.classes) if number != unit.channel])

        def value(view: View) -> Values:
            scores = view.seen[""]
            found = scores.index_select(1, kept.to(scores.device)).logsumexp(1)
            return found if found.ndim == 1 else found.mean((1, 2))

        return Bound(frozenset({""}), value)

    def __str__(self) -> str:
        return f"others({self.name})"


def others(name: str | int) -> Objective:
    """All classes but one, by its label or number; take half of it from its `class_score`."""
    text = str(name)
    return Others(text if text.startswith("class:") else f"class:{text}")
