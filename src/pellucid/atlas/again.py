"""Again: a picture of an atlas, made once more from the recipe inside it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from pellucid.atlas.atlas import Atlas
from pellucid.atlas.maps import mapping, placing
from pellucid.atlas.neighbours import neighbours
from pellucid.atlas.patches import patches_of
from pellucid.atlas.provenance import differences
from pellucid.atlas.query import PHOTO, VECTOR
from pellucid.errors import PellucidError
from pellucid.images import Photo
from pellucid.network import Network
from pellucid.patches import Patches
from pellucid.progress import follow
from pellucid.recipe import Recipe
from pellucid.results import Result
from pellucid.unit import Unit


def replayed(
    recipe: Recipe, atlas: Any, net: Network | None, photos: Sequence[Photo]
) -> tuple[Result, list[str]]:
    """The result that a recipe describes, and what of the atlas is not as it was.

    Args:
        atlas: or its folder.

    Raises:
        PellucidError: there is none, or it is damaged; as `again`.
    """
    if not isinstance(atlas, Atlas):
        atlas = Atlas.open(atlas, net)
    return again(recipe, atlas, photos), differences(recipe, atlas)


def again(recipe: Recipe, atlas: Atlas, photos: Sequence[Photo]) -> Result:
    """The result that a recipe describes, from an atlas.

    Args:
        photos: those of the recipe, in its order.

    Raises:
        PellucidError: a damaged recipe, or one of a vector that nobody has any more; whatever the
            work itself raises.
    """
    made: Result
    settings, left = dict(recipe.settings), list(photos)
    try:
        if recipe.method == "atlas map":
            # A picture may come from anybody: it does not say what is kept in an atlas.
            made = follow(mapping(atlas, **settings, seed=recipe.seed, keep=False))
            made = placing(atlas, made, left)
        elif recipe.method == "atlas neighbours":
            asked = [_asked(atlas, one, left) for one in settings.pop("asked")]
            made = follow(neighbours(atlas, asked, **settings))
        else:
            made = follow(patches_of(atlas, **settings))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise PellucidError(f"this recipe is damaged: see its settings ({error})") from None
    if recipe.drawing:
        if recipe.drawing[0] != "outlined" or not isinstance(made, Patches):
            raise PellucidError(f"a {type(made).__name__} cannot be drawn as {recipe.drawing[0]!r}")
        made = made.outlined()
    return made


def command(recipe: Recipe) -> str:
    """The shell command that makes the same picture.

    Raises:
        PellucidError: a damaged recipe.
    """
    try:
        return _command(recipe)
    except (KeyError, TypeError, ValueError) as error:
        raise PellucidError(f"this recipe is damaged: see its settings ({error})") from None


def _command(recipe: Recipe) -> str:
    settings = dict(recipe.settings)
    verb = recipe.method.removeprefix("atlas ")
    words, flags = [str(recipe.atlas["place"])], list[str]()
    photos = [known["source"] or "PHOTO.png" for known in recipe.photos.values()]
    if verb == "neighbours":
        left = iter(photos)
        words += [next(left, "") if one == PHOTO else str(one) for one in settings.pop("asked")]
    elif verb == "patches":
        words += [f"{settings['layer']}:{number}" for number in settings.pop("channels")]
        del settings["layer"]
        flags += ["--outline"] if recipe.drawing else []
    else:
        flags += [part for photo in photos for part in ("--photo", photo)]
        settings |= {"seed": recipe.seed}
    for name, value in settings.items():
        if value is False:
            flags += ["--no-pixels"] if name == "pixels" else []
        elif name != "pixels":
            flags += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    return shlex.join(["pellucid", "atlas", verb, *words, *flags])


def _asked(atlas: Atlas, one: Any, photos: list[Photo]) -> Photo | Unit | int:
    """What was asked about, as `neighbours` takes it; no text in it is ever taken for a file."""
    if one == PHOTO:
        return photos.pop(0)
    if isinstance(one, int):
        return one
    if isinstance(one, str) and one.startswith(VECTOR):
        raise PellucidError(f"{one} was asked about, which no recipe holds: ask with it again")
    return atlas.network().unit(str(one))
