# %% [markdown]
# # 7 · Style transfer
#
# Chapter 6 had two halves: a deep layer knows *what* is where, Gram matrices know *how it looks* and forget where. Put
# together: the content of one picture in the style of another (Gatys, Ecker, Bethge 2016).

# %%
import pellucid as pl

net = pl.load()
photo = pl.open_image("photo:motorcycle")
pl.style_transfer(net, photo, "photo:coffee", size=256)

# %% [markdown]
# ## How much, and how large?
#
# Two dials: the strength of the style against the content, and the size of its strokes. A table of both:

# %%
pl.style_transfer(
    net, photo, "photo:flower", strengths="0.3, 0.6", scales="0.5, 1", size=192, octaves=2, steps=30
)

# %% [markdown]
# ## Keep the colours of the photo
#
# The style may be taken in its strokes alone, when only the luminance is painted (Gatys et al. 2016b).

# %%
pl.style_transfer(net, photo, "photo:coffee", size=256, colours="luminance")

# %% [markdown]
# ## In one pass
#
# All of this was an optimisation, some hundred passes for one picture. A second network can learn to do it at once
# (Johnson et al. 2016); one network has learned five styles here. `pl.train_stylist` trains your own.

# %%
pl.stylist(photo=photo, net=net, size=256)
