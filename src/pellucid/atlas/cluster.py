"""Cluster: the same survey on Ray, by many machines, with the same end."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain, islice
from typing import Any

import torch

from pellucid.atlas import readings_table
from pellucid.atlas.crew import Crew, seen
from pellucid.atlas.gauge import Gauge, Reading, scales_of
from pellucid.atlas.item import Item
from pellucid.atlas.loading import WORKERS, batches
from pellucid.atlas.places import FileReader
from pellucid.atlas.plan import Plan
from pellucid.atlas.rows import Rows, Tables
from pellucid.atlas.store import Store
from pellucid.atlas.stream import reopened
from pellucid.atlas.survey import EVERY, MOST_ROWS, surveyed
from pellucid.atlas.tally import Scale
from pellucid.counted import counted
from pellucid.errors import PellucidError
from pellucid.method import Step
from pellucid.network import Network
from pellucid.surroundings import plain

SHARD = 512  # images that an actor takes at a time, about: they are whole batches


def spread(
    net: Network,
    items: Iterable[Item],
    plan: Plan,
    store: Store,
    *,
    workers: int = WORKERS,
    every: float = EVERY,
    actors: int | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Generator[Step, None, None]:
    """`surveyed`, by actors of a Ray cluster that hold the network each.

    Only names go to the actors, which read and decode the photos themselves, and only what is kept
    comes back. Shards come back in their order and begin where a batch does; best places and
    counts are the same however they are cut. So the store is the same as without Ray, also when
    an actor or a machine dies: Ray gives its shard to another.

    Args:
        actors: how many; None, one for each processor of the cluster, at most.

    Raises:
        PellucidError: Ray is not installed, or the photos are in this process's memory only.
    """
    ray = _ray()
    left = iter(items)
    if store.readings() is None:  # the first batch settles how numbers are counted
        yield from surveyed(net, islice(left, plan.batch), plan, store, workers=workers)
    first = store.manifest.seen
    shards = _shards(left, first, max(1, round(SHARD / plan.batch)) * plan.batch)
    ahead = next(shards, None)
    if ahead is None:
        return
    readings = store.readings()
    if readings is None:
        raise PellucidError(
            f"none of the first {first} photos can be read: begin with others, or without Ray"
        )
    if not ray.is_initialized():
        ray.init(log_to_driver=False)  # the cluster of RAY_ADDRESS, where that is set
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    alike = Crew(net, plan, readings)
    alike.close()
    threads = alike.threads  # of each actor, as of each gauge of this machine: the same last bits
    count = actors or max(1, int(ray.cluster_resources().get("CPU", 1)))
    work = ray.data.from_items(list(chain([ahead], shards))).map_batches(
        _Actor,
        fn_constructor_args=(
            ray.put(net), plan.data(), _plainly(scales_of(readings)), threads, workers,
        ),
        batch_size=1,
        batch_format="numpy",
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=count),
        num_cpus=1,
    )  # fmt: skip
    waiting: list[Tables] = []
    done, written = first, clock()
    for row in work.iter_rows():
        tables, part = _unpacked(row, plan, store.manifest.grids)
        readings = {layer: one.merged(part[layer]) for layer, one in readings.items()}
        waiting.append(tables)
        done += int(row["count"])
        held = done - store.manifest.seen
        if clock() - written >= every or held >= MOST_ROWS:
            store.write(_together(waiting), readings, done)
            waiting, written = [], clock()
        yield Step(done, done, f"{counted(done, 'image')}, {counted(count, 'actor')}")
    if waiting:
        store.write(_together(waiting), readings, done)


class _Actor:
    """Surveys shards in a process of its own."""

    def __init__(
        self, net: Any, plan: dict[str, Any], scales: dict[str, Any], threads: int, workers: int
    ) -> None:
        torch.set_num_threads(threads)
        self.net: Network = _ray().get(net) if not isinstance(net, Network) else net
        self.plan = Plan.read(plan)
        self.scales = {
            name: Scale(torch.tensor(exponent), torch.tensor(low), torch.tensor(high))
            for name, (exponent, low, high) in scales.items()
        }
        self.workers = workers

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        first = int(batch["first"][0])
        names = zip(
            *(batch[name][0] for name in ("uri", "label", "place", "start", "size")), strict=True
        )
        items = [_item(*name) for name in names]
        with plain(self.net.device):
            gauge = Gauge(self.net, self.plan, scales=dict(self.scales))
        rows = Rows(self.plan)
        work = batches(self.net, enumerate(items, first), self.plan.batch, self.workers)
        try:
            for some in work:
                with plain(self.net.device):
                    rows.add(some, seen(gauge, some))
        finally:
            work.close()
        found = rows.tables()
        parts = (found.images, found.failed, *readings_table.tables(gauge.readings))
        return {"count": [len(items)]} | {
            name: [b"" if part is None else _bytes(part)]
            for name, part in zip(PARTS, parts, strict=True)
        }


PARTS = ("images", "failed", "patches", "statistics")


def _shards(items: Iterator[Item], first: int, size: int) -> Iterator[dict[str, Any]]:
    while some := list(islice(items, size)):
        places = [_place(item) for item in some]
        yield {
            "first": first,
            "uri": [item.uri for item in some],
            "label": [item.label for item in some],
            "place": [place for place, _, _ in places],
            "start": [start for _, start, _ in places],
            "size": [size for _, _, size in places],
        }
        first += len(some)


def _place(item: Item) -> tuple[str, int, int]:
    if isinstance(item.reader, FileReader):
        size = item.reader.size
        return item.reader.place, item.reader.start, -1 if size is None else size
    reopened(item.uri)  # raises where it cannot be found again by its name
    return "", 0, -1


def _item(uri: str, label: str, place: str, start: int, size: int) -> Item:
    if not place:
        return Item(str(uri), str(label), reopened(str(uri)).reader)
    whole = None if size < 0 else int(size)
    return Item(str(uri), str(label), FileReader(str(place), int(start), whole))


def _plainly(scales: dict[str, Scale]) -> dict[str, Any]:
    return {
        name: (one.exponent.tolist(), one.low.tolist(), one.high.tolist())
        for name, one in scales.items()
    }


def _unpacked(
    row: dict[str, Any], plan: Plan, grids: dict[str, list[int]]
) -> tuple[Tables, dict[str, Reading]]:
    images, failed, patches, statistics = (
        _table(row[name]) if len(row[name]) else None for name in PARTS
    )
    return Tables(images, failed), readings_table.read(patches, statistics, plan, grids)


def _together(parts: list[Tables]) -> Tables:
    import pyarrow as pa

    joined = []
    for name in ("images", "failed"):
        tables = [getattr(part, name) for part in parts if getattr(part, name) is not None]
        joined.append(pa.concat_tables(tables) if tables else None)
    return Tables(*joined)


def _bytes(table: Any) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _table(content: bytes) -> Any:
    import pyarrow as pa

    return pa.ipc.open_stream(pa.py_buffer(content)).read_all()


def _ray() -> Any:
    try:
        import ray
        import ray.data
    except ImportError:
        raise PellucidError(
            "a survey on a cluster needs Ray: pip install 'pellucid[ray]'"
        ) from None
    return ray
