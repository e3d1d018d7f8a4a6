"""Runs every explanation on three cases whose right answer is known, and writes what they score.

`python docs/known_cases.py` writes docs/known-cases.md and docs/zh/known-cases.md from the texts
in docs/known_cases/, and docs/pictures/known-dots.png, known-pair.png and known-seer.png: some
ten minutes.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent / "tests"))  # the known cases are those of the tests

import pasted  # noqa: E402
import pellucid as pl  # noqa: E402
import planted  # noqa: E402
import seer  # noqa: E402
from pellucid import tiles  # noqa: E402
from pellucid.explain.explainers import Explainer, explainers  # noqa: E402
from pellucid.judgement import MEASURES  # noqa: E402
from pellucid.page import Language  # noqa: E402
from pellucid.pictures import png_bytes  # noqa: E402
from pellucid.writing import write_whole  # noqa: E402

PAIR = ("photo:motorcycle", "photo:flower")  # left and right half
CLASSES = ("Motorbikes", "sunflower")
SCENES = 40  # photos that the transformer is asked about; the pictures are of the first two
STATES: dict[Language, tuple[str, str]] = {
    "en": ("trained", "untrained"),
    "zh": ("训练之后", "训练之前"),
}
SIDES: tuple[pasted.Side, ...] = ("left", "right")
HEADS: dict[Language, tuple[str, ...]] = {
    "en": ("method", "points", "randomised", "deletion", "insertion", "noise"),
    "zh": ("方法", "指对", "随机化", "删除", "插入", "噪声"),
}
REFUSED: dict[Language, str] = {
    "en": "Not in the table, because this network does not suit them:",
    "zh": "以下方法不适用于这个网络，因此不在表中：",
}


@dataclass(frozen=True)
class Row:
    """What one method scores, or why it does not run.

    Attributes:
        shares: of its map, on the evidence for the left target and for the right one; or of the
            maps of many photos, on average.
        points: at how many of them it points.
        numbers: of `trust`, where it was asked.
        maps: over the photo, for the pictures.
    """

    name: str
    shares: tuple[float, ...] = ()
    points: int = 0
    numbers: tuple[float, ...] = ()
    maps: tuple[Tensor, ...] = ()
    reason: str = ""


def dots() -> list[Row]:
    """Every method on the planted network, for either dot."""
    net, photo, reach = planted.network(), planted.photo(), planted.RADIUS
    boxes = [
        (row - reach, column - reach, row + reach + 1, column + reach + 1)
        for row, column in planted.DOTS.values()
    ]

    def row(each: Explainer) -> Row:
        found = [mapped(each, net, photo, name) for name in planted.DOTS]
        fine = [one.frame.to_photo(pasted.strength(one)) for one in found]
        return Row(
            each.name,
            tuple(planted.share(one, name) for one, name in zip(fine, planted.DOTS, strict=True)),
            pl.pointing_game(zip(found, boxes, strict=True), tolerance=0).hits,
            pl.trust(net, each.name, photo, target="left").judgement.numbers,
            tuple(one.over().values for one in found),
        )

    truth = [planted.evidence(name).float() for name in planted.DOTS]
    return [ideal(net, photo, truth), *tried(row)]


def pair(bundled: pl.Network) -> list[Row]:
    """Every method on two photos side by side, for the class of either."""
    net, photo = pasted.pasted(bundled, *PAIR)
    height, width = photo.size
    halves = [(0, 0, height, width / 2), (0, width / 2, height, width)]

    def row(each: Explainer) -> Row:
        found = [mapped(each, net, photo, name) for name in CLASSES]
        return Row(
            each.name,
            tuple(pasted.share(one, side) for one, side in zip(found, SIDES, strict=True)),
            pl.pointing_game(zip(found, halves, strict=True), tolerance=0).hits,
            maps=tuple(one.over().values for one in found),
        )

    left = (torch.arange(width) < width // 2).float().expand(height, -1)
    return [ideal(net, photo, [left, 1 - left]), *tried(row)]


def shapes(photos: seer.Scenes, nets: Sequence[pl.Network]) -> list[Row]:
    """Every method on the transformer, trained and not, for the one shape of each photo."""
    opened = [pl.open_image(pixels) for pixels in photos.pixels]
    names = [seer.NAMES[number] for number in photos.shapes.tolist()]

    def row(each: Explainer) -> Row:
        found = [
            [mapped(each, net, photo, name) for photo, name in zip(opened, names, strict=True)]
            for net in nets
        ]
        boxes = [(top, left, top + seer.TALL, left + seer.TALL) for top, left in photos.corners]
        return Row(
            each.name,
            tuple(
                float(
                    torch.tensor([on(one, photos.mask(at)) for at, one in enumerate(some)]).mean()
                )
                for some in found
            ),
            pl.pointing_game(zip(found[0], boxes, strict=True), tolerance=0).hits,
            maps=tuple(one.over().values for one in found[0][:2]),
        )

    truth = [ideal(nets[0], opened[at], [photos.mask(at)]).maps[0] for at in (0, 1)]
    return [Row("the truth", maps=tuple(truth)), *tried(row)]


def integrated_from(baseline: str, photos: seer.Scenes, net: pl.Network) -> float:
    """The share of integrated gradients from a baseline that lies on the shape, of black ones."""
    shares = [
        on(
            pl.integrated(
                net, pl.open_image(photos.pixels[at]), target=seer.NAMES[int(photos.shapes[at])],
                baseline=baseline,
            ),
            photos.mask(at),
        )
        for at in (~photos.white).nonzero()[:, 0].tolist()
    ]  # fmt: skip
    return float(torch.tensor(shares).mean())


def on(found: pl.Heatmap, mask: Tensor) -> float:
    """The share of a map that lies on a mask; none of a map that is zero everywhere."""
    fine = found.frame.to_photo(pasted.strength(found))
    return float((fine * mask).sum() / fine.sum().clamp(min=1e-12))


def mapped(each: Explainer, net: pl.Network, photo: pl.Photo, target: str) -> pl.Heatmap:
    """The map of one method with its own defaults."""
    wanted = {"target": target} if "target" in each.method.options else {}
    found = each.method(net, photo, **wanted, **each.settings)
    assert isinstance(found, pl.Heatmap)
    return found


def ideal(net: pl.Network, photo: pl.Photo, masks: Sequence[Tensor]) -> Row:
    """The truth, drawn as a map; it stands in the picture only."""
    frame = net.preprocess.frame(photo.size)
    maps = [pl.Heatmap(values=mask, photo=photo, frame=frame) for mask in masks]
    return Row("the truth", maps=tuple(one.over(opacity=0.5).values for one in maps))


def tried(row: Callable[[Explainer], Row]) -> list[Row]:
    """A row of each explanation, or the reason why the network does not suit it."""
    rows = []
    for name, each in explainers().items():
        print(f"  {name}", flush=True)
        try:
            rows.append(row(each))
        except pl.PellucidError as error:
            rows.append(Row(name, reason=str(error)))
    return rows


def picture(photo: pl.Photo, rows: list[Row], labels: Sequence[str]) -> bytes:
    """The two maps of each method side by side, three methods in a row."""
    named = [
        (one, f"{row.name}: {label}")
        for row in rows
        for one, label in zip(row.maps, labels, strict=False)
    ]
    tall, wide = (side * 200 // max(photo.size) for side in photo.size)
    boxes = torch.stack([tiles.boxed(one, (tall, wide)) for one, _ in named])
    return png_bytes(tiles.arranged(boxes, [name for _, name in named], 48, 6))


def table(rows: list[Row], targets: Sequence[str], lang: Language, of: int = 2) -> str:
    """One line for each method that ran; below it those that did not."""
    ran = [row for row in rows if row.shares]
    method, points, *others = HEADS[lang]
    heads = [method, *targets, points, *(others if ran[0].numbers else [])]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in ran:
        numbers = [n for n, name in zip(row.numbers, MEASURES, strict=False) if name != "ssim"]
        cells = [f"`{row.name}`", *(f"{share:.0%}" for share in row.shares)]
        cells += [f"{row.points} / {of}", *(f"{number:.2f}" for number in numbers)]
        lines.append(f"| {' | '.join(cells)} |")
    refused = [f"- `{row.name}`: {row.reason}" for row in rows if row.reason]
    return "\n".join([*lines, *(["", REFUSED[lang], "", *refused] if refused else [])])


def main() -> None:
    """All cases, both languages."""
    print("the planted dots")
    first = dots()
    print("the pasted pair")
    bundled = pl.load(device="cpu")
    second = pair(bundled)
    print("the transformer")
    trained = seer.trained()
    scenes = seer.scenes(SCENES, torch.Generator().manual_seed(77))
    nets = [seer.network(trained, "seer"), seer.network(seer.untrained().eval(), "blind")]
    third = shapes(scenes, nets)
    from_black, from_mean = (integrated_from(one, scenes, nets[0]) for one in ("black", "mean"))
    many = seer.scenes(1000, torch.Generator().manual_seed(99))
    with torch.no_grad():
        right = trained((many.pixels - 0.5) / 0.25).argmax(1) == many.shapes
    net, photo = planted.network(), planted.photo()
    chance = pl.trust(net, "saliency", photo, target="left", samples=1).judgement.bases.random
    area = int(planted.evidence("left").sum())
    for lang, folder, up in (("en", DOCS, ""), ("zh", DOCS / "zh", "../")):
        text = (DOCS / "known_cases" / f"{lang}.md").read_text("utf-8")
        page = text.format(
            up=up,
            area=area,
            share=area / planted.SIZE**2,
            deletion=chance.deletion.area,
            insertion=chance.insertion.area,
            left=CLASSES[0],
            right=CLASSES[1],
            dots=table(first, list(planted.DOTS), lang),
            pair=table(second, CLASSES, lang),
            accuracy=float(right.float().mean()),
            square=(seer.TALL / seer.SIDE) ** 2,
            scenes=SCENES,
            from_black=from_black,
            from_mean=from_mean,
            shapes=table(third, STATES[lang], lang, SCENES),
        )
        write_whole(folder / "known-cases.md", page.encode())
    both = pasted.pasted(bundled, *PAIR)[1]
    first_scene = pl.open_image(scenes.pixels[0])
    asked = [seer.NAMES[number] for number in scenes.shapes[:2].tolist()]
    for name, shown, rows, labels in (
        ("dots", photo, first, list(planted.DOTS)),
        ("pair", both, second, CLASSES),
        ("seer", first_scene, third, asked),
    ):
        file = DOCS / "pictures" / f"known-{name}.png"
        write_whole(file, picture(shown, rows, labels))


if __name__ == "__main__":
    main()
