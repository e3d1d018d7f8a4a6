"""Networks of other collections: timm and Hugging Face, each an extra."""

from __future__ import annotations

import copy
import math
import socket
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pellucid.errors import PellucidError, Unknown
from pellucid.preprocess import IMAGENET_MEAN, IMAGENET_STD
from pellucid.weights import State
from pellucid.zoo import Model


def timm_model(name: str) -> Model:
    """A model of timm."""
    try:
        import timm
    except ImportError:
        raise PellucidError("timm: networks need timm; pip install 'pellucid[timm]'") from None
    if not timm.is_model(name):
        known = [f"timm:{known}" for known in timm.list_models()]
        raise Unknown("network", f"timm:{name}", known)
    try:
        config = timm.get_pretrained_cfg(name)
    except RuntimeError:  # a tag that this architecture does not have
        plain = name.partition(".")[0]
        tags = timm.list_pretrained(f"{plain}.*")
        raise Unknown("network", f"timm:{name}", [f"timm:{known}" for known in tags]) from None
    data = timm.data.resolve_data_config(pretrained_cfg=config.to_dict() if config else {})
    size = data["input_size"][1:]
    resize = tuple(math.floor(side / data["crop_pct"]) for side in size)
    squash = data["crop_mode"] != "center"

    def build(classes: int | None) -> nn.Module:
        module: nn.Module = timm.create_model(
            name, pretrained=False, **({"num_classes": classes} if classes else {})
        )
        return module

    def fetch() -> dict[str, torch.Tensor]:
        try:
            with _at_ease():
                module = timm.create_model(name, pretrained=True)
        except Exception as error:  # timm and the hub's client raise many kinds
            raise _absent(f"timm:{name}", error) from None
        state: dict[str, torch.Tensor] = module.state_dict()
        return state

    return Model(
        build=build,
        options={
            "size": (size[0], size[1]),
            "resize": (resize[0], resize[1]) if squash else min(resize),
            "mean": tuple(data["mean"]),
            "std": tuple(data["std"]),
            "interpolation": _MODES.get(data["interpolation"], "bicubic"),
        },
        labels=_timm_labels(config),
        fetch=fetch if config and (config.has_weights or config.hf_hub_id) else None,
    )


def hf_model(name: str) -> Model:
    """A model of Hugging Face that classifies or segments: a name on the hub or a local folder."""
    try:
        import transformers
    except ImportError:
        raise PellucidError("hf: networks need transformers; pip install 'pellucid[hf]'") from None
    try:
        with _at_ease():
            config = transformers.AutoConfig.from_pretrained(name, trust_remote_code=False)
            options = _hf_options(name, config)
    except Exception as error:
        raise _absent(f"hf:{name}", error) from None
    # A network without a head of classes can be looked into as well.
    heads = config.architectures or ["ForImageClassification"]
    autos: dict[str, Any] = {
        "ForImageClassification": transformers.AutoModelForImageClassification,
        "ForSemanticSegmentation": transformers.AutoModelForSemanticSegmentation,
    }
    scoring = [kind for kind in autos if any(kind in head for head in heads)]
    auto: Any = autos[scoring[0]] if scoring else transformers.AutoModel

    def build(classes: int | None) -> nn.Module:
        wanted = copy.deepcopy(config)
        if classes is not None:
            wanted.num_labels = classes
        try:
            module: nn.Module = auto.from_config(wanted)
        except ValueError as error:
            reason = str(error).partition("\n")[0]
            raise PellucidError(f"hf:{name} is not a network for images: {reason}") from None
        return module.float()  # as the weights may be kept in half precision

    def fetch() -> dict[str, torch.Tensor]:
        try:
            with _at_ease():
                module, found = auto.from_pretrained(
                    name, use_safetensors=True, trust_remote_code=False, output_loading_info=True
                )
        except Exception as error:
            raise _absent(f"hf:{name}", error) from None
        if found["missing_keys"]:
            lacking = ", ".join(sorted(found["missing_keys"])[:3])
            raise PellucidError(f"the weights of hf:{name} lack {lacking}")
        state: dict[str, torch.Tensor] = module.state_dict()
        return state

    def renamed(state: State, classes: int | None) -> State:
        # Files may have older names than the modules; transformers knows how they changed.
        with torch.device("meta"):
            kind: Any = type(build(None))
        wanted = copy.deepcopy(config)
        if classes is not None:
            wanted.num_labels = classes
        with _at_ease(), torch.random.fork_rng(devices=[]):
            module, found = kind.from_pretrained(
                None, config=wanted, state_dict=dict(state), output_loading_info=True
            )
        whole = not any(found[key] for key in ("missing_keys", "unexpected_keys"))
        now: State = module.float().state_dict()
        return now if whole else state

    labels = [config.id2label.get(number, str(number)) for number in range(config.num_labels)]
    return Model(build, options, labels if scoring else [], fetch, renamed)


# Names that Pillow and timm have for interpolation -> the nearest of ours.
_MODES: dict[Any, str] = {
    0: "nearest", 1: "bicubic", 2: "bilinear", 3: "bicubic", 4: "bilinear", 5: "bilinear",
    "nearest": "nearest", "bilinear": "bilinear", "bicubic": "bicubic",
}  # fmt: skip


def _hf_options(name: str, config: Any) -> dict[str, Any]:
    """The preprocessing beside the model; ImageNet's where there is none."""
    from transformers.image_processing_base import ImageProcessingMixin

    try:
        found, _ = ImageProcessingMixin.get_image_processor_dict(name)
    except OSError:
        found = {}
    size = found.get("crop_size") if found.get("do_center_crop") else found.get("size")
    resize = found.get("size", size)
    own = _pair(getattr(config, "image_size", None))
    wanted = _pair(size) or own or (224, 224)
    if found.get("do_resize") is False and own:
        wanted = resize = own
    shorter = resize.get("shortest_edge") if isinstance(resize, dict) else None
    kind = str(found.get("image_processor_type", found.get("feature_extractor_type", "")))
    if kind.startswith("ConvNext") and shorter:
        # Its "shortest edge" is the size of the crop; large ones are squashed.
        wanted = (shorter, shorter)
        crop_pct = found.get("crop_pct") or 224 / 256
        shorter, resize = (int(shorter / crop_pct), None) if shorter < 384 else (None, wanted)
    normalised = found.get("do_normalize", True)
    channels = 1 if getattr(config, "num_channels", 3) == 1 else 3
    return {
        "size": wanted,
        "resize": shorter or _pair(resize) or wanted,
        "mean": _numbers(found.get("image_mean") or IMAGENET_MEAN, channels)
        if normalised
        else (0.0,) * channels,
        "std": _numbers(found.get("image_std") or IMAGENET_STD, channels)
        if normalised
        else (1.0,) * channels,
        "interpolation": _MODES.get(found.get("resample", 2), "bilinear"),
    }


def _numbers(values: Any, channels: int) -> tuple[float, ...]:
    listed = list(values) if isinstance(values, list | tuple) else [values]
    return tuple((listed * channels)[:channels])


def _pair(size: Any) -> tuple[int, int] | None:
    if isinstance(size, int):
        return size, size
    if isinstance(size, list | tuple):
        return size[0], size[1]
    if isinstance(size, dict):
        if "height" in size:
            return size["height"], size["width"]
        if "shortest_edge" in size:
            return size["shortest_edge"], size["shortest_edge"]
    return None


def _timm_labels(config: Any) -> list[str] | None:
    if config is None or not config.num_classes:
        return None
    from timm.data import ImageNetInfo, infer_imagenet_subset

    subset = infer_imagenet_subset(config.to_dict())
    return ImageNetInfo(subset).label_descriptions() if subset else None


@contextmanager
def _at_ease() -> Iterator[None]:
    """No progress bars of the libraries' own; without a connection, straight to the cache."""
    from huggingface_hub import constants

    offline = constants.HF_HUB_OFFLINE
    try:
        from transformers.utils import logging

        bars = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()
    except ImportError:  # timm alone
        bars = False
    try:
        # The hub's client would try again and again, for half a minute.
        constants.HF_HUB_OFFLINE = offline or not _reachable(constants.ENDPOINT)
        yield
    finally:
        constants.HF_HUB_OFFLINE = offline
        if bars:
            logging.enable_progress_bar()


def _reachable(endpoint: str) -> bool:
    """Whether the host has an address, or a proxy will know it."""
    if urllib.request.getproxies():
        return True
    try:
        return bool(socket.getaddrinfo(urllib.parse.urlsplit(endpoint).hostname, 443))
    except OSError:
        return False


def _absent(name: str, error: Exception) -> PellucidError:
    if isinstance(error, PellucidError):
        return error
    reason = str(error).strip().partition("\n")[0] or type(error).__name__
    place = name.partition(":")[2]
    if Path(place).is_dir():
        return PellucidError(
            f"{name} cannot be loaded: {reason} A folder holds config.json and model.safetensors; "
            f"pickles (.bin) are not read, since they could run code"
        )
    from huggingface_hub import constants

    return PellucidError(
        f"{name} cannot be had: {reason} Without a connection its files must lie in the cache "
        f"({constants.HF_HUB_CACHE}); or give hf:FOLDER, --weights PATH (weights=PATH) or "
        f"--weights random"
    )
