"""The gallery: a card for every method, family by family, on the same three photos."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path

from docs import gallery
from pellucid import page as pages
from pellucid.images import open_image
from pellucid.page import Language
from pellucid.register import Entry, entries

WIDE = 1.9  # times as wide as tall: three of them stand one below the other


@dataclass(frozen=True)
class Card:
    """One thing of the gallery.

    Attributes:
        name: of its pictures.
        link: from the folder of the gallery's page.
        code: where there is no picture, what stands in its place.
    """

    name: str
    title: str
    question: str
    command: str
    link: str
    code: str = ""


FAMILIES = {
    "en": {
        "see": ("See", "What the network computes, as it is: no gradient, nothing but forward passes."),
        "explain": ("Explain", "One photo, one answer: which pixels is it made of, and is that map worth believing?"),
        "units": ("What units look for", "Out of noise: the picture that a unit, a layer, a class would like best."),
        "mind": ("Dream, remember, be fooled", "A photo changed a little or a lot, and what the network makes of it."),
        "style": ("Texture and style", "What is left once places are forgotten, and what can be painted with it."),
        "many": ("Many photos", "One pass over a collection, and what can be read from it."),
        "tools": ("Tools", "For your own work, and for the record."),
    },
    "zh": {
        "see": ("看", "网络算出了什么，原样呈现：不用梯度，只有前向计算。"),
        "explain": ("解释", "一张照片，一个答案：它由哪些像素构成？这幅图值得相信吗？"),
        "units": ("单元在找什么", "从噪声开始：一个单元、一层、一个类别最想看到的画面。"),
        "mind": ("做梦、回忆、受骗", "把照片改动一点或很多，看网络如何看待它。"),
        "style": ("纹理与风格", "忘掉位置之后还剩下什么，又能用它画出什么。"),
        "many": ("许多照片", "把一批照片过一遍网络，能从中读出什么。"),
        "tools": ("工具", "供自己的研究使用，也为了留下记录。"),
    },
}  # fmt: skip
_MAKE = {
    "units": ("feature", "features", "facets", "diverse"),
    "style": ("texture", "quilt", "style_transfer", "stylist"),
}
_TITLES = {
    "en": (
        "Gallery",
        "Every method on the same three photos. The bundled network knows 101 classes: it is right about "
        "the motorbike; of cats it has only met the cougar; the rocket on its ramp it takes for a ketch, "
        "a ship with two masts, and is quite sure of it. See below what speaks for that. What takes no "
        "photo shows these three classes, or three layers or units.",
        ("Motorbikes, 82 %", "cougar_face, 38 %", "ketch, 58 %"),
        "Not for the bundled network, which has no attention: `pellucid rollout PHOTO --network vit_b_16`.",
    ),
    "zh": (
        "图库",
        "每种方法都用同样的三张照片。自带的网络认识 101 个类别：摩托车它认对了；猫科里它只见过美洲狮；发射架上的火箭它当成了双桅帆船（ketch），而且相当确信。"
        "为什么会这样，往下看就知道。不需要照片的方法，展示的是这三个类别，或者三个层、三个单元。",
        ("Motorbikes（摩托车），82 %", "cougar_face（美洲狮的脸），38 %", "ketch（双桅帆船），58 %"),
        "自带的网络没有注意力，所以没有图：`pellucid rollout PHOTO --network vit_b_16`。",
    ),
}  # fmt: skip
_OTHERS = {
    "en": {
        "many": [
            Card("neighbours", "Neighbours", "Which photos are alike to the network?", "pellucid atlas neighbours photos.atlas photo:cat", "atlas.md"),
            Card("map", "Map", "How does it order a whole collection?", "pellucid atlas map photos.atlas", "atlas.md"),
            Card("wall", "Wall", "The same, with the photos themselves: zoom in as far as you like.", "pellucid atlas wall photos.atlas wall/", "atlas.md"),
            Card("patches", "Best patches", "Which parts of photos raise a channel most?", "pellucid atlas patches photos.atlas relu4:53", "atlas.md"),
        ],
        "tools": [
            Card("pointing", "Pointing game", "Does the strongest place of a map lie on the object?", "pl.pointing(pl.cam(net, photo), box)", "pointing.md"),
            Card("recording", "Recording", "What does every layer answer, as tensors, with nothing left behind?", "with pl.recording(net, [\"relu4\"]) as seen: …", "recording.md", "with pl.recording(net, [\"relu4\"]) as seen:\n    net.module(inputs)\nseen[\"relu4\"].shape  # 1, 160, 14, 14"),
            Card("replay", "Replay", "How was this picture made, and is it the same again?", "pellucid replay why.png", "recording.md#replay", "$ pellucid saliency photo:cat --out why.png\n$ pellucid replay why.png\n  the same, bit for bit"),
        ],
    },
    "zh": {
        "many": [
            Card("neighbours", "近邻", "在网络看来，哪些照片相像？", "pellucid atlas neighbours photos.atlas photo:cat", "atlas.md"),
            Card("map", "地图", "它怎样排列一整批照片？", "pellucid atlas map photos.atlas", "atlas.md"),
            Card("wall", "照片墙", "同一幅地图，换成照片本身，可以一直放大。", "pellucid atlas wall photos.atlas wall/", "atlas.md"),
            Card("patches", "最佳图块", "照片的哪些部分最能激发一个通道？", "pellucid atlas patches photos.atlas relu4:53", "atlas.md"),
        ],
        "tools": [
            Card("pointing", "指点游戏", "图上最强的位置落在物体上吗？", "pl.pointing(pl.cam(net, photo), box)", "pointing.md"),
            Card("recording", "记录", "每一层的输出是什么？以张量给出，事后不留痕迹。", "with pl.recording(net, [\"relu4\"]) as seen: …", "recording.md", "with pl.recording(net, [\"relu4\"]) as seen:\n    net.module(inputs)\nseen[\"relu4\"].shape  # 1, 160, 14, 14"),
            Card("replay", "重现", "这幅图是怎么做的？再做一次还一样吗？", "pellucid replay why.png", "recording.md#_2", "$ pellucid saliency photo:cat --out why.png\n$ pellucid replay why.png\n  逐位相同"),
        ],
    },
}  # fmt: skip


def family(entry: Entry) -> str:
    """Which family a method stands in."""
    if entry.room != "make":
        return {"atlas": "many"}.get(entry.room, entry.room)
    return next((name for name, known in _MAKE.items() if entry.name in known), "mind")


def families() -> dict[str, list[str]]:
    """Methods by family, in the order of the lecture."""
    ordered = sorted(entries(), key=lambda name: pages.page(name).order)
    names = {
        one: [name for name in ordered if family(entries()[name]) == one] for one in FAMILIES["en"]
    }
    return {one: found for one, found in names.items() if found or one in _OTHERS["en"]}


def page(lang: Language) -> Iterable[str]:
    """The gallery's page, line by line."""
    title, intro, answers, _ = _TITLES[lang]
    up = "" if lang == "en" else "../"
    yield f"---\nhide:\n  - toc\n---\n\n# {title}\n\n{intro}\n"
    yield '<div class="pl-answers">'
    for photo, answer in zip(gallery.PHOTOS, answers, strict=True):
        name = photo.partition(":")[2]
        yield f'<figure><img src="{up}pictures/gallery/photo-{name}.webp" alt="{name}" width="480" height="320"><figcaption>{answer}</figcaption></figure>'
    yield "</div>\n"
    for name, methods in families().items():
        heading, words = FAMILIES[lang][name]
        yield f'## {heading}\n\n{words}\n\n<div class="pl-cards" markdown>\n'
        for method in methods:
            text = pages.page(method).texts[lang]
            command = f"pellucid {entries()[method].command}"
            shown = Card(method, text.title, text.question, command, f"methods/{method}.md")
            yield from card(shown, lang)
        for other in _OTHERS[lang].get(name, []):
            yield from card(other, lang)
        yield "</div>\n"


def card(one: Card, lang: Language) -> Iterable[str]:
    """One card, line by line."""
    found = gallery.pictures(one.name)
    up = "" if lang == "en" else "../"
    yield '<div class="pl-card" markdown>\n'
    if found:
        yield f"{three(found, one.title, f'{up}pictures/gallery/')}\n"
    elif one.code:
        yield f"```text\n{one.code}\n```\n"
    else:
        yield f"{_TITLES[lang][3]}\n"
    yield f"### [{one.title}]({one.link})\n\n{one.question}\n\n`{one.command}`\n\n</div>\n"


def three(found: list[Path], title: str, folder: str) -> str:
    """Pictures side by side, or below each other where they are wide."""
    sizes = [open_image(picture).size for picture in found]
    wide = any(across > WIDE * down for down, across in sizes)
    kind = "pl-one" if len(found) == 1 else "pl-wide" if wide else "pl-three"
    shown = [
        f'<a href="{folder}{picture.name}"><img src="{folder}{picture.name}" loading="lazy" '
        f'alt="{escape(title)}, {number}" width="{across}" height="{down}"></a>'
        for number, (picture, (down, across)) in enumerate(zip(found, sizes, strict=True), start=1)
    ]
    return f'<div class="{kind}">{"".join(shown)}</div>'
