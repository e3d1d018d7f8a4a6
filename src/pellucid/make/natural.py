"""Natural: what photos have in common, measured on those that scikit-image installs."""

from __future__ import annotations

from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.images import open_image

# Those in colour and without a plain ground; always there, and the same everywhere.
PHOTOS = ("astronaut", "cat", "coffee", "rocket", "motorcycle")
CROPS = 40  # of each photo
PARTS = 0.4, 1.0  # side of a crop, share of the photo's shorter one


@lru_cache(maxsize=1)
def colours() -> tuple[Float[Tensor, "3"], Float[Tensor, "3 3"]]:
    """Mean of the pixels, and a root of their covariance: M with M Mᵀ = covariance.

    Independent numbers of variance 1, times M, have the colours of photos: mostly light and dark,
    some blue against yellow, little red against green.
    """
    pixels = torch.cat([_photo(name).flatten(1) for name in PHOTOS], 1).double()
    mean = pixels.mean(1)
    values, vectors = torch.linalg.eigh(torch.cov(pixels))
    # The columns' signs are the solver's whim: the largest number of each is made positive.
    signs = vectors.gather(0, vectors.abs().argmax(0, keepdim=True)).sign()
    return mean.float(), (vectors * signs * values.clamp(min=0).sqrt()).float()


@lru_cache(maxsize=8)
def magnitudes(height: int, width: int, channels: int) -> Float[Tensor, "channels h half"]:
    """The mean size of each frequency in crops of photos, for `torch.fft.irfft2` with norm "ortho".

    Of colours in the axes of `colours`, each of variance 1; of one channel of their mean. From
    crops of many sizes, windowed, so that the rims of a crop do not count as edges.
    """
    mean, root = colours()
    random = torch.Generator().manual_seed(0)
    window = torch.hann_window(height, periodic=False)[:, None] * torch.hann_window(
        width, periodic=False
    )
    total = torch.zeros(channels, height, width // 2 + 1)
    for name in PHOTOS:
        photo = _photo(name)
        for _ in range(CROPS):
            crop = _crop(photo, height, width, random)
            if channels == 1:
                crop = crop.mean(0, keepdim=True)
                flat = (crop - crop.mean()) / crop.std().clamp(min=1e-6)
            else:
                flat = torch.linalg.solve(root, (crop - mean[:, None, None]).flatten(1))
                flat = flat.reshape(3, height, width)
                flat = flat - flat.mean((1, 2), keepdim=True)
            total += torch.fft.rfft2(flat * window, norm="ortho").abs()
    total /= len(PHOTOS) * CROPS
    total[:, 0, 0] = 0  # the mean shade is no pattern
    # Of variance 1: the energy of all frequencies, those that rfft leaves out counted twice.
    twice = torch.full((width // 2 + 1,), 2.0)
    twice[0] = 1
    if width % 2 == 0:
        twice[-1] = 1
    energy = (total.square() * twice).sum((1, 2), keepdim=True) / (height * width)
    return total / energy.sqrt().clamp(min=1e-12)


def _photo(name: str) -> Float[Tensor, "3 height width"]:
    return open_image(f"photo:{name}").floats()


def _crop(
    photo: Float[Tensor, "3 h w"], height: int, width: int, random: torch.Generator
) -> Float[Tensor, "3 height width"]:
    low, high = PARTS
    share = low + (high - low) * float(torch.rand((), generator=random))
    scale = share * min(photo.shape[1] / height, photo.shape[2] / width)
    tall, wide = max(1, int(scale * height)), max(1, int(scale * width))
    top = int(torch.randint(photo.shape[1] - tall + 1, (), generator=random))
    left = int(torch.randint(photo.shape[2] - wide + 1, (), generator=random))
    part = photo[None, :, top : top + tall, left : left + wide]
    return F.interpolate(part, (height, width), mode="bilinear", antialias=True)[0]
