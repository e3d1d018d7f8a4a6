"""One job after the other, each stoppable, none of which can take the desk along."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pellucid.app.lab import desk as desks
from pellucid.app.lab.desk import Desk, News
from pellucid.errors import PellucidError

SLOW = """
import time
import torch

def slow():
    time.sleep(60)
    return torch.nn.Conv2d(3, 4, 3)

def printing():
    print("{}" * 100)  # into the middle of the wire, were it let
    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU())
"""
LONG = {"method": "feature", "network": "pane", "photos": {},
        "settings": {"want": "class:chair", "steps": 90_000}}  # fmt: skip
SHORT = {"method": "filters", "network": "pane", "photos": {}, "settings": {}}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("lab")
    (folder / "slow.py").write_text(SLOW)
    specs = {"pane": {"name": "pane"}} | {
        name: {"name": f"{folder}/slow.py:{name}"} for name in ("slow", "printing")
    }
    made = Desk({"specs": specs, "device": "cpu", "folder": str(folder), "pixels": 4 * 10**6})
    yield made
    made.close()


def last(desk: Desk, given: dict[str, Any], stop_after: float | None = None) -> News:
    ticket = desk.take("method", given)
    found: News | None = None
    for found in desk.news(ticket):
        if stop_after is not None and found.facts.get("done", 0) > 0:
            desk.stop(ticket.number)
    assert found is not None
    return found


def test_a_job_gives_files_and_words(desk: Desk) -> None:
    news = last(desk, SHORT | {"settings": {"layer": "conv1", "most": 9}})
    assert news.kind == "done"
    picture, recipe = news.files
    assert news.files[picture].startswith(b"\x89PNG") and recipe.endswith(".json")
    assert news.facts["command"] == "pellucid filters conv1 --most 9"
    assert "pl.filters(net, 'conv1', most=9)" in news.facts["python"]
    assert not desk.busy


def test_a_wrong_request_says_what_is_near(desk: Desk) -> None:
    news = last(desk, LONG | {"settings": {"want": "class:chairr"}})
    assert news.kind == "wrong" and "'chair'" in news.facts["text"]


def test_what_is_stopped_gives_what_it_has(desk: Desk) -> None:
    news = last(desk, LONG, stop_after=0)
    assert news.kind == "done" and "stopped, of 90000" in news.facts["caption"]
    assert any(name.endswith(".png") for name in news.files)


def test_what_is_printed_does_not_reach_the_wire(desk: Desk) -> None:
    assert last(desk, SHORT | {"network": "printing"}).kind == "done"


def test_a_killed_worker_ends_its_job_only(desk: Desk) -> None:
    found = []
    for news in desk.news(desk.take("method", LONG)):
        found.append(news)
        if news.facts.get("done", 0) > 0:
            os.kill(desk.process, signal.SIGKILL)
    assert found[-1].kind == "crashed" and "signal 9" in found[-1].facts["text"]
    assert last(desk, SHORT).kind == "done"


def test_a_job_that_takes_too_long_is_ended(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "limit", 1.0)
    monkeypatch.setattr(desks, "GRACE", 60.0)  # a step may take long where other programs work
    news = last(desk, LONG)
    # A drawing gives what it has by then.
    assert news.kind == "done" and "stopped" in news.facts["caption"]
    monkeypatch.setattr(desks, "GRACE", 0.5)
    before = desk.process
    assert last(desk, SHORT | {"network": "slow"}).kind == "late"
    assert desk.process != before


def test_a_job_that_does_not_listen_is_ended(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desks, "GRACE", 0.5)
    begun = time.monotonic()
    ticket = desk.take("method", SHORT | {"network": "slow"})
    kinds = []
    for news in desk.news(ticket):
        kinds.append(news.kind)
        if time.monotonic() - begun > 1:
            desk.stop(ticket.number)
    assert kinds[-1] == "stopped" and time.monotonic() - begun < 30


def test_jobs_wait_in_line_and_the_line_is_bounded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "waiting", 1)
    first = desk.news(desk.take("method", LONG))
    while next(first).facts.get("done", 0) < 1:
        pass
    second = desk.take("method", SHORT)
    with pytest.raises(PellucidError, match="1 jobs are waiting"):
        desk.take("method", SHORT)
    waiting = desk.news(second)
    assert next(waiting) == News("waiting", ahead=1)
    done: list[str] = []
    thread = threading.Thread(target=lambda: done.extend(news.kind for news in waiting))
    thread.start()
    first.close()  # its page has gone
    thread.join(60)
    assert done[-1] == "done"


def test_one_that_waits_can_be_stopped(desk: Desk) -> None:
    first = desk.news(desk.take("method", LONG))
    next(first)
    second = desk.take("method", SHORT)
    desk.stop(second.number)
    assert [news.kind for news in desk.news(second)] == ["stopped"]
    first.close()
    assert not desk.busy


def test_a_page_that_asks_no_more_is_not_waited_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks, "ABSENT", 0.3)
    gone = desk.news(desk.take("method", LONG))
    next(gone)
    time.sleep(0.5)
    assert last(desk, SHORT).kind == "done"


def test_memory_that_is_not_given_back_ends_the_worker(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = desk.process
    monkeypatch.setattr(desks, "MOST_MEMORY", 1)
    assert last(desk, SHORT).kind == "done"
    assert desk.process != before


@pytest.mark.parametrize(
    ("photo", "why"),
    [
        ("/etc/hostname", "not among the photos that were uploaded"),
        ("{folder}/../../etc/hostname", "not among"),
        ("{folder}", "not among"),
        ("photo:catt", "photo:cat"),
        ("{folder}/slow.py", "not an image"),
    ],
)
def test_paths_stay_in_their_folder(desk: Desk, photo: str, why: str) -> None:
    source = photo.format(folder=desk.bench["folder"])
    given = {"method": "saliency", "network": "pane", "settings": {},
             "photos": {"photo": [[source, "x.png"]]}}  # fmt: skip
    news = last(desk, given)
    assert news.kind == "wrong" and why in news.facts["text"]
    assert "/etc" not in news.facts["text"] and desk.bench["folder"] not in news.facts["text"]


def test_a_photo_of_too_many_pixels_is_refused_before_it_is_decoded(desk: Desk) -> None:
    from PIL import Image

    file = Path(desk.bench["folder"]) / "large.png"
    Image.new("1", (3000, 2000)).save(file)
    given = {"method": "predict", "network": "pane", "settings": {},
             "photos": {"photo": [[str(file), "large.png"]]}}  # fmt: skip
    news = last(desk, given)
    assert news.kind == "wrong" and "large.png is 3000 x 2000" in news.facts["text"]


@pytest.mark.parametrize(("method", "setting"), [("stylist", "model"), ("features", "folder")])
def test_settings_that_name_places_are_refused(desk: Desk, method: str, setting: str) -> None:
    given = {"method": method, "network": "pane", "settings": {setting: "/etc"}, "photos": {}}
    news = last(desk, given)
    assert news.kind == "wrong" and "in the shell only" in news.facts["text"]


def test_a_network_that_the_page_does_not_know_is_not_loaded(desk: Desk) -> None:
    news = last(desk, SHORT | {"network": "hf:/etc"})
    assert news.kind == "wrong" and "no network 'hf:/etc'" in news.facts["text"]
