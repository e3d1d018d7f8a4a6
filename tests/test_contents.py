"""Contents: what is packed, quantised, frozen or not saved is in the fingerprint too."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.contents import Contents
from pellucid.fingerprint import Fingerprint
from quantised import quantised

pytestmark = pytest.mark.filterwarnings("ignore")  # TorchScript and torch.ao are deprecated


def plain() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 2)).eval()


def unsaved() -> nn.Module:
    module = plain()
    module.register_buffer("scale", torch.rand(2), persistent=False)
    return module


def sparse() -> nn.Module:
    module = plain()
    module.register_buffer("few", torch.rand(4, 4).to_sparse())
    return module


def recurrent() -> nn.Module:
    return torch.ao.quantization.quantize_dynamic(
        nn.Sequential(nn.LSTM(3, 4)), {nn.LSTM}, dtype=torch.qint8
    )


def half_frozen() -> nn.Module:
    return torch.jit.freeze(torch.jit.script(plain()), preserved_attrs=["training"])


def for_inference() -> nn.Module:
    return torch.jit.optimize_for_inference(torch.jit.script(plain()))


MAKERS: dict[str, Callable[[], nn.Module]] = {
    "unsaved": unsaved,
    "sparse": sparse,
    "recurrent": recurrent,
    "frozen": lambda: torch.jit.freeze(torch.jit.script(plain())),
    "half frozen": half_frozen,
    "within": lambda: nn.Sequential(nn.Identity(), torch.jit.freeze(torch.jit.script(plain()))),
    "for inference": for_inference,
    "dynamic": lambda: quantised("dynamic"),
    "static": lambda: quantised("static"),
    "graph": lambda: quantised("graph"),
    "scripted static": lambda: torch.jit.script(quantised("static")),
    "frozen static": lambda: torch.jit.freeze(torch.jit.script(quantised("static"))),
}


@pytest.mark.parametrize("name", MAKERS)
def test_other_weights_have_another_fingerprint(name: str) -> None:
    found = []
    for seed in (0, 1, 0):
        torch.manual_seed(seed)
        module = MAKERS[name]()
        mark = Fingerprint(module)
        found.append(str(mark))
        assert found[-1] == str(mark) == str(Fingerprint(module))
    assert found[0] == found[2] != found[1]
    assert str(Fingerprint(nn.ReLU())) not in found


def test_the_last_weights_alone_tell_quantised_networks_apart() -> None:
    found = set()
    for seed in range(3):
        torch.manual_seed(0)
        module = plain()
        torch.manual_seed(seed)
        module[3].weight.data.normal_()
        packed = torch.ao.quantization.quantize_dynamic(module, {nn.Linear}, dtype=torch.qint8)
        found.add(str(Fingerprint(packed)))
    assert len(found) == 3


def test_a_change_of_what_is_not_saved_is_seen() -> None:
    module = unsaved()
    mark = Fingerprint(module)
    before = str(mark)
    module.scale.data.mul_(-3)
    assert str(mark) != before


def test_a_change_of_packed_weights_is_seen() -> None:
    module = quantised("dynamic")
    mark = Fingerprint(module)
    before = str(mark)
    weight = module.head.weight()
    turned = torch._make_per_tensor_quantized_tensor(
        weight.int_repr().flip(0), weight.q_scale(), weight.q_zero_point()
    )
    module.head.set_weight_bias(turned, module.head.bias())  # the same numbers elsewhere
    assert str(mark) != before


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, stride=2)
        self.drop = nn.Dropout()

    def forward(self, x: Tensor) -> Tensor:
        x = self.drop(self.conv(x))
        if x.shape[2] > 3:
            x = x * 2
        return x


def test_torchscript_with_its_weights_has_the_fingerprint_of_its_module() -> None:
    module = Scaled().eval()
    wanted = str(Fingerprint(module))
    for odd in (torch.jit.script(module), torch.jit.trace(module, torch.rand(1, 3, 9, 9))):
        assert str(Fingerprint(odd)) == wanted
    steady = Contents.of(module)
    assert steady.steady and list(steady.tensors) == list(module.state_dict())


def test_replay_tells_of_other_packed_weights(cat: pl.Photo, here: object) -> None:
    nets = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        nets.append(pl.Network(quantised("static"), size=16))
    pl.predict(nets[0], cat).save("seen.png")
    assert pl.replay("seen.png", network=nets[0]).same
    again = pl.replay("seen.png", network=nets[1])
    assert not again.same and again.differences[0].startswith("weights: ")
