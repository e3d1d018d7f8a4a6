"""Networks of timm and Hugging Face: from local files, without a connection."""

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import pellucid as pl
from pellucid.images import open_image

timm = pytest.importorskip("timm")
transformers = pytest.importorskip("transformers")


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


def test_a_network_of_timm() -> None:
    net = pl.load("timm:resnet10t", weights="random", device="cpu")
    config = timm.data.resolve_data_config(
        pretrained_cfg=timm.get_pretrained_cfg("resnet10t").to_dict()
    )
    assert net.preprocess.size == config["input_size"][1:] == (176, 176)
    assert net.preprocess.interpolation == config["interpolation"]
    assert net.preprocess.mean == config["mean"] and net.preprocess.std == config["std"]
    assert net.classes == 1000 and "goldfish" in net.labels[1]
    other = pl.load("timm:resnet10t", weights="random", seed=1, classes=4, device="cpu")
    assert other.classes == 4 and other.weights_hash != net.weights_hash


@pytest.mark.parametrize("name", ["resnet10t", "vit_tiny_patch16_224", "test_vit", "convnext_atto"])
def test_timm_networks_see_what_timm_shows_them(name: str) -> None:
    from pellucid.zoo import _find

    preprocess = pl.Network(torch.nn.Identity(), **_find(f"timm:{name}").options).preprocess
    config = timm.data.resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(name).to_dict())
    theirs = timm.data.create_transform(**config)
    photo = open_image("photo:cat")
    image = theirs(Image.fromarray(photo.pixels.permute(1, 2, 0).numpy()))
    ours, _ = preprocess.crop(photo)
    away = ours - preprocess.denormalise(image)
    assert float(away.abs().max()) <= 3 / 255


def test_timm_with_weights_from_a_file(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = timm.create_model("test_vit", num_classes=6)
    torch.save({"state_dict": module.state_dict()}, tmp_path / "w.pth")
    net = pl.load("timm:test_vit", weights=tmp_path / "w.pth", device="cpu")
    assert net.classes == 6
    inputs = torch.rand(1, 3, *net.preprocess.size)
    with torch.no_grad():
        assert torch.equal(net.scores(inputs), module.eval()(inputs))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("timm:resnet10", "did you mean .*'timm:resnet10t'"),
        ("timm:resnet10t.nonsense", "did you mean 'timm:resnet10t.c3_in1k'"),
        ("timm:", "no network 'timm:'"),
    ],
)
def test_unknown_networks_of_timm(name: str, reason: str) -> None:
    with pytest.raises(pl.PellucidError, match=reason):
        pl.load(name, weights="random")


def test_timm_offline_says_what_to_do() -> None:
    with pytest.raises(pl.PellucidError, match=r"must lie in the cache .*hub.* --weights PATH"):
        pl.load("timm:resnet10t")


VIT: dict[str, Any] = dict(
    hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
    image_size=32, patch_size=8, id2label={0: "cat", 1: "dog", 2: "bird"},
)  # fmt: skip
RESNET: dict[str, Any] = dict(
    embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic",
    id2label={0: "cat", 1: "dog"},
)  # fmt: skip
SWIN: dict[str, Any] = dict(
    image_size=64, patch_size=4, embed_dim=8, depths=[1, 1], num_heads=[1, 2], window_size=4,
    id2label={0: "cat", 1: "dog"},
)  # fmt: skip


def kept(folder: Path, kind: str, config: dict[str, Any], processor: dict[str, Any]) -> Path:
    """A network with random weights, saved as Hugging Face does it."""
    torch.manual_seed(0)
    config_class = getattr(transformers, f"{kind.partition('For')[0].removesuffix('Model')}Config")
    bars = transformers.utils.logging
    bars.disable_progress_bar()
    try:
        getattr(transformers, kind)(config_class(**config)).save_pretrained(folder)
    finally:
        bars.enable_progress_bar()
    if processor:
        (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return folder


@pytest.mark.parametrize(
    ("kind", "config", "processor", "size", "resize", "interpolation"),
    [
        (
            "ViTForImageClassification",
            VIT,
            {
                "image_processor_type": "ViTImageProcessor",
                "size": {"height": 32, "width": 32},
                "resample": 2,
                "image_mean": [0.5, 0.5, 0.5],
                "image_std": [0.5, 0.5, 0.5],
            },
            (32, 32),
            (32, 32),
            "bilinear",
        ),
        (
            "ResNetForImageClassification",
            RESNET,
            {
                "image_processor_type": "ConvNextImageProcessor",
                "size": {"shortest_edge": 56},
                "crop_pct": 0.875,
                "resample": 3,
            },
            (56, 56),
            64,
            "bicubic",
        ),
        (
            "SwinForImageClassification",
            SWIN,
            {
                "image_processor_type": "ViTImageProcessor",
                "do_center_crop": True,
                "size": {"shortest_edge": 72},
                "crop_size": {"height": 64, "width": 64},
                "resample": 3,
                "do_normalize": False,
            },
            (64, 64),
            72,
            "bicubic",
        ),
    ],
    ids=["vit", "resnet", "swin"],
)
def test_a_local_folder_of_hugging_face(
    tmp_path: Path,
    kind: str,
    config: dict[str, Any],
    processor: dict[str, Any],
    size: tuple[int, int],
    resize: object,
    interpolation: str,
) -> None:
    folder = kept(tmp_path / "net", kind, config, processor)
    net = pl.load(f"hf:{folder}", device="cpu")
    assert net.labels == list(config["id2label"].values())
    assert net.preprocess.size == size and net.preprocess.resize == resize
    assert net.preprocess.interpolation == interpolation
    imagenet = pl.Preprocess().mean
    mean = (0.0,) * 3 if processor.get("do_normalize") is False else imagenet
    assert net.preprocess.mean == tuple(processor.get("image_mean", mean))
    theirs = getattr(transformers, kind).from_pretrained(folder).eval()
    inputs = torch.rand(1, 3, *size)
    with torch.no_grad():
        assert torch.allclose(net.scores(inputs), theirs(inputs).logits, atol=1e-6)
    assert pl.predict(net, "photo:cat", top=2).names[0] in net.labels


def test_without_a_preprocessor_the_size_is_that_of_the_network(tmp_path: Path) -> None:
    net = pl.load(f"hf:{kept(tmp_path, 'ViTForImageClassification', VIT, {})}", device="cpu")
    assert net.preprocess.size == (32, 32) and net.preprocess.mean == pl.Preprocess().mean


def test_grey_input_and_half_precision(tmp_path: Path) -> None:
    config = {**VIT, "num_channels": 1, "dtype": "float16"}
    net = pl.load(f"hf:{kept(tmp_path, 'ViTForImageClassification', config, {})}", device="cpu")
    assert net.preprocess.channels == 1 and net.dtype == torch.float32
    assert pl.predict(net, "photo:cat", top=1).values.shape == (1,)


def test_a_network_without_classes_has_layers(tmp_path: Path) -> None:
    config = {key: value for key, value in VIT.items() if key != "id2label"}
    net = pl.load(f"hf:{kept(tmp_path, 'ViTModel', config, {})}", device="cpu")
    assert net.layers["layers.1"].layout.grid == (4, 4)
    assert str(net.unit("layers.1:3@2,2")) == "layers.1:3@2,2"
    with pytest.raises(pl.PellucidError, match="not a row of class scores"):
        net.unit("class:0")


def test_other_weights_and_classes_for_a_local_folder(tmp_path: Path) -> None:
    folder = kept(tmp_path / "net", "ViTForImageClassification", VIT, {})
    other = kept(
        tmp_path / "other",
        "ViTForImageClassification",
        {**VIT, "id2label": dict.fromkeys(range(5))},
        {},
    )
    net = pl.load(f"hf:{folder}", weights=other / "model.safetensors", device="cpu")
    assert net.classes == 5
    assert pl.load(f"hf:{folder}", weights="random", classes=4, device="cpu").classes == 4
    assert pl.load(f"hf:{folder}", weights="random", device="cpu").labels == ["cat", "dog", "bird"]


def test_pickles_of_hugging_face_are_refused(tmp_path: Path) -> None:
    folder = kept(tmp_path, "ViTForImageClassification", VIT, {})
    module = transformers.ViTForImageClassification(transformers.ViTConfig(**VIT))
    (folder / "model.safetensors").unlink()
    torch.save(module.state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(pl.PellucidError, match=r"pickles \(.bin\) are not read"):
        pl.load(f"hf:{folder}")


def test_weights_that_lack_their_head_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = kept(tmp_path, "ViTForImageClassification", VIT, {})
    state = load_file(folder / "model.safetensors")
    del state["classifier.weight"]
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(pl.PellucidError, match=r"lack classifier\.weight"):
        pl.load(f"hf:{folder}")


@pytest.mark.parametrize("damage", ["config", "weights", "kind"])
def test_damaged_folders(tmp_path: Path, damage: str) -> None:
    folder = kept(tmp_path, "ViTForImageClassification", VIT, {})
    file = folder / ("model.safetensors" if damage == "weights" else "config.json")
    file.write_bytes(b'{"model_type": "gpt2"}' if damage == "kind" else file.read_bytes()[:200])
    with pytest.raises(pl.PellucidError, match=r"hf:.*"):
        pl.load(f"hf:{folder}")


def test_hugging_face_offline_says_what_to_do() -> None:
    with pytest.raises(pl.PellucidError, match=r"must lie in the cache .*hub.* hf:FOLDER"):
        pl.load("hf:someone/some-network")
    with pytest.raises(pl.PellucidError, match="hf:no such folder cannot be had"):
        pl.load("hf:no such folder")


def test_without_a_connection_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    from pellucid.hubs import _at_ease

    def fail(*_: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("socket.getaddrinfo", fail)
    monkeypatch.setattr("urllib.request.getproxies", dict)
    with _at_ease():
        assert constants.HF_HUB_OFFLINE
    assert not constants.HF_HUB_OFFLINE
    monkeypatch.setattr("urllib.request.getproxies", lambda: {"https": "proxy:1"})
    with _at_ease():
        assert not constants.HF_HUB_OFFLINE


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [("timm:resnet10t", "timm", "timm"), ("hf:a/b", "transformers", "hf")],
)
def test_a_missing_package_says_which_extra(
    monkeypatch: pytest.MonkeyPatch, name: str, package: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(pl.PellucidError, match=rf"pip install 'pellucid\[{extra}\]'"):
        pl.load(name, weights="random")


def test_no_progress_bars(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = kept(tmp_path, "ViTForImageClassification", VIT, {})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pl.load(f"hf:{folder}")
    out, err = capfd.readouterr()
    assert out == "" and "Loading" not in err
