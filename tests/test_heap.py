"""What is freed goes back to the system where it has become too much."""

import subprocess
import sys

import pytest

from pellucid import heap
from pellucid.heap import Heap, held

MB = 2**20


# In a process of its own: in one that has held much already, nothing need grow.
FREEING = f"""
import torch
from pellucid.heap import Heap, held

few, many = Heap(0), Heap(10**12)
parts = [torch.ones(25_000) for _ in range(1000)]  # all on the heap
full = held()
parts = parts[::100]
many.tidy()
kept = held()
few.tidy()
assert kept > full - 20 * {MB}, (full, kept)
assert held() < kept - 50 * {MB}, (kept, held())
"""


@pytest.mark.skipif(heap._trimmer() is None or not held(), reason="not glibc on Linux")
def test_what_is_freed_goes_back_once_it_is_too_much() -> None:
    done = subprocess.run([sys.executable, "-c", FREEING], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_twice_what_a_piece_of_work_takes_may_be_held(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    monkeypatch.setattr(heap, "_trimmer", lambda: given.append)
    # At first 100, allowed 50 more. Given back at 151, down to 90; the next piece of work takes 40.
    holds = iter([100, 150, 151, 90, 130, 170, 171, 120])
    monkeypatch.setattr(heap, "held", lambda: next(holds))
    watch = Heap(50)
    for times in (0, 1, 1, 1, 2):
        watch.tidy()
        assert len(given) == times


def test_elsewhere_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap, "_trimmer", lambda: None)
    monkeypatch.setattr(heap.Path, "read_text", lambda *_: (_ for _ in ()).throw(OSError))
    assert held() == 0
    Heap(1).tidy()
