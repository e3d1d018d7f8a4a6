"""`pellucid doctor`: what is installed here, and what is wrong with it."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

import typer

import pellucid
from pellucid.app import flags
from pellucid.app.terminal import Progress, complain, exits, harmless, say, say_json, show, table

if TYPE_CHECKING:
    from pellucid.app.checkup import Checkup


def doctor(json: flags.AsJson = False) -> None:
    """Versions, devices, caches, extras and plug-ins, and whether all is well.

    Ends with 1 where something that pellucid cannot do without is missing or broken.
    """
    with exits():
        with Progress() as progress:
            progress.say("looking at everything")
            from pellucid.app.checkup import Checkup

            found = Checkup.made()
        if json:
            say_json(found.data())
        else:
            tell(found)
        if found.problems:
            raise typer.Exit(1)


def tell(found: Checkup) -> None:
    """The tables, then what is wrong."""
    say(f"pellucid {pellucid.__version__}, Python {platform.python_version()}, "
        f"{platform.platform()}")  # fmt: skip
    made = table("package", "version", "wanted", "")
    for each in found.core:
        state = "" if each.fits else "too old or too new" if each.installed else "missing"
        made.add_row(each.name, each.installed, each.versions, state)
    show(made)
    made = table("extra", "how to get it", "what is missing")
    for name, parts in found.extras.items():
        lacking = ", ".join(str(each) for each in parts if not each.fits)
        line = f"pip install 'pellucid[{name}]'" if lacking else ""
        made.add_row(name, line, lacking or "nothing")
    show(made)
    made = table("device", "what", "free", "memory", right=("free", "memory"))
    for one in found.devices:
        made.add_row(one["name"], one["what"], _bytes(one["free"]), _bytes(one["memory"]))
    show(made)
    made = table("weights of", "size", "files", "in", right=("size", "files"))
    for one in found.caches:
        made.add_row(one["of"], _bytes(one["bytes"]), str(one["files"]), harmless(one["folder"]))
    show(made)
    if found.plugins:
        made = table("plug-in", "of", "version", "problem")
        for one in found.plugins:
            made.add_row(*map(harmless, one.values()))
        show(made)
    for script, face in found.letters.items():
        told = f"are drawn in {face}" if face else f"cannot be drawn: {_remedy()}"
        say(f"{script} letters in pictures {told}")
    if found.network:
        say("the bundled network {name} (weights {weights_hash}) sees {answer} in {photo}".format(
            **found.network))  # fmt: skip
    for problem in found.problems:
        complain(problem)
    if not found.problems:
        say("all is well")


def _remedy() -> str:
    from pellucid.fonts import REMEDY

    return REMEDY


def _bytes(count: int | None) -> str:
    if count is None:
        return ""
    size, units = float(count), ["B", "kB", "MB", "GB"]
    while size >= 1000 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{size:.3g} {units[0]}" if size < 1000 else f"{size:,.0f} {units[0]}"
