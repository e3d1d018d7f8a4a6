"""Moves of the network's tab, with a desk that does its jobs at once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pellucid.app.lab.bench import Bench
from pellucid.app.lab.desk import News, Ticket
from pellucid.app.lab.lab import Lab
from pellucid.app.lab.network_moves import Moves
from pellucid.app.lab.network_pictures import Looked
from pellucid.app.lab.network_words import WORDS
from pellucid.app.lab.tasks import task
from pellucid.app.lab.visit import Visit
from pellucid.app.lab.words import WORDS as LAB
from pellucid.errors import PellucidError
from pellucid.images import open_image, thumbnail
from pellucid.progress import finished

CAT = Looked("photo:cat", "index", 16)


class Quick:
    """A desk without a process: the same news."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.busy, self.tasks = bench, False, 0
        self.done: list[tuple[str, dict[str, Any]]] = []

    def take(self, name: str, given: dict[str, Any]) -> Ticket:
        self.tasks += 1
        return Ticket(self.tasks, name, given)

    def stop(self, number: int) -> None:
        pass

    def news(self, ticket: Ticket) -> Iterator[News]:
        self.done.append((ticket.task, ticket.given))
        yield News("step", {"done": 0, "total": 1, "text": "at it"})
        try:
            outcome = finished(task(ticket.task)(self.bench, **ticket.given))
        except PellucidError as error:
            yield News("wrong", {"text": str(error)})
        else:
            yield News("done", outcome.facts, outcome.files)


@pytest.fixture(scope="module")
def moves(tmp_path_factory: pytest.TempPathFactory) -> Moves:
    folder = tmp_path_factory.mktemp("lab")
    specs = {"pane": {"name": "pane"}, "resnet18": {"name": "resnet18", "weights": "random"}}
    desk: Any = Quick(Bench(specs, "cpu", str(folder), 40_000_000))
    return Moves(Lab(desk, list(specs), folder), LAB["en"] | WORDS["en"], "en")


def after(changes: Iterator[dict[str, Any]], shown: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the page shows at last."""
    shown = {} if shown is None else shown
    for change in changes:
        shown |= change
    return shown


def test_a_network_opens_with_the_filters_of_its_first_convolution(moves: Moves) -> None:
    visit = Visit()
    page = after(moves.enter(visit, "resnet18", CAT))
    assert (visit.network, visit.layer) == ("resnet18", "conv1")
    assert "pellucid filters conv1 --network resnet18 --weights random" in page["filters"]
    assert "pellucid activations photo:cat conv1" in page["channels"]
    assert page["busy"] == ""
    assert visit.opened == {"layer1", "layer2", "layer3", "layer4"}


def test_groups_open_and_close_and_a_layer_opens_those_around_it(moves: Moves) -> None:
    visit = Visit()
    after(moves.enter(visit, "resnet18", CAT))
    page = after(moves.go(visit, {"open": "layer2.0"}, CAT))
    assert 'data-layer="layer2.0.conv1"' in page["drawing"] and "downsample" in page["drawing"]
    page = after(moves.go(visit, {"open": "layer2.0"}, CAT))
    assert 'data-layer="layer2.0.conv1"' not in page["drawing"]
    assert 'data-layer="layer1.0"' not in after(moves.go(visit, {"all": "close"}, CAT))["drawing"]
    page = after(moves.go(visit, {"layer": "layer3.1.bn2"}, CAT))
    assert {"layer3", "layer3.1"} <= visit.opened
    assert "layer3.1.bn2" in page["layer"] and page["filters"] == ""
    every = after(moves.go(visit, {"all": "open"}, CAT))["drawing"]
    assert every.count("net-name") == len(moves.views["resnet18"].diagram.parts) - 8  # sums


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("relu5:12", "relu5:12"),
        ("Motorbikes", "class:3"),
        ("class:3", "class:3"),
        ("motorb", "class:3"),
    ],
)
def test_a_unit_is_found_by_name_or_a_part_of_it(moves: Moves, text: str, unit: str) -> None:
    visit = Visit()
    after(moves.enter(visit, "pane", CAT))
    page = after(moves.go(visit, {"find": text}, CAT))
    assert visit.unit == unit and page["layer"] == ""
    assert f"pellucid guided photo:cat --target {unit}" in page["guided"]
    assert bool(page["answers"]) == unit.startswith("relu")


@pytest.mark.parametrize("text", ["relu5:99999", "nothing", "relu5:x", "class:-1", "<b>"])
def test_what_is_not_there_is_said_and_nothing_else_changes(moves: Moves, text: str) -> None:
    visit = Visit()
    after(moves.enter(visit, "pane", CAT))
    page = after(moves.go(visit, {"find": text}, CAT))
    assert set(page) == {"state"} and 'role="alert"' in page["state"] and "<b>" not in page["state"]


@pytest.mark.parametrize("event", [{}, {"layer": "no"}, {"open": "relu5"}, {"unit": 7}, {"x": "y"}])
def test_a_page_that_sends_nonsense_is_not_followed(moves: Moves, event: dict[str, Any]) -> None:
    visit = Visit()
    after(moves.enter(visit, "pane", CAT))
    assert set(after(moves.go(visit, event, CAT))) <= {"state"}


def test_without_rectifiers_on_the_way_the_gradient_is_shown_and_why(moves: Moves) -> None:
    visit = Visit()
    after(moves.enter(visit, "pane", CAT))
    page = after(moves.go(visit, {"unit": "conv1:3"}, CAT))
    assert "pellucid saliency photo:cat --target conv1:3" in page["guided"]
    assert "rectifier" in page["guided"]


def test_another_photo_is_looked_at_in_place(moves: Moves, tmp_path: Path) -> None:
    visit = Visit()
    after(moves.enter(visit, "pane", CAT))
    after(moves.go(visit, {"unit": "relu5:12"}, CAT))
    file = moves.lab.folder / "mine.jpg"
    file.write_bytes(thumbnail(open_image("photo:coffee"), 200))
    page = after(moves.uploaded(visit, str(file), CAT))
    assert "pellucid guided mine.jpg --target relu5:12" in page["guided"]
    assert str(moves.lab.folder) not in str(page)
    shutil.copy(file, tmp_path / "theirs.jpg")
    page = after(moves.uploaded(visit, str(tmp_path / "theirs.jpg"), CAT))
    assert "not among the photos" in page["state"] and "guided" not in page


def test_news_of_what_nobody_waits_for_change_nothing(moves: Moves) -> None:
    visit = Visit()
    after(moves.enter(visit, "pane", CAT))
    old = moves.go(visit, {"layer": "relu5"}, CAT)
    first = next(old)
    assert "relu5" in first["layer"]
    after(moves.go(visit, {"layer": "relu2"}, CAT))
    assert after(old) in ({}, {"busy": '<i class="net-busy"></i>'})
    assert visit.layer == "relu2"


def test_drawings_go_as_far_as_is_asked(moves: Moves) -> None:
    visit = Visit()
    after(moves.enter(visit, "pane", CAT))
    after(moves.go(visit, {"layer": "relu2"}, CAT))
    page = after(moves.draw(visit, "0-1", 2))
    assert "pellucid features relu2 --channels 0-1 --steps 2" in page["drawn"]
    assert page["drawn"].count("data-unit=") == 2
    page = after(moves.draw(visit, "a-b", 2))
    assert 'role="alert"' in page["drawn"]
    after(moves.go(visit, {"unit": "relu2:1"}, CAT))
    assert "pellucid feature relu2:1 --steps 2" in after(moves.draw_one(visit, 2))["looks"]
