"""Exports, and the commands of the atlas from the shell."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from pyarrow import parquet
from typer.testing import CliRunner

from atlas import collection
from pellucid.app.cli import app
from pellucid.atlas.atlas import Atlas
from pellucid.atlas.export import exported
from pellucid.errors import PellucidError, Unknown
from pellucid.images import from_bytes


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    photos = collection.folder(tmp_path_factory.mktemp("photos"), 8)
    place = tmp_path_factory.mktemp("made") / "a"
    made = Atlas.build(place, collection.network(), photos, layers=["0", "7"])
    made.write_map("pca", torch.arange(16.0).view(8, 2), {"layer": "7"})
    return made


def test_parquet_as_embedding_atlas_opens_it(atlas: Atlas, tmp_path: Path) -> None:
    table = parquet.read_table(exported(atlas, tmp_path / "a.parquet"))
    assert table.num_rows == 8 and table["x"].to_pylist() == [0, 2, 4, 6, 8, 10, 12, 14]
    assert table["label"].to_pylist() == atlas.images.labels
    image = table["image"][2].as_py()
    assert from_bytes(image["bytes"], "x").size == tuple(atlas.images.sizes[2].tolist())
    flat = np.stack(table["7"].to_numpy())
    assert torch.equal(torch.from_numpy(flat), atlas.features("7"))


def test_arrays(atlas: Atlas, tmp_path: Path) -> None:
    arrays = np.load(exported(atlas, tmp_path / "a.npz", layer="7"))
    assert (arrays["7/features"] == atlas.features("7").numpy()).all()
    assert (arrays["7/best_images"] == atlas.best("7").images.numpy()).all()
    assert "0/features" not in arrays


def test_exports_that_cannot_be(atlas: Atlas, tmp_path: Path) -> None:
    with pytest.raises(PellucidError, match=r"exported as .parquet or .npz, not 'a.csv'"):
        exported(atlas, tmp_path / "a.csv")
    (tmp_path / "a.npz").touch()
    with pytest.raises(PellucidError, match="is there already"):
        exported(atlas, tmp_path / "a.npz")
    with pytest.raises(Unknown, match="no surveyed layer '3'"):
        exported(atlas, tmp_path / "b.npz", layer="3")
    with pytest.raises(Unknown, match="no map 'tsne'"):
        exported(atlas, tmp_path / "b.npz", map="tsne")


def test_the_commands(tmp_path: Path) -> None:
    photos = collection.folder(tmp_path / "photos", 4)
    (photos / "x" / "bad.png").write_bytes(b"bad")
    place = str(tmp_path / "a")
    run = CliRunner().invoke
    made = run(app, ["atlas", "build", str(photos), place, "--layers", "relu1;flatten", "--json"])
    assert made.exit_code == 0, made.output
    facts = json.loads(made.output)
    assert facts["images"] == 4 and len(facts["unread"]) == 1
    again = run(app, ["atlas", "build", str(photos), place])
    assert again.exit_code == 2 and "append" in again.output
    collection.photo(50).save(photos / "y" / "new.png")
    more = run(app, ["atlas", "append", place, str(photos)])
    assert more.exit_code == 0 and "1 new image\n" in more.output, more.output
    told = run(app, ["atlas", "info", place])
    assert (
        "5 images of" in told.output
        and "1 image could not be read:" in told.output
        and "bad.png" in told.output
    )
    assert "is whole" in run(app, ["atlas", "check", place]).output
    saved = run(app, ["atlas", "export", place, str(tmp_path / "a.parquet")])
    assert saved.exit_code == 0 and (tmp_path / "a.parquet").is_file()
    (photos / "y" / "001.png").unlink()
    assert run(app, ["atlas", "check", place]).exit_code == 1
    nowhere = run(app, ["atlas", "info", str(tmp_path)])
    assert nowhere.exit_code == 2 and "no atlas at" in nowhere.output
