"""The gallery's pictures: every method on the same three photos, small, each with its recipe.

`docs/generate.py` calls it. A method that takes no photo shows three classes, units or layers
instead: the classes are those that the bundled network sees in the three photos.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pellucid as pl
from pellucid import tiles
from pellucid.heatmap import Mapped
from pellucid.method import Method
from pellucid.pictures import webp_bytes
from pellucid.replay import read
from pellucid.results import Result
from pellucid.writing import write_whole

FOLDER = Path(__file__).parent / "pictures" / "gallery"
# Right, nearly right, and sure of something else: a motorbike; a cat, of which the network's 101
# classes have only the cougar; a rocket on its ramp, which it takes for a two-masted ship.
PHOTOS = ("photo:motorcycle", "photo:cat", "photo:rocket")
CLASSES = ("class:Motorbikes", "class:cougar_face", "class:ketch")
TALL, WIDE = 320, 720  # px, at most
QUALITY = 78
SAMPLES = ("photo:brick", "photo:grass", "photo:gravel")

# What is asked beside the photo, where the defaults do not make a small picture.
_WITH: dict[str, dict[str, Any]] = {
    "predict": {"top": 3},
    "activations": {"layer": "relu3", "sort": "strength", "most": 12},
    "segment": {"draw": "cutout"},
    "dream": {"size": 384},
    "invert": {"layers": "relu5; relu7"},
    "style_transfer": {"styles": "photo:coffee", "size": 320},
}
# Three of each that takes no photo, or another one.
_THREE: dict[str, list[dict[str, Any]]] = {
    "filters": [{"most": 24}, {"most": 24, "joint": True}, {"layer": "conv2", "most": 4}],
    "trust": [{"photo": photo, "method": "saliency"} for photo in PHOTOS],
    "feature": [{"want": want} for want in CLASSES],
    "features": [{"layers": one, "channels": "0-11"} for one in ("relu2", "relu4", "relu6")],
    "facets": [
        {"want": want, "parts": 4, "top": 60} for want in ("relu4:53", "relu4:28", "relu5:17")
    ],
    "diverse": [{"want": want} for want in CLASSES],
    "fool": [{"target": want, "draw": "result"} for want in CLASSES],
    "texture": [{"sample": sample} for sample in SAMPLES],
    "quilt": [{"sample": one, "side": 128, "size": "192", "draw": "result"} for one in SAMPLES],
    "stylist": [
        {"photo": photo, "style": style, "size": 480}
        for photo, style in zip(PHOTOS, ("mosaic", "ink", "waves"), strict=True)
    ],
}

# What of a picture is large enough to be read on a card, as shares of its height and width: the
# drawing without its curve; photo, change and result; of the examination the first two rows.
_PART = {"feature": (1.0, 0.415), "attack": (1.0, 0.74), "trust": (0.5, 1.0), "facets": (1.0, 0.77)}
_TALL = {"compare": 640, "facets": 480}  # px, of those that are many small things


def asked(method: Method[Result], net: pl.Network) -> list[dict[str, Any]]:
    """Photos and settings of a method's three pictures; none where it cannot do this network."""
    if not list(method.examples(net)):
        return []
    if method.name in _THREE:
        return _THREE[method.name]
    names = [name for name, known in method.options.items() if known.kind == "photo"]
    if not names:
        return [next(iter(method.examples(net)))] * 3
    return [{names[0]: photo, **_WITH.get(method.name, {})} for photo in PHOTOS]


def path(name: str, number: int) -> Path:
    """Of the picture of one photo, 1 to 3."""
    return FOLDER / f"{name}-{number}.webp"


def pictures(name: str) -> list[Path]:
    """Those that are there."""
    return [one for one in (path(name, number) for number in (1, 2, 3)) if one.exists()]


def draw(net: pl.Network, method: Method[Result], anew: bool = False) -> Iterable[Path]:
    """Draws those of a method's pictures that no longer fit; gives their paths."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for number, given in enumerate(asked(method, net), start=1):
        target = path(method.name, number)
        if not anew and fits(target, net, method, given):
            continue
        result = method(net, **given)
        result = result.over() if isinstance(result, Mapped) else result
        write_whole(target, small(result))
        yield target


def small(result: Result) -> bytes:
    """A result as a small file, on white where it is clear."""
    image, name = result.image(), result.recipe.method
    down, right = _PART.get(name, (1.0, 1.0))
    image = image[:, : round(down * image.shape[1]), : round(right * image.shape[2])]
    height, width = image.shape[1:]
    scale = min(1.0, _TALL.get(name, TALL) / height, WIDE / width)
    size = max(1, round(height * scale)), max(1, round(width * scale))
    return webp_bytes(tiles.resized(image, size), QUALITY, result.recipe.json())


def fits(picture: Path, net: pl.Network, method: Method[Result], given: dict[str, Any]) -> bool:
    """Whether a picture was made with these weights, photos and settings and today's defaults."""
    if not picture.exists():
        return False
    recipe = read(picture)
    settings = {n: o.default for n, o in method.options.items() if o.kind == "setting"}
    settings |= {name: value for name, value in given.items() if name in settings}
    photos = {value for name, value in given.items() if method.options[name].kind == "photo"}
    return (
        recipe.method == method.name
        and recipe.network["weights_hash"] == net.weights_hash
        and recipe.settings == settings
        and photos <= {photo["source"] for photo in recipe.photos.values()}
    )
