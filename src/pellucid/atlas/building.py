"""Building: surveys into a new atlas, into an interrupted one, and of more images."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from itertools import islice
from typing import Any, Literal, get_args

from pellucid.atlas import stream as streams
from pellucid.atlas.atlas import Atlas
from pellucid.atlas.folder import Folder, lance
from pellucid.atlas.item import Item
from pellucid.atlas.loading import WORKERS
from pellucid.atlas.manifest import NAME, Manifest
from pellucid.atlas.plan import Plan
from pellucid.atlas.store import IMAGES, Store, linked
from pellucid.atlas.survey import EVERY, checked, surveyed
from pellucid.counted import counted
from pellucid.errors import PellucidError, Unknown
from pellucid.method import Step
from pellucid.network import Network

Engine = Literal["local", "ray"]


def building(
    path: str | os.PathLike[str],
    net: Network,
    photos: Any,
    *,
    force: bool = False,
    workers: int = WORKERS,
    every: float = EVERY,
    engine: Engine = "local",
    **plan: Any,
) -> Generator[Step, None, Atlas]:
    """`Atlas.build` step by step."""
    lance()
    source = streams.stream(photos)
    wanted = Plan.of(net, **plan)
    folder = Folder(path)
    text = folder.read(NAME)
    before = Manifest.read(text, folder.place) if text is not None else None
    if before is not None and force:
        before = None
    if before is None:
        items = checked(iter(source), source.source)  # nothing is made for an empty folder
        folder.make()
        with folder.alone():
            folder.write(NAME, Manifest.of(net, wanted).but(sources=(source.source,)).text())
    else:
        _same(before, net, wanted, source, folder.place)
        items = iter(source)
    store = Store.open(path)
    with store.writing(net):
        left = _behind(items, store.manifest.seen, store.manifest.chain, folder.place)
        yield from _survey(net, left, store, workers, every, engine)
    return Atlas(store, net, source)


def appending(
    path: str | os.PathLike[str],
    net: Network,
    photos: Any,
    *,
    workers: int = WORKERS,
    every: float = EVERY,
    engine: Engine = "local",
) -> Generator[Step, None, Atlas]:
    """`Atlas.append` step by step."""
    source = streams.stream(photos)
    store = Store.open(path)
    if not store.manifest.finished and store.manifest.begun == 0:
        raise PellucidError(
            f"{store.folder.place} is not finished: `build` with the same photos goes on with it"
        )
    with store.writing(net):
        store.set(
            store.manifest.but(
                sources=tuple(dict.fromkeys([*store.manifest.sources, source.source])),
                begun=store.manifest.seen,
                finished=False,
            )
        )
        known = set(store.table(IMAGES, ["uri"])["uri"].to_pylist())
        if store.failures:
            known |= set(store.table("failed", ["uri"])["uri"].to_pylist())
        items = checked(iter(source), source.source)
        yield from _survey(net, _new(items, known), store, workers, every, engine)
    return Atlas(store, net, source if len(store.manifest.sources) == 1 else None)


def _survey(
    net: Network, items: Iterator[Item], store: Store, workers: int, every: float, engine: Engine
) -> Generator[Step, None, None]:
    plan = store.manifest.plan
    if engine == "ray":
        from pellucid.atlas.cluster import spread

        yield from spread(net, items, plan, store, workers=workers, every=every)
    elif engine == "local":
        yield from surveyed(net, items, plan, store, workers=workers, every=every)
    else:
        raise Unknown("engine", engine, get_args(Engine))
    if not store.manifest.images:
        raise PellucidError(
            f"none of the {store.manifest.seen} images could be read: {_first_reason(store)}"
        )
    store.set(store.manifest.but(finished=True))


def _first_reason(store: Store) -> str:
    return str(store.table("failed", ["reason"])["reason"][0])


def _same(before: Manifest, net: Network, plan: Plan, source: Any, place: str) -> None:
    before.check(net, place)
    if before.finished:
        raise PellucidError(
            f"{place} is there already, with {counted(before.images, 'image')}: `append` adds to "
            f"it, --force (force=True) makes it anew"
        )
    then, now = before.plan.apart(plan)
    if before.sources != (source.source,):
        then, now = [", ".join(before.sources), *then], [source.source, *now]
    if then:
        raise PellucidError(
            f"{place} was begun with {', '.join(then)}, not {', '.join(now)}: go on as it was "
            f"begun, or --force (force=True) makes it anew"
        )


def _behind(items: Iterator[Item], seen: int, chain: str, place: str) -> Iterator[Item]:
    """The items behind those that were seen, which must be the same as then."""
    found, count = "", 0
    for item in islice(items, seen):
        found, count = linked(found, item.uri), count + 1
    if found != chain or count != seen:
        raise PellucidError(
            f"the photos are no longer those that {place} was begun with: --force (force=True) "
            f"makes it anew"
        )
    return items


def _new(items: Iterator[Item], known: set[str]) -> Iterator[Item]:
    for item in items:
        if item.uri not in known:
            known.add(item.uri)
            yield item
