# %% [markdown]
# # 3 · Cover it and see
#
# The most honest question of all needs no gradient: cover a part of the photo with grey, and watch the answer. Where it
# falls, the network was looking (Zeiler, Fergus 2014).

# %%
import pellucid as pl

net = pl.load()
photo = pl.open_image("photo:motorcycle")
pl.predict(net, photo)

# %% [markdown]
# A mask of 22 px moves over the input, a few pixels at a time; each position is one look at the network. Bright: the
# probability falls most. The caption says from where to where. And look: what it misses most is the floor between the
# wheels. Is that a clue that it uses, or does the mask do something that we did not mean? Go on before you answer.

# %%
pl.occlusion(net, photo).over()

# %% [markdown]
# ## The size of the mask decides what you find
#
# A small one covers no part that matters by itself, since the rest is still there. A large one covers everything at
# once.

# %%
pl.occlusion(net, photo, window=10, stride=5).over()

# %%
pl.occlusion(net, photo, window=45, stride=11).over()

# %% [markdown]
# ## Grey is a colour too
#
# A grey square is an object of its own, with four sharp edges: the answer also changes because of what was *put there*.
# A mask that only blurs puts nothing there, and now it is the wheel that is missed, not the floor. Where both agree,
# believe it.

# %%
pl.occlusion(net, photo, fill="blur").over()

# %% [markdown]
# ## Half of it hidden, again and again
#
# Two parts that say the same thing hide each other: with one covered the other is still there. So hide half of the photo
# at random, many times, and ask which pixels were shown when the answer was right (RISE: Petsiuk et al. 2018). Every
# other mask draws a map of its own: how well these two agree says whether there were enough masks. Here there are too few.

# %%
pl.rise(net, photo, masks=600).over()

# %% [markdown]
# ## A fair share
#
# Cut the photo into regions and uncover them one by one, in every order there is: what a region adds on average is its
# Shapley value. Of so few regions every combination can be tried, and the values sum up to the answer exactly. Of fifty
# they are estimated, and the caption tells the standard error. `pl.lime` fits a linear model to such looks at the network,
# and says how well it fits.

# %%
pl.shapley(net, photo, regions=8, passes=256).over()

# %% [markdown]
# ## Of any unit
#
# Not only a class: what does channel 40 of `relu5` lose, and where?

# %%
pl.occlusion(net, photo, target="relu5:40", stride=5).over()
