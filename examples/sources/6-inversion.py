# %% [markdown]
# # 6 · What is left of a photo?
#
# A layer turns a photo into numbers. How much of the photo can be got back from them alone? And what, when even the
# places are forgotten?

# %%
import pellucid as pl

net = pl.load()

# %% [markdown]
# ## Inversion
#
# Look for a picture, from noise, whose numbers at a layer are those of the photo (Mahendran, Vedaldi 2015). The first
# layers keep nearly everything; then colours and exact places go; what stays is *that* there are two wheels.

# %%
pl.invert(net, "photo:motorcycle", layers="relu1, relu3, relu5, relu7", steps=60)

# %% [markdown]
# ## Texture
#
# The Gram matrix of a layer tells which channels fire *together*, and forgets *where*. A picture with the same Gram
# matrices is the same texture, and another picture (Gatys et al. 2015). None of these coins is in the photo.

# %%
pl.texture(net, "photo:coins", size=160, shrink=256, steps=50)

# %% [markdown]
# And what of a photo of *one* thing, when all places are forgotten? It is still flowers all over, and no flower.

# %%
pl.texture(net, "photo:flower", size=160, shrink=200, steps=50)

# %% [markdown]
# ## How far does one get without a network?
#
# In 2001 it was done by patches: quilting lays pieces of the sample side by side and cuts along the seam that shows
# least. The right panel says where each pixel is from.

# %%
pl.quilt(net, "photo:brick", side=128, size=192)
