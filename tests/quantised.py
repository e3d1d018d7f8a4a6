"""Networks whose weights are whole numbers of 8 bits, packed for the processor's kernels."""

import warnings

import torch
from torch import Tensor, nn


class Rounded(nn.Module):
    """It asks for its own rounding, as torch's static quantisation wants it."""

    def __init__(self) -> None:
        super().__init__()
        self.rounding = torch.ao.quantization.QuantStub()
        self.conv = nn.Conv2d(3, 4, 3, stride=2)
        self.relu = nn.ReLU()
        self.head = nn.Linear(4, 5)
        self.back = torch.ao.quantization.DeQuantStub()

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.conv(self.rounding(x)))
        scores: Tensor = self.back(self.head(x.mean((2, 3))))
        return scores


def quantised(kind: str) -> nn.Module:
    """The network, its weights drawn by torch's random numbers.

    Args:
        kind: "dynamic" only the last layer, "static" all, "graph" all by torch.fx.
    """
    from torch.ao import quantization
    from torch.ao.quantization import quantize_fx

    module = Rounded().eval()
    examples = torch.rand(8, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    engine = torch.backends.quantized.supported_engines[-1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # this way of quantising is on its way out of torch
        if kind == "graph":
            module.rounding, module.back = nn.Identity(), nn.Identity()
            mapping = quantization.get_default_qconfig_mapping(engine)
            watched = quantize_fx.prepare_fx(module, mapping, (examples,))
            watched(examples)
            made: nn.Module = quantize_fx.convert_fx(watched)
            return made
        if kind == "dynamic":
            made = quantization.quantize_dynamic(module, {nn.Linear}, dtype=torch.qint8)
            return made
        module.qconfig = quantization.get_default_qconfig(engine)
        watched = quantization.prepare(module)
        watched(examples)
        made = quantization.convert(watched)
        return made
