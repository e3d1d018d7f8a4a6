"""What does each layer still know of a photo?"""

from __future__ import annotations

from collections.abc import Generator
from typing import Annotated, Any

import torch

from pellucid.errors import PellucidError
from pellucid.images import Photo
from pellucid.inverted import Inverted, Row
from pellucid.make.curvature import way
from pellucid.make.inverting import Inverting, codes, noise, psnr, varied
from pellucid.make.prior import Prior
from pellucid.make.runner import Runner
from pellucid.method import Step, method
from pellucid.network import Network
from pellucid.option import Help
from pellucid.panels import percent
from pellucid.recipe import Recipe

PREVIEW = 10  # steps between two pictures on the way
FEW = 8  # steps, for which a faster copy of the network is not worth its making

Layers = Annotated[
    str | None,
    Help(
        "whose outputs to invert, with , between; class: the scores; all: every stage; a handful "
        "from shallow to deep if none",
        names="units",
    ),
]


@method(examples=lambda net: _examples(net))
def invert(
    net: Network,
    photo: Photo,
    *,
    layers: Layers = None,
    starts: Annotated[int, Help("random pictures to begin with, for each code", low=1)] = 1,
    steps: Annotated[int, Help("for each code and start, at most", low=1)] = 100,
    climb: Annotated[
        str, Help("lbfgs, which learns the curvature, or a climb such as adam 0.1", names="words")
    ] = "lbfgs",
    variation: Annotated[
        float | None,
        Help("weight of the total variation; 1, 10 or 100 by the layer's depth if none", low=0),
    ] = None,
    beta: Annotated[
        float, Help("power of the total variation: 2 blurs, 1 leaves edges", low=0.5, high=4)
    ] = 2.0,
    stop: Annotated[int | None, Help("after so many of all steps, as Ctrl-C does", low=1)] = None,
    seed: Annotated[int, Help("of the noise to begin with")] = 0,
) -> Generator[Step, None, Inverted]:
    """Pictures that a layer cannot tell from a photo, made from its answer alone.

    A layer's output on a photo is its code. From noise a picture is changed until its code is that
    one (Mahendran & Vedaldi 2015): x* = argmin |phi(x) - phi(photo)|^2 / |phi(photo)|^2 + R(x),
    where R, total variation and the alpha-norm, says what photos are like; without it noise that
    the layer does not see would stay. What comes back of the photo is what the code has kept.

    The weights of R are those of the paper's code, as is the noise. We depart from it in two
    things: L-BFGS takes the place of gradient descent with momentum, and differences between
    pixels are measured at one size of the picture, so that small inputs are not blurred more.
    Errors are those of the picture as it is shown, cut off at black and white.

    Returns:
        Inverted with `.values` (codes, starts, 3 or 1, height, width), 0 to 1. `.data()` has the
        relative error of each code and the PSNR of each picture against the photo.

    Raises:
        PellucidError: unknown layer, one that does not answer to this photo, or one that no
            gradient comes back from.

    Example:
        >>> invert(net, "photo:cat", layers="relu1, relu5, class").save("strip.png")
    """
    if layers is not None and not isinstance(layers, str):
        raise PellucidError("layers are named, with , between; a function has no code")
    how = way(climb) if isinstance(climb, str) else climb
    inputs, _ = net.prepare(photo)
    wanted = [(varied(row, variation), code) for row, code in codes(net, inputs, layers)]
    begins = noise(net, starts, seed)
    most = len(wanted) * starts * steps
    total = most if stop is None else min(most, stop)
    made: list[tuple[Row, list[Inverting]]] = []
    done, whole = 0, True
    try:
        for row, code in wanted:
            runner = Runner(net, frozenset({row.layer}), net.preprocess.size, copied=steps > FEW)
            made.append((row, []))
            for begin in begins:
                work = Inverting(runner, code, Prior(row.variation, beta), begin)
                made[-1][1].append(work)
                ends = done + steps
                for moment in work.run(how, steps):
                    done += 1
                    text = f"{row.name}: {-moment.values[0]:.3g}"
                    shown = work.picture() if done % PREVIEW == 0 else None
                    yield Step(done, total, text, shown)
                    if done == total:
                        break
                if done == total and done < most:
                    whole = False
                    break
                if done < ends:  # it came to its end early
                    done = min(ends, total)
                    yield Step(done, total, f"{row.name}: at its end")
            if not whole:
                break
    except KeyboardInterrupt:
        whole = False
    made = _begun(made, starts)
    if not made:
        raise KeyboardInterrupt
    return _result(net, photo, made, Recipe("", {} if whole else {"stop": done}), whole)


def _begun(
    made: list[tuple[Row, list[Inverting]]], starts: int
) -> list[tuple[Row, list[Inverting]]]:
    """Of interrupted work what makes a table: codes with all their starts, or the first."""
    begun = [(row, [one for one in works if one.best.asked]) for row, works in made]
    full = [(row, works) for row, works in begun if len(works) == starts]
    return full or [(row, works) for row, works in begun[:1] if works]


def _result(
    net: Network, photo: Photo, made: list[tuple[Row, list[Inverting]]], recipe: Recipe, whole: bool
) -> Inverted:
    seen = net.preprocess.crop(photo)[0]
    pictures = torch.stack([torch.stack([one.picture() for one in works]) for _, works in made])
    errors = torch.tensor([[one.error() for one in works] for _, works in made])
    likeness = torch.tensor([[psnr(one, seen) for one in of] for of in pictures])
    lost = [row.name for row, works in made if any(one.diverged for one in works)]
    means = zip(errors.mean(1).tolist(), likeness.mean(1).tolist(), strict=True)
    said = [f"{percent(error)}, {like:.1f} dB" for error, like in means]
    first, last = (f"{made[at][0].name} {said[at]}" for at in (0, -1))
    told = f"{photo.source.removeprefix('photo:') or 'the photo'} back from its codes: "
    told += first if len(made) == 1 else f"{first}, to {last}"
    told += " (relative error of the code, PSNR)"
    told += f"; went too far, the best is kept: {', '.join(lost)}" if lost else ""
    return Inverted(
        values=pictures,
        photo=seen,
        rows=tuple(row for row, _ in made),
        errors=errors,
        psnr=likeness,
        caption=told + ("" if whole else " (stopped)"),
        facts={"diverged": lost} if lost else {},
        recipe=recipe,
    )


def _examples(net: Network) -> list[dict[str, Any]]:
    return [{}, {"layers": "class", "starts": 3}]
