"""The same picture again; and what is said when it is not the same."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

import pellucid as pl
from conftest import awkward
from edited import edited
from pellucid.replay import read


def test_a_recipe_reads_back(saved: Path, bundled: pl.Network, cat: pl.Photo) -> None:
    recipe = read(saved)
    assert recipe == pl.saliency(bundled, cat, target="class:3").recipe
    own = {"reduce": "max", "smooth": 1, "noise": None, "seed": 0}
    assert recipe.settings == {"target": "class:3", **own}
    assert recipe.photos == {"photo": {"source": "photo:cat", "hash": cat.hash}}
    assert recipe.network["name"] == "pane" and recipe.network["spec"] == {"name": "pane"}
    assert recipe.versions["torch"] == torch.__version__.partition("+")[0]
    assert pl.Recipe.parse(recipe.json()).json() == recipe.json()


def test_over_is_drawn_over_again(bundled: pl.Network, here: Path) -> None:
    made = pl.saliency(bundled, "photo:cat").over(opacity=0.4)
    again = pl.replay(made.save("over.png"))
    assert again.same and not again.differences
    assert torch.equal(again.result.values, made.values)
    assert "the same, bit for bit" in again._repr_html_()


def test_over_another_photo_is_drawn_over_it_again(
    bundled: pl.Network, cat: pl.Photo, here: Path
) -> None:
    other = pl.open_image(cat.pixels.flip(2))
    Image.fromarray(other.pixels.permute(1, 2, 0).numpy()).save("other.png")
    made = pl.saliency(bundled, cat).over("other.png")
    again = pl.replay(made.save("over.png"))
    assert torch.equal(again.result.values, made.values)
    made = pl.saliency(bundled, cat).over(other)
    with pytest.raises(pl.PellucidError, match="another photo, which had no name"):
        pl.replay(made.save("nameless.png"))


def test_other_weights_are_told(saved: Path, bundled: pl.Network) -> None:
    edited(saved, lambda data: data["network"].update(weights_hash="0" * 16))
    again = pl.replay(saved)
    assert again.same
    assert again.differences == (f"weights: {bundled.weights_hash} now, {'0' * 16} then",)
    other = pl.load("pane", weights="random", device="cpu")
    again = pl.replay(saved, network=other)
    assert not again.same and again.differences[0].startswith(f"weights: {other.weights_hash} now")
    assert again.differences[0] in again._repr_html_()


def test_other_versions_are_told(saved: Path) -> None:
    edited(saved, lambda data: data["versions"].update(torch="1.0", numpy="1.26"))
    again = pl.replay(saved)
    assert again.same
    assert sorted(again.differences) == [
        "numpy: none now, 1.26 then",
        f"torch: {torch.__version__.partition('+')[0]} now, 1.0 then",
    ]


def test_another_device_is_told(saved: Path) -> None:
    edited(saved, lambda data: data["network"].update(device="cuda:77"))
    again = pl.replay(saved)
    assert again.differences[0].endswith("now, cuda:77 then")


def test_other_values_are_told(saved: Path) -> None:
    edited(saved, lambda data: data.update(values="0" * 16))
    again = pl.replay(saved)
    assert not again.same
    assert again.differences == ("values: not the same, though weights, photo and versions are",)


def test_another_photo_is_told(bundled: pl.Network, cat: pl.Photo, here: Path) -> None:
    Image.fromarray(cat.pixels.permute(1, 2, 0).numpy()).save("cat.png")
    path = pl.saliency(bundled, "cat.png").save("why.png")
    assert pl.replay(path).same
    Image.fromarray(cat.pixels.flip(2).permute(1, 2, 0).numpy()).save("cat.png")
    again = pl.replay(path)
    assert (again.same, again.differences) == (
        False,
        ("photo: its pixels are not those of then",),
    )
    Path("cat.png").rename("moved.png")
    with pytest.raises(pl.PellucidError, match=r"no photo 'cat.png'.* if it has moved, .* photo="):
        pl.replay(path)
    assert pl.replay(path, photo=cat).same


def test_a_photo_without_a_name(bundled: pl.Network, cat: pl.Photo, here: Path) -> None:
    path = pl.saliency(bundled, cat.pixels).save("why.png")
    with pytest.raises(pl.PellucidError, match="from a photo without a name: give it as photo="):
        pl.replay(path)
    assert pl.replay(path, photo=cat.pixels).same


def test_a_network_of_ones_own(tiny: pl.Network, here: Path) -> None:
    path = pl.saliency(tiny, "photo:cat").save("why.png", arrays="npz")
    with pytest.raises(pl.PellucidError, match="own, 'Awkward': give that as network="):
        pl.replay(path)
    again = pl.replay(path.with_suffix(".npz"), network=tiny)
    assert again.same and not again.differences
    double = pl.Network(awkward().double(), size=(20, 28), mean=[0.4], std=[0.3])
    again = pl.replay(path, network=double)
    assert not again.same and again.differences[0].startswith("weights: ")


def test_a_recipe_without_its_own_drawing_is_drawn_its_own_way(bundled: pl.Network) -> None:
    recipe = pl.predict(bundled, "photo:cat").recipe
    assert recipe.drawing is None
    assert replace(recipe, drawing=("over", {})) == recipe.drawn("over")
