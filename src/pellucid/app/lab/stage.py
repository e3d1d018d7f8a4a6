"""Stage: what the page shows of a job: how far it is, a picture on the way, or what went wrong."""

from __future__ import annotations

import base64
import html

from pellucid.app.lab.desk import News


def drawn(news: News, words: dict[str, str]) -> str:
    """The state of a job as HTML."""
    if news.kind == "waiting":
        return _bar(None, words["waiting"].format(count=news.ahead))
    if news.kind == "step":
        text = words["working"].format(seconds=round(news.elapsed))
        if "done" not in news.facts:
            return ""  # a sign of life, which changes nothing on the page
        done, total = news.facts["done"], max(1, news.facts["total"])
        text = f"{news.facts['text']} · {text}" if news.facts["text"] else text
        return _bar(done / total, text, next(iter(news.files.values()), b""))
    if news.kind == "done":
        return told(news.facts.get("caption", ""))
    return trouble(problem(news, words))


def problem(news: News, words: dict[str, str]) -> str:
    """Why there is no result, in words."""
    text = str(news.facts.get("text", ""))
    if news.kind == "wrong":
        return text
    return words[news.kind].format(text=text)


def told(text: str) -> str:
    """A line of text as HTML."""
    return f'<p class="told">{html.escape(text)}</p>'


def trouble(text: str) -> str:
    """What is wrong, as HTML."""
    return f'<p class="trouble" role="alert">{html.escape(text)}</p>'


def _bar(share: float | None, text: str, picture: bytes = b"") -> str:
    width = f"{100 * min(1.0, share):.0f}%" if share is not None else "0"
    image = ""
    if picture:
        address = base64.b64encode(picture).decode()
        image = f'<img class="so-far" alt="" src="data:image/jpeg;base64,{address}">'
    return (
        f'<div class="bar" role="progressbar" aria-valuenow="{round(100 * (share or 0))}">'
        f'<i style="width:{width}"></i></div><p class="told">{html.escape(text)}</p>{image}'
    )
