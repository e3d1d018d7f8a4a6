"""What shows itself in a notebook: pictures no larger than a page, tables, recipes; and safely."""

import base64
import io
import re
from pathlib import Path

import pytest
import torch
from PIL import Image

import pellucid as pl
from pellucid import notebook
from pellucid.pictures import text_inside


def pictures(page: str) -> list[Image.Image]:
    found = re.findall(r'src="data:image/\w+;base64,([^"]+)"', page)
    return [Image.open(io.BytesIO(base64.b64decode(text))) for text in found]


def rows(page: str) -> list[list[str]]:
    lines = re.findall(r"<tr>(.*?)</tr>", page)
    return [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", line) for line in lines]


def test_a_result_has_its_picture_caption_command_and_recipe(
    bundled: pl.Network, cat: pl.Photo, here: Path
) -> None:
    made = pl.saliency(bundled, cat, smooth=2)
    page = made._repr_html_()
    (picture,) = pictures(page)
    assert picture.size == (451, 300) and made.caption in page.replace("&#x27;", "'")
    folded = page[page.index("<details>") : page.index("</details>")]
    assert "pellucid saliency photo:cat --smooth 2" in folded and "weights_hash" in folded
    # The page's own picture can be made again as well.
    address = page.split("base64,")[1].split('"')[0]
    Path("page.webp").write_bytes(base64.b64decode(address))
    assert pl.Recipe.parse(text_inside(Path("page.webp"))) == made.recipe
    assert pl.replay("page.webp").same


def test_nothing_is_larger_than_a_page() -> None:
    made = pl.Picture(values=torch.rand(3, 50, 3300))
    (picture,) = pictures(made._repr_html_())
    assert picture.size == (1600, 24)
    with Image.open(io.BytesIO(made._repr_png_())) as png:
        assert png.size == (1600, 24) and "format" in png.text["pellucid"]
    photo = pl.open_image(torch.rand(3, 3000, 60))
    (picture,) = pictures(photo._repr_html_())
    assert picture.size == (16, 800)


def test_a_cutout_stays_transparent(bundled: pl.Network, cat: pl.Photo) -> None:
    made = pl.segment(bundled, cat, draw="cutout")
    (picture,) = pictures(made._repr_html_())
    assert picture.mode == "RGBA" and picture.getextrema()[3] == (0, 255)


def test_a_small_photo_is_enlarged_with_its_pixels_seen() -> None:
    page = pl.open_image(torch.rand(3, 20, 28))._repr_html_()
    assert "width:128px;image-rendering:pixelated" in page
    assert "Photo without a name, 28 x 20 px" in page


def test_a_network_is_a_table_of_its_layers(tiny: pl.Network) -> None:
    page = tiny._repr_html_()
    assert "&lt;Network Awkward, input 1 x 20 x 28&gt;" in page
    table = rows(page)
    assert len(table) == len(tiny.layers) + 1
    by_name = {row[0]: dict(zip(table[0], row, strict=True)) for row in table[1:]}
    conv = by_name["stem.0"]
    assert conv["shape"] == "6 x 10 x 14" and conv["parameters"] == "156"
    assert (conv["sees, px"], conv["every, px"], conv["field"]) == ("5", "2", "exact")
    assert by_name["(the network)"]["shape"] == "5"
    assert repr(tiny.layers).startswith("<") and "stem.0" in repr(tiny.layers)
    assert "tensor" not in repr(pl.fields(tiny.module, tiny.blank()))


def test_a_network_that_does_not_run_shows_itself_all_the_same() -> None:
    net = pl.Network(torch.nn.Linear(3, 2), size=20)
    assert "does not take an input of" in net._repr_html_()


def test_fields_and_recordings_are_tables(tiny: pl.Network) -> None:
    fields = rows(pl.fields(tiny.module, tiny.blank())._repr_html_())
    assert ["stem.0", "10 x 14", "5", "2", "exact"] in fields
    with pl.recording(tiny, ["stem.1", ""], stop=False) as seen:
        tiny.module(tiny.blank())
    table = rows(seen._repr_html_())
    assert table[1][:3] == ["stem.1", "1 x 6 x 10 x 14", "0"]
    assert table[1][5] == f"{float((seen['stem.1'] == 0).float().mean()):.0%}"
    assert repr(seen) == "<Recording stem.1 (1, 6, 10, 14), (the network) (1, 5)>"
    assert repr(pl.Recording()) == "<Recording >"


def test_judgements_say_what_their_numbers_mean(bundled: pl.Network, cat: pl.Photo) -> None:
    made = pl.trust(bundled, "saliency", cat, stages=1, samples=1, pieces=4)
    page = made.judgement._repr_html_()
    assert made.judgement.meaning(made.judgement.badges[0]) in page.replace("&#x27;", "'")
    assert [row[0] for row in rows(page)[1:]] == [one.measure for one in made.judgement.badges]


def test_long_tables_are_folded_and_nothing_breaks_out() -> None:
    short = notebook.table("<i>", ("a",), [["<script>"]])
    assert "<script>" not in short and "<i>" not in short and "<details open>" in short
    assert "<details>" in notebook.table("", ("a",), [["x"]] * 61)
    label = '"><script>'
    assert "<script>" not in notebook.figure(b"x", "png", label)


@pytest.mark.parametrize("recipe", [pl.Recipe("", {}), pl.Recipe("saliency", {"x": "</pre>"})])
def test_a_recipe_without_a_command_is_shown(recipe: pl.Recipe) -> None:
    page = recipe._repr_html_()
    assert page.count("<pre") == 1 and page.count("</pre>") == 1 and "versions" in page


def test_patches_show_the_crop_and_the_place_in_the_photo(tiny: pl.Network) -> None:
    best = pl.top_patches(tiny, ["photo:cat", "photo:coins"], "stem.1", channels=[2], keep=2)
    patch = best[2][0]
    (picture,) = pictures(patch._repr_html_())
    assert picture.size == (192, 96)
    assert repr(patch) == f"<Patch of {patch.source}: {patch.value:.3g} at {patch.place}>"


def test_an_atlas_shows_some_of_its_photos_and_neighbours_show_themselves(
    tiny: pl.Network, here: Path
) -> None:
    pytest.importorskip("lance", reason="the atlas is not installed")
    random = torch.Generator().manual_seed(0)
    photos = [(torch.rand(3, 20, 28, generator=random), "<b>") for _ in range(30)]
    atlas = pl.Atlas.build("a.atlas", tiny, photos, layers=["grouped"])
    page = atlas._repr_html_()
    assert len(pictures(page)) == 24 and "30 images through Awkward" in page
    assert ["layers", "grouped"] in rows(page) and ["maps", "none yet"] in rows(page)
    asked = atlas.neighbours(3, count=2)[0]
    assert repr(asked).endswith(": nearest 2 in features, 0 in pixels>")
    near = asked.features[0]
    assert len(pictures(near._repr_html_())) == 1 and "&lt;b&gt;" in near._repr_html_()
    few = pl.Atlas.build("b.atlas", tiny, photos[:3], layers=["grouped"])
    assert len(pictures(few._repr_html_())) == 3
