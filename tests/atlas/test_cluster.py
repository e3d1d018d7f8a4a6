"""The survey on a cluster, with a machine lost midway, and in object storage."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atlas import collection
from pellucid.atlas import cluster as clusters
from pellucid.atlas import places
from pellucid.atlas.atlas import Atlas
from pellucid.atlas.building import building
from pellucid.errors import PellucidError
from pellucid.progress import finished

ray = pytest.importorskip("ray", reason="ray is not installed")
# Ray itself warns, and leaves files and sockets open.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
NODE = {"num_cpus": 1}
MORE = {"layers": ("0", "5", "7"), "keep": 4, "negative": True, "batch": 4}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    paths = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, sys.path)])
    os.environ["RAY_DATA_DISABLE_PROGRESS_BARS"] = "1"
    made = Cluster(initialize_head=True, head_node_args=NODE | {"include_dashboard": False})
    try:
        ray.init(
            address=made.address,
            log_to_driver=False,
            runtime_env={"env_vars": {"PYTHONPATH": paths}},
        )
        yield made
    finally:
        ray.shutdown()
        made.shutdown()


def everything(atlas: Atlas) -> dict[str, Any]:
    return {
        part: atlas.store.table(part).to_pydict() for part in sorted(atlas.store.manifest.versions)
    } | {"chain": atlas.store.manifest.chain}


def test_one_of_two_machines_dies_and_the_store_is_that_of_a_local_run(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "SHARD", 8)
    photos = collection.folder(tmp_path / "photos", 60)
    (photos / "x" / "005.png").write_bytes(b"broken")
    net = collection.network()
    local = Atlas.build(tmp_path / "local", net, photos, **MORE)
    second = cluster.add_node(**NODE)
    cluster.wait_for_nodes()
    work = building(tmp_path / "ray", net, photos, engine="ray", every=0.0, **MORE)
    steps = [next(work) for _ in range(3)]
    assert steps[-1].text.endswith("actors")
    cluster.remove_node(second, allow_graceful=False)
    made = finished(work)
    assert everything(made) == everything(local)
    assert len(made) == 60 and made.store.manifest.finished


def test_photos_in_memory_cannot_go_to_other_machines(tmp_path: Path) -> None:
    photos = [collection.photo(number) for number in range(6)]
    with pytest.raises(PellucidError, match="in memory"):
        Atlas.build(tmp_path / "a", collection.network(), photos, engine="ray", **MORE)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An S3 server on this machine."""
    server = pytest.importorskip("moto.server", reason="moto is not installed")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1", "AWS_ALLOW_HTTP": "true",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    places._s3.cache_clear()
    try:
        from pyarrow import fs

        storage = fs.S3FileSystem(
            endpoint_override=f"http://{host}:{port}", allow_bucket_creation=True
        )
        storage.create_dir("bucket")
        yield "s3://bucket"
    finally:
        places._s3.cache_clear()
        running.stop()


def test_photos_and_store_in_object_storage(bucket: str, tmp_path: Path) -> None:
    photos, net = collection.folder(tmp_path / "photos", 12), collection.network()
    storage = places.storage(bucket)
    for file in sorted(photos.rglob("*.png")):
        storage.pipe_file(f"bucket/photos/{file.parent.name}/{file.name}", file.read_bytes())
    local = Atlas.build(tmp_path / "local", net, photos, **MORE)
    work = building(f"{bucket}/far.atlas", net, f"{bucket}/photos", every=0.0, **MORE)
    next(work)
    work.close()
    far = finished(building(f"{bucket}/far.atlas", net, f"{bucket}/photos", **MORE))
    again = Atlas.open(f"{bucket}/far.atlas", net)
    assert again.images.labels == local.images.labels and len(again) == 12
    assert (again.features("5") == local.features("5")).all()
    assert (again.best("0").places == local.best("0").places).all()
    assert far.photo(3).hash == local.photo(3).hash
