"""Fonts: Pillow's own, and for letters that it lacks those found on the machine."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache, lru_cache
from typing import NamedTuple

from PIL import ImageFont

BUILT_IN = ""  # Pillow's own font, the same on every machine
# Names of files and which of the faces in them, those first that look most like the built-in one.
# A collection such as Noto's has Chinese letters in the forms of several countries; 2 is China's.
FACES = {
    "LiberationSans-Regular": 0, "Arial": 0, "arial": 0, "NotoSans-Regular": 0, "DejaVuSans": 0,
    "NotoSansCJK-Regular": 2, "NotoSansCJK-VF": 2, "NotoSansCJKsc-Regular": 0,
    "NotoSansSC-Regular": 0, "NotoSansSC[wght]": 0, "NotoSansSC-VF": 0,
    "NotoSansSC-VariableFont_wght": 0, "SourceHanSansSC-Regular": 0, "SourceHanSansCN-Regular": 0,
    "PingFang": 0, "Hiragino Sans GB": 0, "STHeiti Light": 0, "msyh": 0, "simhei": 0, "simsun": 0,
    "wqy-microhei": 0, "wqy-zenhei": 0, "DroidSansFallbackFull": 0, "DroidSansFallback": 0,
    "Arial Unicode": 0, "malgun": 0, "AppleSDGothicNeo": 0, "YuGothM": 0, "segoeui": 0,
}  # fmt: skip
# What to do where letters have no font.
REMEDY = (
    "install one, such as Noto Sans (Debian and Ubuntu: fonts-noto-cjk for Chinese, Japanese and "
    "Korean, fonts-noto-core for others)"
)
PROBE = 32  # px: so large no two letters are drawn with the same pixels
NONE = "\U0010fffe"  # for ever without a letter: every font shows its sign for what it lacks
# What a letter becomes where no font has it and Unicode takes it apart into nothing plainer.
_PLAIN = str.maketrans({
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "×": "x", "÷": "/",
    "μ": "u", "→": "->", "←": "<-", "≥": ">=", "≤": "<=", "≈": "~", "ß": "ss", "æ": "ae",
    "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D",
    "ı": "i", "¡": "!", "¿": "?", "•": "·", "„": '"', "‚": "'", "€": "EUR", "£": "GBP",
})  # fmt: skip

lacking: set[str] = set()  # letters that were to be drawn, and that no font here has


class Run(NamedTuple):
    """A part of a text that one font draws.

    Attributes:
        face: a name in `FACES`, or `BUILT_IN`.
    """

    face: str
    text: str


@lru_cache(4096)
def runs(text: str) -> tuple[Run, ...]:
    """A text in parts, each in a font that has its letters.

    What the built-in font has is drawn by it alone. A letter that no font here has is spelled in
    plain ones (é as e, – as -), and where that gives nothing as "?".
    """
    if all(_has(BUILT_IN, letter) for letter in text):
        return (Run(BUILT_IN, text),)
    parts = [_run(letter) for letter in _letters(text)]
    for at in range(1, len(parts) - 1):
        # Words from right to left are put in order within one run, and need the blanks of it.
        before, here, after = parts[at - 1 : at + 2]
        if here.text == " " and _leftward(before) and _leftward(after):
            parts[at] = Run(before.face, " ")
    joined = [parts[0]]
    for part in parts[1:]:
        if part.face == joined[-1].face:
            joined[-1] = Run(part.face, joined[-1].text + part.text)
        else:
            joined.append(part)
    return tuple(joined)


@cache
def font(face: str, size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont | None:
    """A font of a size in pixels; None where it is not on this machine."""
    if face == BUILT_IN:
        return ImageFont.load_default(size)
    try:
        found = ImageFont.truetype(face, size, FACES[face])  # looks into the usual folders
    except OSError:
        return None
    with suppress(OSError, ValueError, NotImplementedError):  # it has one weight only
        found.set_variation_by_name("Regular")  # the first of Noto's weights is a thin one
    return found


@cache
def face_of(letter: str) -> str | None:
    """The first font that has a letter with its accents; None where none has."""
    faces = (BUILT_IN, *FACES)
    return next((face for face in faces if all(_has(face, part) for part in letter)), None)


def drawable(names: Sequence[str], numbers: Sequence[int]) -> list[str]:
    """Names of classes; "class 281" of one that has letters which cannot be drawn here.

    Args:
        numbers: of the classes; empty, names stay as they are.
    """
    shown = list(names)
    for at, number in enumerate(numbers):
        lost = {one for one in _letters(names[at]) if face_of(one) is None and not spelled(one)}
        if lost:
            lacking.update(lost)
            shown[at] = f"class {number}"
    return shown


def spelled(letter: str) -> str:
    """A letter in those of the built-in font; "" where it has nothing plainer."""
    apart = unicodedata.normalize("NFKD", letter).translate(_PLAIN)
    return "".join(part for part in apart if _has(BUILT_IN, part))


def _run(letter: str) -> Run:
    face = face_of(letter)
    if face is not None:
        return Run(face, letter)
    plain = spelled(letter)
    if not plain:
        lacking.add(letter)
    return Run(BUILT_IN, plain or "?")


def _leftward(run: Run) -> bool:
    return unicodedata.bidirectional(run.text[0]) in ("R", "AL")


def _letters(text: str) -> Iterator[str]:
    """Each with the accents that stand after it; without what only steers."""
    letter = ""
    for sign in unicodedata.normalize("NFC", text):
        kind = unicodedata.category(sign)
        if kind == "Cf" or "\ufe00" <= sign <= "\ufe0f":
            continue
        if letter and kind.startswith("M"):
            letter += sign
            continue
        if letter:
            yield letter
        letter = " " if kind == "Cc" else sign
    yield letter or " "


@cache
def _has(face: str, letter: str) -> bool:
    """Whether a font has a letter: whether it draws it otherwise than what nobody has."""
    drawn = font(face, PROBE)
    return drawn is not None and _pixels(face, letter) != _pixels(face, NONE)


def _pixels(face: str, letter: str) -> tuple[tuple[int, int], bytes, float]:
    drawn = font(face, PROBE)
    assert drawn is not None
    mask = drawn.getmask(letter)
    return mask.size, bytes(mask), drawn.getlength(letter)
