"""The manual: its gallery fits the network, its pages are whole, nothing leads outside."""

import re
from pathlib import Path
from typing import Any

import pytest
from docs import atlas_pictures, cards, gallery, generate, hooks, tables

import pellucid as pl
from pellucid.app.commands import metavar
from pellucid.images import open_image
from pellucid.page import LANGUAGES
from pellucid.pictures import text_inside, webp_bytes
from pellucid.register import entries

DOCS = Path(gallery.__file__).parent
MOST_BYTES = 4_000_000  # of all pictures of the gallery


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated pages."""
    folder = tmp_path_factory.mktemp("docs")
    generate.write(folder)
    return folder


@pytest.mark.parametrize("name", entries())
def test_the_gallery_shows_each_method_three_times_as_it_is_now(
    name: str, bundled: pl.Network
) -> None:
    method = entries()[name].load()
    asked = gallery.asked(method, bundled)
    assert len(asked) == (3 if list(method.examples(bundled)) else 0)
    assert len(gallery.pictures(name)) == len(asked)
    for number, given in enumerate(asked, start=1):
        picture = gallery.path(name, number)
        assert gallery.fits(picture, bundled, method, given), f"{picture.name}: make docs"


def test_a_picture_of_other_settings_or_photos_does_not_fit(bundled: pl.Network) -> None:
    method, picture = entries()["saliency"].load(), gallery.path("saliency", 1)
    assert gallery.fits(picture, bundled, method, {"photo": gallery.PHOTOS[0]})
    assert not gallery.fits(picture, bundled, method, {"photo": gallery.PHOTOS[1]})
    assert not gallery.fits(picture, bundled, method, {"photo": gallery.PHOTOS[0], "smooth": 2})
    assert not gallery.fits(picture, bundled, entries()["guided"].load(), {})
    assert not gallery.fits(gallery.path("saliency", 4), bundled, method, {})


def test_the_three_photos_are_what_the_gallery_says_of_them(bundled: pl.Network) -> None:
    for number, photo in enumerate(gallery.PHOTOS):
        found = pl.predict(bundled, photo, top=1)
        for lang in LANGUAGES:
            told = cards.WORDS[lang]["answers"][number]
            assert told.startswith(found.names[0]) and f"{float(found.values[0]):.0%}"[:-1] in told
        assert gallery.CLASSES[number] == f"class:{found.names[0]}"


def test_the_atlas_and_the_pointing_game_have_pictures_of_this_network(bundled: pl.Network) -> None:
    assert atlas_pictures.fits(bundled)
    for photo, box in atlas_pictures.BOXES.items():
        assert pl.pointing(pl.cam(bundled, photo), box).hit


def test_the_gallery_is_small_and_every_picture_on_it_is_shown() -> None:
    files = sorted(gallery.FOLDER.iterdir())
    assert sum(file.stat().st_size for file in files) < MOST_BYTES
    pages = "".join("\n".join(cards.page(lang)) for lang in LANGUAGES)
    assert not [file.name for file in files if file.name not in pages]


def test_a_small_picture_keeps_its_recipe(tmp_path: Path, cat: pl.Photo) -> None:
    (tmp_path / "a.webp").write_bytes(webp_bytes(cat.floats(), 80, "a recipe, as plain text"))
    assert text_inside(tmp_path / "a.webp") == "a recipe, as plain text"
    assert open_image(tmp_path / "a.webp").size == cat.size
    (tmp_path / "b.webp").write_bytes(webp_bytes(cat.floats(), 80))
    assert text_inside(tmp_path / "b.webp") == ""


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", entries())
def test_a_page_has_all_its_parts(name: str, lang: str, written: Path) -> None:
    folder = written if lang == "en" else written / "zh"
    text = (folder / "methods" / f"{name}.md").read_text("utf-8")
    heads = list(generate.HEADS[lang])
    if not gallery.pictures(name):
        heads = [head for head in heads if head not in (heads[3], heads[5])]
    places = [text.index(f"\n## {head}\n") for head in heads]
    assert places == sorted(places)
    assert "\n> " in text.partition(f"## {heads[0]}")[2].partition("\n## ")[0], "no formula"
    for option in entries()[name].load().options.values():
        if option.kind == "setting":
            shell = metavar(option).replace("|", r"\|") if option.positional else option.flag
            assert f"| `{option.name}` | `{shell}` |" in text


def test_every_link_of_the_generated_pages_leads_somewhere(written: Path) -> None:
    """mkdocs looks at links in Markdown; those in HTML are nobody's business but ours."""
    pages = sorted(written.rglob("*.md"))
    assert len(pages) > 2 * len(entries())
    for page in pages:
        text = page.read_text("utf-8")
        links = re.findall(r'(?:src|href)="([^"#]+)"', text)
        links += [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "(" not in link]
        for link in links:
            target = link.partition("#")[0]
            if not target or target.startswith("https://"):
                assert f'src="{link}"' not in text, f"{page.name} shows {link} from elsewhere"
                continue
            known = (page.parent / target).resolve()
            kept = DOCS / known.relative_to(written.resolve())
            assert known.exists() or kept.exists(), f"{page.name}: {link}"


def test_the_look_is_kept_here() -> None:
    """No font, script or style from another machine."""
    text = (DOCS / "manual.css").read_text("utf-8")
    assert "http" not in text and "@import" not in text
    settings = (DOCS.parent / "mkdocs.yml").read_text("utf-8")
    assert "font: false" in settings and "http" not in settings


def test_the_nav_has_every_page_in_both_languages(written: Path) -> None:
    import yaml

    settings: dict[str, Any] = yaml.safe_load((DOCS.parent / "mkdocs.yml").read_text("utf-8"))

    def paths(part: Any) -> list[str]:
        if isinstance(part, str):
            return [part]
        inner = part.values() if isinstance(part, dict) else part
        return [path for one in inner for path in paths(one)]

    listed = [path for part in settings["nav"] for path in paths(hooks._filled(part, "en"))]
    assert len(listed) == len(set(listed))
    for path in listed:
        assert (DOCS / path).exists() or (written / path).exists(), path
    english = {path for path in listed if not path.startswith("zh/")}
    assert {path.removeprefix("zh/") for path in set(listed) - english} == english
    made = {str(page.relative_to(written)) for page in written.rglob("*.md")}
    assert made <= set(listed)


def test_every_cell_of_the_comparison_has_its_source() -> None:
    table = tables.TABLE
    used = {key for peer in table["peers"].values() for key in peer["searched"]}
    for row in table["rows"]:
        cells = {key: tables.cell(row[key]) for key in table["peers"] if key in row}
        assert set(row) <= {"en", "zh", "ours", "ours_note", "ours_note_zh", *table["peers"]}
        used |= {source for _, _, source in cells.values()}
        for _, note, _ in cells.values():
            assert not note or note in table["notes_zh"], note
    assert used == set(table["sources"])
    text = "\n".join(tables.comparison("en"))
    rows = [line for line in text.splitlines() if line.startswith("| ") and "<sup>" in line]
    assert len(rows) == len(table["rows"])
    assert all(line.count("<sup>") == len(table["peers"]) for line in rows)


@pytest.mark.parametrize("wrong", ["yes", "maybe @ C1", "yes | @ C1", "yes C1"])
def test_a_cell_without_source_or_word_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"yes \| note @ KEY"):
        tables.cell(wrong)


def test_code_is_wrapped_at_its_own_commas() -> None:
    code = "f(a)(inputs, [g(3, 4)], h=lambda x, y: (x, y))"
    assert tables.wrapped(code) == code
    assert tables.wrapped(code, 20).splitlines() == [
        "f(a)(", "    inputs,", "    [g(3, 4)],", "    h=lambda x,", "    y: (x, y),", ")",
    ]  # fmt: skip
