"""`pellucid lab`: the page on this machine where everything can be tried."""

from __future__ import annotations

import os
import webbrowser
from typing import Annotated, Any

import typer

from pellucid.app import flags
from pellucid.app.lab.guard import USER, is_here
from pellucid.app.names import complete_network, networks
from pellucid.app.terminal import Progress, exits, say
from pellucid.assets import BUNDLED
from pellucid.errors import PellucidError

PASSWORD = "PELLUCID_PASSWORD"
PORT = 7860
UNSAFE = (
    f"user {USER}; without TLS the password can be read on the way: put the lab behind a proxy, or "
    "use ssh -L"
)


def lab(
    atlas: Annotated[
        str | None,
        typer.Argument(metavar="ATLAS", help="a collection to look at; see `pellucid atlas build`"),
    ] = None,
    network: Annotated[
        list[str] | None,
        typer.Option(
            "--network",
            metavar="NAME",
            autocompletion=complete_network,
            help="to begin with; several times if wished: timm:NAME, hf:NAME, FILE.py:FACTORY "
            "can be chosen only if they are named here, torchvision's always",
        ),
    ] = None,
    weights: flags.Weights = None,
    labels: flags.Labels = None,
    classes: flags.Classes = None,
    device: flags.Device = "auto",
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="to listen on; another than this machine's own asks a password"
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="NUMBER", min=1, max=65535, help="or the next that is free")
    ] = PORT,
    limit: Annotated[
        int, typer.Option(metavar="SECONDS", min=1, help="that one job may take")
    ] = 600,
    show: Annotated[bool, typer.Option("--open/--no-open", help="show it in the browser")] = True,
) -> None:
    """A page where everything can be tried, on this machine: photos, networks, collections.

    Other machines reach it only with --host, and then it asks for a password, which is read from
    PELLUCID_PASSWORD or asked for here. Ctrl-C ends it.
    """
    with exits():
        from pellucid.app.lab import server

        password = None if is_here(host) else _password()
        specs = _specs(network or [], weights, labels, classes)
        with server.free(host, port) as bound, Progress() as progress:
            progress.say("opening the lab")
            if atlas is not None:
                from pellucid.atlas.atlas import Atlas

                Atlas.open(atlas)
            with server.opened(specs, device=device, place=atlas or "", limit=float(limit)) as made:
                application = server.app(made, host=host, password=password)
                address = server.address(host, bound.getsockname()[1])

                def ready() -> None:
                    progress.bar.stop()
                    say(f"the lab is at {address} (Ctrl-C ends it)")
                    if password:
                        say(UNSAFE)
                    if show:
                        webbrowser.open(address)

                server.serve(application, bound, ready)
        say("the lab is closed; its uploads and results are deleted")


def _password() -> str:
    password = os.environ.get(PASSWORD) or str(
        typer.prompt("password of the lab", hide_input=True, confirmation_prompt=True, err=True)
    )
    if len(password) < 8:
        raise PellucidError("the password has at least 8 characters")
    return password


def _specs(
    named: list[str], weights: str | None, labels: str | None, classes: int | None
) -> dict[str, dict[str, Any]]:
    """Arguments of `load` by name, those that were asked for first."""
    of_one = {"weights": weights, "labels": labels, "classes": classes}
    given = {name: value for name, value in of_one.items() if value is not None}
    if given and len(named) != 1:
        raise PellucidError(f"--{next(iter(given))} is of one network: give one --network NAME")
    specs: dict[str, dict[str, Any]] = {name: {"name": name} | given for name in named}
    for name in [BUNDLED, *networks()]:
        specs.setdefault(name, {"name": name})
    return specs
