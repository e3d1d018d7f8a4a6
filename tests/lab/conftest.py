"""A lab that runs, and a browser to look at it with."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pellucid.app.lab import server
from pellucid.app.lab.lab import Lab

CHROMIUM = Path("/usr/bin/chromium")
NO_BROWSER = "needs Debian's chromium (apt-get install chromium) and pip install playwright"


@dataclass
class Running:
    """A lab and where it is."""

    lab: Lab
    address: str


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    """The lab on the bundled network and a small one with random weights."""
    import uvicorn

    specs = {
        "pane": {"name": "pane"},
        "squeezenet1_1": {"name": "squeezenet1_1", "weights": "random"},
    }
    with server.opened(specs, device="cpu") as lab:
        application = server.app(lab, host="127.0.0.1", password=None)
        bound = server.free("127.0.0.1", 7900)
        config = uvicorn.Config(application, log_level="error", timeout_graceful_shutdown=1)
        serving = uvicorn.Server(config)
        thread = threading.Thread(target=serving.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        while not serving.started:
            time.sleep(0.05)
        yield Running(lab, f"http://127.0.0.1:{bound.getsockname()[1]}")
        serving.should_exit = True
        thread.join(10)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason=NO_BROWSER)
    if not CHROMIUM.exists():
        pytest.skip(NO_BROWSER)
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield chromium
        chromium.close()
