"""Occlusion's slow twin: one mask at a time, from the definition."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

import pellucid as pl


def slowly(
    net: pl.Network, photo: pl.Photo, number: int, window: int, stride: int, fill: str, seed: int
) -> Tensor:
    """The probability of a class under each mask: as many passes as masks, nothing shared."""
    image, _ = net.preprocess.crop(photo)
    inputs = net.preprocess.normalise(image)
    channels, height, width = inputs.shape
    cover = torch.zeros(channels, height, width)
    if fill == "mean":
        for channel in range(channels):
            cover[channel] = sum(inputs[channel].flatten().tolist()) / (height * width)
    if fill == "noise":
        generator = torch.Generator().manual_seed(seed)
        cover = net.preprocess.normalise(
            torch.rand(1, channels, height, width, generator=generator)
        )[0]
    if fill == "blur":
        small = F.adaptive_avg_pool2d(inputs[None], (max(1, height // 16), max(1, width // 16)))
        cover = F.interpolate(small, (height, width), mode="bilinear")[0]
    if fill == "patch":
        for y in range(height):
            for x in range(width):
                cover[:, y, x] = inputs[:, y - height // 2, x - width // 2]
    rows, columns = max(1, round(height / stride)), max(1, round(width / stride))
    found = torch.zeros(rows, columns)
    was = net.module.training
    net.module.eval()
    for row in range(rows):
        for column in range(columns):
            # The mask's centre is the centre of its cell on an even grid.
            top = math.floor((row + 0.5) * height / rows - window / 2 + 0.5)
            left = math.floor((column + 0.5) * width / columns - window / 2 + 0.5)
            masked = inputs.clone()
            for y in range(max(0, top), min(height, top + window)):
                for x in range(max(0, left), min(width, left + window)):
                    masked[:, y, x] = cover[:, y, x]
            with torch.no_grad():
                found[row, column] = net.module(masked[None]).softmax(1)[0, number]
    net.module.train(was)
    return found
