"""Zeros of a rectifier are not shown as places that a channel answers to."""

from pathlib import Path

import torch

import pellucid as pl
from atlas import collection
from pellucid.atlas.patches import patches_of
from pellucid.patches import Patches
from pellucid.progress import finished
from shell import refused, shell, small


def test_zeros_of_a_rectifier_are_no_places(tmp_path: Path) -> None:
    """They are ties of all photos, of which the first would come at their first corners."""
    net = collection.network()
    with torch.no_grad():  # of the second rectifier one channel is dead, one is on in some photos
        net.module[4].bias[3] = -1e3
    made = pl.Atlas.build(
        tmp_path / "a", net, collection.folder(tmp_path / "photos", 8), layers=["4", "5"],
        keep=4, negative=True,
    )  # fmt: skip

    def seen(layer: str, channel: int, negative: bool = False) -> Patches:
        return finished(patches_of(made, layer, channel, negative=negative))

    dead, never = seen("5", 3), seen("5", 2, negative=True)
    assert not dead[3] and dead.caption == "5:3 is 0 in every photo"
    assert not never[2] and never.caption == "5:2 is never negative; 4 before it is"
    assert dead.values.isnan().all() and dead.image().shape[0] == 3
    assert len(seen("4", 2, negative=True)[2]) == 4
    both = finished(patches_of(made, "5", [2, 3]))
    assert len(both[2]) == 4 and not both[3]
    assert "4 greatest places of each (1 of them 0 in every photo)" in both.caption


def test_a_picture_of_no_places_is_refused(tmp_path: Path, empty: Path) -> None:
    photos, own = str(collection.folder(tmp_path / "photos", 5)), ["--network", small(tmp_path)]
    shell("atlas", "build", photos, "a", "--layers", "0; 1", "--negative", *own)
    said = refused("atlas", "patches", "a", "1:2", "--negative", "--out", "none.png", *own)
    assert "1:2 is never negative; 0 before it is" in said and not Path("none.png").exists()
    assert shell("atlas", "patches", "a", "0:2", "--negative", *own).exit_code == 0
