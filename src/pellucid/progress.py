"""Progress: work driven to its end, step by step; in a notebook with a bar below the cell."""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any, TypeVar, cast

from jaxtyping import Float
from torch import Tensor

from pellucid.pictures import jpeg_address
from pellucid.tiles import resized

if TYPE_CHECKING:
    from pellucid.method import Step

PATIENCE = 0.5  # seconds of work before anything is shown
EVERY = 0.25  # seconds from one update to the next
PREVIEW = 256  # px, at most, of the longer side of a picture on the way

T = TypeVar("T")
Watch = Callable[["Step"], None]

_wanted = True
_displayed: set[str] = set()  # the bar of the cell that was the last to have one


def progress(wanted: bool = True) -> None:
    """Whether work of more than half a second shows a bar in a notebook; at first it does.

    Scripts and terminals never show one.

    Example:
        >>> progress(False)
    """
    global _wanted
    _wanted = wanted


def follow(work: Generator[Step, None, T]) -> T:
    """Drives work to its end and gives what it returns; in a notebook a bar says how far it is.

    Calling a method does so by itself. Work that is handed out as an iterator, `train_stylist`
    for one, is followed by this. Ctrl-C, or a notebook's stop button, ends it with what it has.

    Example:
        >>> follow(train_stylist(net, styles, "photos/", "mine.safetensors"))
    """
    with bar() as watch:
        return finished(work, watch)


def finished(work: Generator[Step, None, T], watch: Watch = lambda step: None) -> T:
    """Drives work to its end and gives what it returns.

    Ctrl-C is handed to the work, also where it came outside of it: a method that can give what it
    has so far does, and is then at its end; any other ends with the interrupt.

    Args:
        watch: sees every step.
    """
    interrupt: KeyboardInterrupt | None = None
    try:
        while True:
            try:
                step = work.throw(interrupt) if interrupt else next(work)
                interrupt = None
                watch(step)
            except KeyboardInterrupt as stop:
                if (
                    inspect.getgeneratorstate(work) == inspect.GEN_CLOSED
                ):  # it has ended, and gives nothing
                    raise
                interrupt = stop
    except StopIteration as end:
        return cast(T, end.value)
    finally:
        work.close()


@contextmanager
def bar() -> Iterator[Watch]:
    """What watches the steps of work inside the `with`: a bar in a notebook, elsewhere nothing."""
    shell = _notebook() if _wanted else None
    if shell is None:
        yield lambda step: None
        return
    shown = Bar(shell)
    try:
        yield shown.step
    finally:
        shown.close()


class Bar:
    """A bar with the words of a step, the time left and the picture so far; gone in the end.

    It is HTML that is displayed once and then updated, which Jupyter, VS Code and Colab all do
    without a widget installed. All the work of one cell has its bar in one place.
    """

    def __init__(self, shell: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self.shell = shell
        self.clock = clock
        self.told = clock()
        self.first: tuple[int, float] | None = None  # steps done at the first sign, and when
        self.newest: Tensor | None = None
        self.picture = ""
        self.shown = False

    def step(self, step: Step) -> None:
        """Shows how far the work is, where it has taken long enough."""
        now = self.clock()
        self.first = self.first or (step.done, now)
        self.newest = self.newest if step.picture is None else step.picture
        if now - self.told < (EVERY if self.shown else PATIENCE):
            return
        if self.newest is not None:
            self.picture, self.newest = _preview(self.newest), None
        left = self._left(step, now)
        self.told, self.shown = now, True
        self._show(_page(step, left, self.picture), _line(step, left))

    def close(self) -> None:
        """Takes it away."""
        if self.shown:
            self._show("", "")
            self.shown = False

    def _left(self, step: Step, now: float) -> float | None:
        """Seconds that the rest will take at the speed so far; None where nobody knows yet."""
        assert self.first is not None
        done, begun = self.first
        if step.done <= done:
            return None
        return (now - begun) / (step.done - done) * max(0, step.total - step.done)

    def _show(self, page: str, line: str) -> None:
        name = f"pellucid-{self.shell.execution_count}"
        again = name in _displayed
        _displayed.clear()
        _displayed.add(name)
        bundle = {"text/html": page, "text/plain": line}
        self.shell.display_pub.publish(bundle, transient={"display_id": name}, update=again)


def _notebook() -> Any:
    """The shell of the notebook that this runs in; None in a script or a terminal."""
    module = sys.modules.get("IPython")  # where nobody has imported it, there is no notebook
    shell = module.get_ipython() if module else None
    return shell if getattr(shell, "kernel", None) is not None else None


def _preview(picture: Float[Tensor, "channels height width"]) -> str:
    image = picture.detach().cpu().float().expand(3, -1, -1)
    height, width = image.shape[1:]
    scale = min(1.0, PREVIEW / max(height, width))
    return jpeg_address(
        resized(image, (max(1, round(height * scale)), max(1, round(width * scale))))
    )


def _page(step: Step, left: float | None, picture: str) -> str:
    shown = (
        f'<img src="{picture}" alt="" style="display:block;margin-bottom:4px">' if picture else ""
    )
    value = f'value="{step.done}" max="{max(1, step.total)}"' if step.total else ""
    return (
        f"<div>{shown}"
        f'<progress {value} style="width:300px;height:16px;vertical-align:middle"></progress> '
        f'<span style="font-size:90%">{escape(_line(step, left))}</span></div>'
    )


def _line(step: Step, left: float | None = None) -> str:
    parts = [f"{step.done} of {step.total}"] if step.total else []
    parts += [f"{_time(left)} left"] if left is not None else []
    parts += [step.text] if step.text else []
    return ", ".join(parts)


def _time(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}:{rest:02} min" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02} h"
