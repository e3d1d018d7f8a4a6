"""Worker: a process of its own that does the heavy jobs, so that none of them can end the page.

`python -m pellucid.app.lab.worker` reads jobs from its standard input and writes what becomes of
them to its standard output; it ends when its input does.
"""

from __future__ import annotations

import ctypes
import gc
import os
import queue
import sys
import threading
import time
from contextlib import suppress
from typing import IO, Any

from pellucid.app.lab import wire
from pellucid.app.lab.wire import Message, receive
from pellucid.errors import PellucidError
from pellucid.method import Step
from pellucid.progress import finished

SOON = 0.4  # s between two previews


class _Reporter:
    """Sends steps, pictures not too often, and passes the wish to stop on to the work."""

    def __init__(self, out: IO[bytes], job: int, stopped: threading.Event) -> None:
        self.out, self.job, self.stopped = out, job, stopped
        self.last = 0.0
        self.told = False

    def __call__(self, step: Step) -> None:
        now = time.monotonic()
        if now - self.last >= SOON or step.done == step.total:
            self.last = now
            wire.send(
                self.out,
                {
                    "news": "step",
                    "job": self.job,
                    "done": step.done,
                    "total": step.total,
                    "text": step.text,
                },
                [_preview(step)] if step.picture is not None else [],
            )
        if self.stopped.is_set() and not self.told:
            self.told = True  # once: what the work does after it is to come to an end
            raise KeyboardInterrupt


def main() -> None:
    """Works until the page has gone."""
    into, out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anything prints is for people, not for the wire
    jobs: queue.Queue[Message] = queue.Queue()
    stops: dict[int, threading.Event] = {}

    def listen() -> None:
        while (message := receive(into)) is not None:
            number = message.facts["job"]
            if message.facts.get("stop"):
                stops.setdefault(number, threading.Event()).set()
            else:
                jobs.put(message)
        os._exit(0)  # the page has gone

    first = receive(into)
    if first is None:
        return
    threading.Thread(target=listen, daemon=True).start()
    from pellucid import images
    from pellucid.app.lab.bench import Bench

    bench = Bench(**first.facts["bench"])
    images.MOST_PIXELS = bench.pixels  # of this process, which opens what strangers upload
    while True:
        facts = jobs.get().facts
        stopped = stops.setdefault(facts["job"], threading.Event())
        _do(bench, facts, out, stopped)
        stops.pop(facts["job"], None)


def _do(bench: Any, facts: dict[str, Any], out: IO[bytes], stopped: threading.Event) -> None:
    from pellucid.app.lab.tasks import task

    job = facts["job"]
    files: list[bytes] = []
    try:
        work = task(facts["task"])(bench, **facts["given"])
        outcome = finished(work, _Reporter(out, job, stopped))
        files = list(outcome.files.values())
        end: dict[str, Any] = {"news": "done", "facts": outcome.facts, "names": list(outcome.files)}
    except PellucidError as error:
        end = {"news": "wrong", "text": str(error)}
    except KeyboardInterrupt:
        end = {"news": "stopped"}
    except MemoryError:
        end = {"news": "failed", "text": "there is not enough memory for this"}
    except Exception as error:
        text = " ".join(str(error).split())[:300]
        end = {"news": "failed", "text": f"{type(error).__name__}: {text}"}
    work = outcome = None  # type: ignore[assignment]
    _give_back()
    wire.send(out, end | {"job": job, "memory": memory()}, files)


def _preview(step: Step) -> bytes:
    from pellucid.images import Photo, thumbnail

    assert step.picture is not None
    eight = (step.picture.detach().cpu().float().clamp(0, 1) * 255).round().byte()
    return thumbnail(Photo(eight.expand(3, -1, -1)), 512)


def _give_back() -> None:
    """Memory that the job does not need any more, back to the machine."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if sys.platform == "linux":
        with suppress(AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)


def memory(process: int | str = "self") -> int:
    """Bytes that a process holds in memory; 0 where the system does not say."""
    try:
        with open(f"/proc/{process}/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


if __name__ == "__main__":
    main()
