"""Batches: everything comes once, in its order, however often memory runs out."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from pellucid import batches
from pellucid.batches import Batches, fitting
from pellucid.errors import PellucidError

FULL = torch.OutOfMemoryError("as if")


def made(work: Batches[int], room: int) -> tuple[list[int], list[int]]:
    """What comes through where only so many fit, and the sizes of the batches tried."""
    done: list[int] = []
    sizes: list[int] = []
    for some in work:
        sizes.append(len(some))
        if len(some) > room:
            work.again(some, FULL)
            continue
        done += some
    return done, sizes


@pytest.mark.parametrize("count", [0, 1, 7, 12, 30])
@pytest.mark.parametrize("size", [1, 5, 12])
@pytest.mark.parametrize("room", [1, 2, 99])
def test_each_comes_once_and_in_its_order(count: int, size: int, room: int) -> None:
    done, sizes = made(Batches(range(count), size), room)
    assert done == list(range(count))
    assert all(sizes) and max(sizes, default=0) <= size


def test_it_halves_and_stays_so() -> None:
    assert made(Batches(range(20), 12), 3)[1] == [12, 6, 3, 3, 3, 3, 3, 3, 2]
    assert made(Batches(range(5), 64), 3)[1] == [5, 2, 2, 1]  # by what came, not by what might have


def test_one_alone_for_which_there_is_no_room_is_the_callers() -> None:
    with pytest.raises(torch.OutOfMemoryError, match="as if"):
        made(Batches(range(4), 2), 0)


def test_after_another_error_they_come_one_by_one_and_then_it_is_the_callers() -> None:
    work = Batches(range(4), 2, lambda number: number % 2 == 0)
    assert next(iter(work)) == [0, 1, 2]
    work.again([0, 1, 2], ValueError("mine"))
    assert next(iter(work)) == [0]
    with pytest.raises(ValueError, match="mine"):
        work.again([0], ValueError("mine"))
    with pytest.raises(PellucidError, match="told"):  # it says what is wrong already
        work.again([1, 2], PellucidError("told"))


def test_one_with_company_halves_to_one_alone() -> None:
    work = Batches(range(3), 1, lambda number: number > 9)
    assert next(iter(work)) == [0, 1, 2]
    work.again([0, 1, 2], FULL)
    assert list(work) == [[0], [1], [2]]


@pytest.mark.parametrize(("off", "mixed"), [(0.0, False), (1e-5, False), (0.01, True)])
def test_what_is_answered_otherwise_among_others_comes_alone(off: float, mixed: bool) -> None:
    work, asked, sizes = Batches(range(7), 3), [], []
    for some in work:
        sizes.append(len(some))
        among = torch.tensor([some[0] + 1.0 + (off if len(some) > 1 else 0)])

        def alone(number: int = some[0]) -> Tensor:
            asked.append(number)
            return torch.tensor([number + 1.0])

        if work.mixed(some, among, alone):
            continue
    assert asked == [0]  # once is enough
    assert sizes == ([3, *[1] * 7] if mixed else [3, 3, 1])


def test_nothing_is_taken_before_its_turn() -> None:
    taken: list[int] = []

    def stream() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    assert next(iter(Batches(stream(), 3))) == [0, 1, 2] == taken


def test_some_come_along_for_nothing() -> None:
    work = Batches(range(10), 2, lambda number: number % 3 == 0)
    assert list(work) == [[0, 1, 2, 3], [4, 5, 6, 7, 8, 9]]


def test_as_many_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    assert fitting(cpu, 100, {"cpu": 1000}) == 10
    assert fitting(cpu, 100, {"cpu": 10**6}) == batches.MOST["cpu"]
    assert fitting(cpu, 100, {"cpu": 10}) == 1
    assert fitting(torch.device("meta"), 100, {"cpu": 300, "cuda": 10**6}) == 3
    monkeypatch.setattr(batches, "free", lambda device: 1000)
    assert fitting(cpu, 100, {"cpu": 1000}, bytes_each=100) == 5  # half of what is free
    assert fitting(cpu, 100, {"cpu": 1000}, bytes_each=10**6) == 1
    monkeypatch.setattr(batches, "free", lambda device: None)
    assert fitting(cpu, 100, {"cpu": 1000}, bytes_each=10**6) == 10
