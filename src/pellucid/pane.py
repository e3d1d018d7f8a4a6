"""Pane: the small network that comes with pellucid, as an architecture without weights."""

from collections import OrderedDict

from torch import nn

SIZE = 112
WIDTHS = (48, 64, 128, 160, 192, 256, 384)
POOLED_AFTER = (1, 3, 5)


class Pane(nn.Sequential):
    """Seven convolutions, one kind of rectifier, one classifier: small enough to be read whole.

    The first layer has 9x9 kernels, so that its filters can be seen; the others are 3x3. Every
    convolution is followed by a ReLU, three of them by 2x2 max pooling, and the mean over
    positions of the last one is the feature vector in front of the classifier (Zeiler & Fergus
    2014 is the spirit). Batch normalisation is used in training only and folded into the
    convolutions (see `recipes/`).

    Args:
        classes: number of scores.

    Shapes: (batch, 3, 112, 112), normalised, to (batch, classes), unnormalised scores; other
    sizes from 64 px upward work as well.
    """

    def __init__(self, classes: int = 101) -> None:
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        before = 3
        for number, width in enumerate(WIDTHS, start=1):
            first = number == 1
            layers[f"conv{number}"] = (
                nn.Conv2d(before, width, 9, stride=2, padding=4)
                if first
                else nn.Conv2d(before, width, 3, padding=1)
            )
            layers[f"relu{number}"] = nn.ReLU()
            if number in POOLED_AFTER:
                layers[f"pool{number}"] = nn.MaxPool2d(2)
            before = width
        layers["avgpool"] = nn.AdaptiveAvgPool2d(1)
        layers["flatten"] = nn.Flatten()
        layers["classifier"] = nn.Linear(before, classes)
        super().__init__(layers)
