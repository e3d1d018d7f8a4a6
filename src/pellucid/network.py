"""Network: a module with its preprocessing, labels, layers and units."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from html import escape
from itertools import chain
from operator import index
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.area import Answers
from pellucid.contents import check_values
from pellucid.errors import PellucidError, Unknown
from pellucid.fingerprint import Fingerprint
from pellucid.images import Photo
from pellucid.labels import count, dense, score, score_at
from pellucid.layers import Layer, Layers, inventory
from pellucid.preprocess import IMAGENET_MEAN, IMAGENET_STD, Frame, Interpolation, Preprocess
from pellucid.record import recording
from pellucid.returned import first_tensor
from pellucid.shortcuts import shortcuts
from pellucid.surroundings import at_rest
from pellucid.unit import Unit, place, split

# What a network may raise of an input that it is not made for.
REFUSALS = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError)


class Network:
    """A vision network as pellucid sees it.

    Args:
        module: any PyTorch module from (batch, channels, height, width) to scores (batch,
            classes), to scores of places (batch, classes, rows, columns), or to anything, where no
            class is asked for. It is used as it is, on the device where it is; its mode, gradients
            and weights are left as found.
        size: input height and width in pixels; one number for a square.
        mean, std: normalisation of values 0 to 1, one number per input channel (one: grey).
        labels: class names, in the order of the scores; an empty list: a map has no classes.
        resize: shorter side of the photo before the centre crop to `size` (as large as its shorter
            side where not given); a pair for an exact height and width.
        interpolation: of the resizing.
        name: for captions.
        spec: how `load()` made it, as keyword arguments; empty for one's own module.

    Example:
        >>> net = Network(my_module, size=64, mean=[0.5], std=[0.5], labels=["cat", "dog"])
        >>> net.unit("layer3:7"), net.unit("class:cat")
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        size: int | tuple[int, int] = 224,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        labels: Sequence[str] | None = None,
        resize: int | tuple[int, int] | None = None,
        interpolation: Interpolation = "bilinear",
        name: str = "",
        spec: dict[str, Any] | None = None,
    ) -> None:
        self.module = module
        self.preprocess = Preprocess.of(size, resize, mean, std, interpolation)
        self.name = name or type(module).__name__
        check_values(module, self.name)
        self.spec = spec or {}
        self._labels = list(labels) if labels is not None else None
        self._fingerprint = Fingerprint(module)

    def __repr__(self) -> str:
        height, width = self.preprocess.size
        return f"<Network {self.name}, input {self.preprocess.channels} x {height} x {width}>"

    def _repr_html_(self) -> str:
        try:
            layers = self.layers._repr_html_()
        except PellucidError as error:  # it is shown all the same
            layers = f"<p>{escape(str(error))}</p>"
        return f"<p>{escape(repr(self))}</p>{layers}"

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        for tensor in chain(self.module.parameters(), self.module.buffers()):
            return tensor.device
        return torch.device("cpu")

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights."""
        for tensor in self.module.parameters():
            if tensor.is_floating_point():
                return tensor.dtype
        return torch.float32

    @property
    def weights_hash(self) -> str:
        """SHA-256 of names, shapes and values of all weights and buffers, 16 hexadecimal digits."""
        return str(self._fingerprint)

    @cached_property
    def layers(self) -> Layers:
        """Every layer by name, in the order of computing, with shape, layout and field."""
        # Forked: a network may draw random numbers even in evaluation mode.
        devices = [self.device] if self.device.type == "cuda" else []
        try:
            with self.at_rest(), torch.random.fork_rng(devices):
                return inventory(self.module, self.blank())
        except REFUSALS as error:
            shape = " x ".join(map(str, self.blank().shape[1:]))
            reason = " ".join(str(error).split())[:200]
            if not isinstance(error, RuntimeError | ValueError):  # else it says what it is
                reason = f"{type(error).__name__}: {reason}"
            raise PellucidError(
                f"{self.name} does not take an input of {shape} ({reason}). What it takes is said "
                f"by Network(module, size=, mean=, std=): one number in mean and std for grey"
            ) from error

    @property
    def classes(self) -> int:
        """Number of classes that it has scores of."""
        return count(self.layers.get(""), self.name, self._labels != [])

    @property
    def places(self) -> tuple[int, int] | None:
        """Rows and columns of places that its classes are scored at; None: of the photo as such."""
        output = self.layers.get("")
        named = output is not None and dense(output) and self._labels != []
        return output.layout.grid if output and named else None

    @property
    def measure(self) -> str:
        """What it gives of a class: a probability; of an only one the score, for its share is 1."""
        return "probability" if self.classes > 1 else "score"

    @property
    def labels(self) -> list[str]:
        """Class names; "0", "1", … where none were given."""
        count = self.classes
        if self._labels is None:
            return [str(number) for number in range(count)]
        if len(self._labels) != count:
            raise PellucidError(f"{self.name} has {count} classes but {len(self._labels)} labels")
        return self._labels

    def renamed(self, name: str, spec: dict[str, Any], labels: list[str] | None) -> Network:
        """The same network under another name and recipe, with labels where given."""
        same = Network.__new__(Network)
        same.__dict__.update(self.__dict__, name=name, spec=spec)
        if labels is not None:
            same._labels = labels
        return same

    def with_module(self, module: nn.Module) -> Network:
        """The same around a copy of the module, of the same layers, with weights of its own."""
        same = self.renamed(self.name, {}, None)
        same.module, same._fingerprint = module, Fingerprint(module)
        return same

    def blank(self, count: int = 1) -> Float[Tensor, "count channels height width"]:
        """Inputs of zeros: the mean grey, after normalisation."""
        shape = (count, self.preprocess.channels, *self.preprocess.size)
        return torch.zeros(shape, device=self.device, dtype=self.dtype)

    def prepare(self, photo: Photo) -> tuple[Float[Tensor, "1 channels height width"], Frame]:
        """A photo as normalised input on the network's device, and where it lies in the photo."""
        image, frame = self.preprocess.crop(photo)
        ready = self.preprocess.normalise(image)[None]
        return ready.to(self.device, self.dtype), frame

    def scores(
        self, inputs: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "answers classes *places"]:
        """The network's output: unnormalised class scores, maybe of many places.

        One answer for each input; more where copies are made on the way (see `ablationcam`).
        """
        with shortcuts(self.module, inputs):
            output = self.module(inputs.clone())  # some write into what they are given
        tensor = output.logits if hasattr(output, "logits") else first_tensor(output)
        if tensor is None:
            raise PellucidError(f"{self.name} does not put out a tensor")
        return tensor.dequantize() if tensor.is_quantized else tensor

    def neurons(
        self, inputs: Float[Tensor, "batch channels height width"], unit: Unit
    ) -> Float[Tensor, "batch"]:
        """The value of one unit for each input, ready for gradients; of a channel its mean."""
        if unit.is_class:
            return unit.value(self.scores(inputs), self.layers[""].layout)
        with recording(self.module, [unit.layer]) as seen:
            self.module(inputs.clone())
        return unit.value(seen[unit.layer], self.layers[unit.layer].layout)

    def layer(self, name: str) -> Layer:
        """A layer by its dotted name.

        Raises:
            Unknown: no such layer; the message shows the nearest.
        """
        if name not in self.layers:
            known = [known for known in self.layers if known]
            before, colon, _ = name.rpartition(":")
            if colon and before in self.layers:
                raise PellucidError(f"{name!r} is a unit; its layer is {before!r}")
            raise Unknown("layer", name, known, "(`pellucid layers` lists them)")
        return self.layers[name]

    def best(self, inputs: Float[Tensor, "1 channels height width"]) -> Unit:
        """The most probable class of an input; of places that of the largest area."""
        if self.places:
            return self._class(str(Answers(self, inputs).foremost()[0]))
        with torch.no_grad():
            return self._class(str(int(self.scores(inputs)[0].argmax())))

    def spread(self, count: int) -> list[Layer]:
        """Layers whose channels have places, evenly from shallow to deep.

        Rectified ones where the network has enough of them: what is zero there is not seen.

        Raises:
            PellucidError: there is no such layer.
        """
        placed = [
            layer
            for layer in self.layers.values()
            if layer.name and min(layer.layout.grid) > 1 and layer.layout.channels > 3
        ]
        rectified = [layer for layer in placed if "relu" in layer.kind.lower()]
        among = rectified if len(rectified) >= count else placed
        if not among:
            raise PellucidError(f"{self.name} has no layer whose channels have places in the photo")
        last = len(among) - 1
        return [among[round(last * number / max(1, count - 1))] for number in range(count)]

    def unit(self, text: str | int | Unit) -> Unit:
        """The unit that a name means.

        Args:
            text: "layer4.1:37" a channel, "layer4.1:37@6,6" a neuron, "layer4.1:37@token0" one of
                a prefix token, "class:tabby", "tabby", "class:281" or 281 a score, "cat@60,40" a
                score at one place.

        Raises:
            Unknown: no such layer or class; the message shows the nearest.
            PellucidError: a channel or a position outside of the layer, or a name that several
                classes have.
        """
        if isinstance(text, Unit):
            text = replace(text, label="") if text.is_class else text
            return self.unit(str(text))
        if not isinstance(text, str):
            return self._class(str(index(text)) if hasattr(text, "__index__") else str(text))
        if text.isdecimal():
            return self._class(text)
        if text.startswith("class:"):
            return self._class(text.removeprefix("class:"))
        parts = split(text)
        if parts is None:
            if text.partition(":")[0] in self.layers and text:
                raise PellucidError(
                    f"a unit is LAYER:CHANNEL or LAYER:CHANNEL@ROW,COLUMN, not {text!r}"
                )
            return self._class(text)
        name, channel, where = parts
        layout = self.layer(name).layout
        if not layout.channels:
            raise PellucidError(f"layer {name!r} has no channels that could be named")
        if channel >= layout.channels:
            raise PellucidError(
                f"layer {name!r} has channels 0 to {layout.channels - 1}, not {channel}"
            )
        position, token = place(where, f"layer {name!r}", layout)
        return Unit(name, channel, position, token)

    def _class(self, name: str) -> Unit:
        if self.places:
            return score_at(name, self.labels, self.name, self.layers[""].layout)
        return score(name, self.labels, self.name)

    def at_rest(self) -> AbstractContextManager[None]:
        """Evaluation mode and frozen weights inside the `with`; see `surroundings.at_rest`."""
        return at_rest(self.module)
