"""Which pixels matter?"""

from collections.abc import Generator

from pellucid.explain.gradient import Noise, Reduce, Seed, Smooth, gradients, shown
from pellucid.heatmap import Heatmap, Heatmaps
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.question import Photos, Question, Wanted
from pellucid.results import Grid


@method(examples=lambda net: [{}])
def saliency(
    net: Network,
    photo: Photos,
    *,
    target: Wanted = None,
    reduce: Reduce = "max",
    smooth: Smooth = 1,
    noise: Noise = None,
    seed: Seed = 0,
) -> Generator[Step, None, Heatmap | Heatmaps | Grid]:
    """How much the score of a class changes with each pixel.

    The gradient of the unnormalised score with respect to the pixels, its absolute value, and of
    the three colours the greatest (Simonyan, Vedaldi, Zisserman 2014). With `smooth` the signed
    gradients of noisy copies are averaged first (SmoothGrad: Smilkov et al. 2017).

    Returns:
        Heatmap with `.values` (height, width) on the network's input: score per unit of the
        normalised input. The brightest half per cent saturates when shown. Heatmaps of several.
        With reduce="colour" a Grid of signed gradients in colours.

    Raises:
        PellucidError: unknown target, or a network that lets no gradient through.

    Example:
        >>> saliency(net, "photo:cat", target="wild_cat").over().save("why.png")
    """
    asked = Question.of(net, photo, target)
    found = yield from gradients(asked, smooth=smooth, noise=noise)
    size = "gradient" if reduce in ("signed", "colour") else "|gradient|"
    return shown(asked, found.maps, reduce, lambda *at: f"{size} of {found.told(asked, *at)}")
