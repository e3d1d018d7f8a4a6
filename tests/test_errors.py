"""Messages: what came, what fits, what is near."""

from pathlib import Path

import pytest

from pellucid.errors import PellucidError, Unknown, existing, nearest
from pellucid.images import open_image


def test_a_near_name_is_shown() -> None:
    message = str(Unknown("layer", "layre3", ["layer1", "layer3", "fc"]))
    assert message.startswith("no layer 'layre3'; did you mean 'layer3'")


def test_names_that_are_not_near_are_listed_and_counted() -> None:
    message = str(Unknown("layer", "xyz", [f"conv{n}" for n in range(40)]))
    assert "there is conv0, conv1" in message and "40 in all" in message and "conv39" not in message


def test_nothing_known_is_said_without_a_list() -> None:
    assert str(Unknown("photo", "x", [], "(see there)")) == "no photo 'x' (see there)"


def test_cases_are_ignored_and_parts_are_found() -> None:
    assert nearest("TABBY", ["tabby", "tiger cat"]) == ["tabby"]
    assert nearest("cat", ["tabby", "tiger cat"]) == ["tiger cat"]
    assert nearest("", ["a", "b"]) == []


def test_a_common_source_does_not_make_names_near() -> None:
    known = ["photo:cat", "photo:coffee", "photo:astronaut"]
    assert nearest("photo:astronout", known) == ["photo:astronaut"]
    assert nearest("photo:xyz", known) == []


def test_existing_gives_the_path_back(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    assert existing("file", tmp_path / "a.txt") == tmp_path / "a.txt"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("photos", "is a folder, not a photo"),
        ("empty.jpg", "is an empty file"),
        ("dgo.jpg", "did you mean 'dog.jpg'"),
        ("nowhere/dog.jpg", "there is no folder"),
        ("x" * 5000, "cannot be reached"),
        ("~nobody_of_this_name/x.jpg", "cannot be reached"),
    ],
)
def test_existing_says_why_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, reason: str
) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "dog.jpg").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PellucidError, match=reason):
        existing("photo", Path(name))


def test_where_no_file_is_near_those_of_its_kind_are_shown(tmp_path: Path) -> None:
    for name in ("dog.jpg", "resnet.pth", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(PellucidError, match=r"there is resnet\.pth \(in"):
        existing("weights file", tmp_path / "weights_of_mine_2.pth")
    with pytest.raises(PellucidError, match=r"there is dog\.jpg, notes\.txt, resnet\.pth \(in"):
        existing("weights file", tmp_path / "weights_of_mine_2.safetensors")


def test_in_the_place_of_a_photo_no_other_file_is_offered(tmp_path: Path) -> None:
    (tmp_path / "only.py").write_text("x")
    with pytest.raises(PellucidError) as refused:
        open_image(tmp_path / "one.png")
    assert str(refused.value) == f"no photo 'one.png' (in the folder {str(tmp_path)!r})"
    (tmp_path / "animals").mkdir()
    (tmp_path / "dog.JPG").write_bytes(b"x")
    with pytest.raises(PellucidError, match=r"there is dog\.JPG, animals/ \(in"):
        open_image(tmp_path / "one.png")
