"""Where does the object end?"""

from collections.abc import Generator
from types import ModuleType
from typing import Annotated, Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from pellucid import tiles
from pellucid.cutout import Cutout, Drawing
from pellucid.errors import PellucidError
from pellucid.explain.saliency import saliency
from pellucid.heatmap import Heatmap
from pellucid.images import Photo
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.question import Question

WORKING = 400  # px: side of a square of as many pixels as are cut at most; the time grows with them
SPREAD = 0.04  # standard deviation of the blur that joins the map's dots, share of the input's side
LIKELY = 4.0  # times as much as is sure is likely to belong to the object, before the cut
DARK = 0.15  # share of the darkest pixels that surely do not
LEAST = 20  # pixels that are needed inside and outside to know their colours
EVEN = 4  # of 255: a photo whose colours differ by no more has nothing to cut along
ROUNDS = 5  # of cutting and learning the colours anew


@method(examples=lambda net: [{}])
def segment(
    net: Network,
    photo: Photo,
    *,
    target: Annotated[
        str | None, Help("class or unit; the most probable class where not given", names="unit")
    ] = None,
    smooth: Annotated[
        int,
        Help("noisy copies of the photo that the saliency map is the mean of", low=1, high=1000),
    ] = 16,
    sure: Annotated[
        float, Help("share of the brightest pixels that surely belong to it", low=0.001, high=0.5)
    ] = 0.05,
    draw: Annotated[
        Drawing, Help("map, outline and cut-out; the cut-out alone, transparent; the mask")
    ] = "panels",
    seed: Annotated[int, Help("of the noise")] = 0,
) -> Generator[Step, None, Cutout]:
    """The object that a class score rests on, cut out of its photo.

    The brightest pixels of the saliency map are taken for the object, and GrabCut (Rother,
    Kolmogorov, Blake 2004) finds the outline by their colours and by the photo's edges, so that a
    network that has only learned to name things draws a line around them (Simonyan, Vedaldi,
    Zisserman 2014). We depart from the paper in three things: the map is SmoothGrad's and is
    blurred, which joins its dots; the brightest pixels stay in the object whatever the colours say,
    without which it often comes out empty; and parts without any of them are dropped.

    Returns:
        Cutout with `.values` (height, width) in the photo's own pixels: 1 inside, 0 outside.

    Raises:
        PellucidError: OpenCV is not installed, unknown target, a photo of a few pixels or rows
            or of one colour, or a gradient of zero everywhere.

    Example:
        >>> segment(net, "photo:flower", draw="cutout").save("flower.png")
    """
    cv2 = _opencv()
    wanted = len(Question.of(net, photo, target).targets) if target is not None else 1
    if wanted > 1:
        raise PellucidError(f"one object is cut out at a time: name one target, not {wanted}")
    # One map of several photos never comes back where one photo and one unit were given.
    heat: Any = yield from saliency.steps(net, photo, target=target, smooth=smooth, seed=seed)
    if not bool(heat.values.any()):
        raise PellucidError(f"nothing to cut by: {heat.caption}")
    shape = _within(photo.size)
    small = tiles.resized(photo.floats(), shape)
    pixels = (small * 255).round().byte().permute(1, 2, 0).numpy()
    if int(np.ptp(pixels, (0, 1)).max()) <= EVEN:
        raise PellucidError(
            "nothing to cut by: the photo is of one colour, without an edge that a cut could follow"
        )
    marks = _marks(heat, shape, sure, cv2)
    if min((np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD)) == side).sum() for side in (0, 1)) < LEAST:
        few = "small" if photo.size[0] * photo.size[1] < 100 * LEAST else "narrow"
        raise PellucidError(
            f"a photo of {photo.size[1]} x {photo.size[0]} px is too {few} to learn the colours of "
            f"object and background from"
        )
    inside = _cut(pixels, marks, cv2)
    whole = F.interpolate(inside[None, None], photo.size, mode="bilinear", align_corners=False)
    mask = (whole[0, 0] > 0.5).float()
    share = float(mask.mean())
    return Cutout(
        values=mask,
        map=heat,
        draw=draw,
        caption=f"{share:.{0 if share > 0.01 else 2}%} of the photo, cut out by the {heat.caption}",
    )


def _opencv() -> ModuleType:
    try:
        import cv2
    except ImportError:
        raise PellucidError(
            "segment needs OpenCV for the cut: pip install 'pellucid[segment]'"
        ) from None
    return cv2


def _within(size: tuple[int, int]) -> tuple[int, int]:
    # By area, not by the longer side: of a panorama that would leave a few rows.
    scale = min(1.0, WORKING / (size[0] * size[1]) ** 0.5)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _marks(heat: Heatmap, shape: tuple[int, int], sure: float, cv2: Any) -> NDArray[np.uint8]:
    """What is object and background, surely or likely, before the first cut."""
    blurred = _blurred(heat.values, SPREAD * min(heat.values.shape))
    seen = F.interpolate(heat.frame.to_photo(blurred)[None, None], shape, mode="nearest")[0, 0]
    known = seen[seen.isfinite()].sort().values

    def brighter(share: float) -> Tensor:
        # NaN, beyond the network's view, is brighter than nothing.
        return seen >= known[min(len(known) - 1, int((1 - share) * len(known)))]

    marks = np.full(shape, cv2.GC_PR_BGD, np.uint8)
    marks[(seen.isfinite() & ~brighter(1 - DARK)).numpy()] = cv2.GC_BGD
    marks[brighter(min(0.9, sure * LIKELY)).numpy()] = cv2.GC_PR_FGD
    marks[brighter(sure).numpy()] = cv2.GC_FGD
    return marks


def _blurred(values: Float[Tensor, "height width"], sigma: float) -> Float[Tensor, "height width"]:
    """By a Gaussian; what is beyond the rim is as at the rim."""
    reach = max(1, round(3 * sigma))
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1).float() / sigma).square())
    weights = weights / weights.sum()
    padded = F.pad(values[None, None].float(), (reach,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, weights.view(1, 1, 1, -1)), weights.view(1, 1, -1, 1))[0, 0]


def _cut(
    pixels: NDArray[np.uint8], marks: NDArray[np.uint8], cv2: Any
) -> Float[Tensor, "height width"]:
    marks = marks.copy()
    colours = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # it begins with k-means: the same cut every time
    cv2.grabCut(pixels, marks, None, *colours, ROUNDS, cv2.GC_INIT_WITH_MASK)
    inside = np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD))
    _, parts = cv2.connectedComponents(inside.astype(np.uint8))
    inside &= np.isin(parts, np.unique(parts[marks == cv2.GC_FGD]))
    return torch.from_numpy(inside).float()
