# %% [markdown]
# # 2 · Why this answer?
#
# One photo, one answer. Which parts of the photo is the answer made of? There are many methods, and they do not agree;
# the last cells ask which of them to believe.

# %%
import pellucid as pl

net = pl.load()
photo = pl.open_image("photo:motorcycle")
pl.predict(net, photo)

# %% [markdown]
# ## The gradient
#
# If this pixel changed a little, how much would the score change? That is one backward pass (Simonyan et al. 2014). It
# is true, and noisy; the mean over a few noisy copies of the photo is easier to read (SmoothGrad).

# %%
pl.saliency(net, photo, target="Motorbikes", smooth=16).over()

# %% [markdown]
# ## Where the evidence lies
#
# Grad-CAM weighs the maps of the last convolution by how much each matters for the class. The result is coarse, and it
# answers to the class: ask for another one, and the map moves.

# %%
pl.cam(net, photo, target="Motorbikes; ferry").over()

# %% [markdown]
# ## All the way from black to the photo
#
# A gradient is a local thing. Integrated gradients add it up along the way from an empty picture to the photo, so that
# the map sums up to the change of the score: the caption has both numbers.

# %%
pl.integrated(net, photo, target="Motorbikes")

# %% [markdown]
# ## Layer by layer, from the score down
#
# Layer-wise relevance propagation needs no way to go: each layer shares what it has among the numbers that it was added up
# from. What arrives at the pixels is a part of the score; biases hold the rest.

# %%
pl.lrp(net, photo, target="Motorbikes").over()

# %% [markdown]
# DeepLIFT goes the same way, but with differences from an empty picture: at each layer it asks not how steep the function
# is here, but how far it has come from there. Nothing is lost: the map sums up to the difference of the scores.

# %%
pl.deeplift(net, photo, target="Motorbikes").over()

# %% [markdown]
# ## A pretty picture, and a warning
#
# Guided backpropagation gives the sharpest map of all.

# %%
pl.guided(net, photo, target="Motorbikes")

# %% [markdown]
# But does it show the *network*, or only the edges of the *photo*? Destroy the weights from the last layer to the
# first, and look at the map again (Adebayo et al. 2018). A map that stays as it is has not been about what was learned.

# %%
pl.trust(net, "guided", photo)

# %% [markdown]
# All the explanations with their badges side by side are one call away: `pl.compare(net, photo)` (some twenty seconds).
# Here are three of them.

# %%
pl.compare(net, photo, methods="saliency; cam; guided", stages=3)
