"""@method: what every technique has in common, so that each can read like its paper."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property, update_wrapper
from typing import Any, Generic, TypeVar, cast, get_type_hints

from torch import Tensor, nn

from pellucid import option
from pellucid.album import Album, album, is_folder
from pellucid.errors import PellucidError, Unknown
from pellucid.heatmap import OPACITY
from pellucid.images import open_image
from pellucid.network import Network
from pellucid.option import Option
from pellucid.progress import finished, follow
from pellucid.recipe import Recipe, keys, network_flags, told, values_hash, versions
from pellucid.register import entries
from pellucid.results import Result
from pellucid.surroundings import Random, plain
from pellucid.target import described

R = TypeVar("R", bound=Result)
T = TypeVar("T")
Examples = Callable[[Network], Iterable[dict[str, Any]]]


@dataclass(frozen=True)
class Step:
    """A sign of life from long work.

    Attributes:
        done, total: steps made and to be made.
        text: what to say of it, such as the value being raised.
        picture: (3, height, width) from 0 to 1, where there is something to look at already.
    """

    done: int
    total: int
    text: str = ""
    picture: Tensor | None = None


class Method(Generic[R]):
    """A registered method: called like the function that it is made of.

    It checks the settings, opens the photo, puts the network at rest, seeds, and writes the
    recipe. `steps()` gives the same work as an iterator of `Step`s that returns the result.
    """

    def __init__(
        self, function: Callable[..., Any], examples: Examples, verb: str = "", exact: bool = True
    ) -> None:
        update_wrapper(self, function)
        self.function = function
        self.examples = examples
        self.verb = verb
        self.exact = exact
        self.name = function.__name__

    def __repr__(self) -> str:
        return f"<method {self.name}>"

    @cached_property
    def options(self) -> dict[str, Option]:
        """All parameters by name, in order."""
        hints = get_type_hints(self.function, include_extras=True)
        parameters = self.signature.parameters
        return {name: option.read(given, hints[name]) for name, given in parameters.items()}

    @cached_property
    def signature(self) -> inspect.Signature:
        """That of the function; it takes long to read."""
        return inspect.signature(self.function)

    def __call__(self, /, *args: Any, **kwargs: Any) -> R:
        return follow(self.steps(*args, **kwargs))

    def bare(self, /, *args: Any, **kwargs: Any) -> R:
        """The result without its recipe, whose hashes cost time: for methods made of methods."""
        return finished(self._work(self._bind(args, kwargs)))

    def steps(self, /, *args: Any, **kwargs: Any) -> Generator[Step, None, R]:
        """The method as an iterator of its steps; what it returns at its end is the result.

        Wrong settings raise here, not at the first step. Between the steps the network is as the
        caller left it, so that an iterator may be dropped half-way.
        """
        return self._run(self._bind(args, kwargs))

    def _run(self, bound: dict[str, Any]) -> Generator[Step, None, R]:
        result = yield from self._work(bound)
        # Settings that it was really made with, such as the steps until it was interrupted.
        bound |= result.recipe.settings
        return replace(
            result,
            caption=result.caption + _left_out(bound),
            recipe=self._recipe(_network(bound), bound, result.values),
        )

    def _work(self, bound: dict[str, Any]) -> Generator[Step, None, R]:
        net = _network(bound)
        random = Random(int(bound.get("seed", 0)), net.device)

        @contextmanager
        def working() -> Iterator[None]:
            with net.at_rest(), random.own(), plain(net.device, self.exact):
                yield

        # Calling a generator function runs nothing of it yet.
        with nullcontext() if inspect.isgeneratorfunction(self.function) else working():
            outcome = self.function(**bound)
        if inspect.isgenerator(outcome):
            work = cast(Generator[Step, None, R], outcome)
            interrupt: KeyboardInterrupt | None = None
            try:
                while True:
                    try:
                        with working():
                            step = work.throw(interrupt) if interrupt else next(work)
                        interrupt = None
                        yield step
                    except KeyboardInterrupt as stop:
                        if (
                            inspect.getgeneratorstate(work) == inspect.GEN_CLOSED
                        ):  # it has ended, and gives nothing
                            raise
                        interrupt = stop
            except StopIteration as end:
                outcome = end.value
            finally:
                work.close()
        return cast(R, outcome)

    def _recipe(self, net: Network, bound: dict[str, Any], values: Tensor) -> Recipe:
        kinds = {name: known.kind for name, known in self.options.items()}
        return Recipe(
            method=self.name,
            settings={
                name: None if self.options[name].help.names == "folder" else _plainly(bound[name])
                for name in bound
                if kinds[name] == "setting"
            },
            network={
                "name": net.name,
                "weights_hash": net.weights_hash,
                "spec": net.spec,
                "device": net.device.type,
            },
            photos=told(
                {
                    name: bound[name]
                    for name in bound
                    if kinds[name] == "photo" and bound[name] is not None
                }
            ),
            seed=int(bound.get("seed", 0)),
            versions=versions() | self.origin,
            values=values_hash(values),
            package=next(iter(self.origin), ""),
        )

    @cached_property
    def origin(self) -> dict[str, str]:
        """The package that it is a plug-in of, with its version; nothing for any other."""
        known = entries().get(self.name)
        plugged = known and known.package and known.module == self.function.__module__
        return {known.package: known.version} if known and plugged else {}

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        for name in kwargs:
            if name not in self.options:
                raise Unknown(f"setting of {self.name}", name, self.options)
        try:
            given = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise PellucidError(f"{self.name}: {error}") from None
        given.apply_defaults()
        return {
            name: self._coerced(self.options[name], value)
            for name, value in given.arguments.items()
        }

    def _coerced(self, known: Option, value: Any) -> Any:
        if known.kind == "photo":
            if value is None and known.optional:
                return None
            if known.many and isinstance(value, list | tuple):
                if not value:
                    raise PellucidError(f"{self.name}: no photo is given, the list is empty")
                return album(value)
            if known.many and is_folder(value):
                return album([value])
            return open_image(value)
        if known.kind == "network":
            if isinstance(value, nn.Module):
                return Network(value)
            if not isinstance(value, Network):
                raise PellucidError(
                    f"{self.name} wants a Network (see pellucid.load) or a module, "
                    f"not {type(value).__name__}"
                )
            return value
        return known.check(value)

    def command(self, recipe: Recipe) -> str:
        """The shell command that makes what the recipe says."""
        places: list[tuple[str, bool]] = []
        flags: list[str] = []
        for name, known in self.options.items():
            if known.kind == "photo":
                rows = recipe.photos
                given = [rows[key] for key in keys(rows, name)]
                words = [photo["source"] or "PHOTO.png" for photo in given]
                if known.positional:
                    places += [(word, True) for word in words]
                else:
                    flags += [part for word in words for part in (known.flag, word)]
            elif known.kind == "setting":
                value = recipe.settings[name]
                changed = known.required or value != known.default
                if known.positional:
                    places.append(("" if value is None else str(value), changed))
                elif changed and isinstance(value, bool):
                    flags.append(known.flag if value else known.flag.replace("--", "--no-", 1))
                elif changed:
                    flags += [known.flag, str(value)]
        # An optional word may be left out only where none follows it.
        while places and not places[-1][1]:
            places.pop()
        words = [word for word, _ in places]
        flags += network_flags(recipe.network) + _drawing_flags(recipe)
        start = ["pellucid", self.name.replace("_", "-"), *([self.verb] if self.verb else [])]
        if any(word.startswith("-") for word in words):
            return shlex.join([*start, *flags, "--", *words])
        return shlex.join([*start, *words, *flags])


def _network(bound: dict[str, Any]) -> Network:
    return next(value for value in bound.values() if isinstance(value, Network))


def _left_out(bound: dict[str, Any]) -> str:
    """What a caption says of photos that a folder has but that were not looked at."""
    albums = [value for value in bound.values() if isinstance(value, Album)]
    left = sum(one.left_out for one in albums)
    whole = left + sum(map(len, albums))
    return f"; {left} of {whole} photos were left out, evenly" if left else ""


def _plainly(value: Any) -> Any:
    """A setting as plain data; of one's own function, which has no such form, the name."""
    if isinstance(value, tuple):
        return "; ".join(map(_plainly, value))
    if isinstance(value, int | float | str | None):
        return value
    return str(value) if option.spoken(value) else described(value)


def _drawing_flags(recipe: Recipe) -> list[str]:
    if recipe.drawing is None or recipe.drawing[0] == "pick":
        return []  # the shell makes all of several
    how, arguments = recipe.drawing
    opacity = arguments.get("opacity")
    return [f"--{how}", *([] if opacity in (None, OPACITY) else ["--opacity", str(opacity)])]


def _no_examples(_net: Network) -> list[dict[str, Any]]:
    return [{}]


def method(
    *, examples: Examples = _no_examples, verb: str = "", exact: bool = True
) -> Callable[[Callable[..., R | Generator[Step, None, R]]], Method[R]]:
    """Makes a method of a function `f(net, photo, …, *, settings) -> Result`.

    The function may also be a generator that yields `Step`s and returns the result. Its first
    parameter is the `Network`; a parameter annotated `Photo` is opened for it; the others are
    `Annotated[type, Help("…")]`. One annotated `Photo | tuple[Photo, ...]` takes several as well,
    or a folder of them; one named `seed` seeds all random numbers.

    Args:
        examples: settings that show the method on a given network, the most telling first: the
            tour, the gallery and the tests run them.
        verb: the word behind its name in the shell, where the name has several commands.
        exact: whether numbers keep all their digits. A picture that is climbed needs two or three
            of them, which are had in a half to a fifth of the time: on a GPU in TF32, on some
            processors in bfloat16 (`make.coarse`).
    """

    def register(function: Callable[..., Any]) -> Method[R]:
        return Method(function, examples, verb, exact)

    return register
