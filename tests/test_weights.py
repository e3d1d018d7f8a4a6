"""Weights files: read safely and fitted, or said why not."""

import os
import pickle
import urllib.error
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision import models

import pellucid as pl
from pellucid import weights
from pellucid.weights import fetch, fill, fitted, labels, read

SHARED = Path(__file__).parents[2] / "shared"


def tiny() -> dict[str, torch.Tensor]:
    return {"0.weight": torch.randn(4, 3, 3, 3), "0.bias": torch.randn(4)}


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


class Harmful:
    """Would make a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("how", ["torch", "old torch", "pickle", "pickle 2", "safetensors"])
def test_code_in_a_pickle_is_not_run(tmp_path: Path, how: str) -> None:
    trace, path = tmp_path / "trace", tmp_path / "w.pth"
    content = {"weight": torch.ones(2), "more": Harmful(trace)}
    if how in ("pickle", "pickle 2"):
        path.write_bytes(pickle.dumps(Harmful(trace), protocol=2 if how == "pickle 2" else 4))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=how != "old torch")
    if how == "safetensors":
        path = path.rename(tmp_path / "w.safetensors")
    with pytest.raises(pl.PellucidError) as caught:
        read(path)
    assert not trace.exists()
    wanted = "not a whole safetensors" if how == "safetensors" else "could run code when opened"
    assert wanted in str(caught.value)


def test_a_whole_module_is_refused_by_name(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "w.pth")
    with pytest.raises(pl.PellucidError, match=r"torch.nn.modules.linear.Linear"):
        read(tmp_path / "w.pth")


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("how", ["zip", "old", "safetensors"])
def test_truncated_files(tmp_path: Path, how: str, share: float) -> None:
    state = {"a": torch.randn(30, 40), "b": torch.randn(50)}
    path = tmp_path / ("w.safetensors" if how == "safetensors" else "w.pth")
    if how == "safetensors":
        save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=how == "zip")
    content = path.read_bytes()
    path.write_bytes(content[: max(1, int(len(content) * share))])
    reason = "not a whole safetensors file" if how == "safetensors" else "truncated or not a"
    if how == "old" and share == 0.001:  # two bytes of a pickle
        reason = "truncated or not a|holds more than weights"
    with pytest.raises(pl.PellucidError, match=reason):
        read(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([torch.ones(2)], "holds a list, not a state dict"),
        (torch.ones(2), "holds a Tensor, not a state dict"),
        ({}, "holds no tensors"),
        ({"epoch": 3, "weights": {"a": torch.ones(2)}}, "but epoch, weights"),
    ],
)
def test_what_is_no_state_dict(tmp_path: Path, content: object, reason: str) -> None:
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(pl.PellucidError, match=reason):
        read(tmp_path / "w.pth")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none.pth", "did you mean 'none.pt'"),
        ("none.pt", "is an empty file"),
        ("folder", "is a folder"),
        ("text.pth", "truncated or not a weights file"),
        ("page.pth", "truncated or not a weights file"),
        ("text.safetensors", "not a whole safetensors file"),
    ],
)
def test_files_that_are_no_weights(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "none.pt").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.pth").write_text("hello world\n" * 9)
    (tmp_path / "page.pth").write_text("<html>not found</html>")
    (tmp_path / "text.safetensors").write_text("hello world\n" * 9)
    with pytest.raises(pl.PellucidError, match=reason):
        read(tmp_path / name)


def test_labels_are_read(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_bytes(b"\xef\xbb\xbfcat\r\n dog \r\n\xe7\x8c\xab\r\n\r\n")
    assert labels(path) == ["cat", "dog", "猫"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xfe\x00\x80", "cannot be read as text"),
        (b"a\0b\n", "is not a text file"),
        (b"\n  \n", "has no labels"),
        (b"", "is an empty file"),
        (None, "did you mean 'other_names.txt'"),
    ],
)
def test_labels_that_cannot_be_read(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "names.txt"
    (tmp_path / "other_names.txt").write_text("x")
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(pl.PellucidError, match=reason):
        labels(path)


def test_the_wrong_number_of_labels(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    with pytest.raises(pl.PellucidError, match="1000 classes but 2 labels"):
        pl.load("squeezenet1_1", weights="random", labels=tmp_path / "names.txt")


URL = "https://example.invalid/models/tiny-{}.pth"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of torch's, and no connection."""

    def fail(*_: object, **__: object) -> None:
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr("torch.hub.urlopen", fail)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch" / "hub" / "checkpoints"


def test_absent_and_offline_says_which_file_goes_where(cache: Path) -> None:
    with pytest.raises(pl.PellucidError) as caught:
        pl.load("squeezenet1_1")
    message = str(caught.value)
    assert "Put squeezenet1_1-b8a52dc0.pth into" in message and str(cache) in message
    assert "weights=PATH" in message and "Name or service not known" in message
    assert list(cache.iterdir()) == []


def test_a_cached_file_with_the_wrong_hash_is_refused(cache: Path) -> None:
    cache.mkdir(parents=True)
    torch.save(
        models.squeezenet1_1(weights=None).state_dict(), cache / "squeezenet1_1-b8a52dc0.pth"
    )
    with pytest.raises(pl.PellucidError, match=r"SHA-256 begins with \w{8}, not b8a52dc0"):
        pl.load("squeezenet1_1")


def test_a_cached_file_that_is_right_is_used(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hashlib

    state = tiny()
    torch.save(state, tmp_path / "w.pth")
    digest = hashlib.sha256((tmp_path / "w.pth").read_bytes()).hexdigest()
    cache.mkdir(parents=True)
    (tmp_path / "w.pth").rename(cache / f"tiny-{digest[:8]}.pth")
    found = fetch(URL.format(digest[:8]), "tiny")
    assert torch.equal(found["0.weight"], state["0.weight"])


class Broken:
    """An answer that ends in the middle."""

    def __init__(self, content: bytes, error: type[Exception] | None) -> None:
        self.content, self.error = content, error

    def __enter__(self) -> "Broken":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def read(self, _count: int) -> bytes:
        if not self.content and self.error:
            raise self.error("connection lost")
        part, self.content = self.content, b""
        return part

    def info(self) -> "Broken":
        return self

    def get_all(self, _name: str) -> None:
        return None


@pytest.mark.parametrize("error", [None, ConnectionResetError, TimeoutError, KeyboardInterrupt])
def test_a_download_broken_off_leaves_nothing(
    cache: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception] | None
) -> None:
    monkeypatch.setattr("torch.hub.urlopen", lambda *_, **__: Broken(b"half of it", error))
    kind = KeyboardInterrupt if error is KeyboardInterrupt else pl.PellucidError
    with pytest.raises(kind):
        fetch(URL.format("0123abcd"), "tiny")
    assert list(cache.iterdir()) == []


def test_a_cache_that_cannot_be_made(cache: Path) -> None:
    cache.parent.parent.mkdir(parents=True)
    cache.parent.write_text("a file in the way")
    with pytest.raises(pl.PellucidError, match="cannot be downloaded"):
        fetch(URL.format("0123abcd"), "tiny")


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
