"""From a checkpoint to the package's assets: folded, in half precision, with labels and card."""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from pellucid.pane import Pane
from recipes.pane import training


def folded(state: dict[str, Tensor], classes: int) -> Pane:
    """The deployed network: batch normalisation multiplied into the convolutions."""
    source = training.trainable(classes)
    source.load_state_dict(state)
    source.eval()
    parts = dict(source.named_children())
    target = Pane(classes)
    for name, layer in target.named_children():
        if isinstance(layer, nn.Conv2d):
            conv, norm = parts[name], parts[name.replace("conv", "norm")]
            assert isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
            assert norm.running_mean is not None and norm.running_var is not None
            layer.weight, bias = fuse_conv_bn_weights(
                conv.weight,
                conv.bias,
                norm.running_mean,
                norm.running_var,
                norm.eps,
                norm.weight,
                norm.bias,
            )
            layer.bias = bias
        elif isinstance(layer, nn.Linear):
            layer.load_state_dict(parts[name].state_dict())
    return target.eval().requires_grad_(False)


def export(checkpoint: Path, labels: list[str], folder: Path) -> Pane:
    """Writes pane.safetensors and pane.labels.txt; gives the network as users will load it."""
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")["average"]
    network = folded(state, len(labels)).half()
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(weights, folder / "pane.safetensors")
    (folder / "pane.labels.txt").write_text("\n".join(labels) + "\n", "utf-8")
    return network.float()
