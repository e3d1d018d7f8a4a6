"""Networks destroyed layer by layer: in which order, what changes, and what must not."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.explain.shuffle import cascade, layers_down, named, shuffle


def test_a_chain_from_its_end_to_its_beginning(bundled: pl.Network) -> None:
    down = ["classifier", *(f"conv{number}" for number in range(7, 0, -1))]
    assert layers_down(bundled, [""], 100) == [(name,) for name in down]
    assert layers_down(bundled, [""], 3) == [tuple(down[:3]), tuple(down[3:5]), tuple(down[5:])]


def test_what_comes_behind_the_target_is_left_out(bundled: pl.Network) -> None:
    assert layers_down(bundled, ["relu3"], 100) == [("conv3",), ("conv2",), ("conv1",)]
    assert layers_down(bundled, ["conv1"], 100) == [("conv1",)]


def test_the_groups_of_a_deep_network_hold_every_weight_once() -> None:
    net = pl.load("resnet18", weights="random", device="cpu")
    groups = layers_down(net, [""], 5)
    names = [name for group in groups for name in group]
    assert len(groups) == 5 and max(map(len, groups)) - min(map(len, groups)) <= 1
    assert len(set(names)) == len(names) == 41  # 20 convolutions, 20 norms, 1 linear
    assert names[0] == "fc" and names[-2:] == ["bn1", "conv1"]
    assert names.index("layer4.0.conv1") < names.index("layer3.1.conv2")


class Tokens(nn.Module):
    """Weights in a container, used before its parts, and a part that is never called itself."""

    def __init__(self) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.randn(1, 1, 8))
        self.patch = nn.Conv2d(3, 8, 4, stride=4)
        self.attend = nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(2).mT
        x = torch.cat([self.start.expand(len(x), -1, -1), x], 1)
        return self.head(self.attend(x, x, x)[0][:, 0])


def test_weights_outside_of_layers_have_a_place_too() -> None:
    groups = layers_down(pl.Network(Tokens(), size=16), [""], 9)
    names = [name for group in groups for name in group]
    assert names[0] == "head"
    assert set(names[1:3]) == {"attend", "attend.out_proj"}
    assert set(names[3:]) == {"patch", ""}


def weights(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def test_each_stage_shuffles_one_group_more_and_nothing_else(tiny: pl.Network) -> None:
    torch.manual_seed(0)
    groups = layers_down(tiny, [""], 9)
    before = weights(tiny.module)
    changed: set[str] = set()
    for group, net in zip(groups, cascade(tiny, groups), strict=True):
        after = weights(net.module)
        for name, value in after.items():
            assert torch.equal(value.flatten().sort().values, before[name].flatten().sort().values)
            if not torch.equal(value, before[name]):
                changed.add(name.rpartition(".")[0])
        done = groups[: groups.index(group) + 1]
        assert changed == {name for each in done for name in each}
    moved = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert {"norm.running_mean", "norm.running_var", "head.weight"} <= moved
    same = weights(tiny.module)
    assert all(torch.equal(value, same[name]) for name, value in before.items())


def test_a_shared_weight_is_shuffled_once() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Conv2d(3, 3, 5, padding=2), nn.Conv2d(3, 3, 5, padding=2)
            self.two.weight = self.one.weight

        def forward(self, x: Tensor) -> Tensor:
            return self.two(self.one(x)).mean((2, 3))

    net = pl.Network(Tied(), size=8)
    groups = layers_down(net, [""], 9)
    torch.manual_seed(0)
    stages = [weights(stage.module)["one.weight"] for stage in cascade(net, groups)]
    assert torch.equal(stages[0], stages[1])
    assert not torch.equal(stages[0], net.module.one.weight)


def test_of_two_numbers_the_two_change_places() -> None:
    for seed in range(6):
        torch.manual_seed(seed)
        weight = torch.tensor([[2.0], [-1.0]])
        shuffle(weight)
        assert weight.flatten().tolist() == [-1, 2]
    constant = torch.ones(3)
    shuffle(constant)
    assert constant.tolist() == [1, 1, 1]


def test_the_copy_keeps_labels_and_layers(tiny: pl.Network) -> None:
    (net,) = cascade(tiny, layers_down(tiny, [""], 1))
    assert net.labels == tiny.labels and net.layers is tiny.layers
    assert net.module is not tiny.module and net.weights_hash != tiny.weights_hash


def test_weights_made_in_inference_mode() -> None:
    with torch.inference_mode():
        net = pl.Network(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(64, 2)), size=6)
    (copy,) = cascade(net, layers_down(net, [""], 1))
    assert copy.weights_hash != net.weights_hash


def test_a_module_that_cannot_be_copied_is_said(tiny: pl.Network) -> None:
    class Single(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Conv2d(3, 2, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.inner(x).mean((2, 3))

        def __deepcopy__(self, memo: Any) -> Any:
            raise TypeError("there is only one of me")

    with pytest.raises(pl.PellucidError, match=r"cannot be copied.*only one of me"):
        next(cascade(pl.Network(Single(), size=8), [("inner",)]))


def test_a_layer_whose_weights_another_holds_is_one() -> None:
    """As spectral norm has it; its bias stays with it."""
    norm = nn.utils.parametrizations.spectral_norm
    module = nn.Sequential(
        norm(nn.Conv2d(3, 4, 3)), nn.ReLU(), norm(nn.Conv2d(4, 4, 3, bias=False))
    )
    net = pl.Network(module, size=12)
    groups = layers_down(net, [""], 9)
    assert [named(group, net) for group in groups] == ["2", "0"]
    assert sorted(groups[1]) == ["0", "0.parametrizations.weight"]
    before = module[0].parametrizations.weight.original.detach().clone()
    *_, last = cascade(net, groups, torch.Generator().manual_seed(0))
    after = last.module[0].parametrizations.weight.original
    assert torch.equal(module[0].parametrizations.weight.original, before)
    assert not torch.equal(after, before) and not torch.equal(last.module[0].bias, module[0].bias)


@pytest.mark.filterwarnings("ignore")  # TorchScript is deprecated
def test_torchscript_gives_no_module_by_its_name(cat: pl.Photo) -> None:
    body = [nn.Conv2d(3, 4, 3, stride=3), nn.ReLU(), nn.Flatten(), nn.Linear(100, 3)]
    net = pl.Network(torch.jit.script(nn.Sequential(*body).eval()), size=15)
    before = net.weights_hash
    assert pl.trust(net, "saliency", cat).caption
    assert net.weights_hash == before
