"""Weights: read from either format, and fitted, or said what does not fit."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision import models

import pellucid as pl
from pellucid import weights
from pellucid.weights import fill, fitted, read
from state import tiny

SHARED = Path(__file__).parents[2] / "shared"


def net() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3))


@pytest.mark.parametrize("ending", ["safetensors", "SAFETENSORS", "pth", "pt", "bin"])
def test_both_formats_are_read(tmp_path: Path, ending: str) -> None:
    state, path = tiny(), tmp_path / f"w.{ending}"
    (save_file if ending.lower() == "safetensors" else torch.save)(state, path)
    assert all(torch.equal(read(path)[name], state[name]) for name in state)


def test_the_old_format_of_torch_is_read(tmp_path: Path) -> None:
    torch.save(tiny(), tmp_path / "w.pth", _use_new_zipfile_serialization=False)
    assert set(read(tmp_path / "w.pth")) == {"0.weight", "0.bias"}


@pytest.mark.parametrize("wrap", [["state_dict"], ["model"], ["model", "state_dict"]])
@pytest.mark.parametrize("prefix", ["", "module.", "module.module.", "_orig_mod."])
def test_what_training_code_wraps_around(tmp_path: Path, wrap: list[str], prefix: str) -> None:
    state = tiny()
    content: dict[str, Any] = {prefix + name: value for name, value in state.items()}
    for key in wrap:
        content = {key: content, "epoch": 3, "optimizer": {"lr": 0.1}}
    torch.save(content, tmp_path / "w.pth")
    module = net()
    fill(module, read(tmp_path / "w.pth"), "w.pth")
    assert torch.equal(module.state_dict()["0.weight"], state["0.weight"])


def test_a_module_that_is_called_module_keeps_its_names() -> None:
    outer = nn.Module()
    outer.module = nn.Linear(2, 2)
    state = {"module.weight": torch.ones(2, 2), "module.bias": torch.ones(2)}
    fill(outer, state, "w")
    assert float(outer.module.weight.detach().sum()) == 4


def test_half_precision_becomes_single(tmp_path: Path) -> None:
    state = {name: value.half() for name, value in tiny().items()}
    save_file(state, tmp_path / "w.safetensors")
    module = net()
    fill(module, read(tmp_path / "w.safetensors"), "w")
    assert module[0].weight.dtype == torch.float32
    assert torch.equal(module[0].weight.detach(), state["0.weight"].float())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("resnet18", {}),
        ("vgg11", {}),
        ("densenet121", {}),
        ("squeezenet1_1", {}),
        ("mobilenet_v3_small", {}),
        ("efficientnet_b0", {}),
        ("vit_b_16", {}),
        ("swin_t", {}),
        ("googlenet", {"aux_logits": True}),
        ("googlenet", {"aux_logits": False}),
        ("inception_v3", {"aux_logits": True}),
        ("inception_v3", {"aux_logits": False}),
    ],
)
def test_the_number_of_classes_is_that_of_the_weights(name: str, options: dict[str, bool]) -> None:
    with torch.device("meta"):  # shapes are enough
        if options:
            options = {**options, "init_weights": False}
        given = models.get_model(name, weights=None, num_classes=7, **options).state_dict()

    def build(classes: int | None) -> nn.Module:
        with torch.device("meta"):
            extra = {"aux_logits": True, "init_weights": False} if options else {}
            return models.get_model(name, weights=None, num_classes=classes or 1000, **extra)

    assert weights._classes(build(None), given) == 7
    weights._check(build(7), given, name)
    with pytest.raises(pl.PellucidError, match=r"of another shape: .*in place of"):
        weights._check(build(8), given, name)


def test_weights_without_auxiliary_heads_always_make_the_same_network() -> None:
    def build(classes: int | None) -> nn.Module:
        module = nn.Module()
        module.body, module.aux1 = nn.Linear(2, classes or 9), nn.Linear(2, 2)
        return module

    state = {"body.weight": torch.ones(5, 2), "body.bias": torch.ones(5)}
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = fitted(build, state, "w")
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    other = fitted(build, state, "w")
    assert torch.equal(one.aux1.weight, other.aux1.weight) and one.body.out_features == 5


def test_a_missing_auxiliary_named_layer_of_ones_own_is_not_overlooked() -> None:
    module = nn.ModuleDict({"auxiliary": nn.Linear(2, 2), "fc": nn.Linear(2, 2)})
    state = {"fc.weight": torch.ones(2, 2), "fc.bias": torch.ones(2)}
    with pytest.raises(pl.PellucidError, match=r"missing: auxiliary.weight, auxiliary.bias"):
        fill(module, state, "w")


def test_names_that_do_not_fit_are_told() -> None:
    module = net()
    state = {"0.weight": torch.ones(4, 3, 5, 5), "head.weight": torch.ones(2)}
    with pytest.raises(pl.PellucidError) as caught:
        fill(module, state, "my.pth")
    message = str(caught.value)
    assert "my.pth do not fit Sequential" in message and "missing: 0.bias" in message
    assert "left over: head.weight" in message
    assert "0.weight (4, 3, 5, 5) in place of (4, 3, 3, 3)" in message


def test_another_network_altogether() -> None:
    wrong = models.squeezenet1_1(weights=None).state_dict()
    with pytest.raises(pl.PellucidError, match=r"missing: conv1.weight.* more; left over: .* more"):
        fitted(lambda classes: models.resnet18(num_classes=classes or 1000), wrong, "w.pth")


def test_a_number_in_place_of_a_row_is_told() -> None:
    with pytest.raises(pl.PellucidError, match=r"0.bias \(\) in place of \(4,\)"):
        fitted(lambda _: net(), {**tiny(), "0.bias": torch.tensor(1.0)}, "w")


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_a_real_network_from_a_file_recognises_real_photos(ending: str) -> None:
    file = SHARED / "models" / f"squeezenet1_1_caltech101.{ending}"
    photos = SHARED / "data" / "caltech101" / "101_ObjectCategories"
    if not file.is_file() or not photos.is_dir():
        pytest.skip("the shared weights and photos are not here")
    names = file.with_name("squeezenet1_1_caltech101.labels.txt")
    net = pl.load("squeezenet1_1", weights=file, labels=names, device="cpu")
    assert net.classes == 101
    folders = sorted(photos.iterdir())[:: 4 if ending == "pth" else 2]
    right = [
        pl.predict(net, folder / "image_0007.jpg", top=1).names[0] == folder.name
        for folder in folders
    ]
    assert sum(right) >= 0.8 * len(right)
