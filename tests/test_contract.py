"""The promises that every method keeps, whatever it does: on any network, and when it fails."""

import json
import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.modules import module as globally

import pellucid as pl
from conftest import attentive, awkward
from pellucid.explain import gradient, scorecam, segment
from pellucid.method import Method
from pellucid.register import entries

METHODS = list(entries())
ABOUT_A_PHOTO = [
    name
    for name in METHODS
    if any(known.kind == "photo" for known in entries()[name].load().options.values())
]
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
}
BEFORE = {"facets": 1}  # steps before the climb, in which a photo is looked at


def made_for(method: Method[Any]) -> nn.Module:
    """The awkward network; for a method that has no example there, the small transformer."""
    net = pl.Network(awkward(), size=(20, 28), mean=[0.4], std=[0.3])
    return awkward() if list(method.examples(net)) else attentive()


@pytest.fixture(autouse=True)
def small_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes a second otherwise; what is promised is the same on fewer pixels."""
    monkeypatch.setattr(segment, "WORKING", 120)


@pytest.fixture
def tiny(request: pytest.FixtureRequest, tiny: pl.Network) -> pl.Network:
    if "method" in request.fixturenames:
        module = made_for(request.getfixturevalue("method"))
        return pl.Network(module, size=(20, 28), mean=[0.4], std=[0.3], labels=tiny.labels)
    return tiny


@pytest.fixture
def bundled(request: pytest.FixtureRequest, bundled: pl.Network) -> pl.Network:
    if list(request.getfixturevalue("method").examples(bundled)):
        return bundled
    return pl.load("timm:vit_tiny_patch16_224", weights="random", device="cpu")


@pytest.fixture(params=["tiny", "bundled"])
def net(request: pytest.FixtureRequest) -> pl.Network:
    return request.getfixturevalue(request.param)


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> Method[Any]:
    return entries()[request.param].load()


def photos(method: Method[Any]) -> list[str]:
    return [name for name, known in method.options.items() if known.kind == "photo"]


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
    for module in (gradient, scorecam):
        monkeypatch.setattr(module, "MOST_NUMBERS", {"cpu": 2 * net.blank().numel()})
    more = {"smooth": {"smooth": 3}, "way": {"way": "scorecam"}}
    found = [
        settings
        for name, settings in more.items()
        if name in method.options
        and (not method.options[name].choices or settings[name] in method.options[name].choices)
    ]
    return small(method, net) | next(iter(found), {})


def state(net: pl.Network) -> dict[str, Any]:
    """All that a method could leave changed in a network, and in torch."""
    hooks = [
        (name, key, list(value.items()))
        for name, part in net.module.named_modules()
        for key, value in vars(part).items()
        if "hooks" in key and hasattr(value, "items")
    ]
    return {
        "weights": pl.Network(net.module).weights_hash,
        "training": [part.training for part in net.module.modules()],
        "requires_grad": [weight.requires_grad for weight in net.module.parameters()],
        "grad": [weight.grad for weight in net.module.parameters()],
        "grad values": [
            None if weight.grad is None else weight.grad.sum().item()
            for weight in net.module.parameters()
        ],
        "hooks": hooks,
        "global hooks": [
            len(value)
            for name, value in vars(globally).items()
            if name.endswith("_hooks") and value
        ],
        "attributes": [sorted(vars(part)) for part in net.module.modules()],
        "modes": (
            torch.is_grad_enabled(),
            torch.is_inference_mode_enabled(),
            torch._C._len_torch_function_stack(),
            torch.backends.cudnn.deterministic,
            torch.backends.cudnn.benchmark,
        ),
        "random": [torch.get_rng_state().tolist(), str(np.random.get_state()), random.getstate()],
    }


def same(before: dict[str, Any], after: dict[str, Any]) -> None:
    for what, was in before.items():
        if what == "grad":
            assert all(a is b for a, b in zip(was, after[what], strict=True)), what
        else:
            assert was == after[what], what


def test_the_footprints_are_seen(tiny: pl.Network) -> None:
    """The test of the tests: each thing left behind is noticed."""
    first = next(tiny.module.parameters())
    changes: list[Callable[[], Any]] = [
        lambda: tiny.module.eval(),
        lambda: first.requires_grad_(False),
        lambda: tiny.module.norm.running_mean.add_(1),
        lambda: tiny.module.norm.num_batches_tracked.add_(1),
        lambda: setattr(first, "grad", first.grad.clone()),
        lambda: first.grad.add_(1),
        lambda: tiny.module.head.register_forward_hook(lambda *_: None),
        lambda: torch.rand(1),
        lambda: first.data.add_(1),
    ]
    for change in changes:
        before = state(tiny)
        change()
        with pytest.raises(AssertionError):
            same(before, state(tiny))


def test_success_leaves_all_as_found(method: Method[Any], net: pl.Network) -> None:
    assert net.layers
    before = state(net)
    result = method(net, **small(method, net))
    same(before, state(net))
    assert isinstance(result, pl.Result)
    assert not result.values.requires_grad
    assert bool(result.values.isfinite().all())


def test_every_example_runs(method: Method[Any], tiny: pl.Network) -> None:
    for settings in method.examples(tiny):
        result = method(tiny, **small(method, tiny) | settings)
        assert result.caption, settings
        assert result.image().shape[0] == 3


def test_a_fresh_network_is_left_as_found(method: Method[Any], tiny: pl.Network) -> None:
    """Also when the layers have not been looked at before."""
    arguments = small(method, tiny)
    fresh = pl.Network(made_for(method), size=(20, 28), mean=[0.4], std=[0.3])
    before = state(fresh)
    method(fresh, **{**arguments, **({"want": "class:1"} if "want" in arguments else {})})
    same(before, state(fresh))


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("when", [1, 2])
def test_a_crash_inside_leaves_all_as_found(
    method: Method[Any], tiny: pl.Network, error: type[BaseException], when: int
) -> None:
    arguments = small(method, tiny)
    assert tiny.layers
    calls = 0

    def crash(*_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls >= when:
            raise error("in the middle")

    handle = tiny.module.block.relu.register_forward_hook(crash)
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


def test_a_wrong_request_leaves_all_as_found(method: Method[Any], tiny: pl.Network) -> None:
    arguments = small(method, tiny)
    wrong = [
        {name: "layre:99999" if known.help.names == "unit" else "layre"}
        for name, known in method.options.items()
        if known.help.names not in ("", "folder")
    ]
    before = state(tiny)
    for change in [*wrong, {"no_such_setting": 1}]:
        with pytest.raises(pl.PellucidError):
            method(tiny, **arguments | change)
        same(before, state(tiny))


def test_between_the_steps_all_is_as_found(
    method: Method[Any], tiny: pl.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = in_steps(method, tiny, monkeypatch)
    before = state(tiny)
    for step in method.steps(tiny, **arguments):
        same(before, state(tiny))
        assert 0 < step.done <= step.total


def test_steps_may_be_dropped_half_way(
    method: Method[Any], tiny: pl.Network, monkeypatch: pytest.MonkeyPatch
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


def test_steps_count_up_to_their_total(method: Method[Any], tiny: pl.Network) -> None:
    steps = list(method.steps(tiny, **small(method, tiny)))
    # One that climbs shows itself after each; others take several steps in one batch.
    if {"steps", "rate"} <= method.options.keys():
        assert len(steps) == STEPS + BEFORE.get(method.name, 0)
    assert all(a.done < b.done and a.total == b.total for a, b in pairwise(steps))
    assert not steps or steps[-1].done == steps[-1].total


@pytest.mark.parametrize("method", ABOUT_A_PHOTO, indirect=True)
def test_the_photo_is_not_changed(method: Method[Any], tiny: pl.Network) -> None:
    pixels = torch.rand(3, 30, 40)
    as_given = pixels.clone()
    photo = pl.open_image(pixels)
    was = photo.hash
    for given in (pixels, photo):
        method(tiny, **small(method, tiny, given))
    assert torch.equal(pixels, as_given)
    assert photo.hash == was


@pytest.mark.parametrize("method", ABOUT_A_PHOTO, indirect=True)
def test_a_photo_comes_in_any_form(method: Method[Any], tiny: pl.Network, tmp_path: Path) -> None:
    photo = pl.open_image("photo:cat")
    path = tmp_path / "cat.png"
    array = photo.pixels.permute(1, 2, 0).numpy()
    Image.fromarray(array).save(path)
    forms = ["photo:cat", path, str(path), Image.open(path), photo.pixels, array, photo.floats()]
    made = {method(tiny, **small(method, tiny, form)).recipe.values for form in forms}
    assert len(made) == 1


def test_the_same_seed_makes_the_same(method: Method[Any], tiny: pl.Network) -> None:
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
    with torch.inference_mode(), torch.autocast("cpu"):
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


def test_random_numbers_of_the_network_itself(method: Method[Any]) -> None:
    """A network that draws random numbers even at rest is repeated as well."""

    class Noisy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inside = made_for(method)

        def forward(self, x: Tensor) -> Tensor:
            return self.inside(x + torch.rand_like(x))

    net = pl.Network(Noisy(), size=(20, 28), mean=[0.5], std=[0.5])
    arguments = small(method, net)
    fresh = pl.Network(net.module, size=(20, 28), mean=[0.5], std=[0.5])
    before = state(fresh)
    made = [method(fresh, **arguments).recipe.values for _ in range(2)]
    assert made[0] == made[1]
    same(before, state(fresh))


def test_the_recipe_is_plain_and_whole(method: Method[Any], net: pl.Network) -> None:
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
    method: Method[Any], bundled: pl.Network, here: Path
) -> None:
    made = method(bundled, **small(method, bundled))
    made.save("made.png", arrays="safetensors")
    for file in ("made.png", "made.safetensors"):
        again = pl.replay(file)
        assert (again.same, again.differences) == (True, ())
        assert torch.equal(again.result.values, made.values)
        assert torch.equal(again.result.image(), made.image())


def test_shows_and_saves_itself(method: Method[Any], net: pl.Network, here: Path) -> None:
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


def test_runs_in_half_and_double_precision(method: Method[Any]) -> None:
    for kind in (torch.float64, torch.bfloat16):
        net = pl.Network(made_for(method).to(kind), size=(20, 28), mean=[0.4], std=[0.3])
        result = method(net, **small(method, net))
        assert bool(result.values.isfinite().all())
        assert result.image().dtype == torch.float32


def test_writes_nothing_by_itself(
    method: Method[Any], tiny: pl.Network, here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    method(tiny, **small(method, tiny))
    assert not list(here.iterdir())
    assert capfd.readouterr() == ("", "")
