"""Where does it see what the answer is made of?"""

from collections.abc import Callable, Generator
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.explain.evidence import Evidence, evidence
from pellucid.explain.gradient import CLIP, gradients, reduced
from pellucid.explain.override import Override
from pellucid.explain.scorecam import scorecam
from pellucid.heatmap import Heatmap, Heatmaps
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.question import Photos, Question, Wanted

Maps = Float[Tensor, "photos channels h w"]
Slopes = Float[Tensor, "photos targets channels h w"]
Found = Float[Tensor, "photos targets h w"]
NAMES = {
    "gradcam": "Grad-CAM",
    "gradcam++": "Grad-CAM++",
    "layercam": "LayerCAM",
    "scorecam": "Score-CAM",
    "guided": "guided Grad-CAM",
}


@method(examples=lambda net: [{}, {"way": "guided"}, {"way": "scorecam"}, {"way": "layercam"}])
def cam(
    net: Network,
    photo: Photos,
    *,
    target: Wanted = None,
    layer: Annotated[
        str | None,
        Help(
            "whose channels; of several with ; the mean; if none the last with places",
            names="layer",
        ),
    ] = None,
    way: Annotated[
        Literal["gradcam", "gradcam++", "layercam", "scorecam", "guided"],
        Help("how the channels are weighed; scorecam needs many passes"),
    ] = "gradcam",
) -> Generator[Step, None, Heatmap | Heatmaps]:
    """Class activation map: a deep layer's channels, each weighed by what it does for the class.

    Grad-CAM (Selvaraju et al. 2017) weighs a channel by the mean gradient of the unnormalised score
    over its places, Grad-CAM++ (Chattopadhay et al. 2018) by positive gradients alone and so that
    several objects count alike, LayerCAM (Jiang et al. 2021) each place by its own positive
    gradient, which also suits early layers, and Score-CAM (Wang et al. 2020) by the score of the
    photo seen through the channel. What is negative in the sum is cut off. Guided Grad-CAM
    multiplies guided backpropagation by the Grad-CAM map. Maps of several layers are each divided
    by their greatest number and averaged on the finest grid.

    Returns:
        Heatmap with `.values` (height, width), evenly over the network's input: the layer's own
        grid, for "guided" the input's pixels. Heatmaps of several photos or targets.

    Raises:
        PellucidError: unknown target or layer, a layer without places, one behind the target, or
            one that no gradient of it reaches.

    Example:
        >>> cam(net, "photo:cat", target="wild_cat").over().save("where.png")
    """
    asked = Question.of(net, photo, target)
    found = evidence(asked, layer, slopes=way != "scorecam")
    if way == "scorecam":
        maps, evens = [], []
        for one in found:
            drawn, even = yield from scorecam(asked, one.maps)
            maps.append(drawn)
            evens.append(even)
    else:
        maps = [WEIGHED[way](one.maps, one.slopes) for one in found]
    together = fused(maps)
    places = f"{together.shape[2]} x {together.shape[3]} places"
    told = f"at {' and '.join(one.layer for one in found)}, {places}"
    counts = [""] * len(asked.targets)
    if way == "guided":
        override = Override("guided", asked)
        fine = yield from gradients(asked, override=override)
        large = F.interpolate(
            together, asked.inputs.shape[2:], mode="bilinear", align_corners=False
        )
        together = reduced(fine.maps * large[:, :, None], "max")
        counts = [f"; {count}" for count in override.counts]

    def caption(row: int, column: int) -> str:
        none = "" if bool(together[row, column].any()) else zero(found, row, column)
        if way == "scorecam" and all(even[row, column] for even in evens):
            none += "; all channels weigh the same, the map is only their mean"
        return f"{NAMES[way]} of {asked.targets[column].name(row)} {told}{counts[column]}{none}"

    return asked.answer(
        together, caption, scale="positive", colours="heat", clip=CLIP if way == "guided" else 0.0
    )


def gradcam(maps: Maps, slopes: Slopes) -> Found:
    """ReLU Σₖ wₖ Aₖ, with wₖ the mean over all places of ∂S/∂Aₖ."""
    return torch.einsum("ptc,pchw->pthw", slopes.mean((3, 4)), maps).relu()


def gradcam_plus_plus(maps: Maps, slopes: Slopes) -> Found:
    """ReLU Σₖ wₖ Aₖ, with wₖ the sum over places of α ReLU(∂S/∂Aₖ).

    α = g² / (2 g² + Σ Aₖ g³) for the exponential of the score, as in the paper; its factor exp(S)
    changes nothing but the brightness of the whole and is left out. In a layer that is not
    rectified Σ runs over what is positive: else the denominator would pass through zero. Nothing
    is added to the denominator against that, as others do, for that drowns small gradients.
    """
    sums = maps.relu().sum((2, 3))[:, None, :, None, None]
    positive = slopes.relu()
    weights = (positive / (2 + sums * positive)).sum((3, 4))
    return torch.einsum("ptc,pchw->pthw", weights, maps).relu()


def layercam(maps: Maps, slopes: Slopes) -> Found:
    """ReLU Σₖ ReLU(∂S/∂Aₖ) Aₖ, place by place."""
    return torch.einsum("ptchw,pchw->pthw", slopes.relu(), maps).relu()


WEIGHED: dict[str, Callable[[Maps, Slopes], Found]] = {
    "gradcam": gradcam,
    "gradcam++": gradcam_plus_plus,
    "layercam": layercam,
    "guided": gradcam,
}


def fused(maps: list[Found]) -> Found:
    """One map as it is; of several the mean of shares of their greatest, on the finest grid."""
    if len(maps) == 1:
        return maps[0]
    grid = [max(one.shape[side] for one in maps) for side in (2, 3)]
    shares = []
    for one in maps:
        greatest = one.amax((2, 3), keepdim=True)
        share = one / greatest.where(greatest > 0, 1)
        shares.append(F.interpolate(share, grid, mode="bilinear", align_corners=False))
    return torch.stack(shares).mean(0)


def zero(found: list[Evidence], row: int, column: int) -> str:
    """Why a map is zero everywhere."""
    if all(one.slopes.shape[1] and not one.slopes[row, column].any() for one in found):
        return ": zero everywhere, no change there changes it"
    return ": zero everywhere, nothing there speaks for it"
