"""Who may come in, and with how much."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from pellucid.app.lab.guard import Guard, is_here
from pellucid.errors import PellucidError


async def answers(scope: Any, receive: Any, send: Any) -> None:
    """Says how many bytes came."""
    count, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        count += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(count).encode()})


def ask(guard: Guard, host: str, body: list[bytes] = [b""], **headers: str) -> tuple[int, bytes]:  # noqa: B006
    sent: list[Any] = []
    parts = [
        {"type": "http.request", "body": part, "more_body": part is not body[-1]} for part in body
    ]

    async def receive() -> Any:
        return parts.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    named = {"host": host} | {name.replace("_", "-"): text for name, text in headers.items()}
    scope = {"type": "http", "headers": [(k.encode(), v.encode()) for k, v in named.items()]}
    asyncio.run(guard(scope, receive, send))
    return (sent[0]["status"], sent[1]["body"]) if sent else (0, b"")


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_this_machine_is_known() -> None:
    assert all(map(is_here, ("127.0.0.1", "127.1.2.3", "::1", "localhost")))
    assert not any(map(is_here, ("0.0.0.0", "::", "192.168.0.2", "example.org", "")))


def test_other_machines_need_a_password() -> None:
    with pytest.raises(PellucidError, match=r"0\.0\.0\.0 can be reached .* password"):
        Guard(answers, host="0.0.0.0", password=None, most=100)


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost", "[::1]:80"])
def test_a_local_page_is_asked_by_its_own_names(host: str) -> None:
    assert ask(Guard(answers, host="127.0.0.1", password=None, most=100), host)[0] == 200


@pytest.mark.parametrize("host", ["evil.example:7860", "127.0.0.1.evil.example", ""])
def test_a_name_that_was_made_to_point_here_is_refused(host: str) -> None:
    assert ask(Guard(answers, host="127.0.0.1", password=None, most=100), host)[0] == 400


def test_the_password_is_asked_for() -> None:
    guard = Guard(answers, host="0.0.0.0", password="péllucid", most=100)
    assert ask(guard, "lab.example")[0] == 401
    for wrong in (
        basic("pellucid", "pellucid"),
        basic("", "péllucid"),
        "Basic",
        "Bearer x",
        "Basic \xff",
    ):
        assert ask(guard, "lab.example", authorization=wrong)[0] == 401
    assert ask(guard, "lab.example", authorization=basic("pellucid", "péllucid"))[0] == 200


def test_what_is_sent_is_bounded() -> None:
    guard = Guard(answers, host="::1", password=None, most=100)
    assert ask(guard, "[::1]", [b"x" * 60, b"x" * 40]) == (200, b"100")
    assert ask(guard, "[::1]", content_length="101")[0] == 413
    # Longer than it said: the application is told that the other end has gone.
    assert ask(guard, "[::1]", [b"x" * 60, b"x" * 41], content_length="10") == (0, b"")
