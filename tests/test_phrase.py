"""Every setting is explained in Chinese, and nothing else is."""

from __future__ import annotations

import re

from pellucid.phrase import chinese, phrase
from pellucid.register import entries


def said() -> set[str]:
    options = (known for each in entries().values() for known in each.load().options.values())
    return {known.help.text for known in options if known.help.text}


def test_every_setting_of_every_method_is_translated_and_nothing_that_is_gone() -> None:
    assert set(chinese()) == said()


def test_a_translation_is_chinese_and_keeps_what_is_to_be_typed() -> None:
    for text, told in chinese().items():
        assert re.search(r"[\u4e00-\u9fff]", told), text
        for word in re.findall(r"\w*:\d+|\d+x\d+|\brelu\d\b|`[^`]+`", text):
            assert word in told, (text, word)


def test_what_is_not_known_stays_as_it_is() -> None:
    text = "how loud"
    assert phrase(text, "zh") == text and phrase("how many classes", "en") == "how many classes"
    assert phrase("how many classes", "zh") == "显示多少个类别"
