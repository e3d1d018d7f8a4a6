"""What a tour shows when there is not time for all."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from pellucid.app import report
from pellucid.app.tour_atlas import Corner
from pellucid.method import Method, Step
from tours import finished, invented, network, photo, shown


@pytest.fixture
def lecture(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Gives the tour other methods than those of the register, and no atlas."""
    monkeypatch.setattr(Corner, "work", lambda *_: iter(()))
    return lambda *methods: monkeypatch.setattr(report, "lecture", lambda: list(methods))


class Watch:
    """A clock that a test turns."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def work(self, seconds: float, steps: int) -> Callable[[], Iterable[Step]]:
        def body() -> Iterable[Step]:
            for done in range(1, steps + 1):
                self.now += seconds / steps
                yield Step(done, steps)

        return body


def test_what_there_is_no_time_for_is_left_out_and_said(
    tmp_path: Path, lecture: Callable[..., None]
) -> None:
    watch = Watch()
    endless = invented("endless", watch.work(10_000, 1000))
    lecture(endless, *(invented(f"m{n}", watch.work(1, 2), 2) for n in range(30)))
    path, steps = finished(report.tour(network(), [photo()], tmp_path / "tour", clock=watch))
    assert watch.now <= report.WHOLE
    assert len(shown(path)) == 60 and "endless-1" not in shown(path)
    text = path.read_text("utf-8")
    assert "Left out for lack of time: 1 of 61 pictures" in text
    assert ">pellucid endless --network small<" in text
    assert steps[-1].done == steps[-1].total


def test_first_pictures_come_before_second_ones(
    tmp_path: Path, lecture: Callable[..., None]
) -> None:
    watch = Watch()
    lecture(*(invented(f"m{n}", watch.work(10, 10), 3) for n in range(10)))
    path, _ = finished(report.tour(network(), [photo()], tmp_path / "tour", clock=watch))
    assert watch.now <= report.WHOLE
    assert {f"m{n}-1" for n in range(10)} <= set(shown(path))
    assert 20 <= len(shown(path)) < 30


def test_a_slow_method_waits_for_the_quick_ones_and_then_gets_its_turn(
    tmp_path: Path, lecture: Callable[..., None]
) -> None:
    watch = Watch()
    order: list[str] = []

    def noted(name: str, seconds: float) -> Method[Any]:
        def body() -> Iterable[Step]:
            yield from watch.work(seconds, 100)()
            order.append(name)

        return invented(name, body)

    lecture(noted("slow", report.QUICK / 2), noted("brisk", 2), noted("swift", 1), noted("last", 1))
    finished(report.tour(network(), [photo()], tmp_path / "tour", quick=True, clock=watch))
    assert order == ["brisk", "swift", "last", "slow"]
