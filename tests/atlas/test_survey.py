"""The survey against a slow twin, in whatever batches, interrupted, killed, and appended to."""

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
from atlas.collection import LAYERS
from pellucid.atlas.atlas import Atlas
from pellucid.atlas.building import building
from pellucid.atlas.check import checking
from pellucid.atlas.plan import Plan
from pellucid.errors import PellucidError, Unknown
from pellucid.progress import finished
from pellucid.record import recording


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
from atlas.collection import LAYERS
from pellucid.atlas.building import building
print("begun", flush=True)
for step in building({place!r}, collection.network(), {photos!r}, layers={layers!r}, keep=4,
                     negative=True, batch=7, every=0.0):
    print(step.done, flush=True)
    time.sleep(0.02)
print("whole", flush=True)
"""


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return collection.damaged(tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="module")
def made(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    return collection.surveyed(tmp_path_factory.mktemp("made") / "small.atlas", photos)


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
