# %% [markdown]
# # 1 · Filters and activations
#
# A convolutional network is a stack of small pattern detectors. Before asking *why* it says "motorbike", look at the
# detectors themselves: what each is made to find, and where it finds it in a photo.

# %%
import pellucid as pl

net = pl.load()  # the bundled network; pl.load("resnet50") and your own modules work alike
photo = pl.open_image("photo:motorcycle")
photo

# %% [markdown]
# What does it say of this photo? Every result of pellucid shows itself: its picture, a caption, and folded below the
# recipe that makes it again.

# %%
pl.predict(net, photo)

# %% [markdown]
# ## The first layer
#
# The 48 filters of the first layer work on the pixels, so they *are* pictures: edges in many directions, spots,
# differences of colour. Nobody put them there. (What would noise among them tell you? That the network was not trained
# to the end.)

# %%
pl.filters(net)

# %% [markdown]
# ## What fires where
#
# Slide each filter over the photo, and it leaves a map that is bright where the pattern is. Find the tile that marks
# horizontal edges, and one that answers to the red tank.

# %%
pl.activations(net, photo, "relu1")

# %% [markdown]
# Deeper layers combine what came before. Their maps are coarser, and most of them are dark: a deep channel answers to
# few things. Here are the sixteen that this photo excites most.

# %%
pl.activations(net, photo, "relu5", sort="strength", most=16)

# %% [markdown]
# How much of the photo can one of these units see? Each layer has its receptive field, which the table of layers tells:
# 9 px behind the first layer, 63 px at `relu5`, more than the whole input at the end.

# %%
net.layers

# %% [markdown]
# ## The numbers themselves
#
# `recording` gives the activations of any layer as tensors, and leaves nothing behind in the network.

# %%
inputs, _ = net.prepare(photo)
with pl.recording(net, ["relu1", "relu5", "relu7"]) as seen:
    net.module(inputs)
seen
