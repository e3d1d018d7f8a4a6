"""Question: one or several photos, one or several targets, and the maps that answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError
from pellucid.heatmap import Heatmap, Heatmaps, flat
from pellucid.images import Photo
from pellucid.network import Network
from pellucid.option import Help
from pellucid.preprocess import Frame
from pellucid.target import Target, observe, targets, values

Photos = Photo | tuple[Photo, ...]
Wanted = Annotated[
    str | None,
    Help("class or unit, several with ; between; each photo's best class if none", names="units"),
]


@dataclass(frozen=True)
class Question:
    """What is asked of a network.

    Attributes:
        photos: to be explained.
        frames: where the input lies in each.
        inputs: the photos as the network takes them.
        targets: what is explained of each photo.
        single: whether one photo and one target were given, and one map is wanted.
    """

    net: Network
    photos: tuple[Photo, ...]
    frames: tuple[Frame, ...]
    inputs: Float[Tensor, "photos channels height width"]
    targets: tuple[Target, ...]
    single: bool

    @classmethod
    def of(cls, net: Network, photo: Photos, target: Any) -> Question:
        """Photos made ready and targets resolved.

        Raises:
            PellucidError: unknown target.
        """
        photos = photo if isinstance(photo, tuple) else (photo,)
        ready = [net.prepare(one) for one in photos]
        inputs = torch.cat([image for image, _ in ready])
        wanted = targets(net, target, inputs)
        single = not isinstance(photo, tuple) and len(wanted) == 1
        frames = tuple(frame for _, frame in ready)
        return cls(net, photos, frames, inputs, tuple(wanted), single)

    def rows(self, repeats: int = 1) -> Tensor:
        """The number of its photo for each image of a batch that has each photo `repeats` times.

        The repeats of one photo follow one another.
        """
        numbers = torch.arange(len(self.photos), device=self.inputs.device)
        return numbers.repeat_interleave(repeats)

    def values(self, inputs: Tensor, rows: Tensor) -> Float[Tensor, "targets batch"]:
        """The value of every target for each image, from one forward pass; see `target.values`."""
        return values(self.net, inputs, self.targets, rows)

    def reader(
        self, row: int, share: bool = False
    ) -> Callable[[Float[Tensor, "batch c h w"]], Float[Tensor, "batch targets"]]:
        """A function that gives the targets' values of versions of one photo, without a look at
        the numbers themselves.

        Args:
            row: the photo's number.
            share: whether of a class its probability is read in place of its score.
        """
        net = self.net
        named = [one.alone(net, row) for one in self.targets]
        layers = frozenset[str]().union(*(one.layers for one in named))
        classes = [one.what == "score" for one in named]

        def read(inputs: Tensor) -> Tensor:
            seen = observe(net, inputs, layers)
            shares = dict(seen)
            if any(classes) and share:
                kind = torch.promote_types(seen[""].dtype, torch.float32)
                shares[""] = seen[""].to(kind).softmax(1)
            rows = torch.zeros(len(inputs), dtype=torch.long, device=inputs.device)
            found = [
                one.read(shares if is_class else seen, rows)
                for one, is_class in zip(named, classes, strict=True)
            ]
            kind = max((value.dtype for value in found), key=lambda one: one.itemsize)
            return torch.stack([value.to(kind) for value in found], 1)

        return read

    @cached_property
    def alike(self) -> str:
        """What to add to a map without anything on it: whether the classes have equal scores.

        As of a network before training, whose last layer torchvision's transformers begin at zero.
        """
        try:
            with torch.no_grad():
                scores = self.net.scores(self.inputs[:1])
        except PellucidError:  # it puts out no tensor
            return ""
        low, high = scores.aminmax()
        none = scores.ndim in (2, 4) and scores.shape[1] > 1 and bool(low == high)
        return "; the network scores all classes alike: is it trained?" if none else ""

    def told(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Facts of each photo and target as a result has them; see `Result`.

        Args:
            facts: (photos, targets) numbers, or lists with anything for each photo and target.
        """
        tables = {
            name: table.tolist() if isinstance(table, Tensor) else table
            for name, table in facts.items()
        }
        return {name: table[0][0] for name, table in tables.items()} if self.single else tables

    def answer(
        self,
        maps: Float[Tensor, "photos targets height width"],
        caption: Callable[[int, int], str],
        facts: Mapping[str, Any] | None = None,
        clean: Float[Tensor, "photos targets"] | None = None,
        number: str = "score",
        **looks: Any,
    ) -> Heatmap | Heatmaps:
        """One map, or all of them where several were asked for.

        Args:
            maps: on the network's input, any resolution.
            caption: of a map, by the number of its photo and of its target.
            facts: what belongs to each map, by name; see `told`.
            clean: of each map the number that stands for nothing; see `Heatmap`.
            number: what captions call that of a class.
            looks: how they are drawn; see `Mapped`.
        """
        maps = maps.detach().float().cpu()
        places = [range(len(side)) for side in (self.photos, self.targets)]
        captions = tuple(
            tuple(
                caption(row, column)
                + self.targets[column].told(row, number)
                + (self.alike if flat(maps[row, column]) else "")
                for column in places[1]
            )
            for row in places[0]
        )
        if self.single:
            return Heatmap(
                values=maps[0, 0],
                photo=self.photos[0],
                frame=self.frames[0],
                caption=captions[0][0],
                facts=self.told(facts or {}),
                clean=None if clean is None else float(clean[0, 0]),
                **looks,
            )
        names = tuple(tuple(one.name(row) for one in self.targets) for row in places[0])
        return Heatmaps(
            values=maps,
            photos=self.photos,
            frames=self.frames,
            names=names,
            captions=captions,
            facts=self.told(facts or {}),
            caption=f"{' / '.join(captions[0])}" if len(captions) == 1 else _counted(maps),
            clean=clean,
            **looks,
        )


def _counted(maps: Tensor) -> str:
    photos, wanted = maps.shape[:2]
    return f"{photos} photos, {wanted} target{'s' if wanted > 1 else ''} each"
