"""Messages arrive as they were sent, or not at all."""

import io

import pytest

from pellucid.app.lab.wire import Message, receive, send


def test_messages_come_out_as_they_went_in() -> None:
    stream = io.BytesIO()
    send(stream, {"news": "done", "text": "图"}, [b"", b"\x00\xff" * 1000])
    send(stream, {})
    stream.seek(0)
    assert receive(stream) == Message({"news": "done", "text": "图"}, (b"", b"\x00\xff" * 1000))
    assert receive(stream) == Message({})
    assert receive(stream) is None


@pytest.mark.parametrize("cut", [1, 4, 9, 40])
def test_a_message_that_is_cut_short_is_none(cut: int) -> None:
    stream = io.BytesIO()
    send(stream, {"a": 1}, [b"x" * 50])
    whole = stream.getvalue()
    assert receive(io.BytesIO(whole[:-cut])) is None
