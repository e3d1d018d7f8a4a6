"""`pellucid stylist`: train one, and let it paint photos, folders and videos."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from pellucid import reel
from pellucid.__main__ import INTERRUPTED
from pellucid.album import is_folder
from pellucid.app import commands, flags
from pellucid.app.names import complete_photo
from pellucid.app.output import usual_name
from pellucid.app.terminal import Progress, exits, say, say_json
from pellucid.counted import counted
from pellucid.errors import PellucidError
from pellucid.images import open_image
from pellucid.make.painting.plan import Plan
from pellucid.make.painting.training import half_way, train_stylist
from pellucid.make.painting.works import painted, works
from pellucid.make.stylist import stylist
from pellucid.method import Method

PAINTED = Path("painted")  # the folder for many


def found() -> dict[str, Callable[..., None]]:
    """The commands by name."""
    return {"apply": _apply(), "train": _train()}


def _apply() -> Callable[..., None]:
    photos = typer.Argument(
        metavar="PHOTO...",
        help="a path or photo:NAME (`pellucid photos` lists them), several, videos, or a folder",
        autocompletion=complete_photo,
    )
    out = typer.Option(
        "--out",
        metavar="FILE.png|FOLDER",
        help="where the picture goes, of a video an .mp4, of many a folder (painted, if none)",
        rich_help_panel="What comes out",
    )
    return commands.build(
        stylist,
        _paint,
        {
            "photo": commands.keyword("photo", list[str], photos, inspect.Parameter.empty),
            "out": commands.keyword("out", str | None, out, None),
        },
    )


def _paint(method: Method[Any], given: dict[str, Any]) -> None:
    """One photo as every method does; of more a file each."""
    sources = given["photo"]
    videos = [source for source in sources if reel.is_video(source)]
    if len(sources) == 1 and not videos and not is_folder(sources[0]):
        commands.run(method, given | {"photo": sources[0]})
        return
    settings = commands.checked(method, given)
    if given["arrays"]:
        raise PellucidError("--arrays is for one photo")
    out = None if given["out"] is None else Path(given["out"]).expanduser()
    if len(sources) == 1 and videos and (out is None or out.suffix):
        todo = works(sources, Path())
        target = out or usual_name(["stylist", Path(sources[0]).stem], ".mp4")
        if target.suffix.lower() != ".mp4":
            raise PellucidError(f"a video is saved as .mp4, not {target.name!r}")
        todo = [type(todo[0])(sources[0], target)]
    else:
        todo = works(sources, PAINTED if out is None else out)
    with Progress(quiet=given["quiet"]) as progress:
        progress.say(f"loading {given['network']}")
        net = flags.open_network(
            *(given[name] for name in ("network", "weights", "labels", "classes", "device"))
        )
        report = progress.follow(painted(net, todo, force=given["force"], **settings))
    if given["json"]:
        say_json(
            {
                "saved": [str(file) for file in report.painted],
                "there": report.there,
                "kept": [str(file) for file in report.kept],
                "damaged": report.damaged,
            }
        )
    if report.whole and (report.kept or report.damaged):
        more = "; --force overwrites what is there" if report.kept else ""
        raise PellucidError(f"not all could be painted: {report.told()}{more}")
    if not given["quiet"] and not given["json"]:
        say(report.told())
    if not report.whole:
        raise typer.Exit(INTERRUPTED)


def _train() -> Callable[..., None]:
    def train(**given: Any) -> None:
        with exits(lambda: _stopped(given)):
            _learn(given)

    own = [commands.parameter(known) for known in Plan.options().values()]
    shared = commands.parameters(_asked)
    parameters = [*shared.values(), *own]
    train.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    train.__annotations__ = {each.name: each.annotation for each in parameters}
    train.__doc__ = (
        "Train a network that paints photos in some styles in one pass.\n\n"
        "Ctrl-C keeps what is done, and the same command goes on there."
    )
    return train


def _asked(
    styles: Annotated[
        list[str],
        typer.Argument(
            metavar="STYLE...",
            help="a picture each, a path or photo:NAME; its name is the style's",
            autocompletion=complete_photo,
        ),
    ],
    photos: Annotated[
        str, typer.Option("--photos", metavar="FOLDER", help="of any photos, to learn on")
    ],
    out: Annotated[
        str, typer.Option("--out", metavar="FILE.safetensors", help="where the stylist goes")
    ],
    network: flags.NetworkName = flags.BUNDLED,
    weights: flags.Weights = None,
    labels: flags.Labels = None,
    classes: flags.Classes = None,
    device: flags.Device = "auto",
    force: flags.Force = False,
    json: flags.AsJson = False,
    quiet: flags.Quiet = False,
) -> None:
    """What a training has beside its plan."""


def _stopped(given: dict[str, Any]) -> str:
    """What a training that Ctrl-C ended has kept, and what goes on with it; "": nothing."""
    half = half_way(Path(given["out"]).expanduser())
    same = "the same command" + " without --force" * given["force"]
    return f"stopped; what is learned is in {half}, {same} goes on there" if half.exists() else ""


def _learn(given: dict[str, Any]) -> None:
    plan = {name: commands.meant(known, given[name]) for name, known in Plan.options().items()}
    Plan.of(**plan)
    styles: dict[str, Any] = {}
    for source in given["styles"]:
        name = Path(source.removeprefix("photo:")).stem
        if name in styles:
            raise PellucidError(f"two styles are called {name!r}: rename one of the files")
        styles[name] = open_image(source)
    out = Path(given["out"]).expanduser()
    with Progress(quiet=given["quiet"]) as progress:
        progress.say(f"loading {given['network']}")
        net = flags.open_network(
            *(given[name] for name in ("network", "weights", "labels", "classes", "device"))
        )
        progress.say("reading styles and photos")
        work = train_stylist(net, styles, given["photos"], out, force=given["force"], **plan)
        made = progress.follow(work)
    whole = made.card["steps"] == made.card["plan"]["steps"]
    if given["json"]:
        say_json(made.card | {"saved": [str(out)] if whole else []})
    elif not given["quiet"]:
        steps, damaged = made.card["steps"], made.card["damaged photos"]
        say(f"{', '.join(made.names)}: {steps} of {made.card['plan']['steps']} steps")
        for name, terms in made.card["losses"].items():
            if isinstance(terms, dict):
                say(f"{name}: " + ", ".join(f"{term} {value:.2f}" for term, value in terms.items()))
        if damaged:
            were = "was" if damaged == 1 else "were"
            say(f"{counted(damaged, 'file')} could not be read and {were} left out")
        say(f"saved {out}" if whole else _stopped(given))
    if not whole:
        raise typer.Exit(INTERRUPTED)
