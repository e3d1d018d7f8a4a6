"""Which rectifiers are found, counted and overridden, and what is done with soft ones."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
import twins
from residual import RULES, OwnReLU, Residual, residual


def test_rectifiers_of_all_makes_are_counted_on_the_way_to_the_target(
    tiny: pl.Network, cat: pl.Photo
) -> None:
    counts = {
        "class:ant": "8 of 8 rectifiers overridden (7 hard, 1 soft)",
        "act:1": "5 of 5 rectifiers overridden",
        "block:1": "3 of 3 rectifiers overridden",
        "block.relu:1@2,3": "2 of 2 rectifiers overridden",
    }
    for method in RULES.values():
        for target, count in counts.items():
            assert method(tiny, cat, target=target).caption.partition("; ")[2].startswith(count)
        # Also where they share a pass.
        made = method(tiny, cat, target=list(counts))
        assert made.facts["hard rectifiers"] == [[7, 5, 3, 2]]
        assert made.facts["soft rectifiers"] == [[1, 0, 0, 0]]
        for column, target in enumerate(counts):
            one = method(tiny, cat, target=target)
            assert made[0, column].caption == one.caption
            torch.testing.assert_close(made[0, column].values, one.values)


@pytest.mark.parametrize("rule", RULES)
def test_own_functions_and_several_photos(rule: str, tiny: pl.Network, cat: pl.Photo) -> None:
    horse = pl.open_image("photo:horse")

    def corner(seen: dict[str, Tensor]) -> Tensor:
        return seen["block"][:, 2, :3, :3].sum((1, 2)) + seen[""][:, 1]

    made = RULES[rule](tiny, [cat, horse], target=[corner, "class:bee"], smooth=2)
    assert made.values.shape == (2, 2, 20, 28)
    assert made.facts["hard rectifiers"] == [[7, 7], [7, 7]]
    assert bool(made.values.flatten(2).any(2).all())


def test_what_is_not_a_rectifier_is_left_alone(cat: pl.Photo) -> None:
    """Squashing functions, and the clamp that keeps a division from zero."""

    class Others(Residual):
        def forward(self, x: Tensor) -> Tensor:
            x = F.normalize(F.hardtanh(self.conv0(x)).sigmoid().tanh())
            x = F.hardsigmoid(x).clamp(min=1e-6).clamp(-1, 1).abs()
            return x.softmax(1).mean((2, 3))

    net = pl.Network(Others("module"), size=16, name="others")
    for name, method in RULES.items():
        with pytest.raises(pl.PellucidError) as refused:
            method(net, cat, target="1")
        assert "no rectifier of others" in str(refused.value)
        assert f"{name} would be the plain gradient: ask for saliency" in str(refused.value)


@pytest.mark.parametrize("rule", RULES)
def test_before_the_first_rectifier_there_is_none(rule: str, cat: pl.Photo) -> None:
    with pytest.raises(pl.PellucidError, match="to conv0:1@3,3"):
        RULES[rule](residual(), cat, target="conv0:1@3,3")
    assert "1 of 1 rectifier" in RULES[rule](residual(), cat, target="conv1:1@3,3").caption


@pytest.mark.parametrize("rule", RULES)
def test_one_that_writes_into_a_part_of_a_tensor_is_counted_as_out_of_reach(
    rule: str, cat: pl.Photo
) -> None:
    class Parts(Residual):
        def forward(self, x: Tensor) -> Tensor:
            x = self.conv0(x)
            x[:, :2].relu_()
            y = torch.zeros_like(x)
            y[:, 2:] = x[:, 2:].relu()  # written into a part as well, but computed apart
            return self.conv1(y + x).mean((2, 3))

    made = RULES[rule](pl.Network(Parts("module"), size=16), cat, target="1")
    assert made.caption.endswith("1 of 2 rectifiers overridden")
    assert made.facts["hidden rectifiers"] == 1


@pytest.mark.parametrize("rule", RULES)
def test_what_is_compiled_is_not_passed_over(rule: str, cat: pl.Photo) -> None:
    """A graph of its own stands in the graph under the name that torch.compile gives it."""

    class CompiledFunction(OwnReLU):
        pass

    class Compiled(Residual):
        def forward(self, x: Tensor) -> Tensor:
            return F.relu(CompiledFunction.apply(self.conv0(x))).mean((2, 3))

    with pytest.raises(pl.PellucidError, match="part of the network is compiled"):
        RULES[rule](pl.Network(Compiled("module"), size=16), cat, target="1")


# Each with the slope that is its own: the policy for those that the papers do not know.
SOFT: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "leaky": (lambda x: F.leaky_relu(x, 0.2), lambda x: torch.where(x > 0, 1.0, 0.2)),
    "prelu": (lambda x: F.prelu(x, torch.tensor([0.3])), lambda x: torch.where(x > 0, 1.0, 0.3)),
    "elu": (F.elu, lambda x: torch.where(x > 0, 1.0, x.exp())),
    "celu": (lambda x: F.celu(x, 2.0), lambda x: torch.where(x > 0, 1.0, (x / 2).exp())),
    "gelu": (F.gelu, lambda x: twins.gelu(x)[1]),
    "silu": (F.silu, lambda x: twins.silu(x)[1]),
    "hardswish": (F.hardswish, lambda x: twins.hardswish(x)[1]),
    "softplus": (F.softplus, torch.sigmoid),
    "mish": (
        F.mish,
        lambda x: (
            torch.tanh(F.softplus(x)) + x * (1 - torch.tanh(F.softplus(x)) ** 2) * x.sigmoid()
        ),
    ),
    "rrelu": (F.rrelu, lambda x: torch.where(x > 0, 1.0, (1 / 8 + 1 / 3) / 2)),
    "relu6": (F.relu6, lambda x: ((x > 0) & (x < 6)).float()),
}


@pytest.mark.parametrize("kind", SOFT)
def test_softer_rectifiers_keep_their_slope_and_cut_the_negative(kind: str) -> None:
    function, slope = SOFT[kind]

    class One(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            # Downwards for the odd numbers, so that half of what comes back is negative.
            return (function(x * 20) * self.ways).sum((1, 2, 3))[:, None]

    torch.manual_seed(0)
    module = One()
    module.ways = torch.randn(1, 1, 8, 8)
    net = pl.Network(module, size=8, mean=[0.5], std=[1])
    photo = pl.open_image(torch.rand(3, 8, 8))
    x = net.prepare(photo)[0] * 20
    positive = module.ways.clamp(min=0)
    for method, wanted in ((pl.guided, positive * slope(x)), (pl.deconv, positive)):
        made = method(net, photo, target="0", reduce="signed")
        torch.testing.assert_close(made.values, 20 * wanted[0, 0], rtol=1e-4, atol=1e-5)
        kinds = "" if kind == "relu6" else " (0 hard, 1 soft)"
        assert made.caption.endswith(f"1 of 1 rectifiers overridden{kinds}")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("MyReLU", "1 of 1 rectifiers overridden"),
        ("Rectify", "1 of 1 rectifiers overridden"),
        ("MemoryEfficientSwish", "(0 hard, 1 soft)"),
        ("FusedLeakyReLU", "(0 hard, 1 soft)"),
        ("FastGELU", "(0 hard, 1 soft)"),
        ("RoundValues", None),
    ],
)
def test_somebody_s_own_are_known_by_their_names(
    name: str, kind: str | None, cat: pl.Photo
) -> None:
    function = type(name, (OwnReLU,), {})

    class One(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return function.apply(x).mean((2, 3))

    net = pl.Network(One(), size=8)
    if kind:
        assert pl.guided(net, cat, target="0").caption.endswith(kind)
    else:
        with pytest.raises(pl.PellucidError, match="no rectifier"):
            pl.guided(net, cat, target="0")
