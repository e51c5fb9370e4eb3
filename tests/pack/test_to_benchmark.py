"""From a folder of BVH files and from a pickle of pyskl to the features of a benchmark."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from amsf.backbone.export import PhaseResult, export_features
from amsf.dataset.splits import make_split
from amsf.features.phases import find_folder, import_phase
from amsf.pack.__main__ import main
from amsf.settings.params import Settings
from amsf.skeleton.partition import LIST_NAME
from tests.pack.test_bvh import RIG, bvh, written_order
from tests.support.raw_files import moving

LABELS = ("wave", "hop", "bow", "kick", "turn", "clap")
SPLIT = make_split("mine", 6, [1], [4], kind="listed", where="test")
SETTINGS = Settings.model_validate({"compute": {"device": "cpu", "jobs": 1}})
SOURCE = Path("data/external/mine")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data/classes").mkdir(parents=True)
    rows = [f"{i},{label},1" for i, label in enumerate(LABELS)]
    Path("data/classes/mine.csv").write_text("\n".join(["id,label,persons", *rows]) + "\n")


def features() -> list[PhaseResult]:
    """The stage backbone; both phases' features are such as the later stages read."""
    results = export_features(SOURCE, SPLIT, SETTINGS, Path("out"), kind="motion")
    for phase in ("test", "val"):
        sets = import_phase(find_folder(Path("out"), SPLIT, phase), SPLIT, phase, gated=True)
        assert sets["train"].features.shape[1] == 318
    return results


def test_a_folder_of_bvh_files() -> None:
    """Each class moves a joint of its own."""
    rng = np.random.default_rng(0)
    joints = ("LeftArm", "LeftUpLeg", "Spine", "RightUpLeg", "Head", "RightForeArm")
    train = []
    for label, joint in zip(LABELS, joints):
        folder = Path("clips") / label
        folder.mkdir(parents=True)
        for i in range(8):
            motion = rng.normal(scale=0.5, size=(30, 3 + 3 * len(RIG)))
            motion[:, :3] = 0
            column = 3 + 3 * written_order().index(joint)
            motion[:, column] += 60 * np.sin(np.arange(30) / 4 + rng.uniform(0, 1))
            (folder / f"{label}{i}.bvh").write_text(bvh(motion))
            train += [f"{label}{i}"] if i < 5 else []
    main(["--format", "bvh", "clips", "--out", str(SOURCE), "--jobs", "1"])
    (SOURCE / LIST_NAME).write_text("\n".join(train))
    assert all(result.accuracy > 0.8 for result in features())


def test_a_pickle_of_pyskl(capsys: pytest.CaptureFixture[str]) -> None:
    """2-D poses of COCO; the file says which recordings train."""
    items, train = [], []
    layout_joints = 17
    for label in range(6):
        for i in range(8):
            joints = moving("coco17", 20, seed=8 * label + i)[:, :layout_joints, :2]
            joints[:, 9 if label % 2 else 10, 1] += 0.2 * np.sin(np.arange(20) * (label + 1) / 4)
            places = (100 * (3 - joints))[None].astype(np.float32)
            score = np.ones(places.shape[:3], np.float32)
            items.append({"frame_dir": f"c{label}_{i}", "label": label, "keypoint": places,
                          "keypoint_score": score, "total_frames": 20})  # fmt: skip
            train += [f"c{label}_{i}"] if i < 5 else []
    Path("mine.pkl").write_bytes(pickle.dumps({"split": {"train": train}, "annotations": items}))
    main(["--format", "pyskl", "mine.pkl", "--out", str(SOURCE), "--flat", "--jobs", "1"])
    said = capsys.readouterr()
    assert "mended in 48 recordings: 2-D poses taken as asked: depth 0" in said.out
    assert "30 training recordings, as the files say" in said.err
    assert [result.tested > 0 for result in features()] == [True, True]
