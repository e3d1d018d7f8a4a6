"""Survey: one pass over a collection, from which everything else is read."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain

from pellucid.atlas.crew import Crew
from pellucid.atlas.gauge import Reading
from pellucid.atlas.item import Item
from pellucid.atlas.loading import WORKERS, Loaded, Unread, batches
from pellucid.atlas.plan import Plan
from pellucid.atlas.rows import Rows
from pellucid.atlas.store import Store
from pellucid.counted import counted
from pellucid.errors import PellucidError
from pellucid.method import Step
from pellucid.network import Network

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
    done = store.manifest.seen
    crew = Crew(net, plan, store.readings())
    rows = Rows(plan)
    written = clock()
    work = batches(net, enumerate(items, done), plan.batch, workers)
    try:
        for some in crew.run(work):
            for batch, seen in some:
                rows.add(batch, seen)
                done += len(batch)
            # A batch that is not full is the last one.
            over = len(some[-1][0]) < plan.batch
            if clock() - written >= every or rows.count >= MOST_ROWS or over:
                store.write(rows.tables(), crew.readings, done)
                rows, written = Rows(plan), clock()
            unread = f", {store.failures:,} unread" if store.failures else ""
            text = counted(done, "image") + unread
            yield Step(done, max(total, done), text)
    finally:
        crew.close()
        work.close()  # the workers end before the store is left
    if rows.count:
        store.write(rows.tables(), crew.readings, done)


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
    crew = Crew(net, plan, None)
    images: list[Loaded] = []
    failed: list[Unread] = []
    work = batches(net, enumerate(items), plan.batch, workers)
    try:
        for some in crew.run(work):
            for batch, seen in some:
                rows = Rows(plan)
                rows.add(batch, seen)
                images += rows.images
                failed += rows.failed
            done = len(images) + len(failed)
            yield Step(done, max(total, done), counted(done, "image"))
    finally:
        crew.close()
        work.close()
    return crew.readings, images, failed
