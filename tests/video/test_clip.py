"""Videos as they are decoded: size, speed, order of colours, and the way they are held."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from amsf.base.errors import InputError
from amsf.video import clip
from amsf.video.clip import Clip
from tests.support.pose_model import write_clip

pytest.importorskip("cv2", reason="requirements-video.txt is not installed")


def colours(height: int = 48, width: int = 64) -> list[np.ndarray]:
    """Three frames, red above and blue below, that grow lighter."""
    frames = np.zeros((3, height, width, 3), np.uint8)
    frames[:, : height // 2, :, 0] = frames[:, height // 2 :, :, 2] = 200
    frames[..., 1] = np.array([0, 40, 80])[:, None, None]
    return list(frames)


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_frames_are_those_that_were_written(tmp_path: Path, suffix: str) -> None:
    path = write_clip(tmp_path / f"a{suffix}", colours(), fps=25.0)
    opened = Clip.open(path)
    assert (opened.frames, opened.fps) == (3, 25.0)
    found = list(opened)
    assert len(found) == 3
    for frame, written in zip(found, colours()):
        assert frame.dtype == np.uint8
        np.testing.assert_allclose(frame[::8, ::8].astype(int), written[::8, ::8], atol=30)


def test_a_phone_that_was_held_upright(tmp_path: Path) -> None:
    """Its frames lie on their side, and a matrix in the track's header says how to turn them."""
    path = write_clip(tmp_path / "phone.mp4", colours())
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 4 + 40  # version, flags, times, track, duration, layer, volume
    one = 1 << 16
    assert struct.unpack_from(">9i", content, at) == (one, 0, 0, 0, one, 0, 0, 0, 1 << 30)
    struct.pack_into(">9i", content, at, 0, one, 0, -one, 0, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    (first, *_) = Clip.open(path)
    assert first.shape == (64, 48, 3)
    # A quarter turn clockwise takes what is above to the right.
    assert first[:, 30:].mean((0, 1)).argmax() == 0
    assert first[:, :18].mean((0, 1)).argmax() == 2


@pytest.mark.parametrize("content", [b"", b"junk" * 100, b"\0\0\0\x18ftypmp42" + bytes(500)])
def test_what_is_no_video_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.mp4: it cannot be opened as a video; expected"):
        Clip.open(path)


def test_pictures_too_large_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip, "MOST_PIXELS", 48 * 64 - 1)
    path = write_clip(tmp_path / "a.mp4", colours())
    with pytest.raises(InputError, match=r"a\.mp4: pictures of 64 x 48; expected at most"):
        Clip.open(path)


def test_a_playlist_under_the_name_of_a_video_leads_nowhere(tmp_path: Path) -> None:
    """FFmpeg knows formats that name other files."""
    write_clip(tmp_path / "real.mp4", colours())
    for content in (
        f"ffconcat version 1.0\nfile '{tmp_path}/real.mp4'\n",
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{tmp_path}/real.mp4\n#EXT-X-ENDLIST\n",
    ):
        path = tmp_path / "list.mp4"
        path.write_text(content)
        with pytest.raises(InputError, match=r"list\.mp4: it cannot be opened"):
            Clip.open(path)
