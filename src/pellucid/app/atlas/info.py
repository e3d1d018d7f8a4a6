"""`pellucid atlas info`: what an atlas holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pellucid.app import flags
from pellucid.app.atlas import words
from pellucid.app.terminal import exits, say, say_json, show, table
from pellucid.counted import counted

if TYPE_CHECKING:
    from pellucid.atlas.atlas import Atlas

FEW = 5  # unread images that are named


def info(place: words.Place, json: flags.AsJson = False) -> None:
    """What an atlas is of, and what it holds."""
    with exits():
        atlas = words.opened(place)
        if json:
            as_json(atlas)
        else:
            told(atlas)


def as_json(atlas: Atlas) -> None:
    """For a machine."""
    say_json(facts(atlas))


def facts(atlas: Atlas) -> dict[str, Any]:
    """What `info` says, as plain data."""
    manifest = atlas.store.manifest
    return {
        "path": atlas.path,
        "images": manifest.images,
        "unread": [{"uri": uri, "reason": reason} for uri, reason in atlas.unread],
        "finished": manifest.finished,
        "network": manifest.network,
        "plan": manifest.plan.data(),
        "layers": manifest.grids,
        "sources": list(manifest.sources),
        "maps": manifest.maps,
        "made": manifest.made,
    }


def told(atlas: Atlas) -> None:
    """For people."""
    manifest = atlas.store.manifest
    state = "" if manifest.finished else ", not finished: `build` with the same words goes on"
    name, weights = manifest.network["name"], manifest.network["weights_hash"]
    say(f"{counted(manifest.images, 'image')} of {', '.join(manifest.sources)}{state}")
    say(f"through {name} (weights {weights})")
    rows = table("layer", "channels", "grid", right=("channels",))
    for layer in atlas.layers:
        channels, height, width = manifest.grids[layer]
        rows.add_row(layer, str(channels), f"{height} x {width}")
    show(rows)
    if manifest.images and len(set(atlas.images.labels)) > 1:
        say(f"{len(set(atlas.images.labels)):,} labels")
    if atlas.maps:
        say(f"maps: {', '.join(atlas.maps)}")
    if atlas.unread:
        say(f"{counted(len(atlas.unread), 'image')} could not be read:")
        for uri, reason in atlas.unread[:FEW]:
            say(f"  {uri}: {reason}" if uri not in reason else f"  {reason}")
        if len(atlas.unread) > FEW:
            say("  … (--json names all)")
