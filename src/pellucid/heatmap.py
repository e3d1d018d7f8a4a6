"""Heatmap: one number for each place of a photo; Heatmaps: of several photos and targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from operator import index
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid import colour, tiles
from pellucid.errors import PellucidError
from pellucid.images import Photo, open_image
from pellucid.preprocess import Frame
from pellucid.recipe import Recipe
from pellucid.results import SHOWN, Picture, Result

OPACITY = 0.85
SOFT = 0.009  # of its side: standard deviation of what signed maps are softened by
# As a share of the numbers: probabilities that should be equal were seen to differ by half of it.
ROUNDING = 32 * torch.finfo(torch.float32).eps
CELL = 224  # px: longer side of the box that each map of a table is fitted into


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Mapped(Result):
    """What all maps have in common.

    Attributes:
        scale: how numbers become colours.
        colours: a name in `colour.MAPS`.
        clip: share of the highest numbers that may saturate when shown.
    """

    scale: colour.Scale = "range"
    colours: str = "heat"
    clip: float = 0.0

    def looks(self) -> dict[str, Any]:
        """How it is drawn, as keyword arguments."""
        return {name: getattr(self, name) for name in Mapped.__annotations__}

    def over(self, photo: Any = None, *, opacity: float = OPACITY) -> Picture:
        """The map laid over its photo."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Heatmap(Mapped):
    """One number for each place of a photo.

    Attributes:
        values: (height, width), evenly over the network's input, at any resolution.
        photo: the photo that was asked about.
        frame: where the input lies in it.
        clean: where low numbers are what matters: the number that stands for nothing. Drawn is how
            far each lies below it.
    """

    values: Float[Tensor, "height width"]
    photo: Photo
    frame: Frame
    clean: float | None = None

    def on_photo(self) -> Float[Tensor, "height width"]:
        """The numbers in the photo's own pixels; NaN where the network did not see it."""
        return self.frame.to_photo(self.values)

    def evidence(self) -> Float[Tensor, "height width"]:
        """The numbers turned so that high ones are what speaks for the target.

        Where low numbers are strong, how far each lies below the highest.
        """
        values = self.values.detach().cpu().float()
        return values if self.clean is None else values.max() - values

    @property
    def flat(self) -> bool:
        """Whether it says nothing."""
        return flat(self.values)

    def image(self) -> Float[Tensor, "3 height width"]:
        """The map in the photo's own pixels, beyond the network's view left grey."""
        return tiles.enlarged(self.drawn(), SHOWN)

    def drawn(self) -> Float[Tensor, "3 height width"]:
        """The map in the photo's own pixels, one for one."""
        return colour.MAPS[self.colours](self._shades(self.values))

    def _shades(self, values: Float[Tensor, "h w"]) -> Float[Tensor, "height width"]:
        values = values.detach().cpu()
        if self.clean is not None:
            values = self.clean - values.double()
            if self.flat:  # what only roundings set apart is no pattern
                values.zero_()
        return self.frame.to_photo(colour.ranged(values, self.scale, self.clip))

    def over(self, photo: Any = None, *, opacity: float = OPACITY) -> Picture:
        """The map laid over its photo, strong where the map is strong.

        A signed map is softened by a hundredth of its side: red and blue pixels side by side would
        be grey to the eye.

        Args:
            photo: another version of the same photo, of the same size, to draw on.
            opacity: 0 to 1, of the strongest places.
        """
        if not 0 <= opacity <= 1:
            raise PellucidError(f"opacity is from 0 to 1, not {opacity}")
        below = self.photo if photo is None else open_image(photo)
        if below.size != self.photo.size:
            raise PellucidError(
                f"the map is of a photo of {_pixels(self.photo.size)}, not {_pixels(below.size)}"
            )
        signed = self.scale == "signed"
        shown = self._shades(_softened(self.values) if signed else self.values)
        strength = (shown - 0.5).abs() * 2 if signed else shown
        share = opacity * strength.nan_to_num()
        grey = below.floats().mean(0, keepdim=True).expand(3, -1, -1)
        # The photo is dimmed, so that strong places shine on it and weak ones leave it alone.
        mixed = 0.75 * grey * (1 - share) + colour.MAPS[self.colours](shown) * share
        mixed = torch.where(shown.isnan(), 0.5 * grey + 0.45, mixed)
        other = {} if photo is None else {"photo": below.source}
        picked = {"pick": self.recipe.drawing[1]["pick"]} if self.recipe.drawing else {}
        recipe = self.recipe.drawn("over", opacity=opacity, **other, **picked)
        return Picture(values=mixed, caption=self.caption, recipe=recipe)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Heatmaps(Mapped):
    """The maps of several photos, or of several targets, made in one go.

    `maps[0, 2]` is the Heatmap of the first photo and the third target; `len()` counts all maps,
    iterating gives them photo by photo, and `maps[2]` is the third of them.

    Attributes:
        values: (photos, targets, height, width), evenly over the network's input.
        photos: that were asked about.
        frames: where the input lies in each.
        names: for each photo a name for each target.
        captions: for each photo a caption for each target.
        clean: of each photo and target the number that stands for nothing; see `Heatmap`.
    """

    values: Float[Tensor, "photos targets height width"]
    photos: tuple[Photo, ...]
    frames: tuple[Frame, ...]
    names: tuple[tuple[str, ...], ...]
    captions: tuple[tuple[str, ...], ...]
    clean: Float[Tensor, "photos targets"] | None = None

    def __len__(self) -> int:
        return self.values.shape[0] * self.values.shape[1]

    def __iter__(self) -> Iterator[Heatmap]:
        rows, columns = self.values.shape[:2]
        return (self[row, column] for row in range(rows) for column in range(columns))

    def __getitem__(self, place: int | tuple[int, int]) -> Heatmap:
        rows, columns = self.values.shape[:2]
        numbers = place if isinstance(place, tuple) else (place,)
        if len(numbers) > 2 or not all(hasattr(number, "__index__") for number in numbers):
            raise PellucidError(f"one map is maps[photo, target] or maps[number], not {place!r}")
        if len(numbers) == 1:
            return self._nth(index(numbers[0]))
        row, column = (index(number) for number in numbers)
        if not (-rows <= row < rows and -columns <= column < columns):
            raise PellucidError(
                f"there are maps of {rows} photos and {columns} targets, from [0, 0] to "
                f"[{rows - 1}, {columns - 1}], not [{row}, {column}]"
            )
        row, column = row % rows, column % columns
        return Heatmap(
            values=self.values[row, column],
            photo=self.photos[row],
            frame=self.frames[row],
            caption=self.captions[row][column],
            facts={name: table[row][column] for name, table in self.facts.items()},
            clean=None if self.clean is None else float(self.clean[row, column]),
            recipe=self.recipe.drawn("pick", pick=[row, column]),
            **self.looks(),
        )

    def _nth(self, number: int) -> Heatmap:
        if not -len(self) <= number < len(self):
            # What Python ends a loop by.
            raise IndexError(f"there are {len(self)} maps, 0 to {len(self) - 1}, not {number}")
        return self[divmod(number % len(self), self.values.shape[1])]

    def image(self) -> Float[Tensor, "3 height width"]:
        """A row for each photo: the photo, then its maps."""
        return self._table([one.image() for one in self])

    def over(self, photo: Any = None, *, opacity: float = OPACITY) -> Picture:
        """The same table with each map laid over its photo.

        Raises:
            PellucidError: another photo is given, or an opacity beyond 0 to 1.
        """
        if photo is not None:
            raise PellucidError("maps of several are drawn over their own photos only")
        drawn = self._table([one.over(opacity=opacity).values for one in self])
        recipe = self.recipe.drawn("over", opacity=opacity)
        return Picture(values=drawn, caption=self.caption, recipe=recipe)

    def _table(self, drawn: list[Tensor]) -> Float[Tensor, "3 height width"]:
        return table(self.photos, drawn, [name for row in self.names for name in row])


def table(
    photos: Sequence[Photo], drawn: Sequence[Tensor], names: Sequence[str]
) -> Float[Tensor, "3 height width"]:
    """A row for each photo: the photo, then what was drawn of it, with their names below.

    Args:
        drawn: photo by photo, as many of each.
        names: of what was drawn.
    """
    each = len(drawn) // len(photos)
    cells, told = [], []
    for row, photo in enumerate(photos):
        own = slice(row * each, (row + 1) * each)
        cells += [photo.floats(), *drawn[own]]
        told += [photo.source.removeprefix("photo:").rpartition("/")[2], *names[own]]
    # As tall as the tallest photo needs, so that rows of landscapes stand close together.
    tallest = max(photo.size[0] / photo.size[1] for photo in photos)
    box = min(CELL, max(1, round(CELL * tallest))), CELL
    boxes = torch.stack([tiles.boxed(cell, box) for cell in cells])
    return tiles.arranged(boxes, told, CELL, each + 1)


def flat(values: Float[Tensor, "height width"]) -> bool:
    """Whether all numbers of a map are the same, but for roundings."""
    low, high = (float(end) for end in values.detach().aminmax())
    return high - low <= ROUNDING * max(abs(low), abs(high))


def _softened(values: Float[Tensor, "height width"]) -> Float[Tensor, "height width"]:
    sigma = SOFT * min(values.shape)
    if sigma < 0.5:  # coarse enough as it is
        return values
    from torchvision.transforms.v2.functional import gaussian_blur

    side = 2 * ceil(3 * sigma) + 1
    soft: Tensor = gaussian_blur(values.detach().cpu().float()[None], [side, side], [sigma, sigma])
    return soft[0]


def redrawn(result: Result, recipe: Recipe) -> Result:
    """A result drawn as a recipe says."""
    if recipe.drawing is None:
        return result
    how, arguments = recipe.drawing
    opacity, source = arguments.get("opacity"), arguments.get("photo")
    if "pick" in arguments and isinstance(result, Heatmaps):
        result = _picked(result, arguments["pick"])
        if how == "pick":
            return result
    if how != "over" or not isinstance(result, Mapped):
        raise PellucidError(f"a {type(result).__name__} cannot be drawn as {how!r}")
    if set(arguments) - {"opacity", "photo", "pick"} or not isinstance(opacity, int | float):
        raise PellucidError(f"a Heatmap cannot be drawn over a photo with {arguments}")
    if source is not None and not isinstance(source, str):
        raise PellucidError(f"a Heatmap is drawn over a photo, not {source!r}")
    if source == "":
        raise PellucidError("it was drawn over another photo, which had no name")
    return result.over(source, opacity=opacity)


def _picked(result: Heatmaps, place: Any) -> Heatmap:
    if not (isinstance(place, list | tuple) and len(place) == 2):
        raise PellucidError(f"a map is picked by the numbers of photo and target, not {place!r}")
    if any(type(number) is not int for number in place):
        raise PellucidError(f"a map is picked by two whole numbers, not {place!r}")
    return result[place[0], place[1]]


def _pixels(size: tuple[int, int]) -> str:
    return f"{size[1]} x {size[0]} px"
