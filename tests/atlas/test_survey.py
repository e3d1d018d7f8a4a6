"""The survey against a slow twin, in whatever batches, interrupted, killed, and appended to."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import Tensor

import pellucid as pl
from atlas import collection
from pellucid.atlas.atlas import Atlas
from pellucid.atlas.best import Best
from pellucid.atlas.building import building
from pellucid.atlas.check import checking
from pellucid.atlas.plan import Plan
from pellucid.atlas.tally import Scale, Tally
from pellucid.errors import PellucidError, Unknown
from pellucid.progress import finished
from pellucid.record import recording

LAYERS = ("0", "2", "5", "7")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = collection.folder(tmp_path_factory.mktemp("photos"))
    (place / "x" / "broken.png").write_bytes(b"\x89PNG broken")
    (place / "y" / "empty.jpg").write_bytes(b"")
    return place


@pytest.fixture(scope="module")
def made(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    place = tmp_path_factory.mktemp("made") / "small.atlas"
    return Atlas.build(
        place, collection.network(), photos, layers=LAYERS, keep=4, negative=True, batch=7
    )


def maps(photos: Path, layer: str) -> Tensor:
    """The slow twin: every photo by itself, the network as it is."""
    net = collection.network()
    found = []
    for file in sorted(photos.rglob("*.png")):
        try:
            inputs, _ = net.prepare(pl.open_image(file))
        except PellucidError:
            continue
        with torch.no_grad(), recording(net, [layer]) as seen:
            net.module(inputs)
        found.append(net.layers[layer].layout.maps(seen[layer]))
    return torch.cat(found)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("sign", [1, -1])
def test_best_places_equal_the_slow_twin(made: Atlas, photos: Path, layer: str, sign: int) -> None:
    whole = sign * maps(photos, layer)
    best = made.best(layer, negative=sign < 0)
    peaks = whole.flatten(2).amax(2)
    for channel in range(whole.shape[1]):
        values = peaks[:, channel].sort(descending=True).values
        torch.testing.assert_close(sign * best.values[channel], values[:4], atol=1e-5, rtol=1e-4)
        for rank in range(4):
            image, place = int(best.images[channel, rank]), int(best.places[channel, rank])
            # The value that is kept is the value there: of equal ones any would do.
            there = whole[image, channel].flatten()[place]
            torch.testing.assert_close(there, values[rank], atol=1e-5, rtol=1e-4)
        assert len(set(best.images[channel].tolist())) == 4


@pytest.mark.parametrize("layer", LAYERS)
def test_features_and_statistics_equal_the_slow_twin(made: Atlas, photos: Path, layer: str) -> None:
    whole = maps(photos, layer)
    torch.testing.assert_close(made.features(layer), whole.mean((2, 3)), atol=1e-5, rtol=1e-4)
    found = made.statistics(layer)
    close = {"atol": 1e-5, "rtol": 1e-4}
    torch.testing.assert_close(found.mean, whole.mean((0, 2, 3)), **close)
    torch.testing.assert_close(found.highest, whole.amax((0, 2, 3)), **close)
    torch.testing.assert_close(found.active, (whole > 0).float().mean((0, 2, 3)), **close)
    assert found.images == len(whole) and (found.counts.sum(1) == len(whole)).all()
    for channel in range(whole.shape[1]):
        tops = (
            whole[:, channel].amax((1, 2)).clamp(found.edges[channel, 0], found.edges[channel, -1])
        )
        counts = torch.histogram(tops, found.edges[channel]).hist
        assert (counts.cumsum(0) - found.counts[channel].cumsum(0)).abs().max() <= 1


def test_predictions_labels_sizes_and_the_photos_themselves(made: Atlas, photos: Path) -> None:
    net = collection.network()
    assert made.images.labels == ["x"] * 10 + ["y"] * 10
    for row in (0, 7, 19):
        photo = pl.open_image(made.images.uris[row])
        assert made.images.sizes[row].tolist() == list(photo.size)
        assert made.photo(row).hash == photo.hash
        answer = pl.predict(net, photo)
        assert made.classes[made.images.predicted[row]] == answer.names[0]
        assert float(made.images.probability[row]) == pytest.approx(
            float(answer.values[0]), abs=1e-4
        )
    assert made.thumbnails([3])[0][:2] == b"\xff\xd8"
    with pytest.raises(PellucidError, match="images 0 to 19, not 20"):
        made.photo(20)


def test_unreadable_files_are_set_aside_with_their_reasons(made: Atlas) -> None:
    reasons = {Path(uri).name: reason for uri, reason in made.unread}
    assert "empty file" in reasons["empty.jpg"]
    assert "not an image" in reasons["broken.png"] or "damaged" in reasons["broken.png"]
    assert len(made) == 20 and len(reasons) == 2


def everything(atlas: Atlas) -> dict[str, object]:
    """All that is in a store, but when it was written."""
    tables = {
        part: atlas.store.table(part).to_pydict() for part in sorted(atlas.store.manifest.versions)
    }
    facts = atlas.store.manifest
    return tables | {"facts": (facts.seen, facts.images, facts.failures, facts.chain)}


def test_interrupted_and_gone_on_with_it_is_the_same(
    made: Atlas, photos: Path, tmp_path: Path
) -> None:
    net = collection.network()
    more = {"layers": LAYERS, "keep": 4, "negative": True, "batch": 7, "every": 0.0}
    for stop in (1, 2):
        work = building(tmp_path / "a", net, photos, **more)
        for _ in range(stop):
            next(work)
        work.close()
        assert not Atlas.open(tmp_path / "a").store.manifest.finished
    assert everything(finished(building(tmp_path / "a", net, photos, **more))) == everything(made)


KILLED = """
import sys, time
import torch
torch.set_num_threads(1)
sys.path[:0] = {paths!r}
from atlas import collection
from pellucid.atlas.building import building
print("begun", flush=True)
for step in building({place!r}, collection.network(), {photos!r}, layers={layers!r}, keep=4,
                     negative=True, batch=7, every=0.0):
    print(step.done, flush=True)
    time.sleep(0.02)
print("whole", flush=True)
"""


def test_killed_at_any_moment_it_opens_and_ends_the_same(
    made: Atlas, photos: Path, tmp_path: Path
) -> None:
    place = str(tmp_path / "killed.atlas")
    tests = str(Path(__file__).parents[1])
    code = KILLED.format(
        paths=[tests, *filter(None, sys.path)], place=place, photos=str(photos), layers=LAYERS
    )
    whole = False
    for delay in (0.0, 0.03, None):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert process.stdout and process.stdout.readline() == "begun\n"
        if delay is None:
            whole = "whole" in process.communicate(timeout=60)[0]
        else:
            # From somewhere in the writing of the first batch on.
            process.stdout.readline()
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=60)
            there = Atlas.open(place)
            assert len(there.store.table("images")) == len(there) if len(there) else True
        if Atlas.open(place).store.manifest.finished:
            whole = True
            break
    assert whole
    assert everything(Atlas.open(place)) == everything(made)


def test_append_adds_what_is_new_and_nothing_twice(photos: Path, tmp_path: Path) -> None:
    net = collection.network()
    first = shutil.copytree(photos / "x", tmp_path / "photos" / "x")
    atlas = Atlas.build(tmp_path / "a", net, tmp_path / "photos", layers=["5"], keep=3, batch=4)
    assert len(atlas) == 10
    assert len(atlas.append(tmp_path / "photos")) == 10
    shutil.copytree(photos / "y", tmp_path / "photos" / "y")
    collection.photo(99).save(first / "0-new.png")
    more = atlas.append(tmp_path / "photos")
    assert len(more) == 21 and len(set(more.images.uris)) == 21
    assert not finished(checking(more))
    alone = Atlas.build(tmp_path / "b", net, more.images.uris, layers=["5"], keep=3, batch=4)
    torch.testing.assert_close(alone.best("5").values, more.best("5").values)
    assert torch.equal(alone.best("5").images, more.best("5").images)


def test_two_writers_at_once(made: Atlas, photos: Path) -> None:
    with (
        made.store.folder.alone(),
        pytest.raises(PellucidError, match="another survey is writing into"),
    ):
        Atlas.open(made.path, collection.network()).append(photos)


def test_another_network_is_refused(made: Atlas, photos: Path) -> None:
    other = collection.network(4)
    with pytest.raises(PellucidError, match="is of small with the weights"):
        Atlas.open(made.path, other)
    with pytest.raises(PellucidError, match="is of small with the weights"):
        Atlas.build(made.path, other, photos)


def test_a_finished_atlas_is_not_overwritten_unasked(made: Atlas, photos: Path) -> None:
    with pytest.raises(PellucidError, match=r"is there already, with 20 images: `append`"):
        Atlas.build(made.path, collection.network(), photos, layers=LAYERS)


def test_other_photos_do_not_go_on_with_it(photos: Path, tmp_path: Path) -> None:
    net, place = collection.network(), tmp_path / "photos"
    shutil.copytree(photos, place)
    work = building(tmp_path / "a", net, place, layers=["5"], batch=4, every=0.0)
    next(work)
    work.close()
    (place / "x" / "000.png").unlink()
    with pytest.raises(PellucidError, match="photos are no longer those"):
        Atlas.build(tmp_path / "a", net, place, layers=["5"], batch=4)


def test_an_own_module_is_asked_for(made: Atlas) -> None:
    with pytest.raises(PellucidError, match="a module of your own: give it"):
        Atlas.open(made.path).network()


def test_nothing_is_left_of_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(PellucidError, match="there is no image in"):
        Atlas.build(tmp_path / "a", collection.network(), tmp_path / "none")
    assert not (tmp_path / "a").exists()


def test_a_collection_that_cannot_be_read_at_all(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(PellucidError, match="none of the 1 images could be read"):
        Atlas.build(tmp_path / "a", collection.network(), tmp_path, layers=["5"])


def test_more_places_than_images(photos: Path, tmp_path: Path) -> None:
    files = sorted((photos / "y").glob("*.png"))[:3]
    atlas = Atlas.build(tmp_path / "a", collection.network(), files, layers=["5"], keep=9)
    best = atlas.best("5")
    assert (best.images[:, 3:] == -1).all() and (best.places[:, 3:] == -1).all()
    assert (best.images[:, :3] >= 0).all() and best.values[:, 3:].isinf().all()


def test_several_places_of_one_image(photos: Path, tmp_path: Path) -> None:
    atlas = Atlas.build(
        tmp_path / "a", collection.network(), photos, layers=["0"], keep=12, per_image=3, batch=5
    )
    whole, best = maps(photos, "0").flatten(2), atlas.best("0")
    for channel in range(whole.shape[1]):
        tops = whole[:, channel].topk(3).values
        torch.testing.assert_close(
            best.values[channel], tops.flatten().sort(descending=True)[0][:12], atol=1e-5, rtol=1e-4
        )
        pairs = set(zip(best.images[channel].tolist(), best.places[channel].tolist(), strict=True))
        assert len(pairs) == 12
        assert max(best.images[channel].bincount().tolist()) <= 3


def test_whole_maps_in_half_precision(photos: Path, tmp_path: Path) -> None:
    atlas = Atlas.build(
        tmp_path / "a", collection.network(), photos, layers=["5"], whole=True, precision="float16"
    )
    whole = maps(photos, "5").flatten(1)
    torch.testing.assert_close(atlas.features("5"), whole, atol=2e-3, rtol=2e-3)


def test_check_finds_what_was_cut_short(photos: Path, tmp_path: Path) -> None:
    net = collection.network()
    atlas = Atlas.build(tmp_path / "a", net, photos, layers=["5"])
    assert finished(checking(atlas)) == []
    longest = max((tmp_path / "a" / "images.lance" / "data").iterdir(), key=os.path.getsize)
    whole = longest.read_bytes()
    longest.write_bytes(whole[: len(whole) // 2])
    assert "cannot read" in finished(checking(Atlas.open(tmp_path / "a", net)))[0]
    longest.write_bytes(whole)
    shutil.rmtree(tmp_path / "a" / "patches.lance")
    assert "patches" in finished(checking(Atlas.open(tmp_path / "a", net)))[0]


def test_check_sends_photos_through_the_network_again(photos: Path, tmp_path: Path) -> None:
    place, net = tmp_path / "photos", collection.network()
    shutil.copytree(photos, place)
    atlas = Atlas.build(tmp_path / "a", net, place, layers=["5"])
    collection.photo(77).save(place / "x" / "000.png")
    (place / "y" / "019.png").unlink()
    found = finished(checking(Atlas.open(tmp_path / "a", net), again=len(atlas)))
    assert len(found) == 2
    assert any("000.png gives other features" in fault for fault in found)
    assert any("019.png" in fault for fault in found)


def test_a_damaged_manifest(photos: Path, tmp_path: Path) -> None:
    Atlas.build(tmp_path / "a", collection.network(), photos, layers=["5"])
    (tmp_path / "a" / "manifest.json").write_text("{")
    with pytest.raises(PellucidError, match=r"the manifest of .* is damaged"):
        Atlas.open(tmp_path / "a")
    with pytest.raises(PellucidError, match="there is no atlas at"):
        Atlas.open(tmp_path)


def test_a_full_disk_leaves_what_was_there(photos: Path, tmp_path: Path, monkeypatch) -> None:
    import lance

    net = collection.network()
    work = building(tmp_path / "a", net, photos, layers=["5"], batch=5, every=0.0)
    next(work)
    write = lance.write_dataset

    def full(table: object, path: str, **more: object) -> object:
        if path.endswith("images.lance"):
            raise OSError("LanceError(IO): No space left on device (os error 28), /rustc/x.rs")
        return write(table, path, **more)

    monkeypatch.setattr(lance, "write_dataset", full)
    with pytest.raises(PellucidError, match=r"cannot write .*No space left on device"):
        finished(work)
    monkeypatch.undo()
    there = Atlas.open(tmp_path / "a", net)
    assert len(there.store.table("images")) == len(there) == 5
    assert len(Atlas.build(tmp_path / "a", net, photos, layers=["5"], batch=5)) == 20


def test_the_network_is_left_as_it_was(photos: Path, tmp_path: Path) -> None:
    net = collection.network()
    net.module.train()
    before = {name: value.clone() for name, value in net.module.state_dict().items()}
    strides = [weight.stride() for weight in net.module.parameters()]
    Atlas.build(tmp_path / "a", net, photos, layers=["5"])
    assert net.module.training and not any(part._forward_hooks for part in net.module.modules())
    assert all(torch.equal(value, before[name]) for name, value in net.module.state_dict().items())
    assert strides == [weight.stride() for weight in net.module.parameters()]


def test_layers_by_name_pattern_and_default() -> None:
    net = collection.network()
    assert Plan.of(net, "0; 5").layers == ("0", "5")
    assert Plan.of(net, "[05]").layers == ("0", "5")
    assert Plan.of(net, "all").layers == tuple("012345678")
    assert Plan.of(net).layers[-1] == "7"
    with pytest.raises(Unknown, match="no layer '55'"):
        Plan.of(net, "55")
    with pytest.raises(Unknown, match=r"no layer that fits 'x\*'"):
        Plan.of(net, "x*")
    with pytest.raises(PellucidError, match="keep is 1 or more, not 0"):
        Plan.of(net, "5", keep=0)
    with pytest.raises(Unknown, match="no precision 'float8'; did you mean"):
        Plan.of(net, "5", precision="float8")


def test_parts_in_any_order_merge_to_the_same() -> None:
    """Best places and tallies of a collection do not depend on how it is cut."""
    draw = torch.Generator().manual_seed(0)
    maps = torch.randint(0, 4, (30, 5, 3, 3), generator=draw).float()  # ties everywhere
    scale = Scale.of(maps[:4].amax((2, 3)))

    def part(rows: range) -> tuple[Best, Tally]:
        some = maps[rows.start : rows.stop]
        best = Best.none(5, 6).updated(some, some.amax((2, 3)), torch.tensor(list(rows)), 2)
        tally = Tally.none(scale, 9)
        return best, tally.updated(
            some.amax((2, 3)), some.mean((2, 3)), (some > 0).float().sum((2, 3))
        )

    whole_best, whole_tally = part(range(30))
    parts = [part(range(low, low + 6)) for low in (12, 0, 24, 18, 6)]
    best, tally = parts[0]
    for other_best, other_tally in parts[1:]:
        best, tally = best.merged(other_best), tally.merged(other_tally)
    for name in ("values", "images", "places"):
        assert torch.equal(getattr(best, name), getattr(whole_best, name)), name
    for name in ("images", "sums", "active", "highest", "lowest", "counts"):
        assert torch.equal(
            torch.as_tensor(getattr(tally, name)), torch.as_tensor(getattr(whole_tally, name))
        ), name


def test_what_is_not_a_number_is_never_best() -> None:
    maps = torch.ones(3, 1, 2, 2)
    maps[1, 0, 1, 1] = torch.nan
    best = Best.none(1, 3).updated(maps, maps.amax((2, 3)), torch.arange(3))
    assert best.images.tolist() == [[0, 2, -1]]
