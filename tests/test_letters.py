"""Letters: those of the built-in font as ever, others in a font found here, or in plain ones."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image, ImageDraw, ImageFont

import pellucid as pl
from pellucid import fonts
from pellucid.app.checkup import Checkup
from pellucid.fonts import Run, runs
from pellucid.ink import lettered, text_width
from pellucid.panels import Opinion
from shell import shell, small

Give = Callable[[str, str], None]
PLAIN = "A plain text, 12 of it: «as ever» …"


def forget() -> None:
    for kept in (fonts.runs, fonts.font, fonts.face_of, fonts._has):
        kept.cache_clear()
    fonts.lacking.clear()


@pytest.fixture
def give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Give]:
    """A machine without fonts, and what puts one on it that has some letters, as squares."""
    folder = tmp_path / "share" / "fonts" / "some" / "where"
    folder.mkdir(parents=True)
    for name in ("XDG_DATA_HOME", "XDG_DATA_DIRS"):
        monkeypatch.setenv(name, str(tmp_path / "share"))
    monkeypatch.setattr("sys.platform", "linux")
    forget()

    def made(name: str, letters: str) -> None:
        drawn_font(folder / f"{name}.ttf", letters)
        forget()

    yield made
    forget()


def drawn_font(path: Path, letters: str) -> None:
    names = {ord(letter): f"uni{ord(letter):04X}" for letter in letters}
    glyphs = {}
    for name, high in [(".notdef", 300), *((name, 800) for name in names.values())]:
        pen = TTGlyphPen(None)
        pen.moveTo((50, 0))
        for corner in ((50, high), (950, high), (950, 0)):
            pen.lineTo(corner)
        pen.closePath()
        glyphs[name] = pen.glyph()
    builder = FontBuilder(1000)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap(names)
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics({name: (1000, 50) for name in glyphs})
    builder.setupHorizontalHeader(ascent=880, descent=-120)
    builder.setupNameTable({"familyName": path.stem, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)


def page(text: str, anchor: str = "la", size: float = 20) -> torch.Tensor:
    return 1 - lettered(torch.ones(3, 60, 400), text, 20, 100, size, anchor=anchor)[0]


@pytest.mark.parametrize("anchor", ["la", "ra", "ma", "lm", "mm", "rm"])
def test_text_of_the_built_in_font_is_drawn_by_it_alone(give: Give, anchor: str) -> None:
    give("NotoSansSC-Regular", PLAIN)
    before = Image.new("RGB", (400, 60), "white")
    own = ImageFont.load_default(20)
    ImageDraw.Draw(before).text((100, 20), PLAIN, fill=(0, 0, 0), font=own, anchor=anchor)
    assert bytes(before.tobytes()) == bytes(
        ((1 - page(PLAIN, anchor)) * 255).round().byte()[..., None].expand(-1, -1, 3).numpy()
    )
    assert text_width(PLAIN, 20) == own.getlength(PLAIN)


def test_other_letters_come_from_the_first_font_that_has_them(give: Give) -> None:
    give("NotoSansCJK-Regular", "no collection, so that it has no third face")
    give("wqy-zenhei", "猫狗é")
    give("DejaVuSans", "éß")
    assert runs("a 猫狗, caffé") == (
        Run("", "a "), Run("wqy-zenhei", "猫狗"), Run("", ", caff"), Run("DejaVuSans", "é"),
    )  # fmt: skip
    assert runs("cafe\u0301") == (Run("", "caf"), Run("DejaVuSans", "é"))
    assert not fonts.lacking
    assert text_width("a猫b", 20) == text_width("a", 20) + 20 + text_width("b", 20)


@pytest.mark.parametrize("size", [11, 15, 20, 24])
def test_letters_of_several_fonts_stand_on_one_line(give: Give, size: float) -> None:
    give("wqy-zenhei", "猫")
    for anchor, base in (("ls", 20), ("ms", 20), ("la", None), ("rm", None)):
        plain, mixed = page("H H", anchor, size), page("H猫H", anchor, size)
        bottoms = [int((one > 0.5).any(1).nonzero().max()) for one in (plain, mixed)]
        assert abs(bottoms[0] - bottoms[1]) <= 1
        assert base is None or bottoms[1] == base - 1
    square = (page("猫", "ls", size) > 0.5).nonzero()
    assert abs(int(square[:, 1].max()) - (100 + 0.95 * size)) <= 1.5
    ends = (page("H猫", "rs", size) > 0.2).nonzero()[:, 1]
    assert 97 <= int(ends.max()) <= 100 and abs(100 - int(ends.min()) - text_width("H猫", size)) < 5


def test_without_a_font_letters_are_spelled_in_plain_ones(give: Give) -> None:
    assert runs("Café – 3×4 µm → ½ Straße") == (Run("", "Cafe - 3x4 um -> 1⁄2 Strasse"),)
    assert runs("naïve\tﬀ\n") == (Run("", "naive ff "),)
    assert not fonts.lacking
    assert runs("猫.jpg \udc80") == (Run("", "?.jpg ?"),)
    assert fonts.lacking == {"猫", "\udc80"}
    assert text_width("é", 20) == text_width("e", 20)
    assert torch.equal(page("é"), page("e"))
    assert runs("") == (Run("", ""),) and runs("\u200b") == (Run("", " "),)


def test_a_class_without_a_font_is_drawn_by_its_number(give: Give) -> None:
    names, shares = ("猫", "café", "dog"), torch.tensor([0.5, 0.3, 0.2])
    photo = pl.open_image(torch.zeros(3, 30, 40))

    def made(names: tuple[str, ...], numbers: tuple[int, ...]) -> torch.Tensor:
        ranking = pl.Ranking(
            values=shares, names=names, scores=shares, photo=photo, numbers=numbers
        )
        return ranking.image()

    assert torch.equal(made(names, (7, 8, 9)), made(("class 7", "café", "dog"), ()))
    said = Opinion.of(torch.tensor([0.0, 2.0, 1.0]), ["dog", "猫", "cow"])
    assert said.names[0] == "猫" and fonts.drawable(said.names, said.numbers) == [
        "class 1", "cow", "dog",
    ]  # fmt: skip
    give("wqy-zenhei", "猫")
    assert not torch.equal(made(names, (7, 8, 9)), made(("class 7", "café", "dog"), ()))
    assert torch.equal(made(names, (7, 8, 9)), made(names, ()))


def test_a_font_that_is_missing_is_told_once(give: Give, tmp_path: Path, empty: Path) -> None:
    words = ("predict", "photo:cat", "--network", small(tmp_path), "--out")
    told = shell(*words, "a.png").stderr
    assert told.count("\n") == 1 and "no font on this machine has the letters 狐狸" in told
    assert "fonts-noto-cjk" in told
    forget()
    assert shell(*words, "b.png", "--quiet").output == ""
    give("wqy-zenhei", "狐狸")
    result = shell(*words, "c.png")
    assert result.stderr == "" and "狐狸" in result.stdout


def test_the_doctor_says_whether_chinese_can_be_drawn(give: Give) -> None:
    assert Checkup.made().data()["letters"] == {"Chinese": ""}
    told = shell("doctor")
    assert "Chinese letters in pictures cannot be drawn: install one" in told.stdout
    assert told.exit_code == 0
    give("NotoSansSC-Regular", "猫")
    assert "Chinese letters in pictures are drawn in NotoSansSC-Regular" in shell("doctor").stdout
