"""Tidy: whatever a method does, it leaves everything as it found it, also when it fails."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

import pellucid as pl
from pellucid.method import Method
from pellucid.testing.bench import BEFORE, STEPS, Bench, about_a_photo, in_steps, small
from pellucid.testing.footprints import same, state
from pellucid.testing.networks import GREY, made_for


class Tidy(Bench):
    """Network, photo, folder, random numbers and torch itself are left as they were found."""

    def test_success_leaves_all_as_found(self, method: Method[Any], net: pl.Network) -> None:
        assert net.layers
        before = state(net)
        result = method(net, **small(method, net))
        same(before, state(net))
        assert isinstance(result, pl.Result)
        assert not result.values.requires_grad
        assert bool(result.values.isfinite().all())

    def test_every_example_runs(self, method: Method[Any], tiny: pl.Network) -> None:
        for settings in method.examples(tiny):
            result = method(tiny, **small(method, tiny) | settings)
            assert result.caption, settings
            assert result.image().shape[0] == 3

    def test_a_fresh_network_is_left_as_found(
        self, method: Method[Any], tiny: pl.Network, device: str
    ) -> None:
        """Also when the layers have not been looked at before."""
        arguments = small(method, tiny)
        fresh = pl.Network(made_for(method).to(device), **GREY)
        before = state(fresh)
        method(fresh, **{**arguments, **({"want": "class:1"} if "want" in arguments else {})})
        same(before, state(fresh))

    @pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
    @pytest.mark.parametrize("when", [1, 2])
    def test_a_crash_inside_leaves_all_as_found(
        self, method: Method[Any], tiny: pl.Network, error: type[BaseException], when: int
    ) -> None:
        arguments = small(method, tiny)
        assert tiny.layers
        calls = 0

        def crash(*_: Any) -> None:
            nonlocal calls
            calls += 1
            if calls >= when:
                raise error("in the middle")

        handle = tiny.module.get_submodule("block.relu").register_forward_hook(crash)
        before = state(tiny)
        reached = False
        try:
            method(tiny, **arguments)
        except (RuntimeError, KeyboardInterrupt) as raised:
            assert type(raised) is error
            reached = True
        # A method that never runs the network cannot crash in it.
        assert reached == (calls >= when)
        same(before, state(tiny))
        handle.remove()

    def test_a_wrong_request_leaves_all_as_found(
        self, method: Method[Any], tiny: pl.Network
    ) -> None:
        arguments = small(method, tiny)
        wrong = [
            {name: "layre:99999" if known.help.names == "unit" else "layre"}
            for name, known in method.options.items()
            if known.help.names not in ("", "folder")
        ]
        before = state(tiny)
        wrong.append({"no_such_setting": "layre"})
        for change in wrong:
            with pytest.raises(pl.PellucidError):
                method(tiny, **arguments | change)
            same(before, state(tiny))

    def test_between_the_steps_all_is_as_found(
        self, method: Method[Any], tiny: pl.Network, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        arguments = in_steps(method, tiny, monkeypatch)
        before = state(tiny)
        for step in method.steps(tiny, **arguments):
            same(before, state(tiny))
            assert 0 < step.done <= step.total

    def test_steps_may_be_dropped_half_way(
        self, method: Method[Any], tiny: pl.Network, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        arguments = in_steps(method, tiny, monkeypatch)
        before = state(tiny)
        for count in (0, 1, 2):
            work = method.steps(tiny, **arguments)
            for _, _step in zip(range(count), work, strict=False):
                pass
            same(before, state(tiny))
            work.close()
            same(before, state(tiny))

    def test_steps_count_up_to_their_total(self, method: Method[Any], tiny: pl.Network) -> None:
        steps = list(method.steps(tiny, **small(method, tiny)))
        # One that climbs shows itself after each; others take several steps in one batch.
        if {"steps", "rate"} <= method.options.keys():
            assert len(steps) == STEPS + BEFORE.get(method.name, 0)
        assert all(a.done < b.done and a.total == b.total for a, b in pairwise(steps))
        assert not steps or steps[-1].done == steps[-1].total

    def test_the_photo_is_not_changed(self, method: Method[Any], tiny: pl.Network) -> None:
        about_a_photo(method)
        pixels = torch.rand(3, 30, 40)
        as_given = pixels.clone()
        photo = pl.open_image(pixels)
        was = photo.hash
        for given in (pixels, photo):
            method(tiny, **small(method, tiny, given))
        assert torch.equal(pixels, as_given)
        assert photo.hash == was

    def test_writes_nothing_by_itself(
        self, method: Method[Any], tiny: pl.Network, here: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        method(tiny, **small(method, tiny))
        assert not list(here.iterdir())
        assert capfd.readouterr() == ("", "")
