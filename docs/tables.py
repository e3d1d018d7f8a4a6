"""Pages made of data: “Coming from …” and the comparison with peers.

The data are docs/coming_from.toml, whose lines a test runs, and docs/comparison.toml, whose cells
each name their source.
"""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pellucid.page import Language

DOCS = Path(__file__).parent
PEERS: dict[str, Any] = tomllib.loads((DOCS / "coming_from.toml").read_text("utf-8"))
TABLE: dict[str, Any] = tomllib.loads((DOCS / "comparison.toml").read_text("utf-8"))
MARKS = {"yes": "●", "part": "◐", "no": "○"}
WORDS: dict[str, Any] = tomllib.loads((DOCS / "tables.toml").read_text("utf-8"))


def coming_from(name: str, lang: Language) -> Iterable[str]:
    """The page of one peer, line by line."""
    peer, told = PEERS[name], WORDS["coming_from"][lang]
    yield f"---\nhide:\n  - toc\n---\n\n# {told['title'].format(**peer)}\n"
    yield f"{peer[lang]}\n"
    if peer["code"]:
        yield f"{told['before']}\n"
        ours = [
            "import torch",
            "import pellucid as pl",
            "",
            "net = pl.load()",
            "module = net.module",
        ]
        lines = ['photo = pl.open_image("photo:cat")', "inputs, _ = net.prepare(photo)"]
        yield "\n".join(["```python", peer["code"].strip(), *ours, *lines, "```\n"])
    # Cards rather than a table: the lines of code are long, and a phone is narrow.
    for line in peer["lines"]:
        there, here, _ = told["heads"]
        kind = "sh" if peer.get("shell") else "python"
        ours = f"pellucid style-transfer {line['ours']}" if peer.get("shell") else line["ours"]
        yield '<div class="pl-pair" markdown>\n'
        yield f"<span>{there}</span>\n\n```{kind}\n{wrapped(line['theirs'])}\n```\n"
        yield f"<span>{here}</span>\n\n```{kind}\n{wrapped(ours)}\n```\n"
        only = f" ({told['only'].format(**line)})" if "shown" in line else ""
        yield f"{line[lang]}{only}\n\n</div>\n"
    yield f"{peer[f'beyond_{lang}']}\n"
    yield f"{told['shell' if peer.get('shell') else 'tested'].format(**peer)}"
    yield f"{told['version'].format(**peer)}\n"


def wrapped(code: str, most: int = 52) -> str:
    """A long call with each argument of its outermost bracket on a line of its own."""
    if len(code) <= most or "(" not in code or not code.endswith(")"):
        return code
    depth, parts, start = 0, [], code.index("(") + 1
    # The last bracket that is opened at the outermost level is the call whose arguments are cut.
    for place, sign in enumerate(code):
        if sign in "([{":
            start = place + 1 if depth == 0 and sign == "(" else start
            depth += 1
        elif sign in ")]}":
            depth -= 1
    head, inner, depth, begun = code[:start], code[start:-1], 0, 0
    for place, sign in enumerate(inner):
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and depth == 0:
            parts.append(inner[begun:place].strip())
            begun = place + 1
    parts.append(inner[begun:].strip())
    return "\n".join([head, *(f"    {part}," for part in parts), ")"])


def cell(text: str) -> tuple[str, str, str]:
    """A cell of the data as its word, its note and the key of its source."""
    found = re.fullmatch(r"(yes|part|no)(?: \| (.+?))? @ (\w+)", text)
    if found is None:
        raise ValueError(f"a cell is 'yes | note @ KEY', not {text!r}")
    return found[1], found[2] or "", found[3]


def comparison(lang: Language) -> Iterable[str]:
    """The table of peers and its sources, line by line."""
    told, peers, sources = WORDS["comparison"][lang], TABLE["peers"], TABLE["sources"]
    numbers = {key: number for number, key in enumerate(sources, start=1)}

    def at(*keys: str) -> str:
        links = (f'<a href="#source-{numbers[key]}">{numbers[key]}</a>' for key in keys)
        return f"<sup>{' '.join(links)}</sup>"

    yield "---\nhide:\n  - toc\n---\n"
    yield f"# {told['title']}\n\n{told['intro'].format(**TABLE)}\n"
    yield '<div class="pl-peers" markdown>\n'
    heads = [f"{peer['name']}<br><small>{peer['version']}</small>" for peer in peers.values()]
    yield f"| | pellucid | {' | '.join(heads)} |"
    yield "|---|---|" + "---|" * len(peers)
    for row in TABLE["rows"]:
        note = row.get("ours_note" if lang == "en" else "ours_note_zh", "")
        ours = f"[{MARKS['yes']}]({row['ours']}) {note}" if row["ours"] else MARKS["no"]
        cells = []
        for key, peer in peers.items():
            if key in row:
                word, words, source = cell(row[key])
                words = TABLE["notes_zh"].get(words, words) if lang == "zh" else words
                cells.append(f"{MARKS[word]} {words} {at(source)}")
            else:
                cells.append(f"{MARKS['no']} {at(*peer['searched'])}")
        yield f"| {row[lang]} | {ours} | {' | '.join(cells)} |"
    yield f"\n</div>\n\n{told['wrong']}\n\n## {told['sources']}\n"
    for key, source in sources.items():
        yield (
            f'<p id="source-{numbers[key]}">{numbers[key]}. '
            f'<a href="{source["url"]}">{source["what"].replace("`", "")}</a></p>\n'
        )
