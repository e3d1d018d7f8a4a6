"""Provenance: what a picture of an atlas says of where it is from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from pellucid.images import Photo
from pellucid.recipe import Recipe, told, values_hash

if TYPE_CHECKING:
    from pellucid.atlas.atlas import Atlas


def recipe(
    atlas: Atlas,
    method: str,
    settings: dict[str, Any],
    values: Tensor,
    photos: Sequence[Photo] = (),
    seed: int = 0,
) -> Recipe:
    """The recipe of a picture of an atlas; see `again`."""
    known = atlas.store.manifest.network
    network = {name: known[name] for name in ("name", "weights_hash", "spec")}
    return Recipe(
        method,
        settings,
        network=network,
        photos=told({"photo": tuple(photos)}),
        seed=seed,
        values=values_hash(values),
        atlas={"place": atlas.path} | _facts(atlas),
    )


def differences(recipe: Recipe, atlas: Atlas) -> list[str]:
    """What of an atlas is not as a recipe says, in words."""
    weights = "weights_hash"
    now = _facts(atlas) | {weights: atlas.store.manifest.network[weights]}
    then = recipe.atlas | {weights: recipe.network.get(weights)}
    return [
        f"atlas: {name} {value} now, {then.get(name)} then"
        for name, value in now.items()
        if value != then.get(name)
    ]


def _facts(atlas: Atlas) -> dict[str, Any]:
    """How many images it has, and what stands for their names."""
    manifest = atlas.store.manifest
    return {"images": manifest.images, "chain": manifest.chain}
