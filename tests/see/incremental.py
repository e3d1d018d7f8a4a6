"""What the tests of occlusion by parts share: networks, masks, and the plain way beside it."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from pellucid.see.incremental import answers
from pellucid.see.incremental.answers import Answers


def family(name: str) -> nn.Module:
    """A network of torchvision whose random weights let every place and channel through."""
    from torchvision.models import get_model

    extra = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    if name.startswith("regnet"):  # computes its widths with tensors
        return lively(get_model(name, weights=None))
    with torch.device("meta"):  # its own start takes seconds, and lets too little through
        module = get_model(name, weights=None, **extra)
    return lively(module.to_empty(device="cpu"))


def lively(module: nn.Module) -> nn.Module:
    """Weights that keep the size of what passes, and batch statistics that are not trivial."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for weight in module.parameters():
            fan = weight[0].numel() if weight.ndim > 1 else 1
            weight.data.uniform_(-1, 1).mul_((6 / fan) ** 0.5 if weight.ndim > 1 else 0.3)
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.running_mean.uniform_(-0.3, 0.3)
                part.running_var.uniform_(0.5, 1.5)
                part.weight.data.uniform_(0.5, 1.2)
            if isinstance(part, nn.LayerNorm):
                part.weight.data.uniform_(0.5, 1.2)
    return module.eval()


def photo(channels: int, size: tuple[int, int]) -> Tensor:
    """One input of random numbers, the same every time."""
    return torch.randn(1, channels, *size, generator=torch.Generator().manual_seed(0))


def spots(size: tuple[int, int], side: int, step: int) -> np.ndarray:
    """Masks over the rim and inside, at odd places, some of them cut off."""
    found = [
        (max(0, y), min(size[0], y + side), max(0, x), min(size[1], x + side))
        for y in range(-side // 2, size[0] - 1, step)
        for x in range(-side // 2, size[1] - 1, step + 1)
    ]
    return np.array(found)


def compared(
    values: Callable[[Tensor], Tensor],
    module: nn.Module,
    inputs: Tensor,
    boxes: np.ndarray,
    batch: int = 4,
    tolerance: float = 1e-4,
) -> Answers:
    """Asks in parts and in whole, wants the same, and gives the answers for more questions."""
    generator = torch.Generator().manual_seed(1)
    cover = torch.randn(inputs.shape, generator=generator).to(inputs)
    few, answers.FEW = answers.FEW, 0
    try:
        asked = Answers(values, inputs, cover, module, batch)
        rows = list(asked.under(boxes))
    finally:
        answers.FEW = few
    order = np.concatenate([some for some, _ in rows])
    assert sorted(order.tolist()) == list(range(len(boxes)))
    found = torch.cat([value for _, value in rows]).double()
    with torch.inference_mode():
        wanted = torch.cat([values(asked.masked(boxes[[n]])) for n in order.tolist()]).double()
        clean = values(inputs)[0].double()
    scale = wanted.abs().amax(0)
    assert bool(((found - wanted).abs() <= tolerance * scale).all())
    assert bool(((asked.clean.double() - clean).abs() <= tolerance * scale).all())
    # What the masks change is small beside the values, and has to be right as well.
    change = float((wanted - clean).abs().max())
    assert change > 0 and float((found - wanted).abs().max()) < 0.05 * change
    return asked
