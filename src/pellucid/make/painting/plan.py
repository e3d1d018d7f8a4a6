"""Plan: all that a training depends on besides its network, styles and photos."""

from __future__ import annotations

import inspect
from dataclasses import asdict, dataclass, fields, replace
from typing import Annotated, Any, get_type_hints

from pellucid import option
from pellucid.errors import Unknown
from pellucid.network import Network
from pellucid.option import Help, Option
from pellucid.target import split

DEPTHS = 5  # style layers, evenly from shallow to deep


@dataclass(frozen=True)
class Plan:
    """How a stylist is trained; `Plan.options()` says what each of it is."""

    steps: Annotated[int, Help("of training, a batch of photos in each", low=1)] = 4000
    batch: Annotated[int, Help("photos in a step; styles take turns among them", low=1)] = 4
    size: Annotated[int, Help("px of the squares that photos are cut to", low=32)] = 112
    rate: Annotated[float, Help("of learning at its height (Adam)", low=0, high=1)] = 2e-3
    strength: Annotated[float, Help("weight of style against content", low=0)] = 2.5
    smooth: Annotated[float, Help("weight of the total variation against content", low=0)] = 0.05
    width: Annotated[
        int,
        Help("channels of the painter's first layer; four times as many inside", low=1, high=512),
    ] = 16
    blocks: Annotated[int, Help("residual blocks of the painter", low=0, high=64)] = 5
    content: Annotated[
        str | None,
        Help("layers that keep the photo, ; between several; a quarter of the way if none"),
    ] = None
    style: Annotated[
        str | None,
        Help("layers whose Gram matrices are the style; five evenly over the depth if none"),
    ] = None
    seed: Annotated[int, Help("of first weights, of crops and their places")] = 0

    @classmethod
    def options(cls) -> dict[str, Option]:
        """What is known of each: type, bounds, default, help."""
        hints = get_type_hints(cls, include_extras=True)
        kind = inspect.Parameter.KEYWORD_ONLY
        return {
            one.name: option.read(
                inspect.Parameter(one.name, kind, default=one.default), hints[one.name]
            )
            for one in fields(cls)
        }

    @classmethod
    def of(cls, **settings: Any) -> Plan:
        """A plan, each setting checked.

        Raises:
            Unknown: no such setting.
            PellucidError: wrong type, or out of bounds.
        """
        known = cls.options()
        for name in settings:
            if name not in known:
                raise Unknown("setting of a training", name, known)
        return cls(**{name: known[name].check(value) for name, value in settings.items()})

    def on(self, net: Network) -> Plan:
        """The same with all layers named.

        Raises:
            PellucidError: unknown layer, or none that has places.
        """
        depths = [layer.name for layer in net.spread(DEPTHS)]
        content = split(self.content, "layer") if self.content else [depths[1]]
        style = split(self.style, "layer") if self.style else list(dict.fromkeys(depths))
        for name in (*content, *style):
            net.layer(name)
        return replace(self, content="; ".join(content), style="; ".join(style))

    def layers(self) -> tuple[list[str], list[str]]:
        """Of content and of style; of a plan on a network."""
        return split(self.content or "", "layer"), split(self.style or "", "layer")

    def told(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)
