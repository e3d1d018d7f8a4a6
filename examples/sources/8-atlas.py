# %% [markdown]
# # 8 · A whole collection
#
# One pass over many photos fills an *atlas*: features, the best patches of every channel, statistics. All else is read
# from it. (This needs `pip install 'pellucid[atlas]'`.)
#
# The bundled photos, cut into squares, make a small collection that needs no download. Yours may be a folder:
# `pl.stream("photos/")`.

# %%
from pathlib import Path

import pellucid as pl

net = pl.load()


def squares(name: str, across: int = 6) -> list[tuple[pl.Photo, str]]:
    """A photo cut into squares, labelled with the photo's name."""
    pixels = pl.open_image(name).pixels
    side = min(pixels.shape[1:]) // 4
    rows, columns = ((length - side) for length in pixels.shape[1:])
    places = [
        (rows * y // (across - 1), columns * x // (across - 1))
        for y in range(across)
        for x in range(across)
    ]
    label = name.removeprefix("photo:")
    return [(pl.open_image(pixels[:, y : y + side, x : x + side]), label) for y, x in places]


names = ["cat", "flower", "motorcycle", "coffee", "brick", "gravel", "grass", "china"]
crops = [pair for name in names for pair in squares(f"photo:{name}")]
len(crops)

# %%
if Path("crops.atlas").exists():
    atlas = pl.Atlas.open("crops.atlas", net, photos=crops)
else:
    atlas = pl.Atlas.build("crops.atlas", net, crops, layers=["relu3", "relu5", "relu7"])
atlas

# %% [markdown]
# ## Neighbours
#
# What does the network take for alike? On the left what was asked, then the nearest in features, then the nearest in
# plain pixels. Pixels find the same *brightness* in the same *place*; features find the same *thing*.

# %%
atlas.neighbours([crops[14][0], crops[50][0], crops[200][0]], count=5, pixels=True)

# %% [markdown]
# ## A map
#
# t-SNE lays all of them out in the plane, neighbours side by side. Distances between far islands mean nothing; what
# lies *within* an island does. `atlas.map().page("map.html")` writes a page to look around in.

# %%
atlas.map("tsne", seed=0)

# %% [markdown]
# ## The best patches of a channel
#
# The other way to ask what a unit looks for: the parts of photos that excite it most, cut out to just what it sees.
# Compare with the pictures that chapter 4 draws.

# %%
pl.top_patches(net, crops, "relu3", channels=[3, 17, 40, 77], keep=8)
