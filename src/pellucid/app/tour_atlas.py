"""The tour's small atlas: the installed photos cut into crops, surveyed and shown in four ways."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Generator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from jaxtyping import UInt8
from torch import Tensor

from pellucid.app.figures import Figure, figure
from pellucid.app.schedule import Timetable, TooLong, reason
from pellucid.errors import PellucidError
from pellucid.images import Photo, open_image, thumbnail
from pellucid.method import Step
from pellucid.network import Network
from pellucid.page import Language, Page, parse
from pellucid.recipe import Recipe, network_flags
from pellucid.results import Picture, Result
from pellucid.stock import photos as installed
from pellucid.writing import write_whole

if TYPE_CHECKING:
    from pellucid.atlas.atlas import Atlas

FOLDER, MARK = "atlas", "pellucid-tour.txt"  # the mark says that the folder is the tour's own
CELLS, SIDE = 16, 128  # crops of a photo; px, their largest side
FLAT = 6.0  # grey levels: crops that vary less show nothing, such as sky or paper
DRAWN = ("photo:horse",)  # a silhouette in two values, whose edges would outdo every photo
ASKED = ("photo:cat", "photo:flower", "photo:motorcycle", "photo:gravel")
CHANNELS, KEEP = 5, 6
WIDE = {"neighbours": "strip", "wall": "strip"}  # the whole width of the page
QUICK = ("neighbours", "patches")
BYTES = 700_000  # of each picture on the page


@dataclass
class Part:
    """One picture of the section.

    Attributes:
        why: "failed", "late" or "interrupted" where there is no picture.
    """

    name: str
    command: str
    figure: Figure | None = None
    why: str = "interrupted"
    message: str = ""


@dataclass
class Corner:
    """The section of the atlas.

    Attributes:
        parts: its pictures, as they are shown.
        count: of crops; 0 before there are any.
        wall: where the wall's page is, as seen from the tour's.
        plain: whether the map is a plain one, for lack of openTSNE.
    """

    net: Network
    out: Path
    lang: Language
    parts: list[Part]
    page: Page
    count: int = 0
    wall: str = ""
    plain: bool = False

    @classmethod
    def of(cls, net: Network, out: Path, quick: bool, lang: Language) -> Corner:
        """Before anything is made."""
        text = Path(__file__).with_suffix(".md").read_text("utf-8")
        names = ("neighbours", "map", "wall", "patches")
        parts = [Part(name, _command(net, name)) for name in names if not quick or name in QUICK]
        return cls(net, out, lang, parts, parse(text, FOLDER))

    @property
    def build(self) -> str:
        """What surveys the crops in the shell."""
        return _command(self.net, "build", f"{FOLDER}/crops", "--force")

    @property
    def failures(self) -> dict[str, list[str]]:
        """Commands by the reason why they failed."""
        found: dict[str, list[str]] = {}
        for part in self.parts:
            if part.why == "failed":
                found.setdefault(part.message, []).append(part.command)
        return found

    def without(self, why: str) -> list[str]:
        """Commands of the pictures that are missing for this reason."""
        return [part.command for part in self.parts if part.why == why]

    def work(self, timetable: Timetable) -> Generator[Step, None, None]:
        """Fills the parts, or says there why not; a failure stops nothing else."""
        if timetable.left <= 0:
            self._all("late", "")
            return
        try:
            atlas = yield from timetable.paced(self._surveyed(), timetable.left / 2)
        except TooLong:
            self._all("late", "")
            return
        except Exception as error:
            self._all("failed", reason(error))
            return
        for part in self.parts:
            if timetable.left <= 0:
                part.why = "late"
                continue
            try:
                made = getattr(self, f"_{part.name}")(atlas, part)
                result: Result = yield from timetable.paced(made, timetable.left)
                shown = figure(result, f"atlas-{part.name}", part.command, BYTES)
                result.save(self.out / FOLDER / f"{part.name}.png", force=True)
                part.figure, part.why = replace(shown, kind=WIDE.get(part.name, "grid")), ""
            except TooLong:
                part.why = "late"
            except Exception as error:
                part.why, part.message = "failed", reason(error)

    def _all(self, why: str, message: str) -> None:
        for part in self.parts:
            part.why, part.message = why, message

    def _surveyed(self) -> Generator[Step, None, Atlas]:
        from pellucid.atlas.building import building
        from pellucid.atlas.folder import lance

        lance()  # says what to install, before anything is written
        folder = _own(self.out / FOLDER)
        names = [name for name in installed() if name not in DRAWN]
        if not names:
            raise PellucidError("no photos are installed: pip install 'pellucid[photos]'")
        for name in names:
            yield Step(0, 1, f"cutting {name}")
            for place, crop in enumerate(crops(open_image(name))):
                path = folder / "crops" / name.partition(":")[2] / f"{place:02}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, thumbnail(crop, SIDE, 92))
                self.count += 1
        work = building(folder / "crops.atlas", self.net, folder / "crops")
        try:
            while True:
                try:
                    step = next(work)
                except StopIteration as stop:
                    atlas: Atlas = stop.value
                    return atlas
                yield Step(step.done, self.count, step.text)  # the folder does not know its count
        finally:
            work.close()

    def _neighbours(self, atlas: Atlas, part: Part) -> Generator[Step, None, Result]:
        from pellucid.atlas.neighbours import neighbours

        labels = atlas.images.labels
        # The middle crop of each photo, and not the one that comes out best.
        known = [name.partition(":")[2] for name in ASKED]
        known = [name for name in known if name in labels] or labels[:1]
        rows = [labels.index(name) + labels.count(name) // 2 for name in known]
        part.command = _command(self.net, part.name, *map(str, rows), "--count", "6")
        made = yield from neighbours(atlas, rows, count=6, pixels=True)
        return made

    def _map(self, atlas: Atlas, part: Part) -> Generator[Step, None, Result]:
        from pellucid.atlas.maps import mapping

        self.plain = find_spec("openTSNE") is None
        extra = ("--method", "pca") if self.plain else ()
        part.command = _command(self.net, part.name, *extra, "--page", "map.html")
        made = yield from mapping(atlas, "pca" if self.plain else "tsne")
        return made

    def _wall(self, atlas: Atlas, part: Part) -> Generator[Step, None, Result]:
        from pellucid.atlas.wall import build, picture
        from pellucid.atlas.wall.photos import Photos

        name = next(iter(atlas.maps), None)
        if name is None:
            raise PellucidError("a wall is laid out by a map, and there is none")
        points, _ = atlas.read_map(name)
        part.command = _command(self.net, part.name, "wall")
        made = yield from build.wall(
            self.out / FOLDER / "wall", Photos.of(atlas), points, lang=self.lang
        )
        self.wall = f"{FOLDER}/wall/index.html"
        image = picture.pixels(made).float() / 255
        return Picture(values=image, caption=made.told(), recipe=Recipe("atlas wall", {}))

    def _patches(self, atlas: Atlas, part: Part) -> Generator[Step, None, Result]:
        from pellucid.atlas.patches import patches_of

        maps = [name for name in atlas.layers if self.net.layer(name).layout.form == "map"]
        layer = (maps or [*atlas.layers])[len(maps) // 2]
        known = atlas.statistics(layer)
        # Those that stay still for most places and answer strongly to a few.
        sharp = known.highest / known.mean.clamp_min(1e-6) * (known.highest > 0)
        channels = sharp.argsort(descending=True, stable=True)[:CHANNELS].tolist()
        units = [f"{layer}:{channel}" for channel in channels]
        part.command = _command(self.net, part.name, *units, "--keep", str(KEEP), "--guided")
        made = yield from patches_of(atlas, layer, channels, keep=KEEP, guided=True)
        return made


def crops(photo: Photo) -> list[Photo]:
    """Squares side by side, about `CELLS` of them, so that no two share a pixel."""
    height, width = photo.size
    rows = max(1, round((CELLS * height / width) ** 0.5))
    columns = max(1, round(CELLS / rows))
    side = min(height // rows, width // columns)
    found = []
    for number in range(rows * columns):
        row, column = divmod(number, columns)
        top = row * (height // rows) + (height // rows - side) // 2
        left = column * (width // columns) + (width // columns - side) // 2
        cut = photo.pixels[:, top : top + side, left : left + side]
        if not _flat(cut):
            found.append(Photo(cut.contiguous(), photo.source))
    return found


def _flat(pixels: UInt8[Tensor, "3 height width"]) -> bool:
    return float(pixels.float().mean(0).std()) < FLAT


def _own(folder: Path) -> Path:
    """The folder, empty; what an earlier tour has put there is gone.

    Raises:
        PellucidError: it holds what no tour has made.
    """
    if folder.exists() and not (folder / MARK).is_file() and any(folder.iterdir()):
        raise PellucidError(f"{folder} holds something that is not of a tour")
    for name in ("crops", "crops.atlas", "wall"):
        if (folder / name).is_dir() and not (folder / name).is_symlink():
            shutil.rmtree(folder / name)
    for name in ("neighbours", "map", "wall", "patches"):
        (folder / f"{name}.png").unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / MARK, b"Made by pellucid tour, which makes it anew.\n")
    return folder


def _command(net: Network, name: str, *words: str) -> str:
    """To be run in the folder of the page."""
    flags = network_flags({"name": net.name, "spec": net.spec})
    # An atlas knows its network, unless that is code, which is not run unasked.
    known = name != "build" and bool(net.spec) and ".py:" not in " ".join(flags)
    given = [] if known else flags
    return shlex.join(["pellucid", "atlas", name, f"{FOLDER}/crops.atlas", *words, *given])
