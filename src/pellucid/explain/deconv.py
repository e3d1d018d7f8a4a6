"""Which pixels would bring it about, seen from the answer alone?"""

from collections.abc import Generator

from pellucid.explain.gradient import Noise, Reduce, Seed, Smooth, gradients, shown
from pellucid.explain.override import Override
from pellucid.heatmap import Heatmap, Heatmaps
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.question import Photos, Question, Wanted
from pellucid.results import Grid


@method(examples=lambda net: [{}, {"reduce": "colour"}])
def deconv(
    net: Network,
    photo: Photos,
    *,
    target: Wanted = None,
    reduce: Reduce = "max",
    smooth: Smooth = 1,
    noise: Noise = None,
    seed: Seed = 0,
) -> Generator[Step, None, Heatmap | Heatmaps | Grid]:
    """The way back through the network with rectifiers that rectify what comes back.

    The deconvnet (Zeiler & Fergus 2014): on the way back a rectifier passes what is positive,
    whatever its own input was; pooling remembers where its greatest value stood. The caption counts
    the rectifiers. What holds for softer ones (GELU, SiLU, …) is said at `Override`: the same.

    Returns:
        Heatmap with `.values` (height, width) on the network's input, or Heatmaps of several. With
        reduce="colour" a Grid of signed numbers, the classical picture on grey.

    Raises:
        PellucidError: unknown target, or no rectifier on the way to it.

    Example:
        >>> deconv(net, "photo:cat", target="relu6:222@2,2", reduce="colour").save("neuron.png")
    """
    asked = Question.of(net, photo, target)
    override = Override("deconv", asked)
    found = yield from gradients(asked, smooth=smooth, noise=noise, override=override)

    def caption(row: int, column: int) -> str:
        return f"deconvnet of {found.told(asked, row, column)}; {override.counts[column]}"

    return shown(asked, found.maps, reduce, caption, override.facts())
