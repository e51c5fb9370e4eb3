"""docs/own_data.md as a new user follows it: its five commands, on recordings of several kinds.

They are run in this process, and for `dvc repro` the benchmark's stages in their order: DVC starts
a process for each (tests/pipeline/test_pipeline.py), which takes the time of all else together.
"""

from __future__ import annotations

import itertools
import json
import re
import shlex
from collections import Counter
from importlib import import_module
from pathlib import Path
from shutil import copy, copytree

import pandas as pd
import pytest
import yaml
from dvc.utils.hydra import apply_overrides

from amsf.command.__main__ import main
from amsf.skeleton.partition import LIST_NAME
from amsf.skeleton.recordings import FILE_NAME, SkeletonSet
from tests.support.own_clips import PEOPLE, write_bvh, write_pyskl

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/own_data.md").read_text()
FIVE, OTHERS, *_ = (
    [re.split(r"\s{2,}#", line)[0].strip() for line in block.splitlines()]
    for block in re.findall(r"(?:^ {4}(?:amsf|dvc) .*\n)+", PAGE, re.MULTILINE)
)
KEY, SOURCE = "mine-u2", Path("data/external/mine")
LABELS = (
    "wave both hands", "clap the hands", "raise both arms overhead", "squat",
    "squat with both arms raised", "walk in place", "walk in place with both arms raised",
    "kick forward with the right foot",
)  # fmt: skip
NEW = "bow"
STAGES = [
    name
    for name in yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    if name not in ("simulate", "summarize")  # the demo's recordings, the page on all benchmarks
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone without the demo, in which little is computed, with words beside it."""
    for name in ("params.yaml", "dvc.yaml", ".gitignore"):
        copy(ROOT / name, tmp_path)
    for name in ("data/classes", "data/texts/demo"):
        copytree(ROOT / name, tmp_path / name)
    small = ["compute.jobs=1", "compute.device=cpu", "train.seeds=[0]", "evaluate.baselines=[]"]
    apply_overrides(tmp_path / "params.yaml", ["~benchmarks.demo-u8", *small])
    monkeypatch.setattr("amsf.command.new_dataset.SPLITS", 6)
    monkeypatch.setattr("amsf.pack.formats.cpu_count", lambda: 1)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_words(path: Path, labels: tuple[str, ...]) -> None:
    """What the demo's texts say of its classes, as a user's words."""
    ids = pd.read_csv("data/classes/demo.csv").set_index("label")["id"].loc[list(labels)]
    texts = {
        column: pd.read_csv(f"data/texts/demo/{view}.csv").set_index("id")["text"].loc[ids].tolist()
        for column, view in (("description", "MAad"), ("description2", "MAmd"))
    }
    pd.DataFrame({"label": labels, **texts}).to_csv(path, index=False)


def follow(commands: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run the commands; what the last one prints."""
    for line in commands:
        capsys.readouterr()
        name, *words = shlex.split(line)
        if line == "dvc repro":
            for stage in STAGES:
                run = import_module(f"stages.{stage}").main
                run(KEY) if run.__code__.co_argcount else run()
        else:
            assert name == "amsf"
            main(words)
    return capsys.readouterr().out


def zsl() -> float:
    """Mean accuracy on the unseen classes over the splits, percent."""
    summary = json.loads(Path(f"metrics/many_splits/{KEY}/summary.json").read_text())
    assert summary["about"]["splits"] == 6
    return float(summary["methods"]["prototypes"]["zsl"]["mean"])


def test_there_are_five_commands() -> None:
    assert [line.split()[:2] for line in FIVE] == [
        ["amsf", "new-dataset"], ["amsf", "pack"], ["dvc", "repro"], ["amsf", "splits"],
        ["amsf", "predict"],
    ]  # fmt: skip


def write_new_clip() -> None:
    """A clip of a class that there are words of alone."""
    write_words(Path("more_words.csv"), (NEW,))
    write_bvh(Path("new"), (NEW,))
    Path("new/dan/bow_01.bvh").rename("new_clip.bvh")


def is_named(told: str, label: str) -> bool:
    """Whether a class is among the answers, with its side and a probability."""
    return re.search(rf"^ +\d  {label} +unseen +\d+\.\d %$", told, re.MULTILINE) is not None


@pytest.mark.usefixtures("project")
def test_a_folder_of_bvh_files(capsys: pytest.CaptureFixture[str]) -> None:
    write_words(Path("words.csv"), LABELS)
    write_bvh(Path("clips"), LABELS)
    write_new_clip()
    told = follow(FIVE, capsys)
    assert zsl() > 70  # chance is 50
    assert is_named(told, NEW)
    packed = SkeletonSet.load(SOURCE / FILE_NAME)
    every = itertools.product(range(1, len(PEOPLE) + 1), range(len(LABELS)))
    assert Counter(zip(packed.subject, packed.label)) == dict.fromkeys(every, 2)  # takes
    assert (SOURCE / LIST_NAME).read_text().splitlines()[1:] == ["1  # anna", "3  # cleo"]


@pytest.mark.usefixtures("project")
def test_a_pickle_of_pyskl(capsys: pytest.CaptureFixture[str]) -> None:
    """The model, of Kinect's joints, reads a clip of another layout."""
    write_words(Path("words.csv"), LABELS)
    write_pyskl(Path("mine.pkl"), LABELS)
    write_new_clip()
    (pack,) = (line for line in OTHERS if "pyskl" in line)
    told = follow([FIVE[0], pack, *FIVE[2:]], capsys)
    assert zsl() > 70
    assert is_named(told, NEW)


@pytest.mark.usefixtures("project")
def test_the_pages_own_example(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("utkinect10.npz").symlink_to(data_dir / "utkinect/utkinect10.npz")
    words, more = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)
    Path("words.csv").write_text(words)
    Path("more_words.csv").write_text(more)
    (pack,) = (line for line in OTHERS if "utkinect10" in line)
    (predict,) = re.findall(r"^ {4}(amsf predict utkinect10.*)", PAGE, re.MULTILINE)
    told = follow([FIVE[0], pack, *FIVE[2:4], predict], capsys)
    assert zsl() > 65
    assert len(re.findall(r"^answer: ", told, re.MULTILINE)) == predict.count("--only")
