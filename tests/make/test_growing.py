"""Growing pixel by pixel: errors written out, and none at once that see each other."""

import itertools

import pytest
import torch
from chance import generator, some

from pellucid.make.growing import Growing


def test_errors_of_windows_are_the_means_written_out() -> None:
    sample = some(9, 12)
    work = Growing(sample, (8, 8), 5, generator(3))
    rows, columns = work.border().unbind(1)
    found = work.errors(rows, columns)
    assert found.shape == (len(rows), 5, 8)
    bell = torch.exp(-0.5 * ((torch.arange(5) - 2) / (5 / 6.4)).square())
    for at, (row, column) in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
        there = work.picture[:, row : row + 5, column : column + 5]
        weights = work.known[row : row + 5, column : column + 5] * bell[:, None] * bell
        assert float(weights.sum()) > 0
        for down, across in itertools.product(range(5), range(8)):
            window = work.sample[:, down : down + 5, across : across + 5]
            wanted = ((window - there).square().sum(0) * weights).sum() / weights.sum()
            assert float(found[at, down, across]) == pytest.approx(float(wanted), abs=1e-5)


def test_pixels_looked_up_at_once_do_not_see_each_other() -> None:
    work = Growing(some(16, 16), (30, 30), 7, generator())
    for _ in work.run():
        if work.filled > 300:
            break
    border = work.border()
    rows, columns = border[work.apart(border)].unbind(1)
    assert len(rows) > 3
    for a, b in itertools.combinations(range(len(rows)), 2):
        assert max(abs(int(rows[a] - rows[b])), abs(int(columns[a] - columns[b]))) > work.reach
    # The first of them is one that most is known around.
    counts = torch.nn.functional.avg_pool2d(work.known[None, None], 7, 1, divisor_override=1)[0, 0]
    empty = work.sources[..., 0] < 0
    assert counts[rows[0], columns[0]] == counts[empty].max()
    # What has to wait would have been in the window of one of them.
    for row, column in border[~work.apart(border)].tolist():
        away = torch.maximum((rows - row).abs(), (columns - column).abs())
        assert int(away.min()) <= work.reach
