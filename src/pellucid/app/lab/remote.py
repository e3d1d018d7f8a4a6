"""Remote: the worker's process, from the desk's side."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import Any

from pellucid.app.lab import wire
from pellucid.app.lab.wire import Message

BEAT = 0.25  # s between two looks at the worker


class Remote:
    """The worker's process, from the desk's side.

    Attributes:
        busy: whether it is at a job.
        memory: bytes that it held after its last job.
    """

    def __init__(self, bench: dict[str, Any]) -> None:
        self.process = subprocess.Popen(
            # -P: nothing is imported from the folder that the lab was started in.
            [sys.executable, "-P", "-m", "pellucid.app.lab.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.messages: queue.Queue[Message | None] = queue.Queue()
        self.busy, self.memory, self.ended = False, 0, False
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self._send({"bench": bench})

    @property
    def alive(self) -> bool:
        """Whether it can be asked for anything."""
        return not self.ended

    def begin(self, job: int, task: str, given: dict[str, Any]) -> None:
        """Sends a job."""
        self.busy = True
        self._send({"job": job, "task": task, "given": given})

    def tell_to_stop(self, job: int) -> None:
        """Asks a job to come to an end."""
        self._send({"job": job, "stop": True})

    def end(self, job: int, seconds: float) -> None:
        """Tells a job to stop, and waits a little for its end."""
        self.tell_to_stop(job)
        last = time.monotonic() + seconds
        while self.busy and self.alive and time.monotonic() < last:
            self.message(job)

    def message(self, job: int) -> Message | None:
        """The next one of this job; None if there is none within a beat."""
        try:
            message = self.messages.get(timeout=BEAT)
        except queue.Empty:
            return None
        if message is None:
            self.ended = True
            return None
        if message.facts["job"] != job:
            return None
        if message.facts["news"] != "step":
            self.busy, self.memory = False, message.facts["memory"]
        return message

    def how_it_ended(self) -> str:
        """Its exit code or signal; waits for it."""
        code = self.process.wait()
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def kill(self) -> None:
        """Ends it at once."""
        self.ended = True
        self.process.kill()
        self.process.wait()
        self.reader.join()  # at the end of what the process has said
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(OSError):  # of what could not be sent any more
                pipe.close()  # type: ignore[union-attr]

    def _send(self, facts: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        with suppress(OSError, ValueError):  # it has ended, which its reader notices
            wire.send(self.process.stdin, facts)

    def _read(self) -> None:
        assert self.process.stdout is not None
        while (message := wire.receive(self.process.stdout)) is not None:
            self.messages.put(message)
        self.messages.put(None)
