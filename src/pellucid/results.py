"""What a method returns: values, a recipe, and a picture of itself."""

from __future__ import annotations

import io
import json
import os
from dataclasses import dataclass, field
from os.path import isdir
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float, Shaped
from safetensors.torch import save as safetensors_bytes
from torch import Tensor

from pellucid import colour, tiles
from pellucid.box import Box, shared
from pellucid.errors import PellucidError
from pellucid.fonts import drawable
from pellucid.images import Photo
from pellucid.notebook import figure
from pellucid.pictures import png_bytes, webp_bytes
from pellucid.recipe import Recipe
from pellucid.writing import write_together

Arrays = Literal["npz", "safetensors"]
SHOWN = 224  # px: a map is enlarged at least to this, in whole steps
MOST, QUALITY = 1600, 90  # px of the longer side in a notebook, and of WebP


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Result:
    """What a method found.

    Attributes:
        values: the numbers; each kind of result names their axes.
        caption: one line on what is seen.
        recipe: how it was made; filled in by `@method`.
        facts: single numbers that belong to it, such as the error of an integral, by name; of
            several photos and targets a list for each photo with a number for each target.
    """

    values: Shaped[Tensor, "..."]
    caption: str = ""
    recipe: Recipe = field(default_factory=lambda: Recipe("", {}))
    facts: dict[str, Any] = field(default_factory=dict)

    ENDINGS: ClassVar[tuple[str, ...]] = (".png",)  # of the files that it is saved as

    def __repr__(self) -> str:
        """One line: tensors and recipe would fill the screen."""
        shape = " x ".join(map(str, self.values.shape))
        return f"<{type(self).__name__} {shape}: {self.caption}>"

    def image(self) -> Float[Tensor, "3 height width"]:
        """The result as a picture with values 0 to 1."""
        raise NotImplementedError

    def on_file(self) -> Float[Tensor, "channels height width"]:
        """What is saved: the picture, with an alpha channel where it has a transparent part."""
        return self.image()

    def cells(self) -> list[tuple[str, Box[float]]]:
        """Where its parts lie in its picture, as shares of height and width, by their names."""
        return []

    def data(self) -> dict[str, Any]:
        """The result as plain JSON data, large arrays left out."""
        return {
            "caption": self.caption,
            "shape": list(self.values.shape),
            "recipe": json.loads(self.recipe.json()),
        } | ({"facts": self.facts} if self.facts else {})

    def save(
        self, path: str | os.PathLike[str], *, arrays: Arrays | None = None, force: bool = False
    ) -> Path:
        """Saves the picture as PNG, a film as `film.Film` says, with the recipe inside.

        Args:
            path: ends in .png.
            arrays: also saves the values beside it, in a file of the same name.
            force: overwrite what is there.

        Raises:
            PellucidError: no name or not a PNG's, no such folder, or a file is there already.
        """
        if not isinstance(path, str | os.PathLike):
            raise PellucidError(f"a result is saved under the name of a file, not {path!r}")
        target = Path(path)
        check_ending(target, type(self))
        names = [target] + ([target.with_suffix(f".{arrays}")] if arrays else [])
        if arrays not in (None, "npz", "safetensors"):
            raise PellucidError(f"arrays are saved as npz or safetensors, not {arrays!r}")
        for name in names:
            if os.path.lexists(name) and not force:
                raise PellucidError(f"{name} is there already; force=True overwrites it")
        contents = [self.file(target.suffix.lower())]
        contents += [self._arrays(arrays)] if arrays else []
        write_together(dict(zip(names, contents, strict=True)))
        return target

    def file(self, ending: str) -> bytes:
        """What is in a file of one of its `ENDINGS`."""
        return png_bytes(self.on_file(), self.recipe.json())

    def _arrays(self, kind: Arrays) -> bytes:
        values = self.values.detach().cpu().contiguous()
        if kind == "safetensors":
            return safetensors_bytes({"values": values}, {"pellucid": self.recipe.json()})
        if values.dtype == torch.bfloat16:
            values = values.float()  # numpy has no such numbers
        buffer = io.BytesIO()
        np.savez_compressed(buffer, values=values.numpy(), pellucid=np.array(self.recipe.json()))
        return buffer.getvalue()

    def _repr_png_(self) -> bytes:
        return png_bytes(self._on_page(), self.recipe.json())

    def _repr_html_(self) -> str:
        return figure(self._webp(), "webp", self.caption, self.recipe._repr_html_())

    def _webp(self) -> bytes:
        # A notebook keeps both this and the PNG: a quarter of its size, the recipe inside as well.
        return webp_bytes(self._on_page(), QUALITY, self.recipe.json())

    def _on_page(self) -> Float[Tensor, "channels height width"]:
        """As in its file, but no larger than a page: the photo of a telephone would fill it."""
        image = self.on_file()
        scale = MOST / max(image.shape[1:])
        if scale >= 1:
            return image
        height, width = (max(1, round(side * scale)) for side in image.shape[1:])
        return tiles.resized(image, (height, width))


def check_ending(path: Path, kind: type[Result]) -> None:
    """Refuses a file name that a kind of result is not saved as.

    Raises:
        PellucidError: it is a folder, or has another ending.
    """
    if isdir(path):  # unlike the path's own, also of a name that is too long
        raise PellucidError(f"{path} is a folder, not a file to write: name a file in it")
    if path.suffix.lower() not in kind.ENDINGS:
        first, *others = kind.ENDINGS
        fits = f"{', '.join([first, *others[:-1]])} or {others[-1]}" if others else first
        what = "picture" if kind.ENDINGS == Result.ENDINGS else kind.__name__.lower()
        raise PellucidError(f"a {what} is saved as {fits}, not {path.name!r}")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Picture(Result):
    """A picture in its own right.

    Attributes:
        values: (3 or 1, height, width), 0 to 1.
    """

    values: Float[Tensor, "channels height width"]

    def image(self) -> Float[Tensor, "3 height width"]:
        """Small pictures enlarged by a whole factor."""
        return tiles.enlarged(self.values.detach().cpu().float().expand(3, -1, -1), SHOWN)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Grid(Result):
    """Many small pictures side by side.

    Attributes:
        values: (tiles, 3 or 1, height, width), any range.
        names: a short text for each tile; none, no text.
        scale: how numbers become shades.
        joint: whether all tiles share one range, or each has its own.
        colours: of grey tiles, a name in `colour.MAPS`.
        tile: px that a tile is enlarged to at least, in whole steps.
        columns: None chooses a shape near a square.
        clip: share of the numbers that may saturate at either end.
    """

    values: Float[Tensor, "tiles channels height width"]
    names: tuple[str, ...] = ()
    scale: colour.Scale = "range"
    joint: bool = False
    colours: str = "grey"
    tile: int = 48
    columns: int | None = None
    clip: float = 0.0

    def image(self) -> Float[Tensor, "3 height width"]:
        """The tiles in rows, names below."""
        values = self.values.detach().cpu().float()
        if self.joint:
            ranged = colour.ranged(values, self.scale, self.clip)
        else:
            ranged = torch.stack([colour.ranged(tile, self.scale, self.clip) for tile in values])
        if ranged.shape[1] == 1:
            ranged = colour.MAPS[self.colours](ranged[:, 0]).movedim(0, 1)
        return tiles.arranged(ranged, self.names, self.tile, self.columns)

    def cells(self) -> list[tuple[str, Box[float]]]:
        """Of each tile that has a name."""
        height, width = self.values.shape[2:]
        times = max(1, -(-self.tile // max(height, width)))
        size = height * times, width * times
        boxes, page = tiles.spots(len(self.values), size, bool(self.names), self.columns)
        return [(name, shared(box, page)) for name, box in zip(self.names, boxes, strict=False)]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Ranking(Result):
    """Names with shares, best first.

    Attributes:
        values: (names,), from 0 to 1, falling.
        names: one for each value.
        scores: (names,), unnormalised.
        photo: the photo that was asked about.
        numbers: of the classes, drawn where no font here has a name's letters; empty, unknown.
        measure: what is shown: "probability" the values, or "area" of a `Segmentation`; "score"
            the scores, of a network that knows only one class, whose share is 1 whatever it sees.
    """

    values: Float[Tensor, "names"]
    names: tuple[str, ...]
    scores: Float[Tensor, "names"]
    photo: Photo
    numbers: tuple[int, ...] = ()
    measure: Literal["probability", "area", "score"] = "probability"

    def __repr__(self) -> str:
        rows = zip(self.names, self._told(), strict=True)
        return f"<{type(self).__name__} {', '.join(f'{name} {told}' for name, told in rows)}>"

    def image(self) -> Float[Tensor, "3 height width"]:
        """The photo with a bar for each name beside it; a score has none, for it has no whole."""
        photo, names = self.photo.floats(), drawable(self.names, self.numbers)
        if self.measure == "score":
            scores = [f"score {told}" for told in self._told()]
            return tiles.beside(photo, tiles.number_list(scores, names, tiles.LISTED))
        return tiles.bars(photo, self.values.tolist(), names)

    def _told(self) -> list[str]:
        if self.measure == "score":
            return [f"{score:.3g}" for score in self.scores.tolist()]
        return [f"{share:.1%}" for share in self.values.tolist()]

    def data(self) -> dict[str, Any]:
        """With names, probabilities (or shares of the area) and scores."""
        rows = zip(self.names, self.values.tolist(), self.scores.tolist(), strict=True)
        keys = ("name", "area" if self.measure == "area" else "probability", "score")
        return super().data() | {"ranking": [dict(zip(keys, row, strict=True)) for row in rows]}
