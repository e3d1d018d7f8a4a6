"""Runs every explanation on two photos where the right answer is known, and writes what they score.

`python docs/known_cases.py` writes docs/known-cases.md and docs/zh/known-cases.md with the pictures
docs/pictures/known-dots.png and known-pair.png. It takes some minutes.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent / "tests"))  # the known cases are those of the tests

import pasted  # noqa: E402
import planted  # noqa: E402

import pellucid as pl  # noqa: E402
from pellucid import tiles  # noqa: E402
from pellucid.explain.explainers import Explainer, explainer, explainers  # noqa: E402
from pellucid.images import png_bytes  # noqa: E402
from pellucid.judgement import MEASURES  # noqa: E402
from pellucid.page import Language  # noqa: E402
from pellucid.writing import write_whole  # noqa: E402

PAIR = ("photo:motorcycle", "photo:flower")  # left and right half
CLASSES = ("Motorbikes", "sunflower")


@dataclass(frozen=True)
class Row:
    """What one method scores, or why it does not run.

    Attributes:
        shares: of its map, on the evidence for the left target and for the right one.
        points: at how many of the two it points.
        numbers: of `MEASURES`, where they were taken.
        maps: over the photo, for the pictures.
    """

    name: str
    shares: tuple[float, float] = (0.0, 0.0)
    points: int = 0
    numbers: tuple[float, ...] = ()
    maps: tuple[torch.Tensor, ...] = ()
    reason: str = ""


def dots() -> list[Row]:
    """Every method on the planted network, for either dot."""
    net, photo = planted.network(), planted.photo()
    reach = planted.RADIUS

    def row(each: Explainer) -> Row:
        found = [mapped(each, net, photo, name) for name in planted.DOTS]
        shares = [
            planted.share(one.frame.to_photo(pasted.strength(one)), name)
            for one, name in zip(found, planted.DOTS, strict=True)
        ]
        boxes = [
            (row - reach, column - reach, row + reach + 1, column + reach + 1)
            for row, column in planted.DOTS.values()
        ]
        game = pl.pointing_game(zip(found, boxes, strict=True), tolerance=0)
        judged = pl.trust(net, each.name, photo, target="left", samples=5)
        pictures = tuple(one.over().values for one in found)
        return Row(each.name, (shares[0], shares[1]), game.hits, judged.judgement.numbers, pictures)

    return [tried(each, row) for each in explainers().values()]


def pair(bundled: pl.Network) -> list[Row]:
    """Every method on two photos side by side, for the class of either."""
    net, photo = pasted.pasted(bundled, *PAIR)
    height, width = photo.size
    halves = [(0, 0, height, width / 2), (0, width / 2, height, width)]

    def row(each: Explainer) -> Row:
        found = [mapped(each, net, photo, name) for name in CLASSES]
        sides: tuple[pasted.Side, ...] = ("left", "right")
        shares = [pasted.share(one, side) for one, side in zip(found, sides, strict=True)]
        game = pl.pointing_game(zip(found, halves, strict=True), tolerance=0)
        pictures = tuple(one.over().values for one in found)
        return Row(each.name, (shares[0], shares[1]), game.hits, maps=pictures)

    return [tried(each, row) for each in explainers().values()]


def mapped(each: Explainer, net: pl.Network, photo: pl.Photo, target: str) -> pl.Heatmap:
    """The map of one method with its own defaults."""
    wanted = {"target": target} if "target" in each.method.options else {}
    found = each.method(net, photo, **wanted, **each.settings)
    assert isinstance(found, pl.Heatmap)
    return found


def tried(each: Explainer, row: object) -> Row:
    """A row, or the reason why the network does not suit the method."""
    print(f"  {each.name}", flush=True)
    try:
        return row(explainer(each.name))  # type: ignore[operator, no-any-return]
    except pl.PellucidError as error:
        return Row(each.name, reason=str(error))


def picture(photo: pl.Photo, rows: list[Row], labels: Iterable[str], columns: int) -> bytes:
    """The photo, then for each method its two maps one above the other."""
    shown = [row for row in rows if row.maps]
    cells, names = [photo.floats()], ["the photo"]
    for row in shown:
        for one, label in zip(row.maps, labels, strict=True):
            cells.append(one)
            names.append(f"{row.name}: {label}")
    size = (224 * photo.size[0] // max(photo.size), 224 * photo.size[1] // max(photo.size))
    boxes = torch.stack([tiles.boxed(cell, size) for cell in cells])
    return png_bytes(tiles.arranged(boxes, names, 48, columns))


WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "# Two photos with a known answer",
        "lead": "How good is an explanation? On a photo of a dog nobody knows what the network "
        "really looked at. So here are two cases where we do know, and every method of pellucid "
        "has to take the same examination, with its own defaults. All numbers come from "
        "`python docs/known_cases.py`; none is copied from a paper.",
        "dots": "## The planted dots",
        "dots_text": "A network made by hand, nothing in it trained or random. Its photo is "
        "mottled grey with two bright dots; the score of “left” is how well the brightest dot of "
        "the left half matches a round template, “right” likewise. What counts is known pixel by "
        "pixel: the {area} pixels under the template, {area_share:.1%} of the photo, all of them "
        "and nothing else. **Left** and **right** say how much of a map lies there (a map that "
        "knows nothing has {area_share:.0%}), **points** at how many of the two dots its "
        "strongest place lies. The other columns are those of `pellucid trust` for “left”: the "
        "rank correlation with the maps of the shuffled network, the areas under deletion and "
        "insertion (random orders reach {deletion:.2f} and {insertion:.2f}), the change under "
        "noise.",
        "dots_read": "What to see in it: coarse masks cannot be better than their size, so "
        "occlusion spills over the rim of the dot without being wrong. The network has two "
        "layers, and a method that only follows the rectifiers back to the dot stays on the dot "
        "even when they are shuffled: a high correlation is no accusation here, where the photo "
        "has only two places at which anything could happen. On a photo of one thing, a test is "
        "only as good as the photo.",
        "pair": "## The pasted pair",
        "pair_text": "The bundled network is shown two photos side by side, a motorcycle on the "
        "left and a sunflower on the right, and asked about each. The evidence for a class must "
        "lie on its own half. **{left}** and **{right}** say how much of the map does; 50 % is a "
        "method that does not know which of the two it was asked about. **Points** counts for how "
        "many of the two the strongest place lies on the right half.",
        "pair_read": "What to see in it: maps that ask about the class (CAM, occlusion) separate "
        "the halves. Those that follow every edge back through the rectifiers draw both objects "
        "whatever the question, which is the failure that the randomisation test finds as well. "
        "A sharp picture of the wrong thing is worse than a blurred one of the right thing.",
        "head_dots": "| method | left | right | points | randomised | deletion | insertion | "
        "noise |\n|---|---|---|---|---|---|---|---|",
        "head_pair": "| method | {left} | {right} | points |\n|---|---|---|---|",
        "refused": "Not in the table, because this network does not suit them:",
    },
    "zh": {
        "title": "# 两张答案已知的照片",
        "lead": "一种解释究竟好不好？面对一张狗的照片，谁也不知道网络实际看的是什么。这里有两个答案已知的例子，pellucid "
        "的每种方法都用各自的默认设置参加同一场考试。所有数字都由 `python docs/known_cases.py` "
        "实际运行得出，没有一个抄自论文。",
        "dots": "## 种下的亮点",
        "dots_text": "这是一个手工搭建的网络，没有任何训练或随机的成分。照片是斑驳的灰色，上面有两个亮点；“left”的得分，是左半边最亮的点与一个圆形模板的匹配程度，“right”同理。起作用的像素一个一个都是已知的：就是模板下面的 "
        "{area} 个像素，占照片的 {area_share:.1%}，不多也不少。**left** 和 **right** "
        "两列表示图有多少落在那里（一无所知的图只有 "
        "{area_share:.0%}）；**指对**表示两个点中，图上最强处落对了几个。其余各列与 `pellucid trust` "
        "对“left”的检验相同：与打乱权重后的图的秩相关系数，删除与插入曲线下的面积（随机顺序分别为 "
        "{deletion:.2f} 和 {insertion:.2f}），以及噪声下的变化。",
        "dots_read": "从中可以看到：遮挡块再准也准不过自己的大小，所以遮挡图会溢出亮点的边缘，但这并不算错。这个网络只有两层，只沿着整流单元往回走的方法，即使打乱权重也还停在亮点上：这里的高相关不能算作罪证，因为照片上只有两处可能发生什么。检验的好坏，取决于照片。",
        "pair": "## 拼在一起的两张照片",
        "pair_text": "给自带的网络看两张并排的照片，左边是摩托车，右边是向日葵，再分别问它两个类别。每个类别的证据都应当落在自己的那一半。**{left}** "
        "和 **{right}** 两列表示图有多少落在正确的一半；50 % "
        "说明这个方法不知道问的是哪一个。**指对**表示两个类别中，最强处落对了几个。",
        "pair_read": "从中可以看到：真正针对类别提问的图（CAM、遮挡）能把两半分开；沿着整流单元把每条边缘都画回来的图，无论问什么都会把两样东西一起画出来，这正是随机化检验发现的毛病。清晰地画错，不如模糊地画对。",
        "head_dots": "| 方法 | left | right | 指对 | 随机化 | 删除 | 插入 | 噪声 |\n"
        "|---|---|---|---|---|---|---|---|",
        "head_pair": "| 方法 | {left} | {right} | 指对 |\n|---|---|---|---|",
        "refused": "以下方法不适用于这个网络，因此不在表中：",
    },
}


def written(lang: Language, first: list[Row], second: list[Row], told: dict[str, object]) -> str:
    """The page in one language."""
    words, up = WORDS[lang], "" if lang == "en" else "../"
    parts = [words["title"], words["lead"], words["dots"], words["dots_text"].format(**told)]
    parts += [f"![]({up}pictures/known-dots.png)"]
    parts += [table(words["head_dots"], first), refused(words["refused"], first)]
    parts += [words["dots_read"], words["pair"], words["pair_text"].format(**told)]
    parts += [f"![]({up}pictures/known-pair.png)"]
    parts += [table(words["head_pair"].format(**told), second), refused(words["refused"], second)]
    parts += [words["pair_read"]]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(head: str, rows: list[Row]) -> str:
    """One line for each method that ran."""
    lines = [head]
    for row in rows:
        if not row.reason:
            shares = [f"{share:.0%}" for share in row.shares]
            kept = [n for n, what in zip(row.numbers, MEASURES, strict=False) if what != "ssim"]
            cells = [f"`{row.name}`", *shares, f"{row.points} / 2", *(f"{n:.2f}" for n in kept)]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def refused(head: str, rows: list[Row]) -> str:
    """The methods that did not run, and why."""
    lines = [f"- `{row.name}`: {row.reason}" for row in rows if row.reason]
    return "\n".join([head, "", *lines]) if lines else ""


def main() -> None:
    """Both cases, both languages."""
    bundled = pl.load(device="cpu")
    print("the planted dots")
    first = dots()
    print("the pasted pair")
    second = pair(bundled)
    saliency = pl.trust(planted.network(), "saliency", planted.photo(), target="left", samples=1)
    area = int(planted.evidence("left").sum())
    told = {
        "left": CLASSES[0],
        "right": CLASSES[1],
        "area": area,
        "area_share": area / planted.SIZE**2,
        "deletion": saliency.judgement.random.deletion.area,
        "insertion": saliency.judgement.random.insertion.area,
    }
    both = pasted.pasted(bundled, *PAIR)[1]
    dots_picture = picture(planted.photo(), first, planted.DOTS, 5)
    write_whole(DOCS / "pictures" / "known-dots.png", dots_picture)
    write_whole(DOCS / "pictures" / "known-pair.png", picture(both, second, CLASSES, 5))
    write_whole(DOCS / "known-cases.md", written("en", first, second, told).encode())
    write_whole(DOCS / "zh" / "known-cases.md", written("zh", first, second, told).encode())


if __name__ == "__main__":
    main()
