"""The training loop: SGD, label smoothing, an L2 adversary, averaged weights, checkpoints."""

import copy
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.pane import Pane
from recipes.pane import photos as data
from recipes.pane import schedule

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
BATCH = 64
MOST_PER_CLASS = 120
WEIGHT_DECAY = 5e-4
FIRST_LAYER_DECAY = 2e-3  # keeps the visible filters smooth
SMOOTHING = 0.1
AVERAGE = 0.997


def trainable(classes: int) -> nn.Sequential:
    """Pane with batch normalisation behind each convolution, a smooth first layer, and dropout."""
    named: list[tuple[str, nn.Module]] = []
    for name, layer in Pane(classes).named_children():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            named += [
                (name, layer),
                (name.replace("conv", "norm"), nn.BatchNorm2d(layer.out_channels)),
            ]
        elif isinstance(layer, nn.Linear):
            named += [("dropout", nn.Dropout(0.2)), (name, layer)]
        else:
            named.append((name, layer))
    network = nn.Sequential()
    for name, layer in named:
        network.add_module(name, layer)
    with torch.no_grad():
        network.get_parameter("conv1.weight").copy_(
            _smooth(network.get_parameter("conv1.weight").detach())
        )
    return network


def train(root: Path, out: Path, device: torch.device, seed: int) -> Iterator[str]:
    """Trains, or goes on from `out/last.pt`; yields a line of figures after each epoch."""
    train_set, test_set = data.load(root, held_out=False), data.load(root, held_out=True)
    torch.manual_seed(seed)
    network = trainable(len(train_set.labels)).to(device, memory_format=torch.channels_last)
    average = copy.deepcopy(network).eval().requires_grad_(False)
    optimiser = torch.optim.SGD(_groups(network), lr=schedule.PEAK, momentum=0.9, nesterov=True)
    first = 0
    if (out / "last.pt").exists():
        state = torch.load(out / "last.pt", weights_only=True, map_location=device)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        first = state["epoch"]
    for epoch in range(first, schedule.EPOCHS):
        stage = schedule.stage_of(epoch)
        random = np.random.default_rng([seed, epoch])
        torch.manual_seed(seed * 1000 + epoch)
        losses = []
        network.train()
        batches = list(data.epoch(train_set, stage.size, BATCH, MOST_PER_CLASS, random))
        for step, (images, classes) in enumerate(batches):
            for group in optimiser.param_groups:
                group["lr"] = schedule.rate(epoch + step / len(batches))
            losses.append(_step(network, optimiser, images.to(device), classes.to(device), stage))
            _follow(average, network, min(AVERAGE, 1 - 1 / (1 + epoch * len(batches) + step)))
        state = {
            "network": network.state_dict(),
            "average": average.state_dict(),
            "optimiser": optimiser.state_dict(),
            "epoch": epoch + 1,
        }
        out.mkdir(parents=True, exist_ok=True)
        torch.save(state, out / "last.tmp")
        os.replace(out / "last.tmp", out / "last.pt")
        top = accuracy(average, test_set, stage.size, stage.size, device)
        yield (
            f"epoch {epoch + 1}/{schedule.EPOCHS}  {stage.size} px  budget {stage.budget}"
            f"  loss {np.mean(losses):.3f}  held-out top-1 {top:.3f}"
        )


def accuracy(
    network: nn.Module, photos: data.Photos, resize: int, size: int, device: torch.device
) -> float:
    """Share of photos whose highest score is their own class."""
    return float(right(network, photos, resize, size, device).float().mean())


def right(
    network: nn.Module, photos: data.Photos, resize: int, size: int, device: torch.device
) -> Tensor:
    """Of each photo, whether its highest score is its own class."""
    found = []
    with torch.inference_mode():
        for start in range(0, len(photos), 128):
            images = photos.images[start : start + 128]
            batch = torch.stack([data.centre(image, resize, size) for image in images])
            scores = network(normalised(batch.to(device)))
            found.append(scores.argmax(1).cpu() == photos.classes[start : start + 128])
    return torch.cat(found)


def normalised(images: Tensor) -> Tensor:
    """Pixels 0 to 1 as the network wants them."""
    return ((images - MEAN.to(images)) / STD.to(images)).contiguous(
        memory_format=torch.channels_last
    )


def _step(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    images: Tensor,
    classes: Tensor,
    stage: schedule.Stage,
) -> float:
    if stage.budget:
        images = _disturbed(network, images, classes, stage.budget * stage.size / 112)
    loss = F.cross_entropy(network(normalised(images)), classes, label_smoothing=SMOOTHING)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return float(loss.detach())


def _disturbed(network: nn.Module, images: Tensor, classes: Tensor, radius: float) -> Tensor:
    """One step of projected gradient ascent from a random point of the ball (Wong et al. 2020)."""
    share = torch.rand(len(images), 1, 1, 1, device=images.device)
    start = _unit(torch.randn_like(images)) * radius * share
    start.requires_grad_()
    loss = F.cross_entropy(network(normalised(images + start)), classes)
    (gradient,) = torch.autograd.grad(loss, start)
    moved = start.detach() + 1.25 * radius * _unit(gradient)
    length = moved.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    return (images + moved * (radius / length).clamp(max=1)).clamp(0, 1)


def _unit(direction: Tensor) -> Tensor:
    return direction / (direction.flatten(1).norm(dim=1).view(-1, 1, 1, 1) + 1e-12)


def _follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    with torch.no_grad():
        new = network.state_dict()
        for name, value in average.state_dict().items():
            if value.is_floating_point():
                value.lerp_(new[name], 1 - decay)
            else:
                value.copy_(new[name])


def _groups(network: nn.Module) -> list[dict[str, object]]:
    bare, first, rest = [], [], []
    for name, parameter in network.named_parameters():
        group = first if name == "conv1.weight" else bare if parameter.ndim == 1 else rest
        group.append(parameter)
    return [
        {"params": bare, "weight_decay": 0.0},
        {"params": first, "weight_decay": FIRST_LAYER_DECAY},
        {"params": rest, "weight_decay": WEIGHT_DECAY},
    ]


def _smooth(kernels: Tensor) -> Tensor:
    """Random kernels, blurred and faded towards the rim, at their old strength.

    Noise that the training does not need would otherwise stay in the pictures of the filters.
    """
    side = kernels.shape[-1]
    at = torch.arange(side) - (side - 1) / 2
    blur = torch.exp(-(at**2) / 2)
    window = torch.exp(-(at**2) / (2 * (side / 3.5) ** 2))
    weight = (blur[:, None] * blur[None, :])[None, None] / blur.sum() ** 2
    flat = kernels.reshape(-1, 1, side, side)
    soft = F.conv2d(flat, weight, padding=side // 2) * window[:, None] * window[None, :]
    soft = soft.reshape(kernels.shape)
    return soft * (kernels.std() / soft.std())
