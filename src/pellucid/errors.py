"""Errors for people: what came, what fits, what is near."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from itertools import islice
from pathlib import Path


class PellucidError(Exception):
    """A wrong request: its message says what to change. The shell turns it into exit code 2."""


class Unknown(PellucidError):
    """A name that is not among the known ones; the message shows the nearest.

    Example:
        >>> raise Unknown("layer", "layre3", ["layer1", "layer3"])
        Unknown: no layer 'layre3'; did you mean 'layer3'?
    """

    def __init__(self, kind: str, came: object, known: Iterable[object], more: str = "") -> None:
        names = [str(name) for name in known]
        message = f"no {kind} {str(came)!r}"
        near = nearest(str(came), names)
        if near:
            message += "; did you mean " + " or ".join(repr(name) for name in near) + "?"
        elif names:
            shown = ", ".join(names[:12])
            message += f"; there is {shown}" + (f" … ({len(names)} in all)" if names[12:] else "")
        super().__init__(message + (f" {more}" if more else ""))


def nearest(came: str, names: list[str], count: int = 3) -> list[str]:
    """The names that look most like `came`, best first, cases ignored; maybe none."""
    # A source in front of every name ("photo:", "timm:") says nothing about which one is near.
    source = came[: came.find(":") + 1]
    if source and all(name.startswith(source) for name in names):
        near = nearest(came.removeprefix(source), [n.removeprefix(source) for n in names], count)
        return [source + name for name in near]
    by_fold = {name.casefold(): name for name in reversed(names)}
    folded = came.casefold()
    close = get_close_matches(folded, by_fold, n=count, cutoff=0.6)
    inside = sorted((key for key in by_fold if folded and folded in key), key=len)
    return [by_fold[key] for key in dict.fromkeys(close + inside)][:count]


def reason(error: Exception, most: int = 200) -> str:
    """Why something failed, in one line: our own message whole, of another error what it is.

    Args:
        most: characters of another error's message.
    """
    if isinstance(error, PellucidError):
        return str(error)
    text = " ".join(str(error).split()) or "no message"
    return f"unexpected {type(error).__name__}: {text[:most]}"


def existing(kind: str, path: Path, endings: Collection[str] = ()) -> Path:
    """A path to a file that is there and has something in it.

    Args:
        endings: of files that are shown in the place of one that is not there, and folders beside
            them; none: all files.

    Raises:
        PellucidError: no such file (the nearest in its folder are shown), a folder, empty, or not
            to be reached.
    """
    try:
        path = path.expanduser()
        if path.is_dir():
            raise PellucidError(f"{path} is a folder, not a {kind}")
        if not path.is_file():
            raise _missing(kind, path, endings)
        if path.stat().st_size == 0:
            raise PellucidError(f"{path} is an empty file")
    except (
        OSError,
        ValueError,
        RuntimeError,
    ) as error:
        raise PellucidError(f"{kind} {str(path)!r} cannot be reached: {error}") from None
    return path


def _missing(kind: str, path: Path, endings: Collection[str]) -> PellucidError:
    if not path.parent.is_dir():
        return PellucidError(f"no {kind} {str(path)!r}: there is no folder {str(path.parent)!r}")
    entries = list(islice(path.parent.iterdir(), 2000))
    files = sorted(entry.name for entry in entries if entry.is_file())
    if endings:
        files = [name for name in files if Path(name).suffix.lower() in endings]
        files += sorted(entry.name + "/" for entry in entries if entry.is_dir())
    if not nearest(path.name, files):  # then at least those of its kind, if there are any
        files = [name for name in files if Path(name).suffix == path.suffix] or files
    where = f"(in the folder {str(path.parent)!r})" if path.parent != Path() else ""
    return Unknown(kind, path.name, files, where)
