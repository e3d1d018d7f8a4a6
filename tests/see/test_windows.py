"""Windows cut out of a clean map, with rims as they come."""

import numpy as np
import torch
from incremental import photo
from torch.nn import functional as F

from pellucid.see.incremental.spans import Rectangles
from pellucid.see.incremental.windows import CleanMap


def test_a_rim_is_made_once_as_wide_as_is_ever_needed() -> None:
    """Every window is that of the map padded by a whole window's width, whatever came before."""
    value = photo(2, (6, 7))
    map = CleanMap(value, 2)
    changed = torch.full((1, 2, 1, 1), 9.0)
    have = Rectangles(np.array([2]), np.array([3]), 1, 1)
    # Inside, over the upper left, over the lower right, and inside again.
    for fill, top, left in [
        (0.0, 1, 1), (0.0, -1, -2), (-5.0, 4, 5), (0.0, 3, 5), (0.0, 1, 1), (-5.0, -2, 0),
    ]:  # fmt: skip
        found = map.cut(Rectangles(np.array([top]), np.array([left]), 3, 4), changed, have, fill)
        wanted = value.clone()
        wanted[0, :, 2, 3] = 9.0
        wanted = F.pad(wanted, (4, 4, 4, 4), value=fill)[:, :, top + 4 : top + 7]
        assert torch.equal(found, wanted[..., left + 4 : left + 8])
    assert {fill: pads for fill, (pads, _) in map.rims.items()} == {
        0.0: (1, 0, 2, 2),
        -5.0: (2, 1, 0, 2),
    }
    assert torch.equal(map.rows, value[0].movedim(0, -1))
