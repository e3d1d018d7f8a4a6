"""Checks the shapes in annotations while the tests run, and nothing but the shapes.

Other annotations are left to mypy: tests hand in wrong types on purpose.
"""

import types
import typing
from collections import abc
from collections.abc import Callable
from typing import Any

from beartype import BeartypeConf, beartype
from jaxtyping import AbstractArray


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """A type checker for jaxtyping's import hook."""
    if not isinstance(function, types.FunctionType):
        return function
    copy = types.FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    copy.__qualname__, copy.__module__ = function.__qualname__, function.__module__
    copy.__annotations__ = _shapes(function)
    return beartype(copy, conf=BeartypeConf(is_pep484_tower=True))


def sparing(jaxtyped: Callable[..., Any]) -> Callable[..., Any]:
    """Jaxtyping's decorator, but for functions without shapes: it takes time at every call."""

    def decorator(*, typechecker: Any) -> Callable[[Any], Any]:
        real = jaxtyped(typechecker=typechecker)

        def decorate(found: Any) -> Any:
            plain = isinstance(found, types.FunctionType) and not _shapes(found)
            return found if plain else real(found)

        return decorate

    return decorator


def _shapes(function: types.FunctionType) -> dict[str, Any]:
    """Those annotations that say a shape."""
    found = {}
    for name, hint in function.__annotations__.items():
        if isinstance(hint, str):
            try:
                hint = eval(hint, function.__globals__)
            except NameError:  # a name that only type checkers import
                continue
        if _has_shape(hint):
            found[name] = hint
    return found


def _has_shape(hint: Any) -> bool:
    # Of a list or a table one part is drawn at random, and the drawing is a footprint.
    if typing.get_origin(hint) in (list, dict, abc.Sequence, abc.Mapping):
        return False
    if typing.get_origin(hint) is tuple and ... in typing.get_args(hint):
        return False
    if isinstance(hint, type) and issubclass(hint, AbstractArray):
        return True
    return any(map(_has_shape, typing.get_args(hint)))
