"""Writes the manual's generated pages and their pictures, from the register and the data beside.

`python -m docs.generate` draws anew the pictures that no longer fit the bundled network or what
they show, and writes the gallery, the page of every method, “Coming from …” and the comparison, in
both languages; they are not kept in git. `--pictures` draws them all.
"""

import inspect
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from docs import atlas_pictures, cards, gallery, tables

import pellucid as pl
from pellucid import page as pages
from pellucid import tiles
from pellucid.app.commands import metavar
from pellucid.heatmap import Mapped
from pellucid.method import Method
from pellucid.option import Option
from pellucid.phrase import phrase
from pellucid.pictures import png_bytes, webp_bytes
from pellucid.register import ours
from pellucid.replay import read
from pellucid.results import Result
from pellucid.writing import write_whole

DOCS = Path(__file__).parent
PHOTO = "photo:motorcycle"
NONE = {
    "en": "Not for the bundled network, which has no such part; so there is no picture here.",
    "zh": "自带的网络没有这样的部分，所以这里没有图。",
}
HEADS = {
    "en": (
        "Idea", "How to read it", "Where it misleads", "On three photos", "Settings", "Speed",
        "Papers",
    ),
    "zh": ("思路", "怎么看", "容易误解的地方", "三张照片", "参数", "速度", "论文"),
}  # fmt: skip
TABLE = {
    "en": "| in Python | in the shell | what | default |",
    "zh": "| Python 中 | 命令行中 | 含义 | 默认值 |",
}
SPEED = {
    "en": "{seconds} s for the picture above, reading the photo included: {ratio} times {bare} of "
    "the network at one photo (processor time of one thread, {machine}; `benchmarks/methods.py`). "
    "Your seconds will differ, the ratio less.",
    "zh": "上面那幅图连同读取照片用了 {seconds} 秒，是网络处理一张照片{bare}的 {ratio} 倍"
    "（单线程处理器时间，{machine}；`benchmarks/methods.py`）。换一台机器秒数会不同，倍数差别较小。",
}
BARE = {
    "en": {"forward": "the bare forward pass", "backward": "the bare forward and backward pass"},
    "zh": {"forward": "单纯前向计算", "backward": "单纯前向加反向计算"},
}
QUOTED = {
    "en": "Recipe: inside the picture; `pellucid replay` makes it again.",
    "zh": "配方就在图里，用 `pellucid replay` 可以重做。",
}


def main() -> None:
    """Pictures first: the pages tell their commands."""
    net = pl.load(device="cpu")
    draw(net, anew="--pictures" in sys.argv[1:])
    write()


def draw(net: pl.Network, anew: bool) -> None:
    """Draws what is missing or no longer fits."""
    for name, entry in ours().items():
        method = entry.load()
        if not list(method.examples(net)):
            continue  # it cannot do this network
        target = DOCS / "pictures" / f"{name}.png"
        if anew or not fits(target, net, method):
            print(f"drawing {target.name}")
            drawn(net, method).save(target, force=True)
        for picture in gallery.draw(net, method, anew):
            print(f"drawing {picture.name}")
    for photo in gallery.PHOTOS:
        target = gallery.FOLDER / f"photo-{photo.partition(':')[2]}.webp"
        if anew or not target.exists():
            small = tiles.resized(pl.open_image(photo).floats(), (320, 480))
            write_whole(target, webp_bytes(small, gallery.QUALITY))
    if anew or not atlas_pictures.fits(net):
        for picture in atlas_pictures.draw(net):
            print(f"drawing {picture.name}")
    if anew or not (DOCS / "pictures" / "banner.png").exists():
        write_whole(DOCS / "pictures" / "banner.png", banner(net))


def write(out: Path = DOCS) -> None:
    """Writes the generated pages, in both languages."""
    speed: dict[str, Any] = json.loads((DOCS / "speed.json").read_text("utf-8"))
    methods = {name: entry.load() for name, entry in ours().items()}
    for lang, folder in (("en", out), ("zh", out / "zh")):
        texts: dict[str, Iterable[str]] = {
            f"methods/{name}.md": written(methods[name], lang, speed) for name in methods
        }
        texts |= {f"coming-from/{name}.md": tables.coming_from(name, lang) for name in tables.PEERS}
        texts |= {"gallery.md": cards.page(lang), "comparison.md": tables.comparison(lang)}
        for name, lines in texts.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            write_whole(folder / name, "\n".join(lines).encode())


def drawn(net: pl.Network, method: Method[Result]) -> Result:
    """The method's first example."""
    result = method(net, **example(net, method))
    return result.over() if isinstance(result, Mapped) else result


def example(net: pl.Network, method: Method[Result]) -> dict[str, Any]:
    """What the method's picture is made with: its first example, on one photo."""
    asked = {name for name, known in method.options.items() if known.kind == "photo"}
    photos = {name: PHOTO for name in ("photo", "content") if name in asked}
    return photos | next(iter(method.examples(net)))


def fits(picture: Path, net: pl.Network, method: Method[Result]) -> bool:
    """Whether a picture was made with these weights and today's defaults."""
    return picture.exists() and gallery.fits(picture, net, method, example(net, method))


def written(method: Method[Result], lang: pages.Language, speed: dict[str, Any]) -> Iterable[str]:
    """One page of the manual, line by line."""
    page, heads = pages.page(method.name), HEADS[lang]
    text = page.texts[lang]
    up = "../" if lang == "en" else "../../"
    picture = DOCS / "pictures" / f"{method.name}.png"
    yield f"# {text.title}\n"
    yield f"*{text.question}*\n"
    if picture.exists():
        yield f"![{text.title}]({up}pictures/{picture.name})\n"
        yield f"```sh\n{method.command(read(picture))}\n```\n"
    else:
        yield f"{NONE[lang]}\n"
    for title, body in zip(heads[:3], (text.idea, text.reading, text.misleading), strict=True):
        yield f"## {title}\n\n{body}\n"
    found = gallery.pictures(method.name)
    if found:
        yield f"## {heads[3]}\n\n{cards.three(found, text.title, f'{up}pictures/gallery/')}\n"
        told = [f"`{method.command(read(one))}`" for one in found]
        yield "  \n".join(told) + "\n"
        yield f"{QUOTED[lang]}\n"
    yield f"## {heads[4]}\n"
    yield TABLE[lang]
    yield "|---|---|---|---|"
    for option in method.options.values():
        if option.kind == "setting":
            yield row(option, lang)
    if method.name in speed["methods"]:
        yield f"\n## {heads[5]}\n\n{quick(method.name, lang, speed)}"
    yield f"\n## {heads[6]}\n"
    yield from (f"- {paper}" for paper in page.papers)
    yield "\n## Python\n"
    yield f"```text\n{inspect.cleandoc(method.__doc__ or '')}\n```"


def quick(name: str, lang: pages.Language, speed: dict[str, Any]) -> str:
    """How long a method takes, in a sentence."""
    measured = speed["methods"][name]
    return SPEED[lang].format(
        seconds=f"{measured['seconds']:.2g}",
        ratio=f"{measured['ratio']:,.2f}"
        if measured["ratio"] < 10
        else f"{measured['ratio']:,.0f}",
        bare=BARE[lang][measured["bare"]],
        machine=speed["machine"][lang],
    )


def row(option: Option, lang: pages.Language) -> str:
    """One setting as a row of a table."""
    default = "" if option.required or option.default is None else f"`{option.default}`"
    # As `--help` has it; a bar would end the table's cell.
    shell = metavar(option).replace("|", "\\|") if option.positional else option.flag
    choices = f" ({', '.join(option.choices)})" if option.choices else ""
    return (
        f"| `{option.name}` | `{shell}` | {phrase(option.help.text, lang)}{choices} | {default} |"
    )


def banner(net: pl.Network) -> bytes:
    """The picture at the head of the README: one photo, seen through."""
    photo = pl.open_image(PHOTO)
    views = [
        photo.floats(),
        pl.saliency(net, photo).over().image(),
        pl.activations(net, photo, "relu3", channel=1).over().image(),
    ]
    top, left, bottom, right = net.preprocess.frame(photo.size).view()
    cut = [view[:, top:bottom, left:right] for view in views]
    best = pl.predict(net, photo, top=1).names[0]
    cut.append(pl.invert(net, photo, layers="relu5").values[0, 0])
    cut.append(pl.feature(net, f"class:{best}").values)
    painted = pl.stylist(net, photo, style="embers", size=photo.size[1]).values
    cut.append(painted[:, top:bottom, left:right])
    names = ["photo", "saliency", "one channel", "back from relu5", f"“{best}”, drawn", "painted"]
    sized = torch.stack([tiles.resized(view, (224, 224)) for view in cut])
    return png_bytes(tiles.arranged(sized, names, 224, 6))


if __name__ == "__main__":
    main()
