"""NTU RGB+D files, built to the published description."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from amsf.base.errors import InputError
from amsf.pack.formats import read_file
from amsf.pack.ntu import parse_name, read, read_bodies
from tests.support.raw_files import REST, ntu_lines, one_body, walk, write_ntu

NAME = "S003C002P017R001A043.skeleton"


def read_joints(path: Path) -> np.ndarray:
    """The (M, T, J, 3) joints of the one recording of a file, cleaned."""
    return read_file(path)[1][0].joints


def test_the_name_tells_setup_camera_performer_and_action() -> None:
    expected = {"label": 42, "subject": 17, "camera": 2, "setup": 3}
    assert parse_name("S003C002P017R001A043") == expected
    for other in ("S003C002P017R001A43", "S003C002P017R001A043_x", "s003c002p017r001a043", "x"):
        assert parse_name(other) is None


def test_a_recording_with_its_numbers(tmp_path: Path) -> None:
    joints = walk(7, 25)
    reading = read((write_ntu(tmp_path / NAME, one_body(joints)),))
    (recording,) = reading.recordings
    assert reading.layout == "kinect25"
    assert recording.name == "S003C002P017R001A043"
    assert recording.numbers == {"label": 42, "subject": 17, "camera": 2, "setup": 3}
    np.testing.assert_array_equal(recording.bodies[0].joints.astype("f"), joints)
    (unnamed,) = read((write_ntu(tmp_path / "mine.skeleton", one_body(joints)),)).recordings
    assert (unnamed.name, unnamed.numbers) == ("mine", {})


coordinates = st.floats(-8, 8, width=32).filter(lambda value: value == 0 or abs(value) > 1e-6)


@given(
    arrays(np.float32, st.tuples(st.integers(1, 3), st.just(25), st.just(3)), elements=coordinates)
)
def test_what_is_written_is_read(tmp_path_factory, joints: np.ndarray) -> None:
    path = write_ntu(tmp_path_factory.mktemp("ntu") / NAME, one_body(joints))
    (body,) = read_bodies(path)
    np.testing.assert_array_equal(body.joints.astype(np.float32), joints)


def test_the_second_person_may_be_missing_in_some_frames(tmp_path: Path) -> None:
    main, partner = walk(9, 25, size=0.2), walk(9, 25, seed=1)
    frames = one_body(main)
    for i in (2, 3, 4, 7, 8):
        # Ids one apart, as in real files: equal as doubles.
        frames[i] = {"72057594037931102": partner[i], **frames[i]}
    persons = read_joints(write_ntu(tmp_path / NAME, frames))
    np.testing.assert_array_equal(persons[0], main)
    np.testing.assert_array_equal(persons[1, [2, 3, 4, 7, 8]], partner[[2, 3, 4, 7, 8]])
    np.testing.assert_array_equal(persons[1, :2], partner[[2, 2]])
    halfway = (partner[4].astype(float) + (partner[7].astype(float) - partner[4]) / 3).astype("f")
    np.testing.assert_allclose(persons[1, 5], halfway, rtol=1e-6)


def test_of_three_bodies_the_two_that_move_most(tmp_path: Path) -> None:
    bodies = {"7": walk(9, 25, size=0.001), "8": walk(9, 25, size=0.05), "9": walk(9, 25, size=0.4)}
    frames = [{name: joints[i] for name, joints in bodies.items()} for i in range(9)]
    persons = read_joints(write_ntu(tmp_path / NAME, frames))
    np.testing.assert_array_equal(persons, np.stack([bodies["9"], bodies["8"]]))


def test_two_bodies_of_one_frame_are_two_even_with_one_id(tmp_path: Path) -> None:
    first, second = walk(4, 25, size=0.4), walk(4, 25, seed=1)
    lines = ntu_lines([{"7": first[i], "8": second[i]} for i in range(4)])
    path = tmp_path / NAME
    path.write_text(
        "\n".join("7" + line[1:] if line.startswith("8 0 ") else line for line in lines)
    )
    np.testing.assert_array_equal(read_joints(path), np.stack([first, second]))


def test_unused_values_spaces_and_line_ends_may_be_unusual(tmp_path: Path) -> None:
    joints = walk(3, 25)
    plain = "\n".join(ntu_lines(one_body(joints)))
    for text in (
        plain.replace("\n", "\r\n"),
        plain + "\n\n",
        plain.replace(REST, REST + " "),
        plain.replace(" ", "  "),
        plain.replace(REST, REST.replace("277.4", "-1.#IND"), 3),
        plain.replace(REST, REST.replace("277.4", "NaN"), 3),
    ):
        path = tmp_path / NAME
        path.write_bytes(text.encode())
        np.testing.assert_array_equal(read_joints(path), joints[None])


Change = Callable[[list[str]], list[str]]


def put(line: int, text: str) -> Change:
    return lambda lines: [*lines[: line - 1], text, *lines[line:]]


# A file of 4 frames: line 1 the frames; 2 bodies, 3 the body, 4 joints, 5-29 the joints; 30 ...
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: [], "the file is empty"),
        (lambda lines: ["", " ", ""], "the file is empty"),
        (lambda lines: lines[:60], r"cut short: the file ends in frame 2 of 4"),
        (lambda lines: lines[:57], r"cut short: the file ends in frame 2 of 4"),
        (lambda lines: lines[:56], r"cut short: the file ends in frame 1 of 4"),
        (lambda lines: lines[:50], r"cut short: the file ends in frame 1 of 4"),
        (lambda lines: lines[:32], r"cut short: the file ends in frame 1 of 4"),
        (lambda lines: lines[:1], r"cut short: the file ends in frame 0 of 4"),
        (lambda lines: [*lines, "1"], r"line 114: more text after the last of 4 frames"),
        (put(1, "four"), r"line 1 is 'four'; expected a number of frames"),
        (put(2, "-1"), r"line 2 is '-1' in frame 0 of 4; expected a number of bodies"),
        (put(4, "24"), r"line 4 says 24 joints in frame 0 of 4; expected 25"),
        (put(4, "25.0"), r"line 4 is '25.0' .* expected a number of joints"),
        (put(7, f"0.1 x.2 3.0 {REST}"), r"line 7: 'x.2' is not a number"),
        (put(35, f"0.1 1e999 3.0 {REST}"), r"line 35: '1e999' is not a finite number"),
        (put(8, f"0.1 0.2 {REST}"), r"line 8 has 11 values; expected 12"),
        (lambda lines: lines[:9] + lines[10:], r"line \d+ "),
        (
            lambda lines: put(9, f"0.1 0.2 3.0 4.0 {REST}")(put(8, f"0.1 0.2 {REST}")(lines)),
            r"line 8 has 11 values; expected 12",
        ),
    ],
)
def test_a_broken_file_says_where(tmp_path: Path, change: Change, message: str) -> None:
    path = tmp_path / NAME
    path.write_text("\n".join(change(ntu_lines(one_body(walk(4, 25))))))
    with pytest.raises(InputError, match=f"{NAME}: ({message})"):
        read_bodies(path)


def test_no_body_at_all_is_said(tmp_path: Path) -> None:
    for frames in ([], [{}, {}, {}]):
        with pytest.raises(InputError, match=f"{NAME}: no body in any frame"):
            read_joints(write_ntu(tmp_path / NAME, frames))
    joints = walk(3, 25)
    frames = [{}, *one_body(joints), {}]
    np.testing.assert_array_equal(read_joints(write_ntu(tmp_path / NAME, frames)), joints[None])


def test_the_last_joint_cut_in_the_middle_is_told(tmp_path: Path) -> None:
    path = write_ntu(tmp_path / NAME, one_body(walk(4, 25)))
    path.write_text(path.read_text()[:-12])
    with pytest.raises(InputError, match=r"line 113 has 1?[0-9] values; expected 12"):
        read_bodies(path)
