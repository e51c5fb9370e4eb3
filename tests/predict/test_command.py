"""The command line of prediction: table, JSON, animation, and what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from amsf.base.artifacts import EXAMPLES
from amsf.command.examples import example_recordings
from amsf.pack.npz import write
from amsf.predict.__main__ import Predictor, main, scene_of
from amsf.skeleton.joints import layout_of
from amsf.skeleton.recordings import SkeletonSet
from tests.support import own_clips
from tests.support.raw_files import one_body, write_ntu
from tests.support.small_project import KEY

ROOT = Path(__file__).parents[2]
SKELETONS = "data/simulated/demo/skeletons.safetensors"


@pytest.fixture
def clip(demo_project: Path, tmp_path: Path) -> Path:
    """Two recordings in one .npz file."""
    path = tmp_path / "clip.npz"
    write(path, SkeletonSet.load(SKELETONS).subset([3, 200]))
    return path


def call(
    capsys: pytest.CaptureFixture[str], arguments: Sequence[object], code: int = 0
) -> tuple[str, str]:
    """Run the command line; returns stdout and stderr."""
    try:
        main([*map(str, arguments), "--benchmark", KEY])
        found = 0
    except SystemExit as error:
        found = int(str(error.code))
    out, err = capsys.readouterr()
    assert found == code, err
    return out, err


def test_the_table(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = call(capsys, [clip, "--top", 3])
    assert err == ""
    head, first, second = out.rstrip("\n").split("\n\n")
    assert head == "demo-u8 was trained on simulated recordings."
    predictions = Predictor.load(KEY).predict(clip)
    for block, prediction in zip((first, second), predictions):
        title, answer, names, *rows = block.split("\n")
        assert title == f"{clip}: {prediction.recording}"
        side = "seen" if prediction.answer.seen else "unseen"
        told = f"answer: {prediction.answer.label} ({side}); P(unseen) "
        assert answer == f"{told}{100 * prediction.unseen_probability:.1f} %"
        assert names.split() == ["rank", "class", "side", "probability"]
        for rank, row in enumerate(rows[:3], start=1):
            score = prediction.classes[rank - 1]
            assert row.startswith(f"{rank:>4}  {score.label}")
            assert row.endswith(f"{100 * score.probability:.1f} %")
            assert row.index(" %") == rows[0].index(" %")  # aligned
        best = max(prediction.classes, key=lambda s: s.probability)
        assert len(rows) == (3 if best == prediction.answer else 4)


def test_an_answer_that_is_not_the_most_probable_class_says_so(
    demo_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = call(capsys, [SKELETONS, "--top", 1])
    blocks = [block.split("\n") for block in out.strip().split("\n\n")[1:]]
    predictions = Predictor.load(KEY).predict(SKELETONS)
    explained = 0
    for lines, prediction in zip(blocks, predictions, strict=True):
        best = max(prediction.classes, key=lambda s: s.probability)
        if best != prediction.answer:
            assert f"the most probable single class is '{best.label}'" in lines[-1]
            explained += 1
        else:
            assert len(lines) == 4
    assert explained > 0


def test_json_alone(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = call(capsys, [clip, "--json"])
    told = json.loads(out)
    assert told["trained_on_simulated_recordings"] is True
    assert told["failed"] == []
    for row, prediction in zip(told["predictions"], Predictor.load(KEY).predict(clip), strict=True):
        assert (row["file"], row["recording"]) == (str(clip), prediction.recording)
        assert row["answer"]["id"] == row["classes"][0]["id"] == prediction.answer.id
        assert len(row["classes"]) == 59
        assert sum(c["probability"] for c in row["classes"]) == pytest.approx(1)
    out, _ = call(capsys, [clip, "--json", "--top", 2])
    assert [len(row["classes"]) for row in json.loads(out)["predictions"]] == [2, 2]


def test_classes_by_words(clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "own.csv"
    own.write_text("label,description\nmoonwalk,the feet glide backwards over the floor\n")
    out, _ = call(capsys, [clip, "--json", "--classes", own])
    for row in json.loads(out)["predictions"]:
        (score,) = [c for c in row["classes"] if c["label"] == "moonwalk"]
        assert (score["id"], score["seen"]) == (59, False)
    _, err = call(capsys, [clip, "--classes", tmp_path / "none.csv"], code=1)
    assert err.startswith("error: ")
    assert "none.csv: no such file; expected the columns label" in err


def test_a_broken_file_is_named_and_the_others_go_on(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    joints = np.asarray(SkeletonSet.load(SKELETONS)[9][0])
    good = write_ntu(tmp_path / "own_name.skeleton", one_body(joints))
    broken = tmp_path / "broken.skeleton"
    broken.write_text("\n".join(good.read_text().split("\n")[:40]))
    strange = tmp_path / "clip.c3d"
    strange.write_bytes(b"RIFF")
    other = tmp_path / "kinect20.npz"
    kinect20 = layout_of("kinect20")
    pose = np.zeros((4, 20, 3))
    for row, name in enumerate(kinect20.joints):
        pose[:, row] = (0.1, {"head": 1.6, "shoulder_center": 1.4, "spine": 1.1}.get(name, 0.9), 3)
    pose[:, [kinect20.index("left_foot"), kinect20.index("right_foot")], 1] = 0
    np.savez(
        other,
        joints=pose,
        offset=np.array([0, 4]),
        names=np.array(["a"]),
        joint_names=np.array(kinect20.joints),
        label=np.array([-1]),
    )
    files = [broken, strange, other, tmp_path / "gone.mat", good, clip]
    out, err = call(capsys, [*files, "--json"], code=1)
    told = json.loads(out)
    assert [row["recording"] for row in told["predictions"]] == [
        "own_name",
        *(p.recording for p in Predictor.load(KEY).predict(clip)),
    ]
    failed = {Path(item["file"]).name: item["reason"] for item in told["failed"]}
    assert set(failed) == {"broken.skeleton", "clip.c3d", "kinect20.npz", "gone.mat"}
    assert "no reader for '.c3d' files" in failed["clip.c3d"]
    assert "20 joints are those of kinect20" in failed["kinect20.npz"]
    assert failed["gone.mat"] == "no such file"
    assert err.count("error: ") == 4
    assert str(broken) in err


def test_a_reason_that_holds_for_many_files_is_told_once(
    demo_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rig of these BVH files lacks joints that the demo looks at."""
    own_clips.write_bvh(tmp_path, ["bow"])
    files = sorted(tmp_path.glob("*/*.bvh"))
    out, err = call(capsys, [tmp_path, tmp_path / "gone.mat", "--json"], code=1)
    lacking, gone = err.splitlines()
    assert lacking.startswith(f"error: 8 files ({', '.join(map(str, files))}): the 22 joints are ")
    assert "lack left_hand_tip, left_thumb, right_hand_tip, right_thumb of kinect25" in lacking
    assert gone == f"error: {tmp_path / 'gone.mat'}: no such file"
    assert len(json.loads(out)["failed"]) == 9


def test_a_broken_recording_among_good_ones_of_a_file(
    demo_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    three = SkeletonSet.load(SKELETONS).subset([0, 1, 2])
    path = tmp_path / "three.npz"
    write(path, three)
    with np.load(path) as file:
        arrays = dict(file)
    arrays["joints"][3, 4, 0] = np.nan  # lost, and filled
    arrays["joints"][arrays["offset"][1] + 3, 4, 0] = 1e30
    np.savez(path, **arrays)
    out, err = call(capsys, [path, "--json"], code=1)
    told = json.loads(out)
    assert [p["recording"] for p in told["predictions"]] == [three.names[0], three.names[2]]
    assert f"error: {path}: recording '{three.names[1]}': frame 3, joint 4: a coordinate" in err
    assert f"note: {path}: {three.names[0]}: lost joints (zeros or NaN) filled\n" in err


def test_nothing_readable(demo_project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = call(capsys, ["none.npz"], code=1)
    assert out == ""
    assert err == "error: none.npz: no such file\n"


def test_the_animation(clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "out.gif"
    call(capsys, [clip, "--gif", path])
    with Image.open(path) as gif:
        assert gif.format == "GIF"
        assert getattr(gif, "n_frames") > 50  # noqa: B009
    _, err = call(capsys, [clip, "--gif", tmp_path / "out.mp4"], code=1)
    assert "give a name that ends in .gif" in err


@pytest.mark.parametrize("option", ["--gif", "--page", "--csv"])
def test_a_file_of_another_kind_is_refused(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    out, err = call(capsys, [clip, option, tmp_path / "out.pdf"], code=1)
    assert out == ""
    assert "out.pdf: " in err
    assert "give a name that ends in ." in err


@pytest.mark.parametrize("words", [False, True])
def test_what_is_read_is_not_replaced(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: bool
) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("label,description\nhop,You hop on one leg.\n")
    read = [clip, "--classes", path] if words else [clip, path]
    out, err = call(capsys, [*read, "--csv", tmp_path / "." / "mine.csv"], code=1)
    assert out == ""
    assert err == f"error: {path}: --csv would replace what is read; name another\n"
    assert path.read_text().startswith("label,description")


def test_a_folder_in_lines_rows_and_a_page(
    demo_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = SkeletonSet.load(SKELETONS)
    folder = tmp_path / "clips"
    (folder / "more").mkdir(parents=True)
    for i in range(11):
        part = packed.subset([20 * i])
        write(folder / ("more" if i > 8 else "") / f"{'=x' if i == 3 else ''}{i:02d}.npz", part)
    (folder / "README.md").write_text("mine")
    table, page = tmp_path / "out.csv", tmp_path / "out.html"
    out, err = call(capsys, [folder, "--csv", table, "--page", page])
    assert err == f"note: {folder}: left out, being no recordings: README.md\n"
    files = [*sorted(folder.glob("*.npz")), *sorted(folder.glob("more/*.npz"))]
    known = [Predictor.load(KEY).predict(file)[0] for file in files]
    _, head, *lines = out.rstrip("\n").replace("\n\n", "\n").split("\n")
    assert head.split() == ["probability", "P(unseen)", "side", "answer", "recording"]
    rows = pd.read_csv(table)
    assert list(rows) == [
        *("file", "recording", "answer", "side", "probability", "unseen_probability"),
    ]
    for line, (_, row), file, p in zip(lines, rows.iterrows(), files, known, strict=True):
        side = "seen" if p.answer.seen else "unseen"
        assert line.split()[::2][:2] == [
            f"{100 * p.answer.probability:.1f}", f"{100 * p.unseen_probability:.1f}",
        ]  # fmt: skip
        assert f" {side} " in line
        assert line.endswith(f"{file}: {p.recording}")
        assert (row["file"], row["recording"]) == (str(file), p.recording)
        assert (row["answer"], row["side"]) == (p.answer.label, side)
        assert row["probability"] == pytest.approx(p.answer.probability, abs=1e-6)
        assert row["unseen_probability"] == pytest.approx(p.unseen_probability, abs=1e-6)
    assert page.read_text(encoding="utf-8").count("<article") == 11
    # With a number of classes, each is shown in full.
    out, _ = call(capsys, [folder, "--top", 1])
    assert out.count("answer: ") == 11


def test_a_folder_without_recordings(
    demo_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "none").mkdir()
    page = tmp_path / "out.html"
    out, err = call(capsys, [tmp_path / "none", "--page", page], code=1)
    assert out.strip() == ""
    assert err.startswith(f"error: {tmp_path / 'none'}: no recording in it; expected ")
    assert err.count("\n") == 1
    assert not page.exists()


def test_the_reasons(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = call(capsys, [clip, "--json", "--why"])
    told = Predictor.load(KEY).predict(clip, why=True)
    text, _ = call(capsys, [clip, "--why"])
    for row, prediction in zip(json.loads(out)["predictions"], told, strict=True):
        why = prediction.why
        assert why is not None
        assert row["why"]["answer_cosine"] == pytest.approx(why.cosine, abs=1e-6)
        assert len(row["why"]["nearest_seen"]) == 51
        assert row["why"]["nearest_seen"][0]["label"] == why.nearest[0].label
        assert [one["view"] for one in row["why"]["views"] if one["agrees"]] == why.agreeing
        assert f"nearest seen classes by words: {why.nearest[0].label} " in text
        assert f"views that agree: {len(why.agreeing)} of 2" in text
    out, _ = call(capsys, [clip, "--json"])
    assert all("why" not in row for row in json.loads(out)["predictions"])


def test_the_title_of_the_animation(clip: Path) -> None:
    recording = SkeletonSet.load(SKELETONS).recording(3)
    (prediction,) = Predictor.load(KEY).predict_recordings([recording])
    answer = prediction.answer
    scene = scene_of(recording, prediction, simulated=False)
    assert scene.title == answer.label
    side = "seen" if answer.seen else "unseen"
    assert scene.subtitle == f"{side}, {100 * answer.probability:.0f} % · {recording.name}"
    assert "simulated" in scene_of(recording, prediction, simulated=True).subtitle


def test_top_must_be_positive(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, err = call(capsys, [clip, "--top", 0], code=2)
    assert "expected 1 or more" in err


def test_a_file_of_many_recordings(
    demo_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = SkeletonSet.load(SKELETONS).names
    out, _ = call(capsys, [SKELETONS, "--list"])
    head, *rows = out.splitlines()
    assert head == f"{SKELETONS}:"
    assert [row.split("(")[0].strip() for row in rows] == names
    assert rows[0].endswith(" frames, 1 person)")
    one = ["--only", names[7], "--only", names[3]]
    out, _ = call(capsys, [SKELETONS, "--json", *one])
    assert [p["recording"] for p in json.loads(out)["predictions"]] == [names[3], names[7]]
    out, _ = call(capsys, [SKELETONS, "--list", *one])
    assert len(out.splitlines()) == 3
    _, err = call(capsys, [SKELETONS, "--only", names[3] + "x"], code=1)
    assert f"no recording has this name; did you mean '{names[3]}'?" in err


def test_one_recording_of_a_folder_with_broken_ones(
    demo_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is said, and the exit status, are of what was asked for."""
    three = SkeletonSet.load(SKELETONS).subset([0, 1, 2])
    write(tmp_path / "three.npz", three)
    with np.load(tmp_path / "three.npz") as file:
        arrays = dict(file)
    arrays["joints"][arrays["offset"][1] + 3, 4, 0] = 1e30  # of the second
    arrays["joints"][arrays["offset"][2] + 3, 4, 0] = np.nan  # of the third: lost, and filled
    np.savez(tmp_path / "three.npz", **arrays)
    (tmp_path / "cut.npz").write_bytes(b"PK")
    (tmp_path / "README.md").touch()
    first, second, third = three.names
    out, err = call(capsys, [tmp_path, "--json", "--only", first])
    told = json.loads(out)
    assert [row["recording"] for row in told["predictions"]] == [first]
    assert told["failed"] == []
    assert err == ""
    _, err = call(capsys, [tmp_path, "--list", "--only", third])
    assert err == f"note: {tmp_path / 'three.npz'}: {third}: lost joints (zeros or NaN) filled\n"
    for name, reason in ((second, "frame 3, joint 4: a coordinate"), ("cut", "not a readable")):
        out, err = call(capsys, [tmp_path, "--json", "--only", name, "--only", first], code=1)
        assert len(json.loads(out)["predictions"]) == 1
        assert reason in err
        assert len(err.splitlines()) == 1
    # A recording that is nowhere may be in what cannot be read.
    out, err = call(capsys, [tmp_path, "--only", "fourth"], code=1)
    assert out == ""
    head, may, *unread = err.splitlines()
    there = f"{first}, {third}"
    assert head == f"error: --only fourth: no recording has this name; there are {there}"
    assert may == "It may be in what cannot be read:"
    assert [line.split(": ")[0] for line in unread] == [
        str(tmp_path / "cut.npz"), str(tmp_path / "three.npz"),
    ]  # fmt: skip


def test_listing_needs_no_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    main([str(ROOT / EXAMPLES / "recording.npz"), "--list"])
    assert len(capsys.readouterr().out.splitlines()) == 4
    with pytest.raises(SystemExit):
        main([str(tmp_path / "none.npz"), "--list"])
    assert capsys.readouterr().err == f"error: {tmp_path / 'none.npz'}: no such file\n"


def test_without_a_benchmark(demo_project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([SKELETONS])
    assert f"--benchmark is missing; name one of params.yaml, which has {KEY}" in (
        capsys.readouterr().err
    )


def test_from_another_folder(
    demo_project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The sample recording, as README uses it, with the project named."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / EXAMPLES)
    words = ["examples/recording.npz", "--project", demo_project, "--gif", "out.gif"]
    out, _ = call(capsys, [*words, "--json", "--classes", "examples/my_actions.csv"])
    answers = json.loads(out)["predictions"]
    assert [row["recording"] for row in answers] == list(example_recordings().names)
    for row in answers:
        assert {"squat and clap", "salute"} <= {c["label"] for c in row["classes"]}
    assert (tmp_path / "out.gif").is_file()


@pytest.mark.parametrize("size", [1e15, 3e38])
def test_coordinates_beyond_all_bodies_fail_alone(
    demo_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, size: float,
) -> None:  # fmt: skip
    """Where a reader lets them pass, JSON still is JSON and the other recording is named."""
    two = SkeletonSet.load(SKELETONS).subset([3, 200])
    path = tmp_path / "two.npz"
    write(path, two)
    extractor = type(Predictor.load(KEY).extractor)
    compute = extractor.compute

    def overflowing(self: Any, *given: Any) -> tuple[np.ndarray, np.ndarray]:
        features, logits = compute(self, *given)
        features[0, 0] = size
        return features, logits

    monkeypatch.setattr(extractor, "compute", overflowing)
    out, err = call(capsys, [path, "--json"], code=1)
    told = json.loads(out, parse_constant=pytest.fail)
    assert [row["recording"] for row in told["predictions"]] == [two.names[1]]
    assert "no finite scores" in told["failed"][0]["reason"]
    assert two.names[0] in err


@pytest.mark.parametrize("what", ["a folder", "below a file"])
def test_an_animation_that_cannot_be_written_is_told_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    target = tmp_path / "out.gif"
    if what == "a folder":
        target.mkdir()
    else:
        target.touch()
        target = target / "more.gif"
    out, err = call(capsys, ["nothing.npz", "--gif", target], code=1)
    assert out == ""
    assert err.startswith(f"error: {target}: could not be written")
    assert err.count("\n") == 1


def test_names_are_shown_without_control_characters(
    demo_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a\x1b[2J\u202e.npz"
    write(path, SkeletonSet.load(SKELETONS).subset([3]))
    out, _ = call(capsys, [path])
    assert r"a\x1b[2J\u202e.npz: " in out
    bad = tmp_path / "b\x1b[2J.npz"
    bad.write_bytes(b"no archive")
    _, err = call(capsys, [bad], code=1)
    assert r"b\x1b[2J.npz: " in err
    assert "\x1b" not in out + err


def test_transductive_answers_say_so(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = call(capsys, [SKELETONS, "--transductive", "--top", 1])
    assert "\n\nTransductive: each answer depends on all 236 recordings.\n\n" in out
    out, _ = call(capsys, [SKELETONS, "--transductive", "--json"])
    told = json.loads(out)
    assert told["transductive"] is True
    known = Predictor.load(KEY).predict(SKELETONS, transductive=True)
    assert [row["answer"]["id"] for row in told["predictions"]] == [p.answer.id for p in known]
    out, _ = call(capsys, [clip, "--json"])
    assert json.loads(out)["transductive"] is False
    recording = SkeletonSet.load(SKELETONS).recording(3)
    scene = scene_of(recording, known[3], simulated=False, transductive=True)
    assert scene.subtitle.endswith(" · transductive")


def test_one_recording_alone_has_no_others_to_be_told_by(
    demo_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "one.npz", SkeletonSet.load(SKELETONS).subset([3]))
    # The other file cannot be read, which is told too.
    files = [tmp_path / "one.npz", tmp_path / "gone.npz"]
    out, err = call(capsys, [*files, "--transductive"], code=1)
    assert out == ""
    assert "gone.npz: no such file" in err
    assert "one recording alone has no others to be told by" in err


def test_none_of_these_at_a_rate_that_is_named(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = json.loads(call(capsys, [SKELETONS, "--json"])[0])
    p_values = [one["p_value"] for one in plain["predictions"]]
    assert {one["none_of_these"] for one in plain["predictions"]} == {None}
    rate = float(np.quantile(p_values, 0.3))
    asked = json.loads(call(capsys, [SKELETONS, "--json", "--false-alarms", rate])[0])
    assert asked["false_alarms"] == rate
    told = [one["none_of_these"] for one in asked["predictions"]]
    assert told == [p <= rate for p in p_values]
    assert 0 < sum(told) < len(told)
    out, _ = call(capsys, [SKELETONS, "--top", 1, "--false-alarms", rate])
    for block, none, p in zip(out.strip().split("\n\n")[1:], told, p_values, strict=True):
        answer = block.split("\n")[1]
        assert answer.startswith("answer: none of these; else ") == none
        assert answer.endswith(f"; p-value {p:.3f}")
    predictor = Predictor.load(KEY)
    recording = SkeletonSet.load(SKELETONS).recording(told.index(True))
    (prediction,) = predictor.predict_recordings([recording])
    scene = scene_of(recording, prediction, simulated=False, false_alarms=rate)
    assert scene.title == "none of these"
    assert prediction.answer.label in scene.subtitle
    assert scene_of(recording, prediction, simulated=False).title == prediction.answer.label


def test_none_of_these_in_lines_csv_and_page(
    demo_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = tmp_path / "a.csv", tmp_path / "a.html"
    words = [SKELETONS, "--false-alarms", 0.5, "--csv", written[0], "--page", written[1]]
    out, _ = call(capsys, words)
    table = pd.read_csv(written[0])
    refused = table["p_value"] <= 0.5
    assert table["none_of_these"].tolist() == refused.tolist()
    assert 0 < refused.sum() < len(table)
    assert out.count("none of these, else ") == refused.sum()
    page = written[1].read_text()
    assert page.count("<h2>none of these</h2>") == refused.sum()
    call(capsys, [SKELETONS, "--csv", written[0]])
    assert "p_value" not in pd.read_csv(written[0])


@pytest.mark.parametrize("rate", ["0", "1", "nan", "-0.1"])
def test_a_rate_is_a_share(rate: str, clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, err = call(capsys, [clip, f"--false-alarms={rate}"], code=2)
    assert "expected a share between 0 and 1" in err


def test_a_class_must_not_be_called_like_a_refusal(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = tmp_path / "words.csv"
    words.write_text("label,description\nNone  of these,You do something else.\n")
    call(capsys, [clip, "--classes", words, "--json"])
    out, err = call(capsys, [clip, "--classes", words, "--false-alarms", "0.5"], code=1)
    assert out == ""
    assert err.startswith("error: --false-alarms 0.5: a class is called 'None of these', ")
    assert err.count("\n") == 1


def test_a_rate_finer_than_the_calibration_recordings_is_refused(
    clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, err = call(capsys, [clip, "--false-alarms", "1e-6"], code=1)
    assert "name a larger one" in err
