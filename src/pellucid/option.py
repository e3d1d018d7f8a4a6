"""Option: what is known of one parameter of a method, read from its annotation."""

from __future__ import annotations

import inspect
import math
import numbers
import operator
import os
import types
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pellucid.errors import PellucidError, Unknown

Kind = Literal["network", "photo", "setting"]
Names = Literal[
    "", "layer", "unit", "units", "method", "objective", "words", "numbers", "folder", "file",
    "style",
]  # fmt: skip


@dataclass(frozen=True)
class Help:
    """What an annotation says of a parameter; the shell, the page and the docs read it here.

    Attributes:
        text: one phrase, lower case, with its unit.
        low, high: bounds of a number, inclusive.
        names: what a text names: a method of the register, a layer or a unit of the network, or
            "units" for several: these may also be a sequence, or functions of a recording (see
            `target`). What an "objective" or "words" name may also come as the thing itself, whose
            text the recipe then has. "numbers" may be a sequence of whole ones. A "folder" to work
            in is nobody's business but the caller's: no recipe has it. A "file" is read. A "style"
            goes by its name or number.
    """

    text: str
    low: float | None = None
    high: float | None = None
    names: Names = ""


@dataclass(frozen=True)
class Option:
    """One parameter of a method.

    Attributes:
        name: as in the function.
        kind: the network, a photo, or a setting.
        type: int, float, bool or str.
        choices: allowed texts; empty where anything goes.
        optional: whether None is allowed.
        default: `inspect.Parameter.empty` where there is none.
        positional: whether it may be given without its name.
        help: its annotation.
        many: whether a photo may also be several.
    """

    name: str
    kind: Kind
    type: type
    choices: tuple[str, ...]
    optional: bool
    default: Any
    positional: bool
    help: Help
    many: bool = False

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is inspect.Parameter.empty

    @property
    def flag(self) -> str:
        """Its name in the shell."""
        return "--" + self.name.replace("_", "-")

    def check(self, value: Any) -> Any:
        """The value as the method wants it.

        Raises:
            PellucidError: wrong type, not among the choices, or out of bounds.
        """
        if value is None and self.optional:
            return None
        if self.help.names == "units" and isinstance(value, list | tuple):
            return self._units(value)
        if self.help.names == "units" and callable(value):
            return value
        # One that was settled before, for several networks to be asked about the same places.
        if self.help.names in ("unit", "units") and type(value).__name__ == "AreaTarget":
            return value
        if self.help.names in ("objective", "words") and _speaks(value):
            return value
        if self.help.names == "numbers" and isinstance(value, Sequence | range):
            value = self._numbers(value)
        value = getattr(self, f"_{self.type.__name__}")(value)
        if self.choices and value not in self.choices:
            raise Unknown(self.name, value, self.choices)
        self._bounds(value)
        return value

    def _str(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        # A method, a unit, a layer or a class may come as the thing itself. A class goes by its
        # number: two classes may bear one label ("crane" in ImageNet).
        if self.help.names:
            if getattr(value, "is_class", False):
                return str(replace(value, label=""))
            if type(value).__name__ in ("Unit", "Layer", "Method"):
                return str(getattr(value, "name", value))
        numbered = ("unit", "units", "objective", "numbers", "words", "style")
        if self.help.names in numbered and _whole(value) is not None:
            return str(_whole(value))
        if self.help.names in ("folder", "file") and isinstance(value, os.PathLike):
            return str(os.fspath(value))
        raise PellucidError(f"{self.name} is a text, not {value!r}")

    def _units(self, values: Sequence[Any]) -> Any:
        """Several as one text, as the shell has it; with functions among them as they are."""
        checked = [self.check(value) for value in values]
        if not checked:
            raise PellucidError(f"{self.name} names no unit: the list is empty")
        if any(callable(value) for value in checked):
            return tuple(checked)
        return "; ".join(checked)

    def _numbers(self, values: Sequence[Any]) -> str:
        """Whole numbers as one text, as the shell has it; a text as it is."""
        if isinstance(values, str):
            return values
        numbers = [_whole(value) for value in values]
        if not numbers or None in numbers:
            raise PellucidError(f"{self.name} are whole numbers, at least one, not {values!r}")
        return "; ".join(map(str, numbers))

    def _bool(self, value: Any) -> bool:
        if type(value).__name__ not in ("bool", "bool_"):  # numpy has one of its own
            raise PellucidError(f"{self.name} is true or false, not {value!r}")
        return bool(value)

    def _int(self, value: Any) -> int:
        number = _whole(value)
        if number is None:
            real = self._float(value)
            if real != math.floor(real):
                raise PellucidError(f"{self.name} is a whole number, not {value!r}")
            number = int(real)
        if abs(number) >= 2**63:
            raise PellucidError(f"{self.name} is smaller than 2^63, not {value!r}")
        return number

    def _float(self, value: Any) -> float:
        number = _whole(value) if not isinstance(value, numbers.Real) else value
        if number is None or type(value).__name__ in ("bool", "bool_"):
            raise PellucidError(f"{self.name} is a number, not {value!r}")
        try:
            real = float(number)
        except OverflowError:
            real = math.inf
        if not math.isfinite(real):
            raise PellucidError(f"{self.name} is a finite number, not {value!r}")
        return real

    def _bounds(self, value: Any) -> None:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return
        low, high = self.help.low, self.help.high
        if (low is not None and value < low) or (high is not None and value > high):
            fits = f"at least {low:g}" if high is None else f"from {low:g} to {high:g}"
            raise PellucidError(f"{self.name} is {fits}, not {value}")


def _speaks(value: Any) -> bool:
    """Whether a thing says in its own words what it is; numbers and texts are none."""
    if isinstance(value, list | tuple):
        return bool(value)
    return type(value).__module__.startswith("pellucid.make.") and spoken(value)


def spoken(value: Any) -> bool:
    """Whether its text is one of its own, not that of any object."""
    return any("__str__" in vars(kind) for kind in type(value).__mro__[:-1])


def _whole(value: Any) -> int | None:
    """A whole number of any make (Python's, numpy's, a tensor's); None for anything else."""
    kind = str(getattr(value, "dtype", type(value).__name__))
    if "bool" in kind:
        return None
    try:
        return operator.index(value)
    except (TypeError, ValueError):
        return None


def kinds(function: Callable[..., Any]) -> tuple[Any, ...]:
    """The kinds of result that the annotation of a method's function promises."""
    given = get_type_hints(function)["return"]
    if get_origin(given) is Generator:
        given = get_args(given)[2]
    return get_args(given) or (given,)


def read(parameter: inspect.Parameter, annotation: Any) -> Option:
    """The option that a parameter of a method's function is."""
    from pellucid.images import Photo
    from pellucid.network import Network

    text = Help("")
    if get_origin(annotation) is Annotated:
        annotation, text = get_args(annotation)[:2]
    parts = [annotation]
    if get_origin(annotation) in (Union, types.UnionType):
        parts = list(get_args(annotation))
    optional = type(None) in parts
    many = tuple[Photo, ...] in parts
    parts = [part for part in parts if part != tuple[Photo, ...]]
    (plain,) = (part for part in parts if part is not type(None))
    choices: tuple[str, ...] = ()
    if get_origin(plain) is Literal:
        choices, plain = get_args(plain), str
    kind: Kind = "network" if plain is Network else "photo" if plain is Photo else "setting"
    if kind == "setting" and plain not in (int, float, bool, str):
        raise TypeError(f"{parameter.name}: {plain} has no form in the shell")
    positional = parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    return Option(
        parameter.name, kind, plain, choices, optional, parameter.default, positional, text, many
    )
