"""Which pixels speak for it, if nothing may speak against?"""

from collections.abc import Generator

from pellucid.explain.gradient import Noise, Reduce, Seed, Smooth, gradients, shown
from pellucid.explain.override import Override
from pellucid.heatmap import Heatmap, Heatmaps
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.question import Photos, Question, Wanted
from pellucid.results import Grid


@method(examples=lambda net: [{}, {"reduce": "colour"}])
def guided(
    net: Network,
    photo: Photos,
    *,
    target: Wanted = None,
    reduce: Reduce = "max",
    smooth: Smooth = 1,
    noise: Noise = None,
    seed: Seed = 0,
) -> Generator[Step, None, Heatmap | Heatmaps | Grid]:
    """The gradient with all that is negative cut away at every rectifier.

    Guided backpropagation (Springenberg, Dosovitskiy, Brox, Riedmiller 2015): a rectifier passes a
    gradient where its input is positive, as always, and only if the gradient is positive itself.
    The caption counts the rectifiers. What holds for softer ones (GELU, SiLU, …) is said at
    `Override`: negative gradients are cut, their own slope stays.

    Returns:
        Heatmap with `.values` (height, width) on the network's input, or Heatmaps of several. With
        reduce="colour" a Grid of signed gradients, the classical picture on grey.

    Raises:
        PellucidError: unknown target, or no rectifier on the way to it.

    Example:
        >>> guided(net, "photo:cat", target="relu6:222@2,2", reduce="colour").save("neuron.png")
    """
    asked = Question.of(net, photo, target)
    override = Override("guided", asked)
    found = yield from gradients(asked, smooth=smooth, noise=noise, override=override)

    def caption(row: int, column: int) -> str:
        return f"guided gradient of {found.told(asked, row, column)}; {override.counts[column]}"

    return shown(asked, found.maps, reduce, caption, override.facts())
