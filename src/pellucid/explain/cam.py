"""Where does it see what the answer is made of?"""

from collections.abc import Generator, Sequence
from typing import Annotated, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from pellucid.explain.ablationcam import ablationcam
from pellucid.explain.eigencam import eigencam
from pellucid.explain.evidence import Evidence, evidence
from pellucid.explain.gradient import CLIP, gradients, reduced
from pellucid.explain.override import Override
from pellucid.explain.scorecam import scorecam
from pellucid.explain.weighing import WEIGHED, Found
from pellucid.heatmap import Heatmap, Heatmaps
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.question import Photos, Question, Wanted

NAMES = {
    "gradcam": "Grad-CAM",
    "gradcam++": "Grad-CAM++",
    "layercam": "LayerCAM",
    "hirescam": "HiResCAM",
    "xgradcam": "XGrad-CAM",
    "scorecam": "Score-CAM",
    "ablationcam": "Ablation-CAM",
    "eigencam": "Eigen-CAM",
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
        Literal["gradcam", "gradcam++", "layercam", "hirescam", "xgradcam", "scorecam",
                "ablationcam", "eigencam", "guided"],
        Help("how the channels are weighed; scorecam and ablationcam need many passes"),
    ] = "gradcam",
) -> Generator[Step, None, Heatmap | Heatmaps]:  # fmt: skip
    """Class activation map: a deep layer's channels, each weighed by what it does for the class.

    Grad-CAM (Selvaraju et al. 2017) weighs a channel by the mean gradient of the unnormalised score
    over its places, XGrad-CAM (Fu et al. 2020) by the mean where the channel is active, Grad-CAM++
    (Chattopadhay et al. 2018) by positive gradients alone and so that several objects count alike.
    HiResCAM (Draelos & Carin 2020) weighs each place by its own gradient, LayerCAM (Jiang et al.
    2021) only where that is positive, which also suits early layers. Without gradients, Score-CAM
    (Wang et al. 2020) weighs a channel by the score of the photo seen through it, Ablation-CAM
    (Desai & Ramaswamy 2020) by what the score loses without it. Eigen-CAM (Muhammad & Yeasin 2020)
    is the first principal component of the channels, the same for every class. What is negative in
    the sum is cut off. Guided Grad-CAM multiplies guided backpropagation by the Grad-CAM map. Maps
    of several layers are each divided by their greatest number and averaged on the finest grid.

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
    found = evidence(asked, layer, slopes=way in WEIGHED)
    maps, notes = [], []
    for one in found:
        drawn, note = yield from weighed(way, asked, one)
        maps.append(drawn)
        notes.append(note)
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
        what = "" if way == "eigencam" else f" of {asked.targets[column].name(row)}"
        own = [float(note[row, column]) for note in notes]
        more = remark(way, own, empty=not bool(together[row, column].any()))
        return f"{NAMES[way]}{what} {told}{counts[column]}{more}"

    return asked.answer(
        together, caption, scale="positive", colours="heat", clip=CLIP if way == "guided" else 0.0
    )


def weighed(
    way: str, asked: Question, one: Evidence
) -> Generator[Step, None, tuple[Found, Tensor]]:
    """The maps of one layer, and what is to be known of each: (photos, targets).

    Of Eigen-CAM the share of the variance, of the others whether all channels count alike: for
    nothing, or in Score-CAM's softmax the same.
    """
    if way == "scorecam":
        return (yield from scorecam(asked, one.maps))
    if way == "ablationcam":
        return (yield from ablationcam(asked, one))
    if way == "eigencam":
        drawn, shares = (each[:, None] for each in eigencam(one.maps))
        count = len(asked.targets)
        return drawn.repeat(1, count, 1, 1), shares.repeat(1, count)
    return WEIGHED[way](one.maps, one.slopes), ~one.slopes.flatten(2).any(2)


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


def remark(way: str, notes: Sequence[float], empty: bool) -> str:
    """What a caption says besides: why a map is zero everywhere, or says little.

    Args:
        notes: of the map, of each layer; see `weighed`.
    """
    if way == "eigencam":
        shares = " and ".join(f"{share:.0%}" for share in notes)
        none = ": zero everywhere, all places are alike" if empty else ""
        return f"; the first principal component, {shares} of the variance, for any class{none}"
    alike = all(notes)
    if way == "scorecam":
        none = ": zero everywhere, nothing there speaks for it" if empty else ""
        return none + ("; all channels weigh the same, the map is only their mean" if alike else "")
    if not empty:
        return ""
    if not alike:
        return ": zero everywhere, nothing there speaks for it"
    if way == "ablationcam":
        return ": zero everywhere, it is the same without any one of the channels"
    return ": zero everywhere, no change there changes it"
