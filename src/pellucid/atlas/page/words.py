"""What the page of a map says, in both languages."""

from typing import Final

from pellucid.page import Language

WORDS: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "title": "{count} photos by {layer} of {network}, {how}",
        "about": "Each point is a photo. Photos that this layer of the network finds alike lie "
        "near each other; directions and the distances between far groups mean little.",
        "about_pca": "Each point is a photo. The axes are the two directions in which the "
        "layer’s features vary most; what differs in the others lies on top of each other here.",
        "colour": "Colour",
        "label": "label",
        "predicted": "prediction",
        "right": "right or wrong",
        "is_right": "right",
        "is_wrong": "wrong",
        "unknown": "label is no class of the network",
        "none": "none",
        "search": "Search labels and files",
        "names": "names",
        "theme": "light / dark",
        "clear": "clear",
        "help": "Point at a photo; drag a box or a lasso (tools above the map), tap a point or a "
        "name in the list, or search, and the photos appear below.",
        "chosen": "{count} photos",
        "chosen_one": "1 photo",
        "more": "… and {count} more",
        "sees": "the network sees {name}",
        "shown": "{shown} of {count} photos are shown, evenly chosen.",
        "quality": "What the map keeps",
        "neighbours kept": "of a photo’s 10 nearest in features are so on the map",
        "trustworthiness": "trustworthiness: 1 where all neighbours on the map are ones in "
        "features",
        "distance correlation": "rank correlation of distances (Spearman)",
        "same label nearby": "of the 10 nearest on the map have the same label",
        "same label in features": "… and of the 10 nearest in features",
        "no_script": "This page needs JavaScript.",
    },
    "zh": {
        "title": "{network} 的 {layer} 层眼中的 {count} 张照片（{how}）",
        "about": "每个点是一张照片。网络的这一层认为相像的照片彼此靠近；"
        "方向没有含义，相隔很远的群之间的距离也说明不了什么。",
        "about_pca": "每个点是一张照片。两条轴是这一层特征变化最大的两个方向；"
        "只在其他方向上不同的照片在这里会重叠。",
        "colour": "颜色",
        "label": "标签",
        "predicted": "预测",
        "right": "对错",
        "is_right": "预测正确",
        "is_wrong": "预测错误",
        "unknown": "标签不在网络的类别中",
        "none": "无",
        "search": "搜索标签和文件名",
        "names": "显示名称",
        "theme": "浅色 / 深色",
        "clear": "清除",
        "help": "指向一个点可以看照片；用图上方的工具框选或套索圈选，点一个点，"
        "点列表中的名称，或者搜索，选中的照片会出现在下面。",
        "chosen": "{count} 张照片",
        "chosen_one": "1 张照片",
        "more": "…… 还有 {count} 张",
        "sees": "网络认为是 {name}",
        "shown": "均匀选取并显示了 {count} 张照片中的 {shown} 张。",
        "quality": "地图保留了什么",
        "neighbours kept": "一张照片在特征空间最近的 10 张中，在图上仍然最近的比例",
        "trustworthiness": "可信度：图上的邻居都是特征空间的邻居时为 1",
        "distance correlation": "距离的秩相关系数（Spearman）",
        "same label nearby": "图上最近的 10 张中标签相同的比例",
        "same label in features": "…… 特征空间最近的 10 张中标签相同的比例",
        "no_script": "此页面需要 JavaScript。",
    },
}
