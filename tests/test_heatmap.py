"""Maps lie on their photos and are drawn so that what matters shines."""

import pytest
import torch

import pellucid as pl
from mapped import heatmap
from pellucid import colour


@pytest.mark.parametrize("size", [(300, 451), (451, 300), (64, 64), (7, 5), (1, 1), (3, 500)])
def test_a_map_lies_on_the_photo_where_the_network_looked(size: tuple[int, int]) -> None:
    """The left half of the view is 0, the right half is 1; so they are in the photo's pixels."""
    values = torch.zeros(32, 32)
    values[:, 16:] = 1
    found = heatmap(values, size)
    drawn = found.on_photo()
    assert drawn.shape == size
    view = found.frame.view()
    seen = ~drawn.isnan()
    assert int(seen.sum()) == int((view.bottom - view.top) * (view.right - view.left))
    middle = size[1] / 2
    columns = torch.arange(size[1]) + 0.5
    pixel = max(1, min(size) / 32) + 0.5  # of the network, in the photo's pixels; half for cutting
    for row in drawn[seen.any(1)]:
        known = ~row.isnan()
        assert bool((row[known & (columns < middle - pixel)] < 0.001).all())
        assert bool((row[known & (columns > middle + pixel)] > 0.999).all())
    over = found.over()
    assert over.values.shape == (3, *size)
    assert found.image().shape[1] % size[0] == 0


def test_low_numbers_shine_where_they_matter() -> None:
    """Against what stands for nothing: below it they are hot, above it blue, each by how far."""
    values = torch.tensor([[0.0, 1.0], [1.5, 1.0]])
    looks = {"clean": 1.0, "scale": "signed", "colours": "frost"}
    found = heatmap(values, (64, 64), **looks)
    image = found.drawn()
    ends = image[:, 0, 0], image[:, 0, -1], image[:, -1, 0]
    for end, place in zip(ends, (1.0, 0.5, 0.25), strict=True):
        torch.testing.assert_close(end, colour.frost(torch.tensor(place)))
    assert torch.equal(colour.frost(torch.tensor(0.5)), colour.heat(torch.tensor(0.0)))
    off = (found.over().values - found.over(opacity=0).values).abs().mean(0)
    hot, none, cold = off[0, 0], off[0, -1], off[-1, 0]
    assert float(none) < 1e-5 < float(cold) < float(hot)
    flat = heatmap(torch.full((2, 2), 3.0), (64, 64), **looks)
    other = heatmap(torch.full((2, 2), 3.0), (64, 64), **looks | {"clean": 3.0})
    assert torch.equal(flat.over().values, flat.over(opacity=0).values)
    assert torch.equal(other.over().values, flat.over().values)


def test_each_map_of_a_table_is_drawn_against_its_own(cat: pl.Photo) -> None:
    frame = pl.Preprocess(size=(32, 32), resize=32).frame(cat.size)
    values = torch.tensor([[[0.0, 1.0], [1.0, 1.0]], [[4.0, 5.0], [5.0, 7.0]]])
    table = pl.Heatmaps(
        values=values[None], photos=(cat,), frames=(frame,), names=(("a", "b"),),
        captions=(("", ""),), clean=torch.tensor([[1.0, 5.0]]), scale="positive",
    )  # fmt: skip
    assert [one.clean for one in table] == [1.0, 5.0]
    assert torch.equal(table[0, 0].drawn(), table[0, 1].drawn())


def test_a_map_of_a_table_is_taken_by_photo_and_target_or_by_its_number(cat: pl.Photo) -> None:
    frame = pl.Preprocess(size=(32, 32), resize=32).frame(cat.size)
    table = pl.Heatmaps(
        values=torch.arange(6.0).view(2, 3, 1, 1), photos=(cat,) * 2, frames=(frame,) * 2,
        names=(("a", "b", "c"),) * 2, captions=(("", "", ""),) * 2,
    )  # fmt: skip
    assert [float(table[number].values) for number in range(-6, 6)] == [*range(6)] * 2
    assert [float(one.values) for one in table] == [*range(6)]
    assert float(table[1, -1].values) == 5
    with pytest.raises(IndexError, match="there are 6 maps, 0 to 5, not 6"):
        table[6]
    for place in (slice(None), (0, slice(None)), "a", (0, 0, 0), 1.0):
        with pytest.raises(pl.PellucidError, match=r"one map is maps\[photo, target\]"):
            table[place]  # type: ignore[index]


def test_a_constant_map_is_dark() -> None:
    for more in ({}, {"clean": 3.0}, {"clean": 4.0}):
        image = heatmap(torch.full((2, 2), 3.0), (64, 64), **more).image()
        torch.testing.assert_close(image[:, 0, 0], colour.heat(torch.tensor(0.0)))


def test_over_is_strong_where_the_map_is() -> None:
    values = torch.zeros(2, 2)
    values[0, 0] = 1
    found = heatmap(values, (64, 64), scale="positive")
    none = found.over(opacity=0).values
    ratio = none / found.photo.floats().mean(0).clamp(min=1e-6)
    torch.testing.assert_close(ratio, ratio.mean().expand_as(ratio))
    off = (found.over(opacity=0.8).values - none).abs().mean(0)
    assert float(off[:16, :16].mean()) > 0.2
    assert float(off[48:, 48:].max()) < 1e-5


def test_over_another_version_of_the_photo() -> None:
    found = heatmap(torch.rand(4, 4), (20, 30))
    made = found.over(torch.zeros(3, 20, 30), opacity=0.6)
    assert made.recipe.drawing == ("over", {"opacity": 0.6, "photo": ""})
    with pytest.raises(pl.PellucidError, match="of a photo of 30 x 20 px, not 20 x 30 px"):
        found.over(torch.zeros(3, 30, 20))
    with pytest.raises(pl.PellucidError, match="opacity is from 0 to 1, not 7"):
        found.over(opacity=7)


def test_a_signed_map_of_single_pixels_is_seen_over_its_photo() -> None:
    """Red and blue by turns is grey; more red than blue on one half is not."""
    signs = torch.rand(224, 224, generator=torch.Generator().manual_seed(0)) - 0.5
    signs[:, 112:] += 0.2
    found = heatmap(signs, (224, 224), scale="signed", colours="signed")
    red, _, blue = (found.over().values - found.over(opacity=0).values).cpu()
    excess = red - blue
    assert float(excess[:, 130:].mean()) > 0.1 > 3 * float(excess[:, :94].mean().abs())
    assert torch.equal(found.drawn(), colour.signed(found._shades(signs)))  # alone it stays exact
