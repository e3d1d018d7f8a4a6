"""Repeatable: a method's result is made again from its recipe, and shows and saves itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image  # as a user hands one in
from torch import Tensor, nn

import pellucid as pl
from pellucid.method import Method
from pellucid.testing.bench import Bench, about_a_photo, photos, small
from pellucid.testing.footprints import same, state
from pellucid.testing.networks import GREY, made_for


class Repeatable(Bench):
    """The same settings give the same result, on any network and from any form of photo."""

    def test_a_photo_comes_in_any_form(
        self, method: Method[Any], tiny: pl.Network, tmp_path: Path
    ) -> None:
        about_a_photo(method)
        photo = pl.open_image("photo:cat")
        path = tmp_path / "cat.png"
        array = photo.pixels.permute(1, 2, 0).numpy()
        Image.fromarray(array).save(path)
        forms = [
            "photo:cat",
            path,
            str(path),
            Image.open(path),
            photo.pixels,
            array,
            photo.floats(),
        ]
        made = {method(tiny, **small(method, tiny, form)).recipe.values for form in forms}
        assert len(made) == 1

    def test_the_same_seed_makes_the_same(self, method: Method[Any], tiny: pl.Network) -> None:
        arguments = small(method, tiny)
        if "fill" in method.options:
            arguments["fill"] = "noise"
        if "smooth" in method.options:
            arguments["smooth"] = 3
        first = method(tiny, **arguments)
        torch.manual_seed(99)
        torch.rand(7)
        with torch.no_grad():
            second = method(tiny, **arguments)
        with torch.inference_mode(), torch.autocast(tiny.device.type):
            third = method(tiny, **arguments)
        work = method.steps(tiny, **arguments)
        fourth = None
        while fourth is None:
            torch.rand(3)  # somebody else's, in between
            try:
                next(work)
            except StopIteration as stop:
                fourth = stop.value
        for again in (second, third, fourth):
            assert torch.equal(again.values, first.values)
            assert again.recipe == first.recipe

    def test_random_numbers_of_the_network_itself(self, method: Method[Any], device: str) -> None:
        """A network that draws random numbers even at rest is repeated as well."""

        class Noisy(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.inside = made_for(method)

            def forward(self, x: Tensor) -> Tensor:
                scores: Tensor = self.inside(x + torch.rand_like(x))
                return scores

        net = pl.Network(Noisy().to(device), size=(20, 28), mean=[0.5], std=[0.5])
        arguments = small(method, net)
        fresh = pl.Network(net.module, size=(20, 28), mean=[0.5], std=[0.5])
        before = state(fresh)
        made = [method(fresh, **arguments).recipe.values for _ in range(2)]
        assert made[0] == made[1]
        same(before, state(fresh))

    def test_the_recipe_is_plain_and_whole(self, method: Method[Any], net: pl.Network) -> None:
        recipe = method(net, **small(method, net)).recipe
        assert pl.Recipe.parse(recipe.json()) == recipe
        assert recipe.method == method.name
        settings = {name for name, known in method.options.items() if known.kind == "setting"}
        assert recipe.settings.keys() == settings
        assert all(type(v) in (int, float, str, bool, type(None)) for v in recipe.settings.values())
        assert recipe.network["weights_hash"] == net.weights_hash
        assert list(recipe.photos) == photos(method)
        assert all(photo["source"] == "photo:cat" for photo in recipe.photos.values())
        assert recipe.command().startswith(f"pellucid {method.name.replace('_', '-')}")

    def test_replays_from_the_saved_picture(
        self, method: Method[Any], bundled: pl.Network, here: Path
    ) -> None:
        made = method(bundled, **small(method, bundled))
        made.save("made.png", arrays="safetensors")
        for file in ("made.png", "made.safetensors"):
            again = pl.replay(file)
            assert (again.same, again.differences) == (True, ())
            assert torch.equal(again.result.values, made.values)
            assert torch.equal(again.result.image(), made.image())

    def test_shows_and_saves_itself(self, method: Method[Any], net: pl.Network, here: Path) -> None:
        result = method(net, **small(method, net))
        image = result.image()
        assert image.shape[0] == 3 and bool(((image >= 0) & (image <= 1)).all())
        page = result._repr_html_()
        assert page.startswith("<figure") and "data:image/webp;base64," in page
        assert result._repr_png_().startswith(b"\x89PNG")
        assert json.loads(json.dumps(result.data()))["shape"] == list(result.values.shape)
        path = result.save("made.png", arrays="npz")
        assert {entry.name for entry in here.iterdir()} == {"made.png", "made.npz"}
        with Image.open(path) as opened:
            assert opened.size == (image.shape[2], image.shape[1])
        with np.load("made.npz") as arrays:
            assert np.array_equal(arrays["values"], result.values.numpy())
            assert pl.Recipe.parse(str(arrays["pellucid"])) == result.recipe

    def test_runs_in_half_and_double_precision(self, method: Method[Any], device: str) -> None:
        for kind in (torch.float64, torch.bfloat16):
            net = pl.Network(made_for(method).to(device, kind), **GREY)
            result = method(net, **small(method, net))
            assert bool(result.values.isfinite().all())
            assert result.image().dtype == torch.float32
