# %% [markdown]
# # 4 · What does a unit look for?
#
# So far a photo was given. Now turn it round: begin with noise, and climb the gradient until one unit is as excited as
# it can be. What appears is what the unit is looking for.

# %%
import pellucid as pl

net = pl.load()

# %% [markdown]
# Simply climbing gives a picture that excites the network far more than any photo does (the grey line is the best of
# the bundled ones), and that is more noise than flower.

# %%
pl.feature(net, "class:sunflower", recipe="simple")

# %% [markdown]
# Ask that the picture still works when it is shifted and cut, and noise is no longer enough. Run the cell and watch the
# bar: the preview shows how the flowers grow. (The stop button ends it with what there is so far.)

# %%
pl.feature(net, "class:sunflower")

# %% [markdown]
# ## A layer at a glance
#
# Edges and colours in the first layers, textures in the middle, parts of things in the end.

# %%
pl.features(net, "relu2; relu4; relu6", channels="0-5", steps=64)

# %% [markdown]
# ## Objectives add up
#
# What is climbed may be any sum. Here a channel, less its contrast from pixel to pixel.

# %%
want = pl.channel("relu4", 53) - 0.05 * pl.total_variation()
pl.feature(net, want, steps=128)

# %% [markdown]
# ## One unit, several things
#
# One picture is one answer, and many units answer to several things. `facets` asks the photos first: it groups those
# parts that excite the unit most, and begins a climb at the mean of each group (Nguyen et al. 2016).

# %%
pl.facets(net, "relu4:53", parts=5, top=60)
