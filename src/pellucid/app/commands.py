"""A command for a method: its arguments, flags and help are those of the function."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer
from rich.markup import escape

from pellucid.album import album, is_folder
from pellucid.app import flags
from pellucid.app.names import complete_photo
from pellucid.app.output import Output, usual_name
from pellucid.app.terminal import Progress, bars, exits, say, say_json, show
from pellucid.assets import BUNDLED
from pellucid.errors import PellucidError
from pellucid.film import asked
from pellucid.heatmap import Mapped
from pellucid.images import Photo, open_image
from pellucid.method import Method
from pellucid.option import Option, kinds
from pellucid.results import Ranking, Result

_SECTION = re.compile(r"^(Args|Returns|Yields|Raises|Example|Examples|Attributes):", re.MULTILINE)


def _shared(
    network: flags.NetworkName = BUNDLED,
    weights: flags.Weights = None,
    labels: flags.Labels = None,
    classes: flags.Classes = None,
    device: flags.Device = "auto",
    out: flags.OutNamed = None,
    over: flags.Over = False,
    opacity: flags.Opacity = None,
    arrays: flags.ArraysKind = None,
    force: flags.Force = False,
    json: flags.AsJson = False,
    quiet: flags.Quiet = False,
) -> None:
    """What every command has beside the method's own settings; see `flags`."""


def build(
    method: Method[Any],
    runs: Callable[[Method[Any], dict[str, Any]], None] | None = None,
    instead: Mapping[str, inspect.Parameter] | None = None,
) -> Callable[..., None]:
    """The function that typer makes a command of.

    Args:
        runs: what the command does in place of `run`.
        instead: parameters in place of those that the method's options give.

    Raises:
        TypeError: a setting of the method has the name of a shared flag.
    """
    shared = parameters(_shared)
    if not any(issubclass(kind, Mapped) for kind in kinds(method.function)):
        del shared["over"], shared["opacity"]
    if _prints(method):
        shared["out"] = shared["out"].replace(annotation=flags.Out)
    own = {
        name: parameter(known) for name, known in method.options.items() if known.kind != "network"
    }
    if own.keys() & shared.keys():
        raise TypeError(f"{method.name}: every command has {sorted(own.keys() & shared.keys())}")

    def command(**given: Any) -> None:
        with exits():
            (runs or run)(method, given)

    wanted = own | shared | dict(instead or {})
    words = list(wanted.values())
    command.__signature__ = inspect.Signature(words)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in words}
    command.__name__ = method.name
    command.__doc__ = _told(method)
    return command


def run(method: Method[Any], given: dict[str, Any]) -> None:
    """Runs a method as the words of a command say; what is wrong is told before what is slow."""
    settings = checked(method, given)
    kind = asked(settings)
    output = _output(method, given, kind)
    output.check(kind)
    if given.get("opacity") is not None and not given["over"]:
        raise PellucidError("--opacity is of the map over its photo: give --over too")
    photos = {
        name: _opened(given[name])
        for name, known in method.options.items()
        if known.kind == "photo"
    }
    with Progress(quiet=given["quiet"]) as progress:
        progress.say(f"loading {given['network']}")
        net = flags.open_network(
            *(given[name] for name in ("network", "weights", "labels", "classes", "device"))
        )
        progress.say(method.name)
        result: Result = progress.follow(method.steps(net, **photos, **settings))
        if given.get("over"):
            result = _over(method, result, given["opacity"])
        saved = output.save(result)
    if given["json"]:
        say_json(result.data() | {"saved": [str(file) for file in saved]})
    elif not given["quiet"]:
        tell(result, saved)


def checked(method: Method[Any], given: dict[str, Any]) -> dict[str, Any]:
    """The settings that the words of a command mean."""
    return {
        name: known.check(meant(known, given[name]))
        for name, known in method.options.items()
        if known.kind == "setting"
    }


def tell(result: Result, saved: list[Path]) -> None:
    """What was found, in words, and where it lies."""
    say(result.caption)
    if isinstance(result, Ranking):
        show(bars(result))
    for file in saved:
        say(f"saved {file}")


def _told(method: Method[Any]) -> str:
    """The idea of a method, from its docstring; its lines are the terminal's."""
    idea = _SECTION.split(inspect.getdoc(method.function) or "")[0].strip()
    paragraphs = [" ".join(part.split()) for part in idea.split("\n\n")]
    return escape("\n\n".join(paragraphs))


def _output(method: Method[Any], given: dict[str, Any], kind: type[Result]) -> Output:
    path = Path(given["out"]).expanduser() if given["out"] is not None else None
    if path is None and not _prints(method):
        path = usual_name(_words(method, given), kind.ENDINGS[0])
    arrays = given["arrays"].value if given["arrays"] else None
    return Output(path, arrays, given["force"])


def _prints(method: Method[Any]) -> bool:
    # A ranking is read; everything else is looked at, and so has to be a file.
    return all(issubclass(kind, Ranking) for kind in kinds(method.function))


def _words(method: Method[Any], given: dict[str, Any]) -> list[str]:
    words = [method.name.replace("_", "-")]
    for name, known in method.options.items():
        if known.kind == "photo":
            sources = given[name] if isinstance(given[name], list) else [given[name]]
            sources = [source for source in sources if source]
            words += map(_stem, sources)
        elif known.positional and given.get(name):
            words.append(str(given[name]))
    if given["network"] != BUNDLED:
        words.append(Path(given["network"].partition(".py:")[0]).name)
    return words


def _opened(words: str | list[str] | None) -> Photo | tuple[Photo, ...] | None:
    """A photo, or several where several or a folder are named; None where none is."""
    if not words:
        return None
    if isinstance(words, str):
        return open_image(words)
    if len(words) == 1 and not is_folder(words[0]):
        return open_image(words[0])
    return album(words)


def _stem(source: str) -> str:
    installed = source.startswith("photo:")
    return source.removeprefix("photo:") if installed else Path(source).stem


def _kind(result: Result) -> str:
    name = type(result).__name__
    return f"a{'n' * (name[0] in 'AEIOU')} {name}"


def _over(method: Method[Any], result: Result, opacity: float | None) -> Result:
    if not isinstance(result, Mapped):
        raise PellucidError(
            f"--over draws a map over its photo; with these settings {method.name} gives no map "
            f"but {_kind(result)} (see `pellucid {method.name} --help`)"
        )
    return result.over() if opacity is None else result.over(opacity=opacity)


def meant(known: Option, word: Any) -> Any:
    """The value that a word stands for."""
    if word == "" and known.positional and not known.required:
        # "Not given", where another word follows it.
        return known.default
    if known.type in (int, float) and isinstance(word, str):
        try:
            return known.type(word)
        except ValueError:
            number = "a whole number" if known.type is int else "a number"
            raise PellucidError(f"{known.flag} is {number}, not {word!r}") from None
    return word


def parameter(known: Option) -> inspect.Parameter:
    """An option as typer has it."""
    if known.kind == "photo":
        told: dict[str, Any] = {
            "metavar": known.name.upper(),
            "help": "a path or photo:NAME (`pellucid photos` lists them)"
            + (", or several, or a folder of them" if known.many else ""),
            "autocompletion": complete_photo,
        }
        words: Any = list[str] if known.many else str
        if known.positional:
            return keyword(known.name, words, typer.Argument(**told), known.default)
        told["help"] = f"{known.help.text}: {told['help']}"
        return keyword(known.name, words, typer.Option(known.flag, **told), known.default)
    more: dict[str, Any] = {"help": escape(known.help.text), "metavar": metavar(known)}
    if known.choices:
        more["autocompletion"] = _choices(known.choices)
    # Numbers come as words: `Option.check` says what is wrong with them in our own way.
    plain: Any = bool if known.type is bool else str
    kind = plain | None if known.optional else plain
    default = known.default
    if known.type in (int, float) and isinstance(default, int | float):
        default = f"{default:g}" if known.type(f"{default:g}") == default else str(default)
    if known.positional:
        return keyword(known.name, kind, typer.Argument(**more), default)
    declared = [known.flag]
    if known.type is bool:
        declared = [f"{known.flag}/{known.flag.replace('--', '--no-', 1)}"]
        del more["metavar"]
    return keyword(known.name, kind, typer.Option(*declared, **more), default)


def metavar(known: Option) -> str:
    """What stands for an option's value in help and manual."""
    if known.choices:
        return "|".join(known.choices)
    if known.type is str:
        return (known.help.names or known.name).upper()
    low, high = known.help.low, known.help.high
    fits = f" (at least {low:g})" if low is not None else ""
    if high is not None:
        fits = f" ({low:g} to {high:g})" if low is not None else f" (at most {high:g})"
    return ("INTEGER" if known.type is int else "NUMBER") + fits


def _choices(choices: tuple[str, ...]) -> Callable[[str], list[str]]:
    def complete(incomplete: str) -> list[str]:
        return [choice for choice in choices if choice.startswith(incomplete)]

    return complete


def keyword(name: str, kind: Any, form: Any, default: Any) -> inspect.Parameter:
    """A parameter as typer has it: its type, and what it is in the shell."""
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, form]
    )


def parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Those of a function that stands for a row of flags."""
    hints = get_type_hints(function, include_extras=True)
    return {
        name: given.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name])
        for name, given in inspect.signature(function).parameters.items()
    }
