"""Photos in groups: found where they are planted, and each part against its formula."""

import builtins
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

import pellucid as pl
from pellucid.make import groups, traits
from pellucid.make.groups import grouped, principal, silhouette
from pellucid.make.objectives import read
from pellucid.make.parts import parts

SIZES = (18, 12, 7)


def blobs(apart: float = 12.0) -> tuple[Tensor, Tensor]:
    """Rows around three far points in 40 numbers, shuffled; and which point each is from."""
    random = torch.Generator().manual_seed(0)
    centres = apart * torch.randn(3, 40, generator=random)
    number = torch.cat([torch.full((size,), at) for at, size in enumerate(SIZES)])
    rows = centres[number] + torch.randn(len(number), 40, generator=random)
    order = torch.randperm(len(number), generator=random)
    return rows[order], number[order]


@pytest.mark.parametrize("count", [None, 3])
def test_planted_groups_are_found_largest_first(count: int | None) -> None:
    rows, number = blobs()
    found = grouped(rows, count, 0)
    assert torch.equal(found.number, number) and tuple(found.sizes) == SIZES
    for group in range(3):
        centre = found.places[number == group].mean(0)
        torch.testing.assert_close(found.centres[group], centre)
        near = found.nearest(group, 15)
        assert len(near) == min(15, SIZES[group]) and set(number[near].tolist()) == {group}
        far = [float((found.places[at] - centre).norm()) for at in near]
        assert all(a <= b for a, b in pairwise(far))
        others = [at for at in (number == group).nonzero()[:, 0].tolist() if at not in near]
        assert all(float((found.places[at] - centre).norm()) >= far[-1] for at in others)


def test_the_same_every_time_and_nothing_of_the_callers_randomness() -> None:
    rows, _ = blobs(1.0)
    state = torch.get_rng_state()
    first, second = (grouped(rows, 3, 5) for _ in range(2))
    assert torch.equal(first.places, second.places) and torch.equal(first.number, second.number)
    assert torch.equal(state, torch.get_rng_state())


def test_principal_components_are_those_of_the_covariance() -> None:
    rows = torch.randn(9, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    rows *= torch.tensor([5.0, 3, 2, 1, 0.5])
    found = principal(rows, 3)
    values, vectors = torch.linalg.eigh(torch.cov(rows.T))
    slow = (rows - rows.mean(0)) @ vectors.flip(1)[:, :3]
    torch.testing.assert_close(found.abs(), slow.abs())
    torch.testing.assert_close(found.var(0), values.flip(0)[:3])
    # The sign is not the solver's whim: the largest number of each is positive.
    assert bool((found.gather(0, found.abs().argmax(0, keepdim=True)) > 0).all())


def test_silhouette_by_its_formula() -> None:
    places = torch.randn(12, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    number = torch.tensor([0, 1, 2] * 4)
    each = []
    for at in range(12):
        far = [
            [
                float((places[at] - places[b]).norm())
                for b in range(12)
                if number[b] == g and b != at
            ]
            for g in range(3)
        ]
        means = [sum(some) / len(some) for some in far]
        own = means.pop(int(number[at]))
        each.append((min(means) - own) / max(own, min(means)))
    assert silhouette(places, number) == pytest.approx(sum(each) / 12)
    assert silhouette(places, torch.zeros(12).long()) == silhouette(places, torch.arange(12)) == 0


@pytest.mark.parametrize("photos", [1, 2, 3])
def test_few_photos_are_one_group_unless_more_are_asked_for(photos: int) -> None:
    rows = torch.eye(4)[:photos]
    assert grouped(rows, None, 0).sizes == [photos]
    assert grouped(rows, photos, 0).sizes == [1] * photos
    with pytest.raises(pl.PellucidError, match=f"{photos + 1} facets need at least {photos + 1}"):
        grouped(rows, photos + 1, 0)


def test_photos_that_do_not_differ_are_one_group() -> None:
    same = torch.randn(5).repeat(20, 1)
    assert grouped(same, None, 0).sizes == [20]
    assert grouped(torch.zeros(20, 5), None, 0).sizes == [20]
    with pytest.raises(pl.PellucidError, match="that differ, and here are 1"):
        grouped(same, 2, 0)
    two = torch.cat([same, same + 1])
    assert grouped(two, None, 0).sizes == [20] * 2


def test_without_scikit_learn_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name.startswith("sklearn"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(pl.PellucidError, match=r"pip install 'pellucid\[facets\]'"):
        groups.learning()


def test_the_layer_before_the_scores(bundled: pl.Network, tiny: pl.Network) -> None:
    assert traits.penultimate(bundled) == "flatten"
    assert traits.penultimate(tiny) == "drop"
    squeezed = pl.load("squeezenet1_1", weights="random", device="cpu")
    assert traits.penultimate(squeezed) == "classifier.0"
    alone = pl.Network(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 2)), size=2)
    assert traits.penultimate(alone) == "0"


def test_photos_are_looked_at_as_each_alone(bundled: pl.Network) -> None:
    photos = parts(pl.open_image("photo:cat"), 4)[:18]
    bound = read("class:sunflower", bundled).bind(bundled)
    work = traits.looked_at(bundled, bound, "relu5", photos, 2)
    steps = []
    while True:
        try:
            with bundled.at_rest():
                steps.append(next(work))
        except StopIteration as end:
            values, features = end.value
            break
    assert [step.done for step in steps] == [1, 2]
    record = partial(pl.recording, bundled, ["relu5"], stop=False)
    for number, photo in enumerate(photos):
        inputs = bundled.prepare(photo)[0]
        with bundled.at_rest(), torch.no_grad(), record() as seen:
            score = bundled.scores(inputs)[0, bundled.unit("sunflower").channel]
        torch.testing.assert_close(values[number], score, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(features[number], seen["relu5"][0].mean((1, 2)))


@pytest.mark.parametrize("size", [(30, 30), (30, 77), (64, 20), (1, 9)])
@pytest.mark.parametrize("across", [1, 2, 3, 5])
def test_parts_cover_the_photo(size: tuple[int, int], across: int) -> None:
    numbers = torch.arange(size[0] * size[1]) % 251
    photo = pl.Photo(numbers.byte().reshape(1, *size).expand(3, -1, -1), "here")
    found = parts(photo, across)
    if across == 1:
        assert found == [photo]
        return
    side = max(1, round(2 * min(size) / (across + 1)))
    assert {part.size for part in found} == {(side, side)} and found[0].source == "here"
    # The pixels are views of the photo's: where each begins is told by its place in memory.
    covered = torch.zeros(size)
    for part in found:
        begin = part.pixels.storage_offset()
        covered[begin // size[1] :, begin % size[1] :][:side, :side] += 1
    assert bool((covered > 0).all())
