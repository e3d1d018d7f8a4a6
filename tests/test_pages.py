"""The pages: written for every method, in both languages, and refused where they are not."""

import re

import pytest

import pellucid as pl
from pellucid import page as pages
from pellucid.register import entries

BODY = "".join(f"### {section}\nSome text.\n\n" for section in pages.SECTIONS)
GOOD = f"""---
order: 3
papers:
  - "Somebody (1999). On something. Somewhere"
  - "Somebody else (2001). On more: a study. Elsewhere"
---

## en

{BODY}## zh

{BODY.replace("Some text.", "文字。")}"""


def test_a_page_is_read() -> None:
    page = pages.parse(GOOD, "example")
    assert (page.name, page.order) == ("example", 3)
    assert page.papers[1] == "Somebody else (2001). On more: a study. Elsewhere"
    assert page.texts["en"] == pages.Text(*["Some text."] * 5)
    assert page.texts["zh"].misleading == "文字。"


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("---\norder", "order", "begins with a head"),
        ("order: 3\n", "", "lacks order"),
        ("order: 3", "order: third", "order: third"),
        ('  - "Somebody (1999). On something. Somewhere"\n', "  - Somebody\n", "- Somebody"),
        ("## zh", "## de", "no language of a page 'de'"),
        ("## zh", "## en", "'## en' comes twice"),
        ("### Idea", "### Ideas", "did you mean 'Idea'"),
        ("### Idea\n", "", "'### Idea' is missing"),
        ("## en\n", "## en\nLoose.\n", "'Loose.' stands before any '### ' heading"),
        ("### Question\nSome text.", "### Question\n", "nothing under '### Question'"),
        ("### Question\n", "### Question\nIs it?\n", "'### Question' is one line"),
    ],
)
def test_a_wrong_page_is_refused_with_the_place(before: str, after: str, says: str) -> None:
    assert before in GOOD
    with pytest.raises(pl.PellucidError, match=re.escape(says)) as refused:
        pages.parse(GOOD.replace(before, after, 1), "example")
    assert "example" in str(refused.value)


def test_papers_are_wanted() -> None:
    text = re.sub(r'  - ".*"\n', "", GOOD)
    with pytest.raises(pl.PellucidError, match="lacks papers"):
        pages.parse(text, "example")


def test_an_unknown_page_has_near_ones() -> None:
    with pytest.raises(pl.Unknown, match="did you mean 'saliency'"):
        pages.page("salience")


@pytest.mark.parametrize("name", entries())
def test_every_method_has_a_page_in_both_languages(name: str) -> None:
    page = pages.page(name)
    assert set(page.texts) == {"en", "zh"}
    for text in page.texts.values():
        for part in (text.idea, text.reading, text.misleading):
            assert len(part) > 60
        assert text.question[-1] in "?？"
        assert "\n> " in text.idea, "the formula stands as a quotation"
    chinese = "".join(vars(page.texts["zh"]).values())
    # English words among the Chinese are names and options, not sentences.
    assert len(re.findall(r"[\u4e00-\u9fff]", chinese)) > 0.5 * len(chinese)
    english = "".join(vars(page.texts["en"]).values())
    assert not re.search(r"[\u4e00-\u9fff]", english)


def test_no_two_pages_have_one_place_and_none_is_left_over() -> None:
    files = {file.stem for file in pages.FOLDER.glob("*.md")}
    assert files == set(entries())
    orders = [pages.page(name).order for name in files]
    assert len(set(orders)) == len(orders)
