"""Files that are no weights are refused with the reason, and no code in them is run."""

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import pellucid as pl
from pellucid.weights import read


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
