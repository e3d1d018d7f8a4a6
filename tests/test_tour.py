"""The tour: one page that has everything inside, whatever the methods do."""

import re
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

import pellucid as pl
from pellucid import page as pages
from pellucid.app import report
from pellucid.app.schedule import Task, Timetable
from pellucid.app.tour_atlas import Corner
from pellucid.method import Step
from pellucid.register import entries
from pellucid.results import Result
from tours import Page, finished, invented, network, nothing, photo, shown


@pytest.fixture
def lecture(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Gives the tour other methods than those of the register, and no atlas."""
    monkeypatch.setattr(Corner, "work", lambda *_: iter(()))
    return lambda *methods: monkeypatch.setattr(report, "lecture", lambda: list(methods))


@pytest.fixture(scope="module")
def drawn() -> dict[str, Result]:
    """What one tour has drawn the next one shows, too: they differ in their language only."""
    return {}


@pytest.fixture(scope="module", params=["en", "zh"])
def made(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    drawn: dict[str, Result],
) -> Any:
    """A tour of all real methods: its language, page, steps and folder."""
    real = Timetable.run

    def run(
        self: Timetable, task: Task, net: pl.Network, share: float
    ) -> Generator[Step, None, Result]:
        if task.name not in drawn:
            drawn[task.name] = yield from real(self, task, net, share)
        return drawn[task.name]

    out = tmp_path_factory.mktemp("tours") / "tour"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Timetable, "run", run)
        # A clock that stands still: nothing is left out, however busy the machine is.
        work = report.tour(network(), [photo("a<b>.png")], out, lang=request.param, clock=_still)
        path, steps = finished(work)
    return request.param, Page(path.read_text("utf-8")), steps, out


def _still() -> float:
    return 0.0


def test_nothing_is_fetched_from_elsewhere(made: Any) -> None:
    _, page, _, _ = made
    assert all(address.startswith("data:image/") for address in page.all("src"))
    links = {address for address in page.all("href") if not address.startswith("#")}
    assert links <= {"atlas/wall/index.html"}
    assert not re.search(r"https?:|url\(|@import|srcset", page.text)
    assert not any(tag in ("link", "iframe", "object") for tag, _ in page.tags)


def test_every_method_is_on_the_page_in_the_order_of_the_lecture(made: Any) -> None:
    language, page, _, out = made
    found = [pages.page(name) for name in entries()]
    for known in found:
        assert page.text.count(f">{known.texts[language].question}</h2>") == 1
        # A method that this network is nothing for says so.
        fits = bool(list(entries()[known.name].load().examples(network())))
        assert (f'id="{known.name}-1"' in page.text) == fits
        assert (out / "pictures" / f"{known.name}-1.png").is_file() == fits
    assert "small has no attention to roll out" in page.text
    places = [page.all("id").index(known.name) for known in sorted(found, key=lambda p: p.order)]
    assert places == sorted(places)


def test_the_page_is_accessible_and_says_its_language(made: Any) -> None:
    language, page, _, _ = made
    assert dict(page.tags)["html"]["lang"] == {"en": "en", "zh": "zh-Hans"}[language]
    images = [given for tag, given in page.tags if tag == "img"]
    # The last one is empty: a picture is put into it when it is enlarged.
    assert all(given["alt"] for given in images[:-1])
    ids = page.all("id")
    assert len(set(ids)) == len(ids)
    assert {address[1:] for address in page.all("href") if address[0] == "#"} <= set(ids)
    assert ("misleads" in page.all("class")) and ("Where it misleads" in page.text) == (
        language == "en"
    )


def test_the_atlas_is_shown_in_four_ways(made: Any) -> None:
    pytest.importorskip("lance")
    _, page, _, out = made
    for name in ("neighbours", "map", "wall", "patches"):
        assert f'id="atlas-{name}"' in page.text
        assert (out / "atlas" / f"{name}.png").is_file()
        assert f">pellucid atlas {name} atlas/crops.atlas" in page.text
    assert "atlas/wall/index.html" in page.all("href")
    assert (out / "atlas" / "wall" / "index.html").is_file()
    assert str(out) not in page.text and "Left out" not in page.text
    asked = re.search(r">pellucid atlas neighbours atlas/crops.atlas ([\d ]+) --count", page.text)
    assert asked
    rows = [int(row) for row in asked[1].split()]
    found = pl.Atlas.open(out / "atlas" / "crops.atlas", network()).images.labels
    assert [found[row] for row in rows] == ["cat", "flower", "motorcycle", "gravel"]


def test_names_are_escaped(made: Any) -> None:
    _, page, _, _ = made
    assert "a<b>" not in page.text and "a&lt;b&gt;.png" in page.text


def test_progress_goes_up_to_its_end(made: Any) -> None:
    steps = made[2]
    done = [step.done / step.total for step in steps]
    assert done == sorted(done) and done[0] == 0 and done[-1] == 1


def test_pictures_can_be_made_again(made: Any) -> None:
    out = made[3]
    for name in ("saliency-1", "filters-1"):
        again = pl.replay(out / "pictures" / f"{name}.png", network=network(), photo=photo())
        assert again.same, again.differences


def test_the_same_tour_is_the_same_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some = [pl.saliency, pl.filters, pl.predict, pl.feature, pl.cam]
    monkeypatch.setattr(report, "lecture", lambda: some)
    one, two = (
        finished(report.tour(network(), [photo()], tmp_path / name, quick=True, clock=_still))[0]
        for name in ("one", "two")
    )
    assert one.read_bytes() == two.read_bytes()


def test_installed_photos_are_taken_where_none_is_given(
    tmp_path: Path, lecture: Callable[..., None]
) -> None:
    lecture(invented("first", nothing))
    path, _ = finished(report.tour(network(), [], tmp_path / "tour"))
    text = path.read_text("utf-8")
    assert "photo:motorcycle" in text and "photo:cat" in text


def test_a_method_that_fails_is_shown_and_stops_nobody(
    tmp_path: Path, lecture: Callable[..., None]
) -> None:
    def wrong() -> Iterable[Step]:
        raise pl.PellucidError("this network has no <ears>")

    def broken() -> Iterable[Step]:
        raise RuntimeError("shapes (3,) and (4,)\nand much more")

    def hopeless(net: pl.Network) -> list[dict[str, Any]]:
        raise pl.PellucidError("no example here")

    silent = invented("silent", nothing)
    silent.examples = hopeless
    lecture(invented("wrong", wrong), invented("broken", broken), silent, invented("good", nothing))
    path, _ = finished(report.tour(network(), [photo()], tmp_path / "tour"))
    text = path.read_text("utf-8")
    assert "this network has no &lt;ears&gt;" in text
    assert "RuntimeError: shapes (3,) and (4,)" in text and "and much more" not in text
    assert 'id="good-1"' in text and 'id="wrong-1"' not in text
    # An example is not needed where all settings have a default.
    assert 'id="silent-1"' in text
    assert sorted(file.name for file in (tmp_path / "tour/pictures").iterdir()) == [
        "good-1.png",
        "silent-1.png",
    ]


@pytest.mark.parametrize("end", ["throw", "close", "inside"])
def test_an_interrupt_keeps_what_is_done(
    end: str, tmp_path: Path, lecture: Callable[..., None]
) -> None:
    def stopped() -> Iterable[Step]:
        yield Step(1, 2, "now")
        raise KeyboardInterrupt

    lecture(invented("first", nothing), invented("second", stopped), invented("third", nothing))
    work = report.tour(network(), [photo()], tmp_path / "tour")
    while "now" not in next(work).text:
        pass
    if end == "close":
        work.close()
    else:
        with pytest.raises(StopIteration) as stop:
            work.throw(KeyboardInterrupt()) if end == "throw" else next(work)
        assert stop.value.value == tmp_path / "tour" / "index.html"
    text = (tmp_path / "tour" / "index.html").read_text("utf-8")
    assert 'id="first-1"' in text and "Missing: 2 of 3 pictures" in text
    assert "pellucid second --network small" in text and "pellucid third" in text


def test_an_interrupt_before_the_first_picture_leaves_nothing(tmp_path: Path) -> None:
    work = report.tour(network(), [photo()], tmp_path / "tour")
    next(work)
    with pytest.raises(KeyboardInterrupt):
        work.throw(KeyboardInterrupt())
    assert not (tmp_path / "tour").exists()


def test_the_quick_tour_has_one_picture_of_each(
    tmp_path: Path, lecture: Callable[..., None]
) -> None:
    lecture(invented("first", nothing, 3))
    path, _ = finished(report.tour(network(), [photo("x.png")], tmp_path / "tour", quick=True))
    assert shown(path) == ["first-1"]
    text = path.read_text("utf-8")
    assert "pellucid tour --network small --photo x.png" in text


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, lecture: Callable[..., None]) -> None:
    lecture(invented("first", nothing))
    theirs = tmp_path / "index.html"
    theirs.write_text("<html>mine</html>")
    with pytest.raises(pl.PellucidError, match="not a tour; --force"):
        finished(report.tour(network(), [photo()], tmp_path))
    assert theirs.read_text() == "<html>mine</html>" and len(list(tmp_path.iterdir())) == 1
    with pytest.raises(pl.PellucidError, match="is a file"):
        finished(report.tour(network(), [photo()], theirs))
    path, _ = finished(report.tour(network(), [photo()], tmp_path, force=True))
    assert 'id="first-1"' in path.read_text("utf-8")


def test_an_earlier_tour_is_replaced_and_all_else_left_alone(
    tmp_path: Path, lecture: Callable[..., None]
) -> None:
    lecture(invented("first", nothing, 2))
    path, _ = finished(report.tour(network(), [photo()], tmp_path / "tour"))
    (path.parent / "notes.txt").write_text("mine")
    (path.parent / "pictures" / "own-1.png").write_text("mine")
    lecture(invented("first", nothing, 1))
    finished(report.tour(network(), [photo()], tmp_path / "tour"))
    assert shown(path) == ["first-1", "own-1"]
    assert (path.parent / "notes.txt").read_text() == "mine"


def test_an_unknown_language_is_refused(tmp_path: Path) -> None:
    with pytest.raises(pl.Unknown, match="no language 'fr'"):
        next(report.tour(network(), [], tmp_path / "tour", lang="fr"))
    assert not (tmp_path / "tour").exists()
