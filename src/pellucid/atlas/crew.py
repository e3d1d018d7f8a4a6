"""Crew: several gauges side by side, each with its share of the processor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import torch

from pellucid.atlas.gauge import Gauge, Reading, Seen
from pellucid.atlas.loading import Loaded, Unread
from pellucid.atlas.plan import Plan
from pellucid.errors import PellucidError
from pellucid.memory import is_full
from pellucid.network import Network
from pellucid.surroundings import plain

MOST = 4  # gauges: each holds the maps of a batch
Batch = list[Loaded | Unread]


class Crew:
    """Sends batches through a network, several at a time where a processor does the work.

    Its cores wait for each other at the end of every operation, and for the photos' decoding; with
    a batch each they need not. On a GPU one batch is at work at a time.

    What is counted does not depend on who counted it, so that a crew finds what one gauge finds.

    Attributes:
        threads: that torch has for each batch. The last bits of a number may depend on it.
    """

    def __init__(self, net: Network, plan: Plan, readings: dict[str, Reading] | None) -> None:
        self.device = net.device
        with plain(self.device):
            self.gauges = [Gauge(net, plan, readings)]
        whole = torch.get_num_threads()
        count = min(MOST, whole) if self.device.type == "cpu" and self.gauges[0].copied else 1
        self.threads = max(1, whole // count)
        self.gauges += [self.gauges[0].beside() for _ in range(1, count)]
        self.pools = [
            ThreadPoolExecutor(1, thread_name_prefix="pellucid-gauge") for _ in range(count)
        ]

    @property
    def readings(self) -> dict[str, Reading]:
        """Of all batches that have come back from `run`."""
        found = dict(self.gauges[0].readings)
        for other in self.gauges[1:]:
            found = {name: one.merged(other.readings[name]) for name, one in found.items()}
        return found

    def run(self, work: Iterable[Batch]) -> Iterator[list[tuple[Batch, Seen | None]]]:
        """Batches in their order with what was seen of them, as many together as there are gauges.

        None where a batch has no image that could be read.

        Raises:
            PellucidError: memory has run out.
        """
        left = iter(work)
        # The first settles how numbers are counted, for all of the gauges.
        while some := list(islice(left, len(self.gauges) if self.gauges[0].scales else 1)):
            # Of torch's modes those are set here that are the whole program's; the others are a
            # thread's own, and as they should be in a new one.
            whole = torch.get_num_threads()
            try:
                with plain(self.device):
                    waiting = [
                        pool.submit(self._seen, gauge, batch)
                        for pool, gauge, batch in zip(self.pools, self.gauges, some, strict=False)
                    ]
                    found = [each.result() for each in waiting]
            finally:
                torch.set_num_threads(whole)  # what a gauge sets is what later threads begin with
            yield list(zip(some, found, strict=True))

    def _seen(self, gauge: Gauge, batch: Batch) -> Seen | None:
        torch.set_num_threads(self.threads)  # of this thread
        return seen(gauge, batch)

    def close(self) -> None:
        """Ends the threads, after the batches that they are at."""
        for pool in self.pools:
            pool.shutdown(wait=True, cancel_futures=True)


def seen(gauge: Gauge, batch: Batch) -> Seen | None:
    """A batch's images through a gauge; None where it has none.

    Raises:
        PellucidError: memory has run out.
    """
    images = [one for one in batch if isinstance(one, Loaded)]
    if not images:
        return None
    try:
        return gauge.run([one.crop for one in images], [one.number for one in images])
    except Exception as error:
        if is_full(error):
            raise PellucidError(
                f"memory ran out with {len(images)} images at a time: give a smaller batch"
            ) from None
        raise
