"""Tasks: what a worker can be asked for, by name. Each yields steps and returns an outcome."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from importlib import import_module
from pathlib import Path
from typing import Any

from pellucid.app.lab.bench import Bench
from pellucid.app.lab.outcome import Outcome
from pellucid.app.output import usual_name
from pellucid.errors import PellucidError, Unknown
from pellucid.film import asked
from pellucid.heatmap import Mapped
from pellucid.method import Step
from pellucid.register import entry
from pellucid.script import script

Task = Callable[..., Generator[Step, None, Outcome]]
HIDDEN = ("folder", "file")  # settings that name places on this machine: not from a page
# Where the others are; each of these modules has a dictionary TASKS of its own.
MORE = ("pellucid.app.lab.network_tasks", "pellucid.app.lab.atlas_tasks")


def task(name: str) -> Task:
    """A task by its name.

    Raises:
        Unknown: there is no such task.
    """
    known = {"method": run}
    for module in MORE:
        known |= import_module(module).TASKS
    if name not in known:
        raise Unknown("task", name, known)
    return known[name]


def run(
    bench: Bench,
    *,
    method: str,
    network: str,
    photos: dict[str, list[list[str]]],
    settings: dict[str, Any],
    over: bool = False,
) -> Generator[Step, None, Outcome]:
    """A method of the register.

    Args:
        photos: by argument, each as where it is and what it is called.
        over: whether a map is drawn over its photo.

    Raises:
        PellucidError: whatever the method says; or a setting that names a place on this machine.
    """
    chosen = entry(method).load()
    for name in settings:
        known = chosen.options.get(name)
        if known is not None and known.help.names in HIDDEN:
            raise PellucidError(f"{name} names a file on this machine: it is set in the shell only")
    opened: dict[str, Any] = {}
    for name, given in photos.items():
        several = [bench.photo(source, called) for source, called in given]
        if several:
            opened[name] = tuple(several) if len(several) > 1 else several[0]
    yield Step(0, 1, network)
    net = bench.network(network)
    result = yield from chosen.steps(net, **opened, **settings)
    if over and isinstance(result, Mapped):
        result = result.over()
    ending = ".gif" if asked(settings).ENDINGS[0] == ".gif" else ".png"
    words = [method.replace("_", "-")]
    words += [
        Path(called or source).stem.replace("photo:", "")
        for source, called in (one for given in photos.values() for one in given[:1])
    ]
    words += [
        str(settings[name])
        for name, known in chosen.options.items()
        if known.kind == "setting" and known.positional and settings.get(name)
    ]
    file = str(usual_name(words, ending))
    recipe = result.recipe
    text = json.dumps(json.loads(recipe.json()), indent=1)
    return Outcome(
        {
            "caption": result.caption,
            "facts": result.facts,
            "cells": [[name, *box] for name, box in result.cells()],
            "recipe": json.loads(recipe.json()),
            "command": recipe.command(),
            "python": script(recipe, file),
        },
        {file: result.file(ending), str(usual_name(words, ".json")): text.encode()},
    )
