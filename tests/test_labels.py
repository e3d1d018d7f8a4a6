"""Labels files: a name a line, or said why not."""

from pathlib import Path

import pytest

import pellucid as pl
from pellucid.weights import labels


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
