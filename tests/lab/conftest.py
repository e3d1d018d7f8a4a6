"""A lab that runs as its users start it, and a browser to look at it with."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path("/usr/bin/chromium")
NO_BROWSER = "needs Debian's chromium (apt-get install chromium) and pip install playwright"


PATIENCE = 90_000  # ms, on a machine that is busy with other tests


@contextmanager
def looking(browser: Any, address: str, **more: Any) -> Iterator[Any]:
    """A page of the lab that answers; it fails where anything is asked of another machine."""
    context = browser.new_context(viewport={"width": 1300, "height": 900}, **more)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address)
    page.wait_for_selector("#set-target")
    yield page
    context.close()
    mine = (address, "data:", "blob:", address.replace("http", "ws"))
    assert [url for url in asked if not url.startswith(mine)] == []
    assert wrong == []


@dataclass
class Running:
    """A lab in a process of its own.

    Attributes:
        folder: of its uploads and results.
    """

    address: str
    folder: Path
    process: subprocess.Popen[str]


def started(folder: Path, *words: str) -> Running:
    """`pellucid lab` with its temporary folder inside of a given one."""
    environment = os.environ | {"TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}
    code = "from pellucid.app.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "lab", *words, "--no-open", "--port", "7900"],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    line = process.stdout.readline()
    found = re.match(r"the lab is at (http://127\.0\.0\.1:\d+) \(Ctrl-C ends it\)$", line)
    assert found, line + process.stderr.read()
    (own,) = folder.glob("pellucid-lab-*")
    return Running(found[1], own, process)


def ended(running: Running, how: signal.Signals) -> str:
    """Ends it by a signal; what it says then."""
    running.process.send_signal(how)
    told, wrong = running.process.communicate(timeout=60)
    assert running.process.returncode == 0 and not wrong, wrong
    return told


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The lab on the bundled network."""
    made = started(tmp_path_factory.mktemp("lab"))
    yield made
    made.process.kill()
    made.process.communicate()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window, closed with the file: two drivers in one process refuse to run."""
    playwright = pytest.importorskip("playwright.sync_api", reason=NO_BROWSER)
    if not CHROMIUM.exists():
        pytest.skip(NO_BROWSER)
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield chromium
        chromium.close()
