"""The first files of a dataset of one's own, and that `check` takes them when filled in."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from amsf.base.tables import csv_text
from amsf.command.__main__ import main
from amsf.dataset.classes import load_classes
from amsf.settings.params import load_params
from amsf.skeleton.joints import layout_of
from amsf.skeleton.recordings import Recording, SkeletonSet
from amsf.text.descriptions import load_texts

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
    """A standing person who does nothing, two takes of each class by two subjects."""
    layout = layout_of("kinect20")
    pose = np.random.default_rng(0).normal(0, 0.1, (4 * len(LABELS), 1, 9, len(layout), 3))
    items = [
        Recording(joints, f"r{i}", label=i % len(LABELS), subject=1 + i // (2 * len(LABELS)))
        for i, joints in enumerate(pose.astype(np.float32))
    ]
    return SkeletonSet.from_recordings(items, layout="kinect20", dataset="mine")


WORDS = """label,description,description2
wave,to greet,The hand goes from side to side.
bow,to greet deeply,
kick,to hit a ball,One leg swings.
"""


def test_from_nothing_to_a_check_that_passes(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = told(capsys, "new-dataset", "mine", *LABELS)
    assert "added to params.yaml: benchmark mine-u1, with 1 of 5 classes unseen" in out
    assert Path("data/classes/mine.csv").read_text().splitlines()[:2] == [
        "id,label,persons",
        '0,"wave, both hands",1',
    ]
    assert "/data/external/mine/skeletons.*" in (project / ".gitignore").read_text()
    assert "data/external/mine/skeletons.safetensors: no such file" in told(capsys, "check")
    recordings().save(project / "data/external/mine/skeletons.safetensors")
    assert "write the training subjects into data/external/mine" in told(capsys, "check")
    Path("data/external/mine/train_subjects.txt").write_text("1\n")
    assert told(capsys, "check") == (
        "mine-u1: by its own `set`, split.kind is random instead of listed, model.aligner is "
        "prototypes instead of vae, model.views is [lb] instead of [lb, MAad, MAmd, LLMad, LLMmd]\n"
        "mine-u1: all that a run needs is there\n"
    )


def test_words_become_views(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As they do where unseen classes are added by words."""
    (project / "words.csv").write_text(WORDS)
    told(capsys, "new-dataset", "mine", "--classes", "words.csv", "--one-person")
    texts = {view: list(table["text"]) for view, table in load_texts("mine").items()}
    assert texts == {
        "lb": ["wave", "bow", "kick"],
        "MAad": ["to greet", "to greet deeply", "to hit a ball"],
        "MAmd": ["The hand goes from side to side.", "to greet deeply", "One leg swings."],
    }
    entry, settings = load_params().benchmark("mine-u1"), load_params().for_benchmark("mine-u1")
    assert (entry.features, entry.unseen, entry.splits) == ("motion", 1, 40)
    assert settings.model.views == ("lb", "MAad", "MAmd")
    assert settings.backbone.partition == "recording"


@pytest.mark.parametrize("by_file", [False, True])
def test_labels_that_spreadsheets_would_run_read_back_the_same(
    project: Path, capsys: pytest.CaptureFixture[str], by_file: bool
) -> None:
    labels = ["=cmd()", "@sum, twice", "'=quoted", "-5", "bow"]
    words = pd.DataFrame({"label": labels, "description": ["=You do it.", *4 * ["You do."]]})
    (project / "words.csv").write_text(csv_text(words))
    told(capsys, "new-dataset", "mine", *(["--classes", "words.csv"] if by_file else labels))
    for path in Path("data").glob("*/**/*.csv"):
        for row in csv.reader(io.StringIO(path.read_text())):
            assert all(cell[0] not in "=@+-" or cell == "-5" for cell in row), path
    assert load_classes("mine")["label"].tolist() == labels
    texts = load_texts("mine")
    assert texts["lb"]["text"].tolist() == labels
    assert not by_file or texts["MAad"]["text"][0] == "=You do it."


def test_an_unseen_class_has_another_beside_it_where_there_are_six(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, count, unseen in (("five", 5, 1), ("six", 6, 2), ("ten", 10, 2), ("many", 15, 3)):
        labels = [f"action {number}" for number in range(count)]
        assert f"benchmark {name}-u{unseen}," in told(capsys, "new-dataset", name, *labels)


def test_it_is_written_anew_on_request(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "words.csv").write_text(WORDS)
    told(capsys, "new-dataset", "mine", "--classes", "words.csv")
    told(capsys, "new-dataset", "mine2", "a", "b", "c")
    params = (project / "params.yaml").read_text()
    assert "there already" in told(capsys, "new-dataset", "mine", *LABELS)
    assert (project / "params.yaml").read_text() == params
    told(capsys, "new-dataset", "mine", *LABELS, "turn", "--replace")
    assert list(load_params().benchmarks) == ["mine-u2", "mine2-u1"]
    assert list(load_texts("mine")) == ["lb"]
    assert len(load_classes("mine")) == 6


def test_words_and_labels_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    said = told(capsys, "new-dataset", "mine", "bow", "--classes", "words.csv")
    assert "labels stand in the command or in the file of --classes" in said


def test_rows_that_are_not_filled_in(capsys: pytest.CaptureFixture[str]) -> None:
    assert "what the classes are called" in told(capsys, "new-dataset", "mine")
    assert "class 0 is still called 'LABEL OF CLASS 0'" in told(capsys, "check")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["Mine"], "expected a name of lower-case letters"),
        (["utd27"], "utd27 is a dataset of this project"),
        (["mine", "wave", "bow"], "expected three or more labels"),
        (["mine", "wave", "bow", "bow "], "expected three or more labels, each another text"),
        (["mine", "wave", "bow", " "], "expected three or more labels, each another text"),
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
