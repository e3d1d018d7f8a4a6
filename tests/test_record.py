"""recording() against the truth: each network computed by hand, or with its in-place flags off."""

from collections import OrderedDict
from copy import deepcopy
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, nn

import pellucid as pl
from hand import NAMES, Hand, by_hand


@pytest.fixture
def x() -> Tensor:
    return torch.randn(2, 1, 6, 7, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad, torch.inference_mode])
def test_values_are_the_truth(mode: Any, x: Tensor) -> None:
    net = Hand()
    truth = by_hand(net, x)
    with mode(), pl.recording(net, NAMES, stop=False) as seen:
        output = net(x)
    assert seen.keys() == truth.keys()
    for name, value in truth.items():
        torch.testing.assert_close(seen[name], value, msg=name)
    torch.testing.assert_close(output, truth[""])


@pytest.mark.parametrize("name", NAMES)
def test_one_layer_alone_is_the_truth(name: str, x: Tensor) -> None:
    net = Hand()
    with pl.recording(net, [name]) as seen:
        net(x)
    torch.testing.assert_close(seen[name], by_hand(net, x)[name])


@pytest.mark.parametrize("together", [True, False])
def test_gradients_are_the_truth(together: bool, x: Tensor) -> None:
    """Also through in-place calls whose result is thrown away."""
    net = Hand()
    x.requires_grad_()
    truth = by_hand(net, x)
    for name in NAMES:
        names = NAMES if together else [name]
        with pl.recording(net, names, stop=False) as seen:
            output = net(x)
        (wanted,) = torch.autograd.grad(truth[""].sum(), truth[name], retain_graph=True)
        (found,) = torch.autograd.grad(
            (seen[""] if name == "" else output).sum(), seen[name], retain_graph=True
        )
        torch.testing.assert_close(found, wanted, msg=name)
        (wanted,) = torch.autograd.grad(truth[""].sum(), x, retain_graph=True)
        (found,) = torch.autograd.grad(output.sum(), x, retain_graph=True)
        torch.testing.assert_close(found, wanted, msg=f"{name} to the input")
        (wanted,) = torch.autograd.grad(truth[name].square().sum(), x, retain_graph=True)
        (found,) = torch.autograd.grad(seen[name].square().sum(), x)
        torch.testing.assert_close(found, wanted, msg=f"from {name} to the input")


@pytest.mark.parametrize("name", ["stem.1", "block.relu#2", "relu()", "relu()#2", "grouped"])
def test_a_graph_that_begins_at_the_layer(name: str, tiny: pl.Network, x: Tensor) -> None:
    """Nothing in front of it is kept, and the gradient is that of the whole graph."""
    found = []
    for leaves in (False, True):
        with tiny.at_rest(), pl.recording(tiny, [name], stop=False, leaves=leaves) as seen:
            score = tiny.module(x.clone().requires_grad_(not leaves))[0, 2]
        assert seen[name].is_leaf == leaves
        found.append(torch.autograd.grad(score, seen[name])[0])
    torch.testing.assert_close(found[1], found[0])
    assert bool(found[0].any())


def test_two_leaves_of_which_one_depends_on_the_other(tiny: pl.Network, x: Tensor) -> None:
    with tiny.at_rest(), pl.recording(tiny, ["stem", "block"], stop=False, leaves=True) as seen:
        score = tiny.module(x)[0, 2]
    assert seen["stem"].is_leaf and not seen["block"].is_leaf
    first, second = torch.autograd.grad(score, [seen["stem"], seen["block"]])
    assert bool(first.any()) and bool(second.any())
    with tiny.at_rest(), torch.no_grad(), pl.recording(tiny, ["stem"], leaves=True) as seen:
        tiny.module(x)
    assert not seen["stem"].requires_grad


def test_all_names_of_a_pass_in_order(x: Tensor) -> None:
    net = pl.Network(Hand(), size=(6, 7), mean=[0], std=[1])
    found = [
        "conv", "relu", "second", "relu#2", "relu()", "relu()#2", "relu()#3",
        "tail.0", "tail.1", "tail", "",
    ]  # fmt: skip
    assert list(net.layers) == found


def test_stops_at_the_deepest_layer_asked_for(x: Tensor) -> None:
    net = Hand()
    after = []
    with pl.recording(net, ["conv", "relu#2"]) as seen:
        net(x)
        after.append("the rest of the block")
    assert (len(seen), net.calls, after) == (2, 0, [])
    with pl.recording(net, ["conv", "relu#2"], stop=False):
        net(x)
        after.append("the rest of the block")
    assert (net.calls, after) == (1, ["the rest of the block"])


def test_a_second_pass_counts_from_the_beginning(x: Tensor) -> None:
    net = Hand()
    with pl.recording(net, ["relu#2"], stop=False) as seen:
        with pytest.raises(RuntimeError):
            net(x[:, :, 0, 0])
        net(x)
    torch.testing.assert_close(seen["relu#2"], by_hand(net, x)["relu#2"])


@pytest.mark.parametrize("inner_stops", [True, False])
def test_one_recording_inside_another(inner_stops: bool, x: Tensor) -> None:
    net = Hand()
    truth = by_hand(net, x)
    with pl.recording(net, ["relu", "tail"], stop=False) as outer:
        with pl.recording(net, ["second"], stop=inner_stops) as inner:
            net(x)
        if inner_stops:
            net(x)
    for seen in (outer, inner):
        for name in seen:
            torch.testing.assert_close(seen[name], truth[name])
    assert (list(outer), list(inner)) == (["relu", "tail"], ["second"])


def test_the_end_of_an_outer_recording_ends_both(x: Tensor) -> None:
    net = Hand()
    after = []
    with pl.recording(net, ["relu"]) as outer:
        with pl.recording(net, ["tail"]) as inner:
            net(x)
        after.append("between the two ends")
    assert (list(outer), list(inner), after) == (["relu"], [], [])


class Outputs(nn.Module):
    """Modules that put out tuples, dicts, lists within them, their own input, or no tensor."""

    class Pair(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, str]:
            return x + 1, "note"

    class Table(nn.Module):
        def forward(self, x: Tensor) -> dict[str, Any]:
            return OrderedDict(none=None, some=[x * 2, x])

    class Words(nn.Module):
        def forward(self, x: Tensor) -> str:
            return "words"

    def __init__(self) -> None:
        super().__init__()
        self.pair, self.table, self.words = self.Pair(), self.Table(), self.Words()
        self.same, self.flat = nn.Identity(), nn.Flatten()

    def forward(self, x: Tensor) -> Tensor:
        pair, note = self.pair(x)
        table = self.table(pair)
        self.words(pair)
        assert (note, type(table), list(table)) == ("note", OrderedDict, ["none", "some"])
        whole = table["some"][0].mul_(1)
        flat = self.flat(self.same(whole))
        whole.mul_(100)
        return flat


def test_outputs_that_are_no_tensor(x: Tensor) -> None:
    net = Outputs()
    names = ["pair", "table", "same", "flat"]
    with pl.recording(net, names, stop=False) as seen:
        net(x)
    torch.testing.assert_close(seen["pair"], x + 1)
    torch.testing.assert_close(seen["table"], (x + 1) * 2)
    torch.testing.assert_close(seen["same"], (x + 1) * 2)
    torch.testing.assert_close(seen["flat"], ((x + 1) * 2).flatten(1))
    with (
        pytest.raises(pl.PellucidError, match="'words' does not put out a tensor"),
        pl.recording(net, ["words"]),
    ):
        net(x)


def test_a_named_tuple_keeps_its_type() -> None:
    net = torchvision.models.googlenet(weights=None, init_weights=False, num_classes=3)
    with pl.recording(net, [""], stop=False) as seen:
        output = net(torch.randn(2, 3, 64, 64))
    assert type(output).__name__ == "GoogLeNetOutputs"
    assert torch.equal(seen[""], output.logits)


def test_activation_modules_are_not_counted_twice() -> None:
    parts = [nn.ReLU(), nn.ReLU6(), nn.GELU(), nn.SiLU(), nn.Hardswish(), nn.Sigmoid(), nn.PReLU()]
    net = pl.Network(nn.Sequential(nn.Conv2d(1, 2, 1), *parts), size=8, mean=[0], std=[1])
    assert list(net.layers) == [*map(str, range(len(parts) + 1)), ""]


def test_a_module_of_the_users_that_works_in_place(x: Tensor) -> None:
    """No attribute `inplace` says so: the tensor's own count of changes does."""

    class Half(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.mul_(0.5)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.halved = Half()

        def forward(self, x: Tensor) -> Tensor:
            y = x * 3
            self.halved(x=y)
            return y * y

    x.requires_grad_()
    net = Net()
    with pl.recording(net, ["halved"], stop=False) as seen:
        output = net(x)
    (found,) = torch.autograd.grad(output.sum(), seen["halved"])
    torch.testing.assert_close(found, 2 * 1.5 * x)


def test_takes_a_network_and_a_module_that_has_a_part_called_module(x: Tensor) -> None:
    wrapped = nn.Module()
    wrapped.module = Hand()
    wrapped.forward = lambda x: wrapped.module(x)  # type: ignore[method-assign]
    truth = by_hand(wrapped.module, x)["conv"]
    for given in (wrapped, pl.Network(wrapped, size=6, mean=[0], std=[1])):
        with pl.recording(given, ["module.conv"]) as seen:
            wrapped(x)
        torch.testing.assert_close(seen["module.conv"], truth)


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "googlenet"])
def test_torchvision_against_a_copy_without_in_place(name: str) -> None:
    special = {"init_weights": False} if name == "googlenet" else {}
    torch.manual_seed(0)
    net = torchvision.models.get_model(name, weights=None, **special).eval().requires_grad_(False)
    clean = deepcopy(net)
    truth: dict[str, Tensor] = {}
    names = []
    for layer, part in clean.named_modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
        if isinstance(part, nn.Conv2d | nn.BatchNorm2d):
            names.append(layer)
            part.register_forward_hook(
                lambda _part, _given, output, layer=layer: truth.update({layer: output.clone()})
            )
    x = torch.randn(1, 3, 64, 64)
    clean(x)
    names = [layer for layer in names if layer in truth]  # GoogLeNet's auxiliary heads rest
    with pl.recording(net, [*names, ""]) as seen:
        net(x)
    assert len(names) > 30
    for layer in names:
        assert torch.equal(seen[layer], truth[layer]), layer


def test_densenets_functional_rectifier() -> None:
    net = pl.load("densenet121", weights="random", device="cpu")
    x = torch.randn(1, 3, 64, 64)
    with pl.recording(net, ["features", "relu()"]) as seen:
        net.module(x)
    assert bool((seen["features"] < 0).any())
    assert torch.equal(seen["relu()"], seen["features"].clamp(min=0))


@pytest.mark.filterwarnings("ignore")  # TorchScript is deprecated
def test_torchscript_can_be_asked_but_not_opened() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    scripted = pl.Network(torch.jit.script(net), size=16)
    for method in (pl.predict, pl.saliency):
        shown = method(scripted, "photo:cat").values
        assert torch.equal(shown, method(pl.Network(net, size=16), "photo:cat").values)
    with pytest.raises(pl.PellucidError, match="no layer '0'"):
        pl.saliency(scripted, "photo:cat", target="0:1")
    with (
        pytest.raises(pl.PellucidError, match="layer '0' is TorchScript"),
        pl.recording(scripted, ["0"]),
    ):
        pass
