"""The first files of a dataset of one's own, and that `check` takes them when filled in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from amsf.command.__main__ import main
from amsf.skeleton.joints import layout_of
from amsf.skeleton.recordings import Recording, SkeletonSet

ROOT = Path(__file__).parents[2]
LABELS = ["wave, both hands", "bow", "kick", "sit down", "jump"]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("benchmarks:\n")
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / ".gitignore").write_text("/data/settings/\n")
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    try:
        main(words)
    except SystemExit:
        return capsys.readouterr().err
    return capsys.readouterr().out


def recordings() -> SkeletonSet:
    """A standing person who does nothing, twice a class, by two subjects."""
    layout = layout_of("kinect20")
    pose = np.random.default_rng(0).normal(0, 0.1, (2 * len(LABELS), 1, 9, len(layout), 3))
    items = [
        Recording(joints, f"r{i}", label=i % len(LABELS), subject=1 + i // len(LABELS))
        for i, joints in enumerate(pose.astype(np.float32))
    ]
    return SkeletonSet.from_recordings(items, layout="kinect20", dataset="mine")


def test_from_nothing_to_a_check_that_passes(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = told(capsys, "new-dataset", "mine", *LABELS)
    assert Path("data/classes/mine.csv").read_text().splitlines()[:2] == [
        "id,label,persons",
        '0,"wave, both hands",1',
    ]
    assert "/data/external/mine/skeletons.*" in (project / ".gitignore").read_text()
    (line,) = (line for line in out.splitlines() if line.startswith("  mine-u1: "))
    Path("params.yaml").write_text(f"benchmarks:\n{line}\n")
    assert "data/external/mine/skeletons.safetensors: no such file" in told(capsys, "check")
    recordings().save(project / "data/external/mine/skeletons.safetensors")
    assert "train_subjects.txt: the list is empty" in told(capsys, "check")
    Path("data/external/mine/train_subjects.txt").write_text("1\n")
    assert told(capsys, "check") == (
        "mine-u1: by its own `set`, split.kind is random instead of listed, model.views is "
        "[lb] instead of [lb, MAad, MAmd, LLMad, LLMmd]\n"
        "mine-u1: all that a run needs is there\n"
    )


def test_rows_that_are_not_filled_in(capsys: pytest.CaptureFixture[str]) -> None:
    out = told(capsys, "new-dataset", "mine")
    Path("params.yaml").write_text(
        "benchmarks:\n" + next(line for line in out.splitlines() if line.startswith("  mine-"))
    )
    assert "class 0 is still called 'LABEL OF CLASS 0'" in told(capsys, "check")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["Mine"], "expected a name of lower-case letters"),
        (["utd27"], "utd27 is a dataset of this project"),
        (["mine", "wave", "bow"], "expected three or more labels"),
        (["mine", "wave", "bow", "bow "], "expected three or more labels, each another text"),
    ],
)
def test_what_is_refused(
    words: list[str], expected: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert expected in told(capsys, "new-dataset", *words)
    assert not (project / "data").exists()


def test_nothing_is_overwritten(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = project / "data/texts/mine/lb.csv"
    texts.parent.mkdir(parents=True)
    texts.write_text("mine")
    assert "data/texts/mine/lb.csv: there already" in told(capsys, "new-dataset", "mine", *LABELS)
    assert texts.read_text() == "mine"
    assert not (project / "data/classes").exists()


def test_outside_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dvc.yaml").unlink()
    assert "no project (params.yaml and dvc.yaml)" in told(capsys, "new-dataset", "mine", *LABELS)
