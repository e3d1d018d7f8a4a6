# %% [markdown]
# # Visualizing and understanding: an exercise sheet
#
# From the first filters to style transfer, in ten exercises. Cells with `...` are yours to fill in; the cell behind each
# checks your answer and gives a hint. All runs on the bundled network and photos, without a connection.
# The solutions are in [course-solutions.ipynb](course-solutions.ipynb).

# %% [markdown] lang="zh"
# # 可视化与理解：练习
#
# 从第一层滤波器到风格迁移，共十道题。带 `...` 的单元格由你填写，后面的单元格会检查答案并给出提示。
# 所有内容都用自带的网络和照片，无需联网。答案在 [course-solutions.zh.ipynb](course-solutions.zh.ipynb)。

# %%
import torch

import pellucid as pl

net = pl.load()
photo = pl.open_image("photo:motorcycle")
inputs, _ = net.prepare(photo)  # (1, 3, 112, 112), normalised
pl.predict(net, photo)

# %% [markdown]
# ## 1 · First filters
#
# The filters of the first layer are pictures. Look at them, and at what they leave of the photo.

# %% [markdown] lang="zh"
# ## 1 · 第一层滤波器
#
# 第一层的滤波器本身就是图像。先看滤波器，再看它们在照片上留下什么。

# %%
pl.filters(net)

# %%
pl.activations(net, photo, "relu1")

# %% [markdown]
# **Exercise 1.** Which channel of `relu1` answers to this photo most strongly, on the mean over all places?
# `pl.recording` gives the activations. Find that filter above: what does it look for?

# %% [markdown] lang="zh"
# **练习 1.** `relu1` 的哪个通道对这张照片的平均响应最强（对所有位置取平均）？`pl.recording` 会给出激活值。
# 在上面找到这个滤波器：它在找什么？

# %% tags=["solution"]
with pl.recording(net, ["relu1"]) as seen:
    net.module(inputs)
strongest = int(seen["relu1"][0].mean((1, 2)).argmax())

# %% tags=["check"]
# zh: 在 pl.recording(net, ["relu1"]) 里运行 net.module(inputs)，再对最后两个轴取平均
assert strongest in range(48), (
    "Run net.module(inputs) inside pl.recording, and take means over the last two axes"
)
with pl.recording(net, ["relu1"]) as known:
    net.module(inputs)
means = known["relu1"][0].mean((1, 2))
# zh: 有一个通道的平均值更高：用 argmax
assert means[strongest] == means.max(), "Another channel has a higher mean: argmax finds it"

# %% [markdown]
# ## 2 · What a unit sees
#
# The deeper a layer, the more of the photo each of its units can see. The table tells how much ("sees, px").

# %% [markdown] lang="zh"
# ## 2 · 一个单元能看到多少
#
# 层越深，它的单元看到的范围越大。下表的 "sees, px" 一列就是感受野。

# %%
net.layers

# %% [markdown]
# **Exercise 2.** Which is the first layer whose units see at least half of the input, 56 px? Then work out by hand what
# `conv5`, a 3 x 3 convolution behind `relu4` (which sees 47 px, one unit every 8 px), must see.

# %% [markdown] lang="zh"
# **练习 2.** 哪一层最先能看到至少一半的输入（56 px）？再用手算：`conv5` 是 3 x 3 卷积，接在 `relu4` 后面
# （`relu4` 的感受野 47 px，相邻单元相隔 8 px），它的感受野是多少？

# %% tags=["solution"]
first_half = next(name for name, layer in net.layers.items() if layer.field.size[0] >= 56)
sees = 47 + (3 - 1) * 8

# %% tags=["check"]
# zh: 自上而下看 "sees, px" 一列
assert first_half in net.layers, "Read the column 'sees, px' from the top"
# zh: 它前面还有够大的层，或者它还不够大
assert first_half == "conv5", "Is it large enough, and is there none before it?"
# zh: 边上两个权重各多看 8 px
assert sees == net.layers["conv5"].field.size[0], (
    "A kernel of 3 reaches two steps further, of 8 px each"
)

# %% [markdown]
# ## 3 · The last layer: a space of meanings
#
# In front of the classifier each photo is 384 numbers. Photos that lie close together there look alike to the network,
# whatever their pixels.

# %% [markdown] lang="zh"
# ## 3 · 最后一层：语义空间
#
# 在分类器前，每张照片变成 384 个数。在这个空间里靠近的照片，在网络看来是相似的，不管像素差多少。

# %%
names = [name for name in pl.photos() if name not in ("photo:horse", "photo:camera")]
batch = torch.cat([net.prepare(pl.open_image(name))[0] for name in names])
with pl.recording(net, ["flatten"]) as seen:
    net.module(batch)
features = seen["flatten"].detach()  # (photos, 384)
features.shape

# %% [markdown]
# **Exercise 3.** Which photo is nearest to `photo:gravel` by the cosine of the angle between features?

# %% [markdown] lang="zh"
# **练习 3.** 按特征夹角的余弦，哪张照片离 `photo:gravel` 最近？

# %% tags=["solution"]
units = features / features.norm(dim=1, keepdim=True)
cosines = units @ units[names.index("photo:gravel")]
nearest = names[int(cosines.argsort(descending=True)[1])]  # the first is the photo itself

# %% tags=["check"]
# zh: 答案是 names 里的一个名字
assert nearest in names, "The answer is one of the names"
asked = features[names.index("photo:gravel")]
order = torch.cosine_similarity(features, asked[None]).argsort(descending=True).tolist()
# zh: 最近的总是它自己：取第二个
assert nearest != "photo:gravel", "Nearest is always the photo itself: take the next one"
# zh: 先把每行除以它的长度，再求内积
assert nearest == names[order[1]], "Divide each row by its length before you multiply"

# %% [markdown]
# ## 4 · Occlusion
#
# Cover a part and watch the answer fall (Zeiler, Fergus 2014).

# %% [markdown] lang="zh"
# ## 4 · 遮挡
#
# 遮住一块，看答案下降多少（Zeiler, Fergus 2014）。

# %%
pl.occlusion(net, photo).over()

# %% [markdown]
# **Exercise 4.** Do one step of it yourself. By how much does the probability of "Motorbikes" fall when rows and columns
# 45 to 66 of `inputs` are set to zero (the mean grey)?

# %% [markdown] lang="zh"
# **练习 4.** 自己做一步：把 `inputs` 的第 45 到 66 行、列设为零（平均灰）后，"Motorbikes" 的概率下降多少？

# %% tags=["solution"]
bike = net.labels.index("Motorbikes")
covered = inputs.clone()
covered[:, :, 45:67, 45:67] = 0
before, after = (net.scores(x).softmax(1)[0, bike] for x in (inputs, covered))
drop = float(before - after)

# %% tags=["check"]
# zh: drop 是一个数：遮挡前的概率减去遮挡后的概率
assert isinstance(drop, float), (
    "drop is a number: the probability before less the one after, by float()"
)
bike = net.labels.index("Motorbikes")
masked = inputs.clone()
masked[:, :, 45:67, 45:67] = 0
shares = net.scores(torch.cat([inputs, masked])).softmax(1)[:, bike]
# zh: 用 net.scores(...).softmax(1)；改动之前先 inputs.clone()
assert abs(drop - float(shares[0] - shares[1])) < 1e-4, (
    "Use net.scores(…).softmax(1), and clone the inputs first"
)

# %% [markdown]
# ## 5 · Saliency
#
# Which pixels matter? The gradient of the class score with respect to the picture (Simonyan et al. 2014).

# %% [markdown] lang="zh"
# ## 5 · 显著图
#
# 哪些像素重要？对图像求类别得分的梯度（Simonyan et al. 2014）。

# %%
pl.saliency(net, photo, target="Motorbikes")

# %% [markdown]
# **Exercise 5.** Compute this map with `torch.autograd.grad`: of each pixel the largest absolute value over the three
# colours. Mind: the *score*, not the probability.

# %% [markdown] lang="zh"
# **练习 5.** 用 `torch.autograd.grad` 算出这张图：每个像素取三个颜色通道中绝对值最大的一个。
# 注意：是*得分*，不是概率。

# %% tags=["solution"]
leaf = inputs.clone().requires_grad_()
score = net.scores(leaf)[0, net.labels.index("Motorbikes")]
(gradient,) = torch.autograd.grad(score, leaf)
saliency_map = gradient[0].abs().amax(0)

# %% tags=["check"]
# zh: 结果是 (112, 112) 的张量：对颜色轴取最大值
assert getattr(saliency_map, "shape", None) == (112, 112), (
    "A tensor of (112, 112): the maximum over the axis of colours"
)
right = pl.saliency(net, photo, target="Motorbikes").values
# zh: 数值不同：是得分的梯度吗？取过绝对值吗？
assert torch.allclose(saliency_map, right, rtol=1e-3, atol=1e-5), (
    "Other numbers: is it the score, and did you take abs()?"
)

# %% [markdown]
# ## 6 · Is a pretty map a true one?
#
# Guided backpropagation looks sharper. But what if it would look the same with *random weights*?

# %% [markdown] lang="zh"
# ## 6 · 好看的图可信吗？
#
# 引导反向传播看起来更清晰。但如果换成*随机权重*它还是一样呢？

# %%
verdicts = {name: pl.trust(net, name, photo, stages=3) for name in ("saliency", "guided")}
verdicts["guided"]

# %% [markdown]
# **Exercise 6.** `values[0]` of a verdict is how much the map stays the same (a correlation) when the weights are
# shuffled. Which of the two methods shows more of what was *learned*?

# %% [markdown] lang="zh"
# **练习 6.** 每个结果的 `values[0]` 是打乱权重后图保持不变的程度（相关系数）。两种方法中，
# 哪一种更能反映网络*学到的*东西？

# %% tags=["solution"]
more_learned = min(verdicts, key=lambda name: float(verdicts[name].values[0]))

# %% tags=["check"]
# zh: 答案是一个名字：saliency 或 guided，写成字符串
assert more_learned in verdicts, "The answer is a name: saliency or guided, as a text"
kept = {name: float(found.values[0]) for name, found in verdicts.items()}
# zh: 权重毁掉后还保持不变的图，与学到的东西无关
assert kept[more_learned] == min(kept.values()), (
    "A map that stays when the weights are gone is not about them"
)

# %% [markdown]
# ## 7 · The picture of a class
#
# Turn it round: which picture has the greatest score? Begin with grey and climb.

# %% [markdown] lang="zh"
# ## 7 · 一个类别的图像
#
# 反过来：什么样的图像得分最高？从灰色开始，沿梯度上升。

# %% [markdown]
# **Exercise 7.** Write the climb: 40 steps of `rate`, each along the gradient of the score divided by its own largest
# absolute value; after each step shrink the picture a little, `x * 0.99`, which is the course's L2 regulariser.

# %% [markdown] lang="zh"
# **练习 7.** 写出上升过程：共 40 步，每步沿得分的梯度（除以它自己绝对值的最大值）走 `rate`；
# 每步之后把图像缩小一点 `x * 0.99`，这就是课上的 L2 正则。


# %% tags=["solution"]
def climb(target: int, steps: int = 40, rate: float = 0.2) -> torch.Tensor:
    """A picture (1, 3, 112, 112), normalised, that the network takes for a class."""
    x = torch.zeros(1, 3, 112, 112)
    for _ in range(steps):
        x = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(net.scores(x)[0, target], x)
        x = (x + rate * gradient / gradient.abs().max()) * 0.99
    return x.detach()


# %% tags=["check"]
sunflower = net.labels.index("sunflower")
found = climb(sunflower)
# zh: 函数返回 (1, 3, 112, 112) 的张量
assert getattr(found, "shape", None) == (1, 3, 112, 112), (
    "The function gives a tensor of (1, 3, 112, 112)"
)
# zh: 概率还不高：是往上走（加梯度）吗？
assert net.scores(found).softmax(1)[0, sunflower] > 0.9, (
    "Not sure of it yet: do you go up, along the gradient?"
)
# zh: 像素太大了：每步之后乘 0.99
assert found.abs().max() < 40 * 0.2 * 0.99, (
    "The values grow too large: shrink the picture after each step"
)

# %% [markdown]
# Compare yours with a drawing that must also hold when it is shifted, turned and cut:

# %% [markdown] lang="zh"
# 把你的结果和下面这张比较：它还要经得起平移、旋转和裁剪。

# %%
pl.feature(net, "class:sunflower", steps=96)

# %% [markdown]
# ## 8 · Fooling it
#
# The same gradient, a single step, and hardly a pixel changes (Goodfellow et al. 2015).

# %% [markdown] lang="zh"
# ## 8 · 欺骗网络
#
# 同样的梯度，只走一步，像素几乎不变（Goodfellow et al. 2015）。

# %% [markdown]
# **Exercise 8.** Make `fooled` from `inputs` by one step of `size` against the *sign* of the gradient of the score of
# "Motorbikes". How small may `size` be?

# %% [markdown] lang="zh"
# **练习 8.** 从 `inputs` 出发，沿 "Motorbikes" 得分梯度*符号*的反方向走一步 `size`，得到 `fooled`。
# `size` 最小可以是多少？

# %% tags=["solution"]
size = 0.2
leaf = inputs.clone().requires_grad_()
(gradient,) = torch.autograd.grad(net.scores(leaf)[0, net.labels.index("Motorbikes")], leaf)
fooled = inputs - size * gradient.sign()

# %% tags=["check"]
# zh: fooled 的形状和 inputs 一样
assert getattr(fooled, "shape", None) == inputs.shape, "fooled has the shape of inputs"
# zh: 变化不超过 0.3（标准差），否则人也看得出来
assert (fooled - inputs).abs().max() <= 0.3, (
    "Change no value by more than 0.3, or people see it too"
)
# zh: 它仍然说是摩托车：方向反了，或者 size 太小
assert net.scores(fooled).argmax() != net.labels.index("Motorbikes"), (
    "Still a motorbike: the other way, or a larger size"
)

# %% [markdown]
# The smallest change of all, found by many small steps:

# %% [markdown] lang="zh"
# 用许多小步找到的最小改动：

# %%
pl.attack(net, photo)

# %% [markdown]
# ## 9 · What is left, and what is texture
#
# Inversion asks what a layer still knows of a photo. The deeper, the less.

# %% [markdown] lang="zh"
# ## 9 · 还剩下什么，什么是纹理
#
# 反演：某一层还记得照片的什么？越深，记得越少。

# %%
pl.invert(net, photo, layers="relu1, relu5, relu7", steps=40)

# %% [markdown]
# **Exercise 9.** Texture forgets the places. Write the Gram matrix of the maps of a layer: for each pair of channels the
# mean over all places of their product. Why does it not change when the places are shuffled?

# %% [markdown] lang="zh"
# **练习 9.** 纹理会忘记位置。写出某一层特征图的 Gram 矩阵：每对通道的乘积在所有位置上的平均。
# 为什么打乱位置后它不变？


# %% tags=["solution"]
def gram(maps: torch.Tensor) -> torch.Tensor:
    """Maps (channels, height, width) to their Gram matrix (channels, channels)."""
    flat = maps.flatten(1)
    return flat @ flat.T / flat.shape[1]


# %% tags=["check"]
maps = torch.rand(5, 4, 6, generator=torch.Generator().manual_seed(0))
# zh: 先用 maps.flatten(1) 把位置排成一列
assert getattr(gram(maps), "shape", None) == (5, 5), (
    "Lay the places in a row by flatten(1), then multiply"
)
# zh: 是平均，不是总和：除以位置的个数
assert torch.allclose(gram(maps)[1, 3], (maps[1] * maps[3]).mean(), atol=1e-5), (
    "The mean, not the sum: divide by the places"
)
shuffled = maps.flatten(1)[:, torch.randperm(24)].reshape(5, 4, 6)
# zh: 打乱位置后应当不变
assert torch.allclose(gram(maps), gram(shuffled), atol=1e-5), (
    "It must not change when the places are shuffled"
)

# %%
pl.texture(net, "photo:brick", size=128, shrink=256, steps=40)

# %% [markdown]
# ## 10 · Style transfer
#
# Content is what a deep layer says, place by place; style is the Gram matrices. Ask for both (Gatys et al. 2016).

# %% [markdown] lang="zh"
# ## 10 · 风格迁移
#
# 内容是深层在每个位置上的响应；风格是 Gram 矩阵。两样都要（Gatys et al. 2016）。

# %% [markdown]
# **Exercise 10.** Paint `photo` in the style of any bundled photo (`pl.photos()`), your own strength, 160 px or more, so
# that the content error in the caption (also in `.facts`) stays below 0.6. Keep the result in `art`.

# %% [markdown] lang="zh"
# **练习 10.** 用任意一张自带照片（`pl.photos()`）的风格画 `photo`，强度自定，边长至少 160 px，
# 并使图注（以及 `.facts`）里的内容误差低于 0.6。结果放在 `art` 里。

# %% tags=["solution"]
art = pl.style_transfer(net, photo, "photo:coffee", strength=0.4, size=192, octaves=2, steps=30)

# %%
art

# %% tags=["check"]
# zh: art 应当是 pl.style_transfer(...) 的结果
assert getattr(art, "facts", None), "art is what pl.style_transfer(…) gives"
# zh: 图太小
assert max(art.values.shape[1:]) >= 160, "The picture is too small: size=160 or more"
# zh: 内容丢得太多：降低 strength
assert art.facts["content"] < 0.6, "Too much of the content is lost: lower the strength"
