"""Crops: the photos of a folder, as many as there are, a few at a time."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.album import paths
from pellucid.errors import PellucidError
from pellucid.images import open_image

MOST_DAMAGED = 100  # in a row, after which a folder is not one of photos


class Crops:
    """Random squares of the photos in a folder, each batch the same whenever it is asked for.

    Photos come in an order drawn anew for each round through all of them. Of each a square is cut
    out at random, as large as the photo allows or smaller, and mirrored or not. A file that cannot
    be read is left out, and the next one takes its place.

    Args:
        folder: its images and those of its folders.
        size: px of a crop's side.
        seed: of order, places and mirrors.

    Attributes:
        damaged: files that could not be read so far.

    Raises:
        PellucidError: there is no image in the folder.
    """

    def __init__(self, folder: str, size: int, seed: int) -> None:
        self.files = paths(folder)
        self.folder, self.size, self.seed = folder, size, seed
        self.damaged: set[str] = set()
        self._round: tuple[int, list[int]] = (-1, [])

    def batch(self, number: int, count: int) -> Float[Tensor, "count 3 size size"]:
        """Some photos' crops, 0 to 1.

        Args:
            number: which batch, from 0.

        Raises:
            PellucidError: too many files in a row cannot be read.
        """
        return torch.stack([self._crop(number * count + at) for at in range(count)])

    def _crop(self, place: int) -> Float[Tensor, "3 size size"]:
        random = np.random.default_rng([self.seed, 1, place])
        for later in range(min(MOST_DAMAGED, len(self.files))):
            file = self._file(place + later)
            if file in self.damaged:
                continue
            try:
                return _square(open_image(file).pixels, self.size, random)
            except PellucidError:
                self.damaged.add(file)
        raise PellucidError(
            f"of the images in {self.folder}, {len(self.damaged)} cannot be read, and none that "
            f"can comes after them"
        )

    def _file(self, place: int) -> str:
        number, at = divmod(place, len(self.files))
        if self._round[0] != number:
            random = np.random.default_rng([self.seed, 0, number])
            self._round = number, random.permutation(len(self.files)).tolist()
        return self.files[self._round[1][at]]


def _square(pixels: Tensor, size: int, random: np.random.Generator) -> Float[Tensor, "3 size size"]:
    height, width = pixels.shape[1:]
    shorter = min(height, width)
    side = round(random.uniform(min(size, shorter), shorter))
    top, left = random.integers(height - side + 1), random.integers(width - side + 1)
    part = pixels[None, :, top : top + side, left : left + side].float() / 255
    if random.random() < 0.5:
        part = part.flip(3)
    return F.interpolate(part, (size, size), mode="bilinear", antialias=True)[0].clamp(0, 1)
