"""The command line: one command for each method of the register, and a few to look things up.

`pellucid --help` needs names and summaries only, which the register reads from source text. A
method's own module, and with it torch, is imported when its command is run or asked for help.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

import pellucid
from pellucid.__main__ import INTERRUPTED, STOPPED
from pellucid.app import lab_command, lookup, tour_command
from pellucid.app.doctor import doctor
from pellucid.app.stream import utf8, writing
from pellucid.app.terminal import complain, exits, note
from pellucid.entry import Entry
from pellucid.errors import PellucidError, Unknown
from pellucid.register import listed, rivals

PANELS = {
    "see": "See what it computes",
    "explain": "Explain an answer",
    "make": "Make pictures",
    "atlas": "Survey many photos",
}


# Methods with several commands, and where those are.
GROUPS = {"stylist": "pellucid.app.stylist_command"}
# Commands of several that are no method, and what they are for.
SEVERAL = {
    "atlas": ("pellucid.app.atlas", "A whole collection through a network, once, and what it shows")
}


@contextmanager
def _stoppable() -> Iterator[None]:
    """Ctrl-C before a command has begun, or after it has ended, is told as during it."""
    try:
        yield
    except KeyboardInterrupt:
        complain(STOPPED)
        raise typer.Exit(INTERRUPTED) from None


class _Commands(TyperGroup):
    """Puts the whole command in the place of its line in the help, once it is asked for."""

    def invoke(self, ctx: Any) -> Any:
        with _stoppable():
            return super().invoke(ctx)

    def make_context(self, *words: Any, **more: Any) -> Any:
        with _stoppable():
            return super().make_context(*words, **more)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            complain(str(Unknown("command", args[0], self.commands)))
            raise typer.Exit(2)
        name, command, rest = super().resolve_command(ctx, args)
        if name in SEVERAL:
            return name, _several(*SEVERAL[name]), rest
        if name not in METHODS or ctx.parent is not None:  # `atlas map` is no method `map`
            return name, command, rest
        for told in rivals(METHODS[name].name) if "--quiet" not in rest else []:
            note(told)
        return name, _whole(METHODS[name]), rest


def _whole(entry: Entry) -> Any:
    with exits():
        from pellucid.app.commands import build

        if entry.command in GROUPS:
            return _several(GROUPS[entry.command], entry.summary)
        alone, method = _typer(), entry.load()
        try:
            alone.command(entry.command)(build(method))
            return typer.main.get_command(alone)
        except TypeError as error:  # a setting that has the name of a flag of every command
            if entry.package:
                raise entry.broken(str(error)) from error
            raise


def _several(module: str, summary: str) -> Any:
    with exits():
        several = _typer(cls=_Commands, help=escape(summary))
        for name, command in import_module(module).found().items():
            several.command(name)(command)
        return typer.main.get_command(several)


def _typer(**more: Any) -> typer.Typer:
    settings = {"help_option_names": ["--help", "-h"]}
    return typer.Typer(
        add_completion="name" in more,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings=settings,
        **more,
    )


def _stub() -> None:
    """Never run: `_Commands` puts the command itself in its place."""


app = _typer(cls=_Commands, name="pellucid")


@app.callback(invoke_without_command=True)
def start(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Say the version.")] = False,
) -> None:
    """See through vision networks: what their filters, units and layers look for.

    Begin with [bold]pellucid tour[/bold], or [bold]pellucid saliency photo:cat[/bold]. Each
    command explains itself: [bold]pellucid saliency --help[/bold].
    """
    if version:
        typer.echo(f"pellucid {pellucid.__version__}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


METHODS = {each.command: each for each in listed()}

app.command("tour", rich_help_panel="Start here")(tour_command.tour)
app.command("lab", rich_help_panel="Start here")(lab_command.lab)
for _entry in METHODS.values():
    app.command(
        _entry.command,
        help=escape(_entry.summary if not _entry.problem else f"Cannot be used: {_entry.problem}"),
        rich_help_panel=PANELS.get(_entry.room, f"From {_entry.package}"),
    )(_stub)
for _name, (_, _summary) in SEVERAL.items():
    app.command(_name, help=escape(_summary), rich_help_panel=PANELS["atlas"])(_stub)
for _command in (lookup.networks, lookup.layers, lookup.photos, lookup.replay, doctor):
    app.command(rich_help_panel="Look things up")(_command)


def main() -> None:
    """What the shell calls."""
    utf8()
    try:
        with writing():  # help and version, for each command looks after itself
            app(prog_name="pellucid")
    except PellucidError as error:
        complain(str(error))
        sys.exit(2)
