"""What the tour's page says of itself, in both languages."""

from typing import Final

from pellucid.page import Language

WORDS: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "heading": "What does {name} see?",
        "description": "A tour through a vision network",
        "lead": "A vision network is a black box: a picture goes in, a label comes out. Here the "
        "box is opened, one question at a time. Every picture on this page was made by one "
        "network from the photos below, and under each stands the command that makes it again.",
        "network": "Network",
        "input": "Input",
        "input_value": "{height} × {width} px, {colours}",
        "colour": "colour",
        "grey": "grey",
        "parameters": "Parameters",
        "classes": "Classes",
        "no_classes": "none: it gives no class scores",
        "weights": "Weights",
        "photos": "The photos",
        "photos_note": "On the left the photo, on the right all that the network is given of it.",
        "given": "{photo} as the network is given it",
        "contents": "Questions",
        "read": "How to read it",
        "misleads": "Where it misleads",
        "papers": "Read more",
        "copy_it": "Copy",
        "copied": "Copied",
        "command": "Command",
        "enlarge": "Enlarge",
        "close": "Close",
        "failed": "There is no picture here. On this network, {method} says:",
        "late": "Left out for lack of time. This makes it:",
        "interrupted": "Left out, because the tour was stopped. This makes it:",
        "no_page": "Nobody has written about this method yet.",
        "atlas_made": "The photos that are installed here, cut into {count} crops and surveyed. "
        "The commands of this part are run in the folder of this page; any folder of photos can "
        "stand in place of the crops:",
        "atlas_wall": "The same wall as a page that zooms",
        "atlas_plain": "This is a plain map, because openTSNE is not installed. A better one "
        "comes with:",
        "atlas_failed": "There is no picture here, because:",
        "notice_quick": "This is the quick tour: the first picture of every method. All of them:",
        "notice_late": "Left out for lack of time: {count} of {total} pictures. In their places "
        "stand the commands that make them.",
        "notice_interrupted": "The tour was stopped. Missing: {count} of {total} pictures. In "
        "their places stand the commands that make them.",
        "next": "What next",
        "next_yours": "The same tour on a photo of yours:",
        "next_network": "… through another network (torchvision’s names, timm:NAME, hf:NAME):",
        "next_layers": "The layers of this network, whose names every method understands:",
        "next_replay": "The pictures lie beside this page in their original pixels, in the folder "
        "pictures, with their recipes inside. From the folder of this page, any of them can be "
        "made again and compared:",
        "next_help": "All methods, and all settings of one:",
        "made_with": "Made with",
    },
    "zh": {
        "heading": "{name} 看到了什么？",
        "description": "走进一个视觉网络",
        "lead": "视觉网络是个黑箱：图片进去，标签出来。这一页把黑箱打开，一次只问一个问题。"
        "页上所有图像都由同一个网络根据下面的照片生成，每幅图下面都写着重新生成它的命令。",
        "network": "网络",
        "input": "输入",
        "input_value": "{height} × {width} 像素，{colours}",
        "colour": "彩色",
        "grey": "灰度",
        "parameters": "参数",
        "classes": "类别",
        "no_classes": "无：它不输出类别得分",
        "weights": "权重",
        "photos": "照片",
        "photos_note": "左边是照片，右边是网络实际得到的全部内容。",
        "given": "网络得到的 {photo}",
        "contents": "问题",
        "read": "怎么看",
        "misleads": "容易误解的地方",
        "papers": "延伸阅读",
        "copy_it": "复制",
        "copied": "已复制",
        "command": "命令",
        "enlarge": "放大",
        "close": "关闭",
        "failed": "这里没有图。{method} 在这个网络上给出的原因是：",
        "late": "时间不够，这幅图略去了。生成它的命令：",
        "interrupted": "生成过程被中断，这幅图略去了。生成它的命令：",
        "no_page": "这个方法的说明还没有写。",
        "atlas_made": "本机安装的照片被切成 {count} 块小图，逐块送入网络并记录。"
        "这一部分的命令要在本页所在的文件夹里运行；把小图换成任何一个照片文件夹都可以：",
        "atlas_wall": "同一面墙，可以缩放的页面",
        "atlas_plain": "没有安装 openTSNE，这里只是一幅简单的地图。更好的需要：",
        "atlas_failed": "这里没有图，原因是：",
        "notice_quick": "这是快速版，每种方法只有第一幅图。完整版的命令：",
        "notice_late": "时间不够，{total} 幅图中略去了 {count} 幅，原处写着生成它们的命令。",
        "notice_interrupted": "生成过程被中断，{total} 幅图中缺 {count} "
        "幅，原处写着生成它们的命令。",
        "next": "接下来",
        "next_yours": "用自己的照片再走一遍：",
        "next_network": "换一个网络（torchvision 的名称、timm:名称、hf:名称）：",
        "next_layers": "列出这个网络的各层，所有方法都认得这些名称：",
        "next_replay": "原始像素的图像都在本页旁边的 pictures "
        "文件夹里，生成方法也写在图像文件当中。在本页所在的文件夹里，任何一幅都可以重新生成，并与原图比对：",
        "next_help": "查看所有方法，以及某个方法的全部设置：",
        "made_with": "制作环境",
    },
}
