"""Sampling on a GPU is another way to the same picture, and to the same gradient."""

import pytest
import torch
from torch.nn import functional as F

from pellucid.make import sampling
from pellucid.make.transforms import Crop, Rotate, Scale

MOVES = {"crop": Crop(0.3, 0.5), "scale": Scale(0.4), "rotate": Rotate(60)}


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("size", [(9, 14), (17, 5)])
def test_gathered_is_what_grid_sample_makes(name: str, size: tuple[int, int]) -> None:
    random = torch.Generator().manual_seed(3)
    images = torch.randn(2, 3, *size, generator=random, dtype=torch.float64).requires_grad_()
    matrix = MOVES[name].matrix(size, random).double()
    grid = F.affine_grid(matrix[None, :2], [1, 3, *size], align_corners=False)
    made = sampling._gathered(images.flatten(0, 1), grid[0]).view(images.shape)
    wanted = sampling.moved(images, matrix)
    assert torch.allclose(made, wanted, atol=1e-12)
    back = torch.randn(made.shape, generator=random, dtype=torch.float64)
    ways = [torch.autograd.grad((one * back).sum(), images)[0] for one in (made, wanted)]
    assert torch.allclose(*ways, atol=1e-12)


@pytest.mark.parametrize("name", ["crop", "scale"])
def test_rows_that_are_not_turned_are_spread(name: str) -> None:
    random = torch.Generator().manual_seed(3)
    images = torch.randn(2, 3, 11, 16, generator=random, dtype=torch.float64)
    matrix = MOVES[name].matrix((11, 16), random)
    (across, _, left), (_, down, top) = matrix[:2].tolist()
    rows, columns = sampling._spread(down, top, 11), sampling._spread(across, left, 16)
    wanted = sampling.moved(images, matrix.double())
    assert torch.allclose(rows @ images @ columns.T, wanted, atol=1e-12)


@pytest.mark.parametrize("new", [4, 9, 23])
def test_a_mixture_of_rows_resizes(new: int) -> None:
    images = torch.rand(2, 3, 9, 9)
    mixture = sampling._mixture(9, new)
    wanted = sampling.resized(images, (new, new))
    assert torch.allclose(mixture @ images @ mixture.T, wanted, atol=1e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("name", [*MOVES, "resized"])
def test_on_a_gpu_gradients_are_the_same_bits_each_time(name: str) -> None:
    random = torch.Generator().manual_seed(3)
    size = 100, 120
    images = torch.randn(8, 3, *size, generator=random).cuda().requires_grad_()
    back = torch.randn(8, 3, 80, 90, generator=random).cuda()
    matrix = None if name == "resized" else MOVES[name].matrix(size, random)

    def gradient() -> torch.Tensor:
        made = sampling.resized(images, (80, 90)) if matrix is None else None
        made = sampling.moved(images, matrix)[..., :80, :90] if made is None else made
        return torch.autograd.grad((made * back).sum(), images)[0]

    first = gradient()
    assert all(torch.equal(gradient(), first) for _ in range(10))
