"""Writes the manual's method pages and their pictures from the register.

`python docs/generate.py` draws anew the pictures that no longer fit the bundled network or their
method's first example, and writes docs/methods/ and docs/zh/methods/ (not kept in git).
`--pictures` draws them all.
"""

import inspect
import sys
from collections.abc import Iterable
from pathlib import Path

import torch

import pellucid as pl
from pellucid import page as pages
from pellucid import tiles
from pellucid.heatmap import Mapped
from pellucid.images import png_bytes
from pellucid.method import Method
from pellucid.option import Option
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
WORDS = {
    "en": ("Idea", "How to read it", "Where it misleads", "Settings", "Papers", NONE["en"]),
    "zh": ("思路", "怎么看", "容易误解的地方", "参数", "论文", NONE["zh"]),
}
TABLE = {
    "en": "| in Python | in the shell | what | default |",
    "zh": "| Python 中 | 命令行中 | 含义 | 默认值 |",
}


def main() -> None:
    """Pictures first: the pages tell their commands."""
    net = pl.load(device="cpu")
    drawn_anew = "--pictures" in sys.argv[1:]
    methods = {name: entry.load() for name, entry in ours().items()}
    for name, method in methods.items():
        target = DOCS / "pictures" / f"{name}.png"
        if not list(method.examples(net)):
            continue  # it cannot do this network
        if drawn_anew or not fits(target, net, method):
            print(f"drawing {target.name}")
            drawn(net, method).save(target, force=True)
    if drawn_anew or not (DOCS / "pictures" / "banner.png").exists():
        write_whole(DOCS / "pictures" / "banner.png", banner(net))
    ordered = sorted(methods, key=lambda name: pages.page(name).order)
    for lang, folder in (("en", DOCS / "methods"), ("zh", DOCS / "zh" / "methods")):
        folder.mkdir(parents=True, exist_ok=True)
        for name in ordered:
            text = "\n".join(written(methods[name], lang))
            write_whole(folder / f"{name}.md", text.encode())
        write_whole(folder / "index.md", "\n".join(gallery(ordered, lang)).encode())


def drawn(net: pl.Network, method: Method[Result]) -> Result:
    """The method's first example."""
    asked = {name for name, known in method.options.items() if known.kind == "photo"}
    photos = {name: PHOTO for name in ("photo", "content") if name in asked}
    result = method(net, **photos | next(iter(method.examples(net))))
    return result.over() if isinstance(result, Mapped) else result


def fits(picture: Path, net: pl.Network, method: Method[Result]) -> bool:
    """Whether a picture was made with these weights and today's defaults."""
    if not picture.exists():
        return False
    recipe = read(picture)
    settings = {n: o.default for n, o in method.options.items() if o.kind == "setting"}
    example = next(iter(method.examples(net)))
    settings |= {name: value for name, value in example.items() if name in settings}
    return recipe.network["weights_hash"] == net.weights_hash and recipe.settings == settings


def written(method: Method[Result], lang: pages.Language) -> Iterable[str]:
    """One page of the manual, line by line."""
    page, words = pages.page(method.name), WORDS[lang]
    text = page.texts[lang]
    up = "../" if lang == "en" else "../../"
    picture = DOCS / "pictures" / f"{method.name}.png"
    yield f"# {text.title}\n"
    yield f"*{text.question}*\n"
    if picture.exists():
        yield f"![{text.title}]({up}pictures/{picture.name})\n"
        yield f"```sh\n{method.command(read(picture))}\n```\n"
    else:
        yield f"{words[5]}\n"
    for title, body in zip(words[:3], (text.idea, text.reading, text.misleading), strict=True):
        yield f"## {title}\n\n{body}\n"
    yield f"## {words[3]}\n"
    yield TABLE[lang]
    yield "|---|---|---|---|"
    for option in method.options.values():
        if option.kind == "setting":
            yield row(option)
    yield f"\n## {words[4]}\n"
    yield from (f"- {paper}" for paper in page.papers)
    yield "\n## Python\n"
    yield f"```text\n{inspect.cleandoc(method.__doc__ or '')}\n```"


def gallery(names: list[str], lang: pages.Language) -> Iterable[str]:
    """All methods with their pictures, in the order of the lecture."""
    up = "../" if lang == "en" else "../../"
    yield {"en": "# Methods\n", "zh": "# 方法\n"}[lang]
    for name in names:
        text = pages.page(name).texts[lang]
        yield f"## [{text.title}]({name}.md)\n\n{text.question}\n"
        if (DOCS / "pictures" / f"{name}.png").exists():
            yield f"[![{text.title}]({up}pictures/{name}.png)]({name}.md)\n"


def row(option: Option) -> str:
    """One setting as a row of a table."""
    default = "" if option.required or option.default is None else f"`{option.default}`"
    shell = option.name.upper() if option.positional else option.flag
    choices = f" ({', '.join(option.choices)})" if option.choices else ""
    return f"| `{option.name}` | `{shell}` | {option.help.text}{choices} | {default} |"


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
