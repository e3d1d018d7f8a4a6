"""@method and its options: binding, bounds, near matches, and messages."""

import inspect
from collections.abc import Generator
from typing import Annotated, Any, Literal

import numpy as np
import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid.option import Option, read


@pl.method()
def probe(
    net: pl.Network,
    photo: pl.Photo,
    unit: Annotated[str | None, pl.Help("a unit", names="unit")] = None,
    *,
    count: Annotated[int, pl.Help("a number", low=1, high=9)] = 3,
    rate: Annotated[float, pl.Help("a share", low=0)] = 0.5,
    kind: Annotated[Literal["plain", "fancy"], pl.Help("a kind")] = "plain",
    loud: Annotated[bool, pl.Help("whether")] = False,
    seed: Annotated[int, pl.Help("of the noise")] = 0,
) -> Generator[pl.Step, None, pl.Picture]:
    """A method to try the binding on."""
    values = torch.rand(count)
    yield pl.Step(1, 2, picture=torch.zeros(3, 2, 2))
    values = torch.cat([values, torch.rand(1)])
    yield pl.Step(2, 2)
    return pl.Picture(values=values.expand(3, 2, -1))


def test_settings_are_checked_before_the_first_step(tiny: pl.Network) -> None:
    with pytest.raises(pl.PellucidError, match="count is from 1 to 9, not 10"):
        probe.steps(tiny, "photo:cat", count=10)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("count", 4, 4),
        ("count", 4.0, 4),
        ("count", np.int64(4), 4),
        ("count", np.float32(4), 4),
        ("count", torch.tensor(4), 4),
        ("rate", 1, 1.0),
        ("rate", np.float32(0.25), 0.25),
        ("rate", np.int8(2), 2.0),
        ("kind", "fancy", "fancy"),
        ("loud", True, True),
        ("loud", np.bool_(True), True),
        ("unit", None, None),
        ("unit", 3, "3"),
        ("unit", np.int64(3), "3"),
        ("unit", torch.tensor(3), "3"),
        ("unit", "stem.0:1", "stem.0:1"),
        ("unit", pl.Unit("stem.0", 1, (2, 3)), "stem.0:1@2,3"),
        ("unit", pl.Unit("class", 1, label="crane"), "class:1"),
        ("seed", -5, -5),
    ],
)
def test_what_fits(name: str, value: Any, wanted: Any) -> None:
    found = probe.options[name].check(value)
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("count", 0, "count is from 1 to 9, not 0"),
        ("count", True, "count is a number, not True"),
        ("count", np.bool_(True), "count is a number"),
        ("count", 2.5, "count is a whole number, not 2.5"),
        ("count", "3", "count is a number, not '3'"),
        ("count", None, "count is a number, not None"),
        ("count", float("nan"), "count is a finite number, not nan"),
        ("count", float("inf"), "count is a finite number, not inf"),
        ("rate", -0.1, "rate is at least 0, not -0.1"),
        ("rate", float("inf"), "rate is a finite number"),
        ("rate", 10**400, "rate is a finite number"),
        ("rate", [1], r"rate is a number, not \[1\]"),
        ("rate", 1j, "rate is a number"),
        ("kind", "fancey", "no kind 'fancey'; did you mean 'fancy'?"),
        ("kind", "xyz", "no kind 'xyz'; there is plain, fancy"),
        ("kind", 3, "kind is a text, not 3"),
        ("kind", None, "kind is a text, not None"),
        ("loud", 1, "loud is true or false, not 1"),
        ("loud", "yes", "loud is true or false, not 'yes'"),
        ("unit", 1.5, "unit is a text, not 1.5"),
        ("unit", True, "unit is a text, not True"),
        ("seed", 2**70, "seed is smaller than"),
    ],
)
def test_what_does_not_fit(name: str, value: Any, message: str) -> None:
    with pytest.raises(pl.PellucidError, match=message):
        probe.options[name].check(value)


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {"cuont": 2}, "no setting of probe 'cuont'; did you mean 'count'"),
        (("photo:cat", None, 3), {}, "probe: too many positional arguments"),
        ((), {}, "probe: missing a required argument: 'photo'"),
        (("photo:cat",), {"photo": "photo:cat"}, "multiple values for argument 'photo'"),
    ],
)
def test_wrong_calls(args: Any, kwargs: Any, message: str, tiny: pl.Network) -> None:
    with pytest.raises(pl.PellucidError, match=message):
        probe(tiny, *args, **kwargs)


def test_a_module_is_a_network_and_a_text_is_not(cat: pl.Photo) -> None:
    module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert probe(module, cat).recipe.network["name"] == "Sequential"
    with pytest.raises(pl.PellucidError, match=r"wants a Network .* not str"):
        probe("resnet18", cat)


def test_the_stream_of_random_numbers_runs_on_from_step_to_step(
    tiny: pl.Network, cat: pl.Photo
) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        wanted = torch.rand(4)
    assert torch.equal(probe(tiny, cat, seed=7).values[0, 0], wanted)
    assert not torch.equal(probe(tiny, cat, seed=8).values[0, 0], wanted)


def test_the_signature_and_the_name_are_the_functions() -> None:
    assert (probe.name, probe.__name__, repr(probe)) == ("probe", "probe", "<method probe>")
    assert list(inspect.signature(probe).parameters) == list(probe.options)
    assert probe.options["count"].help.text == "a number"
    assert [probe.options[name].kind for name in ("net", "photo", "count")] == [
        "network",
        "photo",
        "setting",
    ]
    assert probe.options["photo"].required and not probe.options["unit"].required
    assert (probe.options["count"].flag, probe.options["kind"].choices) == (
        "--count",
        ("plain", "fancy"),
    )


def test_a_type_without_a_form_in_the_shell_is_refused() -> None:
    parameter = inspect.Parameter("sizes", inspect.Parameter.KEYWORD_ONLY)
    with pytest.raises(TypeError, match="sizes"):
        read(parameter, Annotated[list, pl.Help("sizes")])
    assert isinstance(read(parameter, Annotated[int, pl.Help("size")]), Option)


def test_the_command_says_what_was_set(bundled: pl.Network, cat: pl.Photo) -> None:
    words = pl.occlusion(bundled, "photo:cat", stride=56, fill="zero").recipe.command()
    assert words == "pellucid occlusion photo:cat --stride 56 --fill zero"
    words = pl.activations(bundled, cat.pixels, "relu2", channel=0).recipe.command()
    assert words == "pellucid activations PHOTO.png relu2 --channel 0"


def test_the_same_class_when_two_bear_one_label(cat: pl.Photo) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 3, 5), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    net = pl.Network(module, size=16, labels=["crane", "dog", "crane"])
    second = pl.saliency(net, cat, target=net.unit(2))
    assert second.recipe.settings["target"] == "class:2"
    assert torch.equal(second.values, pl.saliency(net, cat, target="class:2").values)
    assert not torch.equal(second.values, pl.saliency(net, cat, target="class:0").values)


@pytest.mark.filterwarnings("ignore")  # TorchScript is deprecated
def test_frozen_torchscript_is_at_rest_already(cat: pl.Photo) -> None:
    """It has neither a mode nor parameters left."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    frozen = torch.jit.freeze(torch.jit.script(module))
    wanted = pl.saliency(pl.Network(module, size=12), cat, target=0).values
    for odd in (frozen, nn.Sequential(frozen)):
        found = pl.saliency(pl.Network(odd, size=12), cat, target=0).values
        torch.testing.assert_close(found, wanted)


def test_modes_and_gradients_are_as_found_after_rest() -> None:
    shared = nn.Linear(3, 3)
    module = nn.Sequential(shared, nn.Sequential(shared, nn.BatchNorm1d(3)), nn.Dropout())
    module[1].eval()
    shared.bias.requires_grad_(False)
    net = pl.Network(module, size=1)

    def found() -> list[bool]:
        return [part.training for part in module.modules()] + [
            weight.requires_grad for weight in module.parameters()
        ]

    before = found()
    with net.at_rest():
        assert not any(found())
        with net.at_rest():
            assert not any(found())
        module[2].train()
    assert found() == before and 0 < sum(before) < len(before)
