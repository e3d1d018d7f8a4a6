"""What the wall's page says, in both languages."""

from typing import Final

from pellucid.page import Language

WORDS: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "title": "{count} photos as {name} sees them",
        "told": "Photos lie side by side where {what} alike. "
        "On the grid {near} of a photo's neighbours are among its ten nearest on the map{alike}.",
        "alike": ", and {alike} have its label (any two photos: {chance})",
        "what": "{name} holds them",
        "unread": " {count} could not be read and are grey.",
        "layout": "Layout",
        "grid": "Grid",
        "map": "Scattered",
        "search": "Label or file name",
        "found": "{count} found",
        "one": "{number} of {count}",
        "theme": "Light or dark",
        "canvas": "The photos. + and − zoom, arrows move, 0 shows all, Enter names the photo in "
        "the middle, / searches",
        "nearer": "Nearer",
        "farther": "Farther",
        "all": "All photos",
        "predicted": "The network says {name}, {share}%",
        "size": "{width} × {height} px",
        "original": "Open the photo itself",
        "close": "Close",
        "script": "This page draws with JavaScript.",
    },
    "zh": {
        "title": "{name} 眼中的 {count} 张照片",
        "told": "{what}相似的照片排在一起。"
        "在网格上，一张照片的邻居中有 {near} 属于它在图上最近的十张{alike}。",
        "alike": "，有 {alike} 与它类别相同（任意两张照片：{chance}）",
        "what": "{name} 认为",
        "unread": "有 {count} 张无法读取，显示为灰色。",
        "layout": "布局",
        "grid": "网格",
        "map": "散布",
        "search": "类别或文件名",
        "found": "找到 {count} 张",
        "one": "第 {number} 张，共 {count} 张",
        "theme": "浅色或深色",
        "canvas": "照片墙。+ 和 − 缩放，方向键移动，0 显示全部，回车显示中间照片的信息，/ 搜索",
        "nearer": "放大",
        "farther": "缩小",
        "all": "全部照片",
        "predicted": "网络的判断：{name}，{share}%",
        "size": "{width} × {height} 像素",
        "original": "打开原照片",
        "close": "关闭",
        "script": "此页面需要 JavaScript。",
    },
}
