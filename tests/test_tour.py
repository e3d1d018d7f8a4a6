"""The tour: one page that has everything inside, whatever the methods do."""

import re
from collections.abc import Callable, Generator, Iterable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid import page as pages
from pellucid.app import report
from pellucid.app.schedule import Timetable
from pellucid.app.tour_atlas import FOLDER, Corner, crops
from pellucid.method import Method, Step
from pellucid.register import entries
from pellucid.results import Picture


class Page(HTMLParser):
    """What a test wants to know of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self.tags = text, []
        self.feed(text)

    tags: list[tuple[str, dict[str, str | None]]]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, attribute: str) -> list[str]:
        return [given[attribute] or "" for _, given in self.tags if attribute in given]


def network() -> pl.Network:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = nn.Sequential(
            nn.Conv2d(3, 4, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(4, 4, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(4, 4, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4, 3),
        )
    return pl.Network(module, size=16, labels=["ant", "bee", "cat"], name="small")


def photo(source: str = "") -> pl.Photo:
    generator = torch.Generator().manual_seed(0)
    return pl.Photo(torch.randint(0, 256, (3, 20, 24), generator=generator).byte(), source)


def finished(work: Generator[Step, None, Path]) -> tuple[Path, list[Step]]:
    steps = []
    while True:
        try:
            steps.append(next(work))
        except StopIteration as stop:
            return stop.value, steps


def invented(name: str, body: Callable[[], Iterable[Step]], count: int = 1) -> Method[Any]:
    """A method that does what a test wants, then gives a picture."""

    def function(net: pl.Network, *, number: int = 1) -> Generator[Step, None, Picture]:
        """Does something."""
        yield from body()
        return Picture(values=torch.full((3, 4, 4), 0.5), caption=f"{name} {number}")

    function.__name__ = name
    function.__annotations__ = {"net": pl.Network, "number": int, "return": Picture}
    return Method(function, lambda net: [{"number": n} for n in range(1, count + 1)])


def nothing() -> Iterable[Step]:
    return []


@pytest.fixture
def lecture(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Gives the tour other methods than those of the register, and no atlas."""
    monkeypatch.setattr(Corner, "work", lambda *_: iter(()))
    return lambda *methods: monkeypatch.setattr(report, "lecture", lambda: list(methods))


@pytest.fixture(scope="module", params=["en", "zh"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A tour of all real methods: its language, page, steps and folder."""
    out = tmp_path_factory.mktemp("tours") / "tour"
    path, steps = finished(report.tour(network(), [photo("a<b>.png")], out, lang=request.param))
    return request.param, Page(path.read_text("utf-8")), steps, out


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


def test_crops_share_no_pixel_and_flat_ones_are_left_out() -> None:
    numbers = torch.arange(300 * 450).reshape(1, 300, 450)
    # Each pixel is told by its colour.
    pixels = torch.cat([numbers % 256, numbers // 256 % 256, numbers // 65536]).byte()
    found = crops(pl.Photo(pixels))
    colours = [crop.pixels.flatten(1).T.long() @ torch.tensor([1, 256, 65536]) for crop in found]
    every = torch.cat(colours)
    assert len(found) == 15 and len(every) == len(every.unique()) == 15 * 90 * 90
    pixels[:, :, :180] = 7
    assert len(crops(pl.Photo(pixels))) == 9


def test_an_atlas_that_cannot_be_made_is_said_and_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise pl.PellucidError("an atlas is stored by <Lance>")

    monkeypatch.setattr("pellucid.atlas.folder.lance", missing)
    monkeypatch.setattr(report, "lecture", lambda: [invented("first", nothing)])
    path, _ = finished(report.tour(network(), [photo()], tmp_path / "tour"))
    text = path.read_text("utf-8")
    assert "an atlas is stored by &lt;Lance&gt;" in text and 'id="first-1"' in text
    assert 'id="atlas-map"' not in text and not (tmp_path / "tour" / "atlas").exists()


def test_an_atlas_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    pytest.importorskip("lance")
    theirs = tmp_path / FOLDER / "crops" / "mine.txt"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("mine")
    corner = Corner.of(network(), tmp_path, True, "en")
    assert [*corner.work(Timetable(100))] == []
    assert "not of a tour" in corner.parts[0].message and theirs.read_text() == "mine"


def test_an_atlas_stopped_or_late_says_what_is_missing(tmp_path: Path) -> None:
    pytest.importorskip("lance")
    corner = Corner.of(network(), tmp_path, False, "en")
    work = corner.work(Timetable(100))
    while "image" not in next(work).text:
        pass
    work.close()
    assert len(corner.without("interrupted")) == 4
    late = Corner.of(network(), tmp_path, False, "en")
    assert [*late.work(Timetable(0))] == [] and len(late.without("late")) == 4


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
    # A clock that stands still: on a busy machine each would leave out other pictures.
    one, two = (
        finished(report.tour(network(), [photo()], tmp_path / name, quick=True, clock=lambda: 0.0))[
            0
        ]
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


class Watch:
    """A clock that a test turns."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def work(self, seconds: float, steps: int) -> Callable[[], Iterable[Step]]:
        def body() -> Iterable[Step]:
            for done in range(1, steps + 1):
                self.now += seconds / steps
                yield Step(done, steps)

        return body


def shown(path: Path) -> list[str]:
    return sorted(file.stem for file in (path.parent / "pictures").iterdir())


def test_what_there_is_no_time_for_is_left_out_and_said(
    tmp_path: Path, lecture: Callable[..., None]
) -> None:
    watch = Watch()
    endless = invented("endless", watch.work(10_000, 1000))
    lecture(endless, *(invented(f"m{n}", watch.work(1, 2), 2) for n in range(30)))
    path, steps = finished(report.tour(network(), [photo()], tmp_path / "tour", clock=watch))
    assert watch.now <= report.WHOLE
    assert len(shown(path)) == 60 and "endless-1" not in shown(path)
    text = path.read_text("utf-8")
    assert "Left out for lack of time: 1 of 61 pictures" in text
    assert ">pellucid endless --network small<" in text
    assert steps[-1].done == steps[-1].total


def test_first_pictures_come_before_second_ones(
    tmp_path: Path, lecture: Callable[..., None]
) -> None:
    watch = Watch()
    lecture(*(invented(f"m{n}", watch.work(10, 10), 3) for n in range(10)))
    path, _ = finished(report.tour(network(), [photo()], tmp_path / "tour", clock=watch))
    assert watch.now <= report.WHOLE
    assert {f"m{n}-1" for n in range(10)} <= set(shown(path))
    assert 20 <= len(shown(path)) < 30


def test_a_slow_method_waits_for_the_quick_ones_and_then_gets_its_turn(
    tmp_path: Path, lecture: Callable[..., None]
) -> None:
    watch = Watch()
    order: list[str] = []

    def noted(name: str, seconds: float) -> Method[Any]:
        def body() -> Iterable[Step]:
            yield from watch.work(seconds, 100)()
            order.append(name)

        return invented(name, body)

    lecture(noted("slow", report.QUICK / 2), noted("brisk", 2), noted("swift", 1), noted("last", 1))
    finished(report.tour(network(), [photo()], tmp_path / "tour", quick=True, clock=watch))
    assert order == ["brisk", "swift", "last", "slow"]


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
