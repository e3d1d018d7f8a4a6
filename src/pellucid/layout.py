"""Layout: which axis of a layer's output is channels and which are places in the image."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isqrt
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from pellucid.errors import PellucidError

Form = Literal["map", "channels last", "tokens", "vector", "other"]
MOST_PREFIX_TOKENS = 16  # class, distillation and register tokens


@dataclass(frozen=True)
class Layout:
    """How to read one layer's output, batch axis first.

    Attributes:
        form: "map" (B, C, h, w); "channels last" (B, h, w, C), as in Swin; "tokens"
            (B, prefix + h*w, C), as in ViT; "vector" (B, C); "other" has no named channels.
        channels: number of channels; 0 for "other".
        grid: height and width of the places; (1, 1) for a vector.
        prefix: tokens before the places: class, distillation, registers.
    """

    form: Form
    channels: int = 0
    grid: tuple[int, int] = (1, 1)
    prefix: int = 0

    def maps(self, values: Float[Tensor, "batch *rest"]) -> Float[Tensor, "batch channels h w"]:
        """The layer's output as channel maps, prefix tokens left out."""
        match self.form:
            case "map":
                return values
            case "channels last":
                return values.movedim(-1, 1)
            case "tokens":
                places = values[:, self.prefix :].movedim(-1, 1)
                return places.reshape(len(values), self.channels, *self.grid)
            case "vector":
                return values[:, :, None, None]
        raise PellucidError("this layer's output has no channels that could be named")

    def token(
        self, values: Float[Tensor, "batch tokens channels"], index: int
    ) -> Float[Tensor, "batch channels"]:
        """One of the prefix tokens."""
        return values[:, index]


def infer(
    shape: tuple[int, ...], image: tuple[int, int], grids: Iterable[tuple[int, int]]
) -> Layout:
    """The layout of an output, from its shape for one image of a known height and width.

    Args:
        shape: of the output, batch of 1 included.
        image: height and width of the network's input.
        grids: heights and widths of the feature maps seen so far in the network: a row of tokens
            is first tried as one of these.
    """
    if not shape or shape[0] != 1 or 0 in shape:
        return Layout("other")  # Swin's windows, for one, sit in the batch axis
    if len(shape) == 2:
        return Layout("vector", shape[1])
    if len(shape) == 3:
        return _tokens(shape[1], shape[2], image, tuple(grids))
    if len(shape) == 4:
        _, a, b, c = shape
        if b == c and _is_attention(b, image, grids := tuple(grids)):
            return Layout("other")
        for slack in (0, 1):
            if _fits((b, c), image, slack):
                return Layout("map", a, (b, c))
            if _fits((a, b), image, slack):
                return Layout("channels last", c, (a, b))
        return Layout("map", a, (b, c))
    return Layout("other")


def _fits(grid: tuple[int, int], image: tuple[int, int], slack: int) -> bool:
    """Whether a grid has the image's proportions, up to rounding."""
    height, width = grid
    if height > image[0] or width > image[1]:
        return False
    return abs(height * image[1] - width * image[0]) <= slack * max(image)


def _strided(grid: tuple[int, int], image: tuple[int, int]) -> bool:
    """Whether square patches of some size cut the image into just this grid."""
    height, _ = grid
    for patch in range(max(1, image[0] // (height + 1)), image[0] // max(1, height - 1) + 1):
        whole = (image[0] // patch, image[1] // patch)
        if grid in (whole, (-(-image[0] // patch), -(-image[1] // patch))):
            return True
    return False


def _is_attention(side: int, image: tuple[int, int], grids: tuple[tuple[int, int], ...]) -> bool:
    """Whether a square looks like weights from token to token rather than like a map."""
    if _strided((side, side), image):
        return False
    return any(0 <= side - h * w <= MOST_PREFIX_TOKENS and h * w > 16 for h, w in grids)


def _tokens(
    count: int, channels: int, image: tuple[int, int], grids: tuple[tuple[int, int], ...]
) -> Layout:
    for height, width in reversed(grids):
        prefix = count - height * width
        if 0 <= prefix <= MOST_PREFIX_TOKENS and height * width > 1:
            return Layout("tokens", channels, (height, width), prefix)
    for prefix in range(min(MOST_PREFIX_TOKENS, count - 1) + 1):
        # The grid with the image's proportions and just this many places, if there is one.
        places = count - prefix
        height = max(1, isqrt(round(places * image[0] / image[1])))
        for tall in (height, height + 1):
            if places % tall == 0 and _strided((tall, places // tall), image):
                return Layout("tokens", channels, (tall, places // tall), prefix)
    return Layout("other")
