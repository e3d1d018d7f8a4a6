"""Networks of segmentation by name: torchvision's, and Hugging Face's from local files."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import pellucid as pl


@pytest.mark.parametrize("name", ["lraspp_mobilenet_v3_large", "deeplabv3_mobilenet_v3_large"])
def test_networks_of_segmentation(name: str) -> None:
    net = pl.load(name, weights="random", device="cpu")
    assert net.preprocess.size == (520, 520) and net.preprocess.resize == 520
    assert net.places == (520, 520) and net.classes == 21
    assert str(net.unit("cat@3,4")) == "class:cat@3,4" and net.labels[0] == "__background__"
    assert not net.module.training and "aux_classifier" not in dict(net.module.named_children())
    assert pl.load(**net.spec, device="cpu").weights_hash == net.weights_hash


def test_every_listed_network_of_segmentation_has_weights_and_a_preset() -> None:
    from pellucid.zoo import _find

    names = pl.networks()["segmentation"]
    assert {"deeplabv3_resnet50", "fcn_resnet101", "lraspp_mobilenet_v3_large"} <= set(names)
    for name in names:
        model = _find(name)
        assert len(model.labels or []) == 21 and model.fetch is not None


def test_weights_of_segmentation_with_the_head_for_training_and_other_classes() -> None:
    """As torchvision publishes them, and as its training code saves them."""
    from torchvision import models

    from pellucid import weights
    from pellucid.zoo import _find

    name = "deeplabv3_mobilenet_v3_large"
    with torch.random.fork_rng():
        trained = models.get_model(
            name, weights=None, weights_backbone=None, num_classes=5, aux_loss=True
        ).eval()
    state = trained.state_dict()
    assert any(key.startswith("aux_classifier.") for key in state)
    module = weights.fitted(_find(name).build, state, "file").eval()
    inputs = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(module(inputs)["out"], trained(inputs)["out"])
    assert module(inputs)["out"].shape == (1, 5, 64, 64)


@pytest.mark.parametrize("name", ["fasterrcnn_resnet50_fpn", "quantized_resnet18", "r3d_18"])
def test_networks_of_other_kinds_are_refused_in_words(name: str) -> None:
    with pytest.raises(pl.PellucidError, match=f"^{name} .* not loaded by name: it puts out boxes"):
        pl.load(name, weights="random")


SEGFORMER: dict[str, Any] = dict(
    num_encoder_blocks=2, depths=[1, 1], sr_ratios=[2, 1], hidden_sizes=[8, 16],
    patch_sizes=[7, 3], strides=[4, 2], num_attention_heads=[1, 2], mlp_ratios=[2, 2],
    decoder_hidden_size=16, id2label={0: "sky", 1: "sea", 2: "sand"},
)  # fmt: skip


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    constants = pytest.importorskip("huggingface_hub").constants
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


def kept(folder: Path, kind: str, config: Any, processor: dict[str, Any]) -> Path:
    """A network with random weights, saved as Hugging Face does it."""
    import transformers

    bars = transformers.utils.logging
    bars.disable_progress_bar()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        try:
            getattr(transformers, kind)(config).save_pretrained(folder)
        finally:
            bars.enable_progress_bar()
    if processor:
        (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return folder


@pytest.mark.usefixtures("offline")
def test_a_network_of_hugging_face(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    processor = {
        "image_processor_type": "SegformerImageProcessor",
        "do_resize": True,
        "size": {"height": 64, "width": 64},
        "resample": 2,
    }
    kind = "SegformerForSemanticSegmentation"
    folder = kept(tmp_path / "net", kind, transformers.SegformerConfig(**SEGFORMER), processor)
    net = pl.load(f"hf:{folder}", device="cpu")
    assert net.preprocess.size == (64, 64)
    assert net.places == (16, 16) and net.labels == ["sky", "sea", "sand"]
    with torch.no_grad():
        theirs = transformers.SegformerForSemanticSegmentation.from_pretrained(folder).eval()
        inputs = torch.rand(1, 3, 64, 64)
        assert torch.equal(net.scores(inputs), theirs(inputs).logits)
    assert isinstance(pl.predict(net, "photo:cat"), pl.Segmentation)
    for method in (pl.saliency, pl.cam, pl.occlusion, pl.lrp):
        assert method(net, "photo:cat", target="sea").values.isfinite().all()
    other = pl.load(f"hf:{folder}", weights="random", classes=5, device="cpu")
    assert other.places == (16, 16) and other.classes == 5
    headless = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic"
    )
    head = kept(tmp_path / "head", "ResNetModel", headless, {})
    bare = pl.load(f"hf:{head}", device="cpu")
    assert len(bare.layers[""].shape) == 3 and bare.places is None
    with pytest.raises(pl.PellucidError, match="not a row of class scores"):
        pl.predict(bare, "photo:cat")
