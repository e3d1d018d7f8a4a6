"""Guard: who may ask the lab for anything, and how much may be sent to it."""

from __future__ import annotations

import base64
import hmac
import ipaddress
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pellucid.errors import PellucidError

USER = "pellucid"
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
# So that no other page can show the lab inside of itself, or guess what a file is.
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"frame-ancestors 'self'"),
]


def is_here(host: str) -> bool:
    """Whether an address is this machine's own, which no other machine reaches."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """Stands in front of the whole page.

    A page that listens here only is asked by names of this machine only: another page in the same
    browser that has its name point here (DNS rebinding) is refused. With a password, everything
    asks for it. What is sent is bounded in bytes.

    Args:
        app: behind it.
        host: that it listens on.
        password: None for none, which goes with this machine's own addresses only.
        most: bytes of one request.

    Raises:
        PellucidError: others can reach it, and it has no password.
    """

    def __init__(self, app: App, *, host: str, password: str | None, most: int) -> None:
        if not password and not is_here(host):
            raise PellucidError(f"{host} can be reached by other machines: it needs a password")
        self.app, self.most = app, most
        self.here = is_here(host)
        word = base64.b64encode(f"{USER}:{password}".encode())
        self.pass_word = b"Basic " + word if password else b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if self.here and not is_here(_name(headers.get(b"host", b""))):
            await _refuse(send, 400, "this page is asked for by another name")
        elif self.pass_word and not hmac.compare_digest(
            headers.get(b"authorization", b""), self.pass_word
        ):
            ask = [(b"www-authenticate", b'Basic realm="pellucid", charset="UTF-8"')]
            await _refuse(send, 401, f"user {USER}, and the password, please", ask)
        elif _length(headers) > self.most:
            await _refuse(send, 413, f"at most {self.most // 1_000_000} MB can be sent at once")
        else:
            await self.app(scope, _bounded(receive, self.most), _with_headers(send))


def _name(host: bytes) -> str:
    """Of `name:port` the name, also of an address in brackets."""
    text = host.decode("latin-1")
    return text[1:].partition("]")[0] if text.startswith("[") else text.partition(":")[0]


def _length(headers: dict[bytes, bytes]) -> int:
    length = headers.get(b"content-length", b"0")
    return int(length) if length.isdigit() else 0


def _bounded(receive: Receive, most: int) -> Receive:
    """Ends a request that is longer than it said, or that did not say."""
    had = 0

    async def received() -> MutableMapping[str, Any]:
        nonlocal had
        message = await receive()
        had += len(message.get("body", b""))
        return {"type": "http.disconnect"} if had > most else message

    return received


def _with_headers(send: Send) -> Send:
    async def sent(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *HEADERS]
        await send(message)

    return sent


async def _refuse(
    send: Send, status: int, text: str, more: list[tuple[bytes, bytes]] | None = None
) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *(more or [])]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{text}\n".encode()})
