"""Cutout: a part of a photo, as a mask."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid import tiles
from pellucid.heatmap import Heatmap
from pellucid.ink import text_width
from pellucid.results import Result

Drawing = Literal["panels", "cutout", "mask"]
LINE = (1.0, 0.2, 0.6)  # of the outline: a colour that few photos have
PANELS = ("the map", "outline", "cut-out")
PANEL = 360  # px: longer side of a panel, at most


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Cutout(Result):
    """What belongs to the object, and what does not.

    Attributes:
        values: (height, width) in the photo's own pixels, 1 inside and 0 outside.
        map: what it was cut by.
        draw: how it shows itself: the map, the outline and the cut-out side by side; the cut-out
            alone, transparent around it; or the mask, white inside.
    """

    values: Float[Tensor, "height width"]
    map: Heatmap
    draw: Drawing = "panels"

    @property
    def share(self) -> float:
        """Of the photo that lies inside, 0 to 1."""
        return float(self.values.mean())

    def outline(self) -> Float[Tensor, "3 height width"]:
        """The photo with a line around the object."""
        photo = self.map.photo.floats()
        thick = max(1, round(max(photo.shape[1:]) / 250))
        inside = self.values[None, None]
        # The line lies outside of the object: what the object grows by.
        # One way and then the other: of a large photo both at once take a minute.
        side = 2 * thick + 1
        grown = F.max_pool2d(inside, (side, 1), 1, (thick, 0))
        grown = F.max_pool2d(grown, (1, side), 1, (0, thick))
        line = (grown - inside)[0] > 0.5
        drawn: Tensor = torch.where(line, torch.tensor(LINE).view(3, 1, 1), photo)
        return drawn

    def object(self) -> Float[Tensor, "4 height width"]:
        """The photo, transparent outside of the object."""
        return torch.cat([self.map.photo.floats(), self.values[None]])

    def image(self) -> Float[Tensor, "3 height width"]:
        """As `draw` says; what is transparent is shown as paper."""
        if self.draw == "mask":
            return self.values.expand(3, -1, -1)
        photo, alpha = self.map.photo.floats(), self.values
        cut: Tensor = photo * alpha + tiles.PAPER * (1 - alpha)
        if self.draw == "cutout":
            return cut
        height, width = self.map.photo.size
        scale = min(1.0, PANEL / max(height, width))
        box = max(1, round(height * scale)), max(1, round(width * scale))
        panels = [self.map.over().values, self.outline(), cut]
        shown = torch.stack([tiles.resized(panel, box) for panel in panels])
        # However narrow the photo is, its panels' names are read.
        room = max(0, ceil(max(text_width(name, tiles.LETTER) for name in PANELS)) - box[1])
        shown = F.pad(shown, (room // 2, room - room // 2), value=tiles.PAPER)
        return tiles.arranged(shown, PANELS, min(box), 3)

    def on_file(self) -> Float[Tensor, "channels height width"]:
        """Saved as shown, but what is transparent stays so."""
        return self.object() if self.draw == "cutout" else self.image()
