"""Standard: the networks of torchvision, classifiers and those of segmentation."""

from __future__ import annotations

from typing import Any

from torch import nn

from pellucid import weights as files
from pellucid.assets import BUNDLED
from pellucid.errors import PellucidError, Unknown
from pellucid.zoo import Model


def classifiers() -> list[str]:
    """Names of networks that answer with one class."""
    from torchvision import models

    found: list[str] = models.list_models(module=models)
    return found


def segmenters() -> list[str]:
    """Names of networks that answer place by place."""
    from torchvision import models

    found: list[str] = models.list_models(module=models.segmentation)
    return found


def torchvision_model(name: str) -> Model:
    """A network of torchvision.

    Raises:
        Unknown: there is none; the message shows the nearest.
        PellucidError: one of another kind, such as of detection.
    """
    from torchvision import models

    if name in classifiers():
        return _classifier(name)
    if name in segmenters():
        return _segmenter(name)
    if name in models.list_models():
        raise PellucidError(
            f"{name} is a network of torchvision that is not loaded by name: it puts out boxes, "
            f"flow or the class of a film, or is quantised. Those that answer with a class, for "
            f"the photo or place by place, are (`pellucid networks` lists them)"
        )
    known = [BUNDLED, *classifiers(), *segmenters()]
    raise Unknown("network", name, known, "(`pellucid networks` lists them)")


def _classifier(name: str) -> Model:
    from torchvision import models

    enum: Any = models.get_model_weights(name).DEFAULT
    preset = enum.transforms()
    # Both were published with a first step of their own in front of ImageNet's normalisation.
    special: dict[str, Any] = {}
    if name in ("inception_v3", "googlenet"):
        special = {"transform_input": True, "aux_logits": True, "init_weights": True}

    def build(classes: int | None) -> nn.Module:
        arguments = {**special, **({"num_classes": classes} if classes else {})}
        module: nn.Module = models.get_model(name, weights=None, **arguments)
        return module

    return Model(
        build=build,
        options={"size": preset.crop_size[0], **_options(preset)},
        labels=list(enum.meta["categories"]),
        fetch=lambda: files.fetch(enum.url, name),
    )


def _segmenter(name: str) -> Model:
    from torchvision import models

    enum: Any = models.get_model_weights(name).DEFAULT
    preset = enum.transforms()

    def build(classes: int | None) -> nn.Module:
        arguments = {"num_classes": classes} if classes else {}
        module: nn.Module = models.get_model(name, weights=None, weights_backbone=None, **arguments)
        return module

    # It was trained on photos of any shape; what is cut off here is beyond the square.
    return Model(
        build=build,
        options={"size": preset.resize_size[0], **_options(preset)},
        labels=list(enum.meta["categories"]),
        fetch=lambda: files.fetch(enum.url, name),
    )


def _options(preset: Any) -> dict[str, Any]:
    """The preprocessing that belongs to published weights."""
    from torchvision.transforms import InterpolationMode

    return {
        "resize": preset.resize_size[0],
        "mean": preset.mean,
        "std": preset.std,
        "interpolation": InterpolationMode(preset.interpolation).value,
    }
