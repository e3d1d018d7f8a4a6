"""progress(): one bar for each cell of a notebook, in place, gone at the end; nothing elsewhere."""

import subprocess
import sys
from collections.abc import Generator, Iterator
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import pellucid as pl
from pellucid.method import Step

bars = import_module("pellucid.progress")  # as an attribute the name is the function


class Shell:
    """What a notebook's kernel offers, as far as a bar needs it; keeps what was displayed."""

    def __init__(self) -> None:
        self.execution_count = 1
        self.kernel: Any = object()
        self.display_pub = self
        self.sent: list[tuple[str, str, bool]] = []

    def publish(self, data: dict[str, str], *, transient: dict[str, str], update: bool) -> None:
        assert set(data) == {"text/html", "text/plain"}
        self.sent.append((transient["display_id"], data["text/html"], update))


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    made = Shell()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: made))
    monkeypatch.setattr(bars, "PATIENCE", 0.0)
    monkeypatch.setattr(bars, "EVERY", 0.0)
    bars._displayed.clear()
    yield made
    pl.progress(True)


def work(steps: int = 3, text: str = "climbing") -> Generator[Step, None, str]:
    try:
        for done in range(1, steps + 1):
            yield Step(done, steps, text, torch.rand(3, 300, 600) if done == 2 else None)
    except KeyboardInterrupt:
        return f"stopped at {done}"
    return "made"


def test_one_bar_in_place_and_none_at_the_end(shell: Shell) -> None:
    assert pl.follow(work(text="<b>")) == "made"
    names, pages, updates = zip(*shell.sent, strict=True)
    assert names == ("pellucid-1",) * 4 and updates == (False, True, True, True)
    assert pages[-1] == ""
    assert '<progress value="1" max="3"' in pages[0] and "&lt;b&gt;" in pages[0]
    assert "<img" not in pages[0] and "data:image/jpeg" in pages[1]
    assert "data:image/jpeg" in pages[2], "the last picture stays until there is another"
    assert not any("<script" in page or "<style" in page for page in pages)


def test_all_the_work_of_one_cell_has_one_place(shell: Shell) -> None:
    pl.follow(work())
    pl.follow(work())
    shell.execution_count = 2
    pl.follow(work())
    opened = [name for name, _, update in shell.sent if not update]
    assert opened == ["pellucid-1", "pellucid-2"]


def test_a_call_of_a_method_has_a_bar(shell: Shell, tiny: pl.Network, cat: pl.Photo) -> None:
    made = pl.dream(tiny, cat, "grouped", steps=2, octaves=1, size=40)
    assert made.caption and len(shell.sent) == 3 and shell.sent[-1][1] == ""
    before = len(shell.sent)
    assert pl.dream.bare(tiny, cat, "grouped", steps=2, octaves=1, size=40).values.equal(
        made.values
    )
    assert len(shell.sent) == before, "a method within a method has none of its own"


def test_it_may_be_switched_off(shell: Shell) -> None:
    pl.progress(False)
    assert pl.follow(work()) == "made" and not shell.sent
    pl.progress()
    assert pl.follow(work()) == "made" and shell.sent


def test_the_stop_button_keeps_what_there_is(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: Any, **__: Any) -> None:
        monkeypatch.undo()  # the next one is let through
        raise KeyboardInterrupt

    monkeypatch.setattr(shell, "publish", stopped)
    assert pl.follow(work(9)) == "stopped at 1"


def test_an_error_takes_the_bar_away(shell: Shell) -> None:
    def failing() -> Generator[Step, None, None]:
        yield Step(1, 2)
        raise pl.PellucidError("no")

    with pytest.raises(pl.PellucidError, match="no"):
        pl.follow(failing())
    assert shell.sent[-1][1] == ""


def test_quick_work_shows_nothing_and_the_time_left_is_that_of_the_rest() -> None:
    now = [100.0]
    shell = Shell()
    bar = bars.Bar(shell, lambda: now[0])
    bars._displayed.clear()
    for done, seconds in ((3, 0.1), (4, 0.3)):
        now[0] = 100 + seconds
        bar.step(Step(done, 100))
    bar.close()
    assert not shell.sent
    now[0] = 110.1  # ten seconds after step 3
    bar.step(Step(8, 100))
    assert "8 of 100, 3:04 min left" in shell.sent[0][1]  # 92 steps at 2 s
    now[0] = 110.2
    bar.step(Step(9, 100))
    assert len(shell.sent) == 1, "no more often than the eye follows"


@pytest.mark.parametrize("kernel", [None, "no shell at all"])
def test_a_terminal_has_no_bar(
    kernel: Any, shell: Shell, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    shell.kernel = None
    if kernel:
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert pl.follow(work()) == "made"
    assert not shell.sent and capfd.readouterr() == ("", "")


def test_nothing_of_a_notebook_is_imported() -> None:
    code = (
        "import sys, pellucid as pl; pl.follow(x for x in ())\n"
        "print([name for name in ('IPython', 'ipykernel', 'ipywidgets') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
