"""Does the lab hold steady? A thousand requests in a row, and the memory after each hundred.

`python benchmarks/lab.py [REQUESTS]` starts the lab as its users do, asks it through gradio_client
for several methods in turn, and prints the memory of the page's process and of its worker, and
what a request costs beside the same call in this process.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from statistics import median
from typing import Any

ASKED: list[tuple[str, dict[str, list[str]], dict[str, Any]]] = [
    ("saliency", {"photo": ["photo:cat"]}, {}),
    ("predict", {"photo": ["photo:coffee"]}, {}),
    ("activations", {"photo": ["photo:rocket"]}, {"layer": "relu5"}),
    ("cam", {"photo": ["photo:motorcycle"]}, {"way": "gradcam++"}),
    ("filters", {}, {}),
    ("feature", {}, {"want": "relu3:5", "steps": 4, "recipe": "simple"}),
    ("saliency", {"photo": ["photo:nothing"]}, {}),  # a wrong request
]


def main() -> None:
    """Prints a line for each hundred."""
    from gradio_client import Client
    from gradio_client.exceptions import AppError

    import pellucid as pl
    from pellucid.app.lab.worker import memory

    warnings.simplefilter("ignore", ResourceWarning)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    code = "from pellucid.app.cli import main; main()"
    home = tempfile.TemporaryDirectory()
    lab = subprocess.Popen(
        [sys.executable, "-c", code, "lab", "--no-open"],
        stdout=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": home.name},
    )  # fmt: skip
    assert lab.stdout is not None
    found = re.search(r"http://[\d.:]+", lab.stdout.readline())
    assert found
    client = Client(found[0], verbose=False, download_files=False)
    times: list[float] = []
    print(f"{'requests':>8} {'page, MB':>9} {'worker, MB':>11} {'files':>6} {'s each':>7}")
    for number in range(1, count + 1):
        method, photos, settings = ASKED[number % len(ASKED)]
        begun = time.perf_counter()
        try:
            client.predict(method, photos, settings, "pane", False, [], api_name="/run")
        except AppError:
            assert photos == {"photo": ["photo:nothing"]}
        if method == "saliency" and photos == ASKED[0][1]:
            times.append(time.perf_counter() - begun)
        if number % 100 == 0 or number == count:
            (worker,) = children(lab.pid)
            held = [memory(process) / 1e6 for process in (lab.pid, worker)]
            files = sum(1 for path in Path(home.name).rglob("*") if path.is_file())
            print(f"{number:8} {held[0]:9.0f} {held[1]:11.0f} {files:6} {median(times):7.3f}")
    net = pl.load(device="cpu")
    own = []
    for _ in range(20):
        begun = time.perf_counter()
        pl.saliency(net, "photo:cat")._repr_png_()
        own.append(time.perf_counter() - begun)
    print(f"saliency: {median(times) / median(own):.2f} times the call in Python and its PNG")
    lab.send_signal(signal.SIGINT)
    lab.wait(30)
    home.cleanup()


def children(process: int) -> list[int]:
    """The processes that a process has started."""
    with open(f"/proc/{process}/task/{process}/children") as file:
        return [int(word) for word in file.read().split()]


if __name__ == "__main__":
    main()
