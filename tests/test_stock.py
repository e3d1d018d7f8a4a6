"""The installed photos."""

import sys

import pytest

import pellucid as pl
from pellucid.images import open_image
from pellucid.stock import photos


def test_installed_photos_all_open() -> None:
    assert {"photo:astronaut", "photo:cat", "photo:camera"} <= set(photos())
    for name in photos():
        assert min(open_image(name).size) > 100
    assert open_image("photo:cat").source == "photo:cat"


def test_looking_for_photos_does_not_import_their_packages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "sklearn.datasets", raising=False)
    photos()
    assert "sklearn.datasets" not in sys.modules


def test_an_unknown_photo_has_a_near_one() -> None:
    with pytest.raises(pl.Unknown, match="did you mean 'photo:astronaut'"):
        open_image("photo:astronout")
    with pytest.raises(pl.Unknown, match="there is photo:astronaut"):
        open_image("photo:")


def test_a_photo_of_a_missing_package_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(pl.PellucidError, match="pip install scikit-learn"):
        open_image("photo:china")
    assert "photo:china" not in photos() and "photo:cat" in photos()
