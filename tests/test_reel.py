"""Videos: frames come back in order and in time, and what is none is told."""

from fractions import Fraction
from pathlib import Path

import pytest
import torch

from pellucid.errors import PellucidError
from pellucid.reel import Frame, frames, is_video, written

av = pytest.importorskip("av", reason="PyAV is not installed")


def make(path: Path, count: int = 4, size: tuple[int, int] = (24, 32)) -> Path:
    """Grey frames, each lighter than the one before, the third of them late."""
    with written(path, "about it") as put:
        for number in range(count):
            pixels = torch.full((3, *size), 40 + 40 * number, dtype=torch.uint8)
            put(Frame(pixels, Fraction(number + (number > 2), 8)))
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    found = list(frames(make(tmp_path / "a.mp4")))
    assert [frame.time for _, frame in found] == [0, Fraction(1, 8), Fraction(1, 4), Fraction(1, 2)]
    shades = [float(frame.pixels.float().mean()) for _, frame in found]
    assert shades == pytest.approx([40, 80, 120, 160], abs=4)
    assert found[0][1].pixels.shape == (3, 24, 32)
    assert found[-1][0] == 4
    with av.open(str(tmp_path / "a.mp4")) as opened:
        assert opened.metadata["comment"] == "about it"
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_an_odd_row_is_left_out(tmp_path: Path) -> None:
    (_, frame), *_ = frames(make(tmp_path / "a.mp4", size=(25, 33)))
    assert frame.pixels.shape == (3, 24, 32)


def test_what_is_interrupted_leaves_nothing(tmp_path: Path) -> None:
    for error in (KeyboardInterrupt, PellucidError):
        with pytest.raises(error), written(tmp_path / "a.mp4", "") as put:
            put(Frame(torch.zeros(3, 8, 8, dtype=torch.uint8), Fraction(0)))
            raise error
    with pytest.raises(PellucidError, match="at least 2 x 2"), written(tmp_path / "a.mp4", "") as p:
        p(Frame(torch.zeros(3, 1, 8, dtype=torch.uint8), Fraction(0)))
    assert not list(tmp_path.iterdir())


def test_a_video_without_frames(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "sound.mp4"), "w") as opened:
        opened.add_stream("aac", rate=44100)
        stream = opened.streams.audio[0]
        silence = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
        for plane in silence.planes:
            plane.update(bytes(plane.buffer_size))
        silence.sample_rate, silence.pts = 44100, 0
        for packet in [*stream.encode(silence), *stream.encode()]:
            opened.mux(packet)
    with pytest.raises(PellucidError, match="has no video in it"):
        next(frames(tmp_path / "sound.mp4"))
    (tmp_path / "text.mp4").write_text("no video at all")
    with pytest.raises(PellucidError, match="cannot be read as a video"):
        next(frames(tmp_path / "text.mp4"))
    with pytest.raises(PellucidError, match="no video"):
        next(frames(tmp_path / "none.mp4"))
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(PellucidError, match="empty"):
        next(frames(tmp_path / "empty.mp4"))
    with av.open(str(tmp_path / "blank.avi"), "w") as opened:
        stream = opened.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
        opened.start_encoding()
    with pytest.raises(PellucidError, match=r"no video in it|without a frame"):
        next(frames(tmp_path / "blank.avi"))
    with pytest.raises(PellucidError, match="no frame"), written(tmp_path / "none.mp4", ""):
        pass


def test_names_of_videos() -> None:
    assert is_video("a/b.MP4") and is_video(Path("x.mov"))
    assert not is_video("cat.gif") and not is_video("photo:cat") and not is_video(3)
