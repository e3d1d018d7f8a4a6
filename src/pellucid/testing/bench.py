"""Bench: what the promises are tested with: networks, and settings that make a method quick."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

import pellucid as pl
from pellucid.method import Method
from pellucid.register import entries
from pellucid.testing.networks import GREY, made_for

STEPS = 3
# What makes methods that run other methods quick.
FEW = {
    "stages": 2,
    "samples": 1,
    "pieces": 4,
    "methods": "saliency",
    "octaves": 1,
    "parts": 1,
    "shrink": 96,
    "masks": 20,
    "regions": 8,
    "passes": 100,
}
BEFORE = {"facets": 1}  # steps before the climb, in which a photo is looked at


DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


class Bench:
    """The fixtures; `method` is parametrized indirectly, with names of the register."""

    @pytest.fixture(params=DEVICES)
    def device(self, request: pytest.FixtureRequest) -> str:
        """The processor, and a GPU where there is one: what is promised holds on each."""
        name: str = request.param
        return name

    @pytest.fixture
    def method(self, request: pytest.FixtureRequest) -> Method[Any]:
        """The method under test."""
        return entries()[request.param].load()

    @pytest.fixture
    def tiny(self, method: Method[Any], device: str) -> pl.Network:
        """A small and awkward network, fresh for each test."""
        module = made_for(method).to(device)
        return pl.Network(module, **GREY, labels=["ant", "bee", "cat", "dog", "elk"])

    @pytest.fixture
    def bundled(self, method: Method[Any], device: str) -> pl.Network:
        """The network that comes with pellucid, or a transformer where the method needs one."""
        net = _bundled(device)
        if list(method.examples(net)):
            return net
        return pl.load("timm:vit_tiny_patch16_224", weights="random", device=device)

    @pytest.fixture(params=["tiny", "bundled"])
    def net(self, request: pytest.FixtureRequest, device: str) -> pl.Network:
        """Each of the two, on each device."""
        found: pl.Network = request.getfixturevalue(request.param)
        return found

    @pytest.fixture
    def here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """An empty folder to be in, so that nothing is written where it should not be."""
        monkeypatch.chdir(tmp_path)
        return tmp_path

    @pytest.fixture(autouse=True)
    def small_cuts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each takes a second otherwise; what is promised is the same on fewer pixels."""
        monkeypatch.setattr("pellucid.explain.segment.WORKING", 120)


@cache
def _bundled(device: str) -> pl.Network:
    return pl.load(device=device)  # all tests leave it as they found it


def photos(method: Method[Any]) -> list[str]:
    """Names of a method's photos."""
    return [name for name, known in method.options.items() if known.kind == "photo"]


def about_a_photo(method: Method[Any]) -> None:
    """Ends a test that says nothing of this method."""
    if not photos(method):
        pytest.skip("the method takes no photo")


def small(method: Method[Any], net: pl.Network, source: Any = "photo:cat") -> dict[str, Any]:
    """Arguments that make a method quick: its own first example, few steps, coarse strides."""
    settings = dict(next(iter(method.examples(net))))
    if "steps" in method.options:
        settings["steps"] = STEPS
    if "stride" in method.options:
        settings["stride"] = max(net.preprocess.size) // 3
    settings |= {name: few for name, few in FEW.items() if name in method.options}
    return settings | dict.fromkeys(photos(method), source)


def in_steps(
    method: Method[Any], net: pl.Network, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """Arguments for which also a method that works in batches has more than one to do."""
    for module in ("explain.gradient", "explain.scorecam", "see.coalitions"):
        most = dict.fromkeys(DEVICES, 2 * net.blank().numel())
        monkeypatch.setattr(f"pellucid.{module}.MOST_NUMBERS", most)
    more: dict[str, dict[str, Any]] = {"smooth": {"smooth": 3}, "way": {"way": "scorecam"}}
    found = [
        settings
        for name, settings in more.items()
        if name in method.options
        and (not method.options[name].choices or settings[name] in method.options[name].choices)
    ]
    return small(method, net) | next(iter(found), {})
