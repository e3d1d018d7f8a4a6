"""Downloads of weights: whole and the right ones, or nothing is left and it is said why."""

import urllib.error
from pathlib import Path

import pytest
import torch
from torchvision import models

import pellucid as pl
from pellucid.weights import fetch
from state import tiny

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
