"""Streams: the same images, whatever the collection comes as."""

import csv
import io
import json
import tarfile
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from torch.utils.data import Dataset

import pellucid as pl
from atlas import collection
from pellucid.atlas.item import Item
from pellucid.atlas.stream import Stream, reopened
from pellucid.errors import PellucidError, Unknown


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return collection.folder(tmp_path_factory.mktemp("photos"), 6)


def files(photos: Path) -> list[Path]:
    return sorted(photos.rglob("*.png"))


def same(found: Stream, photos: Path) -> None:
    """Pixels and labels of all photos, in order."""
    items = list(found)
    assert [item.open().label for item in items] == [file.parent.name for file in files(photos)]
    for item, file in zip(items, files(photos), strict=True):
        assert item.open()[0].hash == pl.open_image(file).hash


def test_a_folder_has_its_folders_as_labels(photos: Path) -> None:
    same(pl.stream(photos), photos)
    assert [item.uri for item in pl.stream(photos)] == [str(file) for file in files(photos)]


def test_a_pattern(photos: Path) -> None:
    same(pl.stream(f"{photos}/**/*.png"), photos)
    assert [item.label for item in pl.stream(f"{photos}/x/*")] == ["", "", ""]


def test_hidden_files_and_other_files_are_not_looked_at(tmp_path: Path) -> None:
    for name in (".hidden.png", "notes.txt", "b.png", "a.PNG"):
        collection.photo(1).save(tmp_path / name, "png")
    assert [Path(item.uri).name for item in pl.stream(tmp_path)] == ["a.PNG", "b.png"]


def test_a_list_of_anything(photos: Path) -> None:
    same(pl.stream([(file, file.parent.name) for file in files(photos)]), photos)
    found = list(pl.stream([collection.photo(1), "photo:cat"]))
    assert [item.uri for item in found] == ["[0]", "photo:cat"]
    assert found[1].open()[0].hash == pl.open_image("photo:cat").hash


def test_names_in_a_text_file(photos: Path) -> None:
    names = photos.parent / "names.txt"
    names.write_text(
        "\n".join(f"{photos.name}/{file.parent.name}/{file.name}" for file in files(photos))
    )
    assert [item.uri for item in pl.stream(names)] == [str(file) for file in files(photos)]


@pytest.mark.parametrize("ending", [".csv", ".tsv"])
def test_a_table_of_paths(photos: Path, ending: str) -> None:
    table = photos.parent / f"table{ending}"
    with table.open("w", newline="") as file:
        rows = csv.writer(file, delimiter="\t" if ending == ".tsv" else ",")
        rows.writerow(["File", "kind"])
        rows.writerows(
            [f"{photos.name}/{f.parent.name}/{f.name}", f.parent.name] for f in files(photos)
        )
    same(pl.stream(table, label="kind"), photos)
    with pytest.raises(Unknown, match="no column 'kid'; did you mean 'kind'"):
        list(pl.stream(table, label="kid"))


@pytest.mark.parametrize("form", ["path", "bytes", "record"])
def test_parquet(photos: Path, form: str, tmp_path: Path) -> None:
    rows = []
    for file in files(photos):
        content = {"path": str(file), "bytes": file.read_bytes()}
        record = {"bytes": content["bytes"], "path": file.name}
        rows.append(
            {"image": record if form == "record" else content[form], "label": file.parent.name}
        )
    table = tmp_path / "table.parquet"
    parquet.write_table(pa.Table.from_pylist(rows), table, row_group_size=4)
    same(pl.stream(table), photos)
    for item, file in zip(pl.stream(table), files(photos), strict=True):
        assert reopened(item.uri).open()[0].hash == pl.open_image(file).hash


def shards(photos: Path, into: Path) -> str:
    for number in range(2):
        with tarfile.open(into / f"part-{number:03}.tar", "w") as shard:
            for place, file in enumerate(files(photos)[number * 3 : number * 3 + 3]):
                label = file.parent.name
                notes = [("cls", label.encode()), ("json", json.dumps({"label": label}).encode())]
                ending, text = notes[place % 2]
                parts = [("png", file.read_bytes()), (ending, text)]
                for ending, content in parts if place else reversed(parts):
                    info = tarfile.TarInfo(f"{number}/{place:04}.{ending}")
                    info.size = len(content)
                    shard.addfile(info, io.BytesIO(content))
    return f"{into}/part-{{000..001}}.tar"


def test_tar_shards(photos: Path, tmp_path: Path) -> None:
    pattern = shards(photos, tmp_path)
    same(pl.stream(pattern), photos)
    same(pl.stream(f"{tmp_path}/*.tar"), photos)
    first = next(iter(pl.stream(pattern)))
    assert reopened(first.uri).open()[0].hash == pl.open_image(files(photos)[0]).hash


def test_shards_of_the_package_webdataset(photos: Path, tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    with webdataset.TarWriter(str(tmp_path / "made.tar")) as shard:
        for number, file in enumerate(files(photos)):
            shard.write(
                {"__key__": f"{number:05}", "png": file.read_bytes(), "cls": file.parent.name}
            )
    same(pl.stream(tmp_path / "made.tar"), photos)


def test_a_shard_cut_short_says_so(photos: Path, tmp_path: Path) -> None:
    pattern = shards(photos, tmp_path)
    whole = (tmp_path / "part-001.tar").read_bytes()
    (tmp_path / "part-001.tar").write_bytes(whole[:700])
    with pytest.raises(PellucidError, match=r"part-001.tar is cut short or damaged"):
        list(pl.stream(pattern))


class Pairs(Dataset):
    """As torchvision's data sets are."""

    classes = ("x", "y")

    def __init__(self, photos: Path) -> None:
        self.files = files(photos)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, number: int) -> tuple[object, int]:
        from PIL import Image

        file = self.files[number]
        return Image.open(file), self.classes.index(file.parent.name)


def test_a_torchvision_data_set(photos: Path) -> None:
    from torchvision.datasets import ImageFolder

    same(pl.stream(Pairs(photos)), photos)
    same(pl.stream(ImageFolder(str(photos))), photos)


@pytest.mark.parametrize("streaming", [False, True])
def test_a_hugging_face_data_set(photos: Path, streaming: bool) -> None:
    datasets = pytest.importorskip("datasets")
    names = datasets.ClassLabel(names=["x", "y"])
    made = datasets.Dataset.from_dict(
        {
            "picture": [str(file) for file in files(photos)],
            "label": [names.str2int(file.parent.name) for file in files(photos)],
        },
        features=datasets.Features({"picture": datasets.Image(), "label": names}),
    )
    same(pl.stream(made.to_iterable_dataset() if streaming else made), photos)


def test_object_storage_through_fsspec(photos: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    for file in files(photos):
        memory.pipe_file(f"/bucket/{file.parent.name}/{file.name}", file.read_bytes())
    same(pl.stream("memory://bucket"), photos)
    assert len(list(pl.stream("memory://bucket/x/*.png"))) == 3
    uri = next(iter(pl.stream("memory://bucket"))).uri
    assert reopened(uri).open()[0].hash == pl.open_image(files(photos)[0]).hash


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("photo", "no folder or file of photos 'photo'"),
        ("notes.doc", "no kind of collection 'notes.doc'"),
        (7, "not from int"),
        ("x-{1..3}.png", "braces are for tar shards"),
        ("{9..1}.tar", "stands for 0 names"),
    ],
)
def test_what_is_no_collection(source: object, message: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.doc").write_text("x")
    with pytest.raises(PellucidError, match=message.replace("{", "\\{")):
        list(pl.stream(source))


def test_a_data_set_in_memory_cannot_be_reopened(photos: Path) -> None:
    uri = next(iter(pl.stream(Pairs(photos)))).uri
    with pytest.raises(PellucidError, match="give it again"):
        reopened(uri)


def test_items_pass_through(photos: Path) -> None:
    items = list(pl.stream(photos))
    assert list(pl.stream(items)) == items and isinstance(items[0], Item)
