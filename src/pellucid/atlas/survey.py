"""Survey: one pass over a collection, from which everything else is read."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain

from pellucid.atlas.gauge import Gauge, Reading
from pellucid.atlas.item import Item
from pellucid.atlas.loading import WORKERS, Loaded, Unread, batches
from pellucid.atlas.plan import Plan
from pellucid.atlas.rows import Rows
from pellucid.atlas.store import Store
from pellucid.errors import PellucidError
from pellucid.memory import is_full
from pellucid.method import Step
from pellucid.network import Network
from pellucid.surroundings import plain

EVERY = 15.0  # seconds of work that a kill may cost
MOST_ROWS = 4096  # kept in memory until they are written


def surveyed(
    net: Network,
    items: Iterable[Item],
    plan: Plan,
    store: Store,
    *,
    total: int = 0,
    workers: int = WORKERS,
    every: float = EVERY,
    clock: Callable[[], float] = time.monotonic,
) -> Generator[Step, None, None]:
    """Takes down what a plan asks for of every image, into a store that is open for writing.

    What is written is written together: killed at any moment, the store holds all of the images up
    to some batch and nothing of those behind it, and goes on there.

    Args:
        items: all images of the collection, or those that the store has not.
        total: how many they are, for the bar; 0 where nobody knows.
        every: seconds between two writings.

    Raises:
        PellucidError: no image could be read, or the store cannot be written.
    """
    first = store.manifest.seen
    with plain(net.device):
        gauge = Gauge(net, plan, store.readings())
    rows = Rows(plan)
    written = clock()
    numbered = ((first + number, item) for number, item in enumerate(items))
    work = batches(net, numbered, plan.batch, workers)
    done = first
    try:
        for batch in work:
            with plain(net.device):
                take(gauge, batch, rows)
            done += len(batch)
            # A batch that is not full is the last one.
            if clock() - written >= every or rows.count >= MOST_ROWS or len(batch) < plan.batch:
                store.write(rows.tables(), gauge.readings, done)
                rows, written = Rows(plan), clock()
            text = f"{done:,} images" + (f", {store.failures:,} unread" if store.failures else "")
            yield Step(done, max(total, done), text)
    finally:
        work.close()  # the workers end before the store is left
    if rows.count:
        store.write(rows.tables(), gauge.readings, done)


def take(gauge: Gauge, batch: list[Loaded | Unread], rows: Rows) -> None:
    """Sends a batch through the network, and takes down what it finds.

    Raises:
        PellucidError: memory has run out.
    """
    images = [one for one in batch if isinstance(one, Loaded)]
    rows.failed += [one for one in batch if isinstance(one, Unread)]
    if not images:
        return
    try:
        seen = gauge.run([one.crop for one in images], [one.number for one in images])
    except Exception as error:
        if is_full(error):
            raise PellucidError(
                f"memory ran out with {len(images)} images at a time: give a smaller batch"
            ) from None
        raise
    rows.add(images, seen)


def checked(items: Iterator[Item], source: str) -> Iterator[Item]:
    """The same items, of which there is at least one.

    Raises:
        PellucidError: there is none.
    """
    first = next(items, None)
    if first is None:
        raise PellucidError(f"there is no image in {source}")
    return chain([first], items)


def in_memory(
    net: Network, items: Iterable[Item], plan: Plan, *, total: int = 0, workers: int = WORKERS
) -> Generator[Step, None, tuple[dict[str, Reading], list[Loaded], list[Unread]]]:
    """The readings of a collection without a store, and its images without their pixels."""
    with plain(net.device):
        gauge = Gauge(net, plan)
    images: list[Loaded] = []
    failed: list[Unread] = []
    work = batches(net, enumerate(items), plan.batch, workers)
    try:
        for batch in work:
            rows = Rows(plan)
            with plain(net.device):
                take(gauge, batch, rows)
            images += rows.images
            failed += rows.failed
            done = len(images) + len(failed)
            yield Step(done, max(total, done), f"{done:,} images")
    finally:
        work.close()
    return gauge.readings, images, failed
