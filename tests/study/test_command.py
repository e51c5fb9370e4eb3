"""``python -m amsf.study``: what it writes and prints, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from amsf.demo.simulation import simulate
from amsf.skeleton.recordings import FILE_NAME
from amsf.study.__main__ import main
from amsf.text.features import TextFeatures
from tests.study.test_run import TEXT


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    simulate(subjects=4, repetitions=1).save(tmp_path / "recordings" / FILE_NAME)
    TextFeatures(TEXT, ("lb",), "minilm", "demo").save(tmp_path / "data/text_features/mine", {})
    entry = {"dataset": "demo", "unseen": 6, "source": "recordings", "features": "motion"}
    params = {
        "benchmarks": {"mine": entry},
        "model": {"aligner": "ridge", "views": ["lb"]},
        "evaluate": {"baselines": ["prototypes"]},
        "compute": {"device": "cpu", "jobs": 1},
    }
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    return tmp_path


def test_it_writes_a_table_and_prints_each_method(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["mine", "--splits", "1"])
    lines = capsys.readouterr().out.splitlines()
    summary = json.loads((project / "metrics/many_splits/mine/summary.json").read_text())["methods"]
    assert set(summary) == {"ridge", "prototypes"}
    zsl, H = (summary["ridge"][name]["mean"] for name in ("zsl", "H"))
    assert f"mine, class splits: 1, ridge: ZSL {zsl:.1f}, H {H:.1f}" in lines
    assert lines[-1].endswith("chance of ZSL 16.7")
    assert (project / "metrics/many_splits/mine/scores.csv").is_file()
    (kept,) = (project / "data/training/mine-splits").iterdir()
    assert kept.name.startswith("features-")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["mine"], "benchmarks.mine.splits is 0; give the benchmark `splits: 40`"),
        (["mime", "--splits", "1"], "did you mean 'mine'?"),
    ],
)
def test_what_it_refuses(
    project: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    with pytest.raises(SystemExit):
        main(words)
    assert message in capsys.readouterr().err
    assert not (project / "metrics/many_splits").exists()
