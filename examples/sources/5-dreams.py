# %% [markdown]
# # 5 · Dreams and deceptions
#
# The gradient with respect to the *picture* can do three more things: exaggerate what a layer sees, change an answer by
# a change that nobody sees, and make the network sure of a picture that shows nothing.

# %%
import pellucid as pl

net = pl.load()
photo = pl.open_image("photo:cat")
photo

# %% [markdown]
# ## DeepDream
#
# Whatever a layer sees in the photo, show it more of that (Mordvintsev et al. 2015). Early layers answer with strokes,
# late ones with the shapes that this network knows.

# %%
pl.dream(net, photo, "relu3", size=320)

# %%
pl.dream(net, photo, "relu6", size=320)

# %% [markdown]
# A film of a zoom into the dream runs in the notebook: `pl.dream(net, photo, "relu6", film=24)`.
#
# ## How little changes its mind?
#
# The smallest change that makes it answer something else. In the middle the change is drawn much enlarged; a level is
# 1/255. The bundled network was trained against such changes, so it takes some levels; of most networks a single one is
# enough.

# %%
pl.attack(net, "photo:motorcycle")

# %% [markdown]
# ... or into a class of your choice:

# %%
pl.attack(net, "photo:motorcycle", target="rooster")

# %% [markdown]
# ## Sure of nothing
#
# Begin with static and climb to 99 %. Is there a sunflower to be seen? A probability says how the classes compare, not
# whether any of them is there.

# %%
pl.fool(net, "class:sunflower")
