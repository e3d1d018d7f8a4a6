"""What photos have in common: measured on the photos again, another way."""

import pytest
import torch

import pellucid as pl
from pellucid.make import natural
from pellucid.make.fourier import mixing


def pixels() -> torch.Tensor:
    photos = [pl.open_image(f"photo:{name}").floats() for name in natural.PHOTOS]
    return torch.cat([photo.flatten(1) for photo in photos], 1).double()


def test_independent_numbers_get_the_colours_of_photos() -> None:
    mean, root = natural.colours()
    seen = pixels()
    away = seen - seen.mean(1, keepdim=True)
    covariance = away @ away.T / (seen.shape[1] - 1)
    torch.testing.assert_close(mean.double(), seen.mean(1), atol=1e-6, rtol=0)
    torch.testing.assert_close((root @ root.T).double(), covariance, atol=1e-6, rtol=0)
    random = torch.Generator().manual_seed(0)
    drawn = mean[:, None] + root @ torch.randn(3, 200_000, generator=random)
    torch.testing.assert_close(torch.cov(drawn).double(), covariance, atol=1e-3, rtol=0)


def test_the_pixels_of_photos_are_uncorrelated_in_these_axes() -> None:
    mean, root = natural.colours()
    plain = torch.linalg.solve(root.double(), pixels() - mean.double()[:, None])
    torch.testing.assert_close(torch.cov(plain), torch.eye(3).double(), atol=1e-4, rtol=0)


def test_the_strongest_axis_is_light_and_dark() -> None:
    mix = mixing(3)
    lengths = mix.norm(dim=0)
    assert float(lengths.max()) == pytest.approx(1)
    strongest = mix[:, lengths.argmax()]
    assert bool((strongest > 0.4).all())  # of red, green and blue alike
    assert float(lengths.min()) < 0.2  # red against green is weak in photos
    assert torch.equal(mixing(1), torch.ones(1, 1))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(24, 32), (17, 23)])
def test_magnitudes_fall_with_the_frequency_and_have_variance_one(
    size: tuple[int, int], channels: int
) -> None:
    strength = natural.magnitudes(*size, channels)
    assert strength.shape == (channels, size[0], size[1] // 2 + 1)
    assert not strength[:, 0, 0].any()
    # Whatever the phases, as long as the waves are those of real numbers.
    random = torch.Generator().manual_seed(0)
    noise = torch.fft.rfft2(torch.randn(channels, *size, generator=random))
    waves = torch.polar(strength, noise.angle())
    drawn = torch.fft.irfft2(waves, size, norm="ortho")
    torch.testing.assert_close(
        drawn.square().mean((1, 2)), torch.ones(channels), atol=1e-4, rtol=1e-4
    )
    down = torch.fft.fftfreq(size[0])[:, None]
    frequency = (down.square() + torch.fft.rfftfreq(size[1]).square()).sqrt()
    coarse = strength[0][(frequency > 0.03) & (frequency < 0.12)].mean()
    fine = strength[0][frequency > 0.4].mean()
    assert float(coarse) > 5 * float(fine)
    assert torch.equal(strength, natural.magnitudes(*size, channels))
