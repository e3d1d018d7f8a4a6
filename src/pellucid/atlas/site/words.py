"""What the site's pages say, in both languages."""

from typing import Final

from pellucid.page import Language

WORDS: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "title": "The units of {name}",
        "kicker": "Inside a vision network",
        "lead": "{name} was shown {images} photos. Each channel of its layers has a page here: the "
        "places in the photos that raise it most, what it looks for, and which classes it speaks "
        "for. All of it is of this network and these photos.",
        "home": "All layers",
        "layers": "Layers, from shallow to deep",
        "channels": "channels",
        "grid": "grid",
        "sees": "each place sees {height} × {width} px of {tall} × {wide}",
        "sees_most": "each place sees at most {height} × {width} px of {tall} × {wide}",
        "sees_all": "each channel sees the whole input",
        "search": "Find a unit: a number, a layer, a class",
        "search_label": "Find a unit",
        "nothing": "nothing fits",
        "before": "Before",
        "after": "Next",
        "drawn": "What it looks for",
        "drawn_note": "A picture made from noise so that the channel answers as much as it can. It "
        "shows what raises the channel, not all that does.",
        "drawn_waits": "not drawn yet",
        "drawn_none": "nothing could be drawn: the channel is dead, or silent on what was drawn",
        "patches": "Where it answers most",
        "patches_note": "Cut from the photos as they are: the part that the channel sees at that "
        "place. Below each its guided gradient, its value and the photo's class.",
        "patches_wait": "The patches are not cut yet.",
        "patches_none": "The channel is zero on every photo: there is nothing to show.",
        "guided_note": "The guided gradient is sharp, but depends little on the layers above the "
        "edges: read it as where the lines are, not as a reason (Adebayo et al. 2018).",
        "guided_none": "There is no guided gradient here:",
        "wrong": "taken for {name}",
        "speaks": "Classes it speaks for",
        "speaks_labels": "By the photos alone: the channel's mean on photos of the class against "
        "its mean on all others, in standard deviations. The classes are the photos' labels.",
        "speaks_predictions": "By the photos alone: the channel's mean on photos that the network "
        "takes for the class against its mean on all others, in standard deviations. The photos "
        "have no labels: the classes are the network's predictions.",
        "speaks_none": "The photos have no classes, or too few photos of any, to say so.",
        "class": "class",
        "effect": "difference",
        "inside": "mean there",
        "outside": "elsewhere",
        "weights": "Weights to the classes",
        "weights_note": "The classifier reads this channel's mean and multiplies it by these: the "
        "greatest and the least.",
        "histogram": "How often it answers",
        "histogram_note": "Photos by the channel's greatest value in each; heights are square "
        "roots, so that few are seen beside many.",
        "mean": "mean",
        "highest": "highest",
        "active": "active places",
        "alike": "Most alike in this layer",
        "alike_note": "By the correlation of the channels' means over all photos; beside it, how "
        "many of the best photos they share.",
        "far": "Most alike in other layers",
        "shared": "{count} shared",
        "map": "All units",
        "map_note": "Units that answer to the same photos lie together ({method} of their "
        "profiles over the photos). Directions and distances between groups mean little.",
        "here": "this unit",
        "again": "The picture is made again by",
        "size": "{files} files, {size}. Nothing is fetched from elsewhere.",
        "missing": "{missing} of {total} units have no drawing yet; the same command goes on.",
        "weights_of": "weights",
        "made": "Made with",
        "patches_of": "best patches of {name}",
        "drawing_of": "what {name} looks for",
        "guided_of": "guided gradient",
        "layer": "Layer",
    },
    "zh": {
        "title": "{name} 的各个单元",
        "kicker": "视觉网络的内部",
        "lead": "我们让 {name} 看了 {images} 张照片。它各层的每个通道在这里都有一页：照片中"
        "使它响应最强的地方、"
        "它在寻找什么、它支持哪些类别。一切都只关于这个网络和这些照片。",
        "home": "所有层",
        "layers": "各层，由浅到深",
        "channels": "个通道",
        "grid": "网格",
        "sees": "每个位置看到 {tall} × {wide} 像素中的 {height} × {width}",
        "sees_most": "每个位置最多看到 {tall} × {wide} 像素中的 {height} × {width}",
        "sees_all": "每个通道看到整个输入",
        "search": "查找单元：编号、层名或类别",
        "search_label": "查找单元",
        "nothing": "没有符合的单元",
        "before": "上一个",
        "after": "下一个",
        "drawn": "它在寻找什么",
        "drawn_note": "从噪声出发生成的图像，使该通道的响应尽可能大。它展示能激发该通道的一"
        "种图案，而不是全部。",
        "drawn_waits": "尚未绘制",
        "drawn_none": "无法绘制：该通道是死的，或对所绘图像没有响应",
        "patches": "它在哪里响应最强",
        "patches_note": "从原照片中裁出：通道在该位置所看到的部分。下方依次是导向梯度、通道"
        "的值和照片的类别。",
        "patches_wait": "图块尚未裁出。",
        "patches_none": "该通道在所有照片上都为零：没有可展示的内容。",
        "guided_note": "导向梯度很清晰，但几乎不依赖较高层的权重：它告诉我们线条在哪里，而不"
        "是原因（Adebayo 等，2018）。",
        "guided_none": "这里没有导向梯度：",
        "wrong": "被认作 {name}",
        "speaks": "它支持的类别",
        "speaks_labels": "仅由照片得出：通道在该类照片上的均值与其余照片上的均值之差，以标准"
        "差为单位。类别为照片的标签。",
        "speaks_predictions": "仅由照片得出：通道在网络判为该类的照片上的均值与其余照片上的"
        "均值之差，以标准差为单位。"
        "照片没有标签，类别为网络的预测。",
        "speaks_none": "照片没有类别，或每类照片太少，无法判断。",
        "class": "类别",
        "effect": "差异",
        "inside": "该类均值",
        "outside": "其余均值",
        "weights": "到各类别的权重",
        "weights_note": "分类器读取该通道的均值并乘以这些权重：最大的和最小的。",
        "histogram": "它多常响应",
        "histogram_note": "按通道在每张照片中的最大值统计照片数；高度为平方根，使少数也能看见。",
        "mean": "均值",
        "highest": "最大值",
        "active": "激活位置",
        "alike": "本层中最相似的单元",
        "alike_note": "按各通道均值在所有照片上的相关系数；旁边是它们共有的最佳照片数。",
        "far": "其他层中最相似的单元",
        "shared": "共有 {count} 张",
        "map": "所有单元",
        "map_note": "对相同照片有响应的单元彼此靠近（对响应轮廓做 {method}）。方向和各组之间"
        "的距离意义不大。",
        "here": "本单元",
        "again": "重新生成该图像的命令",
        "size": "{files} 个文件，{size}。不从别处加载任何内容。",
        "missing": "{total} 个单元中有 {missing} 个尚未绘制；再次运行同一命令即可继续。",
        "weights_of": "权重",
        "made": "制作工具",
        "patches_of": "{name} 的最佳图块",
        "drawing_of": "{name} 在寻找什么",
        "guided_of": "导向梯度",
        "layer": "层",
    },
}
