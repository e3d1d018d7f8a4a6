"""Training: a painter learns styles from photos, in steps that may be interrupted."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import PellucidError
from pellucid.images import Photo, open_image
from pellucid.make.octaves import resized
from pellucid.make.painting.blend import BETWEEN
from pellucid.make.painting.checkpoint import Progressed
from pellucid.make.painting.crops import Crops
from pellucid.make.painting.losses import Losses, Terms
from pellucid.make.painting.painter import Painter
from pellucid.make.painting.plan import Plan
from pellucid.make.painting.rows import Rows
from pellucid.make.painting.trained import Trained, load
from pellucid.make.tiling import mirrored
from pellucid.method import Step
from pellucid.network import Network
from pellucid.recipe import versions

EVERY = 120.0  # seconds between two checkpoints
ROW = 100  # steps between two rows of the history, each with a preview
JITTER = 4  # px, at most, that the loss network's grid is moved by against the painter's
RISE = 50  # steps in which the rate rises
PHOTOS = 16  # on which is measured what is usual
LONGEST = 512  # px of a style's longer side
FAR = 20.0  # times its first loss, that a training is lost at


def train_stylist(
    net: Network,
    styles: Mapping[str, Any],
    photos: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    force: bool = False,
    every: float = EVERY,
    **settings: Any,
) -> Generator[Step, None, Trained]:
    """Trains one network to paint any photo in each of some styles.

    Perceptual losses as in Johnson, Alahi, Fei-Fei (2016), one network for all styles as in
    Dumoulin, Shlens, Kudlur (2017). As it goes it writes `NAME.training.safetensors` beside the
    file that it makes in the end; the same call goes on from there, to the same last bit.

    Args:
        net: whose features content and style are.
        styles: pictures by name, each anything that `open_image` opens.
        photos: a folder of any photos.
        out: the file to be made, ending in `.safetensors`.
        force: begins anew and overwrites what is there.
        every: seconds between two checkpoints.
        settings: steps, batch, size, rate, strength, smooth, width, blocks, content, style, seed;
            `pellucid stylist train --help` says what they are.

    Yields:
        After each step the losses so far; every 100 steps with a preview.

    Returns:
        The stylist, as it is in the file. After Ctrl-C it is the one so far, and no file but the
        checkpoint.

    Raises:
        PellucidError: no photo, no style, an unknown layer; a file that is there; losses that are
            no longer finite: then the last checkpoint is kept.

    Example:
        >>> work = train_stylist(net, {"waves": "waves.png"}, "photos/", "waves.safetensors")
        >>> for step in work:
        ...     print(step.done, step.text)
    """
    plan = Plan.of(**settings).on(net)
    target = Path(out)
    half = _checked(target, styles, force)
    opened = {str(name): open_image(given) for name, given in styles.items()}
    crops = Crops(os.fspath(photos), plan.size, plan.seed)
    about = {
        "plan": plan.told(),
        "network": {"name": net.name, "weights_hash": net.weights_hash},
        "styles": {name: photo.hash for name, photo in opened.items()},
        "photos": len(crops.files),
    }
    if force:
        half.unlink(missing_ok=True)
    return _Training(net, opened, crops, plan, about, half).run(target, every)


class _Training:
    """A training between its first step and its last."""

    def __init__(
        self,
        net: Network,
        styles: Mapping[str, Photo],
        crops: Crops,
        plan: Plan,
        about: dict[str, Any],
        half: Path,
    ) -> None:
        self.net, self.crops, self.plan, self.about, self.half = net, crops, plan, about, half
        self.names = tuple(styles)
        self.at = _begun(self.names, plan, net)
        self.good = half.exists()  # whether the checkpoint is one of this training
        if self.good:
            self.at.get(half, about)
        with _still(net):
            examples = crops.batch(0, PHOTOS).to(net.device)
            pictures = [_picture(photo, net) for photo in styles.values()]
            self.losses = Losses(net, pictures, *plan.layers(), examples)
        self.shown = examples[:2].float()
        self.first = math.inf

    def run(self, target: Path, every: float) -> Generator[Step, None, Trained]:
        """Step by step to the end."""
        at, rows, since = self.at, self.at.rows, time.monotonic()
        while at.done < self.plan.steps:
            changing = False
            try:
                with _still(self.net):
                    loss, terms, which = self.loss()
                    self.check(float(loss.detach()))
                    changing = True
                    self.change(loss)
                    at.done += 1
                    rows.add(terms, which)
                    told = at.done % ROW == 0 or at.done == self.plan.steps
                    if told:
                        at.history.append({"step": at.done} | rows.taken())
                    changing = False
                    picture = _preview(at.painter, self.shown) if told else None
                if time.monotonic() - since >= every:
                    at.put(self.half, self.about)
                    self.good, since = True, time.monotonic()
                yield Step(at.done, self.plan.steps, rows.text, picture)
            except KeyboardInterrupt:
                # In the middle of a change the numbers are of neither step.
                if not changing:
                    at.put(self.half, self.about)
                elif self.good:
                    at.get(self.half, self.about)
                else:
                    raise
                return self.made()
        made = self.made()
        made.save(target)
        with suppress(OSError):
            self.half.unlink(missing_ok=True)
        return load(target)

    def loss(self) -> tuple[Tensor, Terms, Tensor]:
        """The loss of the next step, ready for gradients; its terms; and which styles it is of."""
        at, plan, net = self.at, self.plan, self.net
        photos = self.crops.batch(at.done, plan.batch).to(net.device)
        photos = photos.contiguous(memory_format=torch.channels_last)
        which = (torch.arange(plan.batch) + plan.batch * at.done) % at.painter.styles
        painted = at.painter(photos, F.one_hot(which, at.painter.styles).to(photos))
        # A loss network sees nothing between the places of its grid. It is moved, so that the
        # painter has nowhere to put what is not to be seen.
        random = torch.Generator().manual_seed(plan.seed * 1_000_003 + at.done)
        down, right = torch.randint(2 * JITTER + 1, (2,), generator=random).tolist()
        seen, before = (
            F.pad(images, (JITTER,) * 4, mode="reflect")[
                :, :, down : down + plan.size, right : right + plan.size
            ]
            for images in (painted, photos)
        )
        terms = self.losses(seen, self.losses.features(before), which.to(net.device))
        styled = terms.style + terms.colour
        total = terms.content + plan.strength * styled + plan.smooth * terms.rough
        return total.mean(), terms, which

    def change(self, loss: Tensor) -> None:
        """One step of Adam."""
        at, plan = self.at, self.plan
        rate = plan.rate * min(1.0, (at.done + 1) / RISE)
        rate *= 0.5 + 0.5 * math.cos(math.pi * at.done / plan.steps)
        for group in at.adam.param_groups:
            group["lr"] = rate
        at.adam.zero_grad()
        torch.autograd.backward(loss)
        at.adam.step()
        at.adam.zero_grad()

    def check(self, loss: float) -> None:
        """Refuses to go on with what is lost."""
        self.first = min(self.first, loss)
        if math.isfinite(loss) and loss <= FAR * max(self.first, 1.0):
            return
        far = f"{loss:.3g}" if math.isfinite(loss) else "no number any more"
        last = f"; the last good state is in {self.half}" if self.good else ""
        raise PellucidError(
            f"after step {self.at.done} the loss is {far}: steps at a rate of {self.plan.rate:g} "
            f"go too far, try {self.plan.rate / 10:g}{last}"
        )

    def made(self) -> Trained:
        """The stylist so far."""
        card = self.about | {
            "steps": self.at.done,
            "losses": self.at.history[-1] if self.at.history else {},
            "history": self.at.history,
            "damaged photos": len(self.crops.damaged),
            "versions": versions(),
        }
        return Trained(self.at.painter.eval().requires_grad_(False), self.names, card)


def _begun(names: tuple[str, ...], plan: Plan, net: Network) -> Progressed:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        painter = Painter(len(names), plan.width, plan.blocks)
    painter = painter.to(net.device).to(memory_format=torch.channels_last)
    return Progressed(painter, torch.optim.Adam(painter.parameters(), plan.rate), Rows(names))


def _picture(photo: Photo, net: Network) -> Tensor:
    """A style at the size that it is looked at."""
    image = photo.floats()[None]
    longer = max(photo.size)
    if longer > LONGEST:
        height, width = (max(1, round(side * LONGEST / longer)) for side in photo.size)
        image = resized(image, (height, width)).clamp(0, 1)
    # One smaller than what the network sees at once is mirrored, as a texture goes on.
    rows, columns = (
        mirrored(length, max(length, own))
        for length, own in zip(image.shape[2:], net.preprocess.size, strict=True)
    )
    return image[0][:, rows][:, :, columns].to(net.device)


def _preview(painter: Painter, photos: Tensor) -> Tensor:
    """The photos, each in front of a row of itself in every style."""
    each = torch.eye(painter.styles).to(photos)
    with torch.no_grad():
        rows = [
            torch.cat([photo, *painter(photo.expand(painter.styles, -1, -1, -1), each)], 2)
            for photo in photos
        ]
    return torch.cat(rows, 1).cpu()


def _checked(target: Path, styles: Mapping[str, Any], force: bool) -> Path:
    """The checkpoint's file, once it is sure that the training's end can be written down."""
    if target.suffix != ".safetensors":
        raise PellucidError(f"a stylist is saved as .safetensors, not {target.name!r}")
    if not target.parent.is_dir():
        raise PellucidError(f"no folder {target.parent} to save into")
    if target.is_dir():
        raise PellucidError(f"{target} is a folder, not a file to write")
    if os.path.lexists(target) and not force:
        raise PellucidError(f"{target} is there already; --force (force=True) overwrites it")
    if not styles:
        raise PellucidError("a stylist learns one style at least, and none is given")
    for name in styles:
        if not str(name).strip() or BETWEEN in str(name):
            raise PellucidError(f"a style's name is not empty and has no {BETWEEN!r}: {name!r}")
    return half_way(target)


def half_way(target: Path) -> Path:
    """The file that a training is kept in until it comes to its end."""
    return target.with_suffix(".training.safetensors")


@contextmanager
def _still(net: Network) -> Iterator[None]:
    """The network at rest, and torch's usual modes whatever the caller's."""
    with net.at_rest(), torch.inference_mode(False), torch.enable_grad():
        yield
