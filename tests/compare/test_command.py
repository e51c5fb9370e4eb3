"""The comparison's command line on experiments of a real DVC repository."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

from amsf.base.artifacts import METRICS
from amsf.compare import __main__ as compare
from amsf.compare.pairs import Comparison
from tests.support.small_evaluation import KEY, answers, scores
from tests.support.small_study import small_study


def error_of(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit, match="1"):
        compare.main(words)
    return capsys.readouterr().err


def test_two_experiments_by_name(
    queue_project: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    files = [tmp_path / "table.csv", tmp_path / "table.md"]
    compare.main(["tiny-1-Add", "tiny-1-MHA", "--csv", str(files[0]), "--markdown", str(files[1])])
    told = capsys.readouterr().out
    assert "differs in model.fusion Add -> MHA" in told
    assert "SIMULATED recordings" in told
    assert "| ZSL |" in files[1].read_text()
    table = pd.read_csv(files[0]).set_index("metric")
    assert table.index.tolist() == ["ZSL", "S", "U", "H", "AUSUC"]
    assert table.loc["H", "verdict"] == "better"
    h = [[scores(*answers(s, quality))["H"] for s in (0, 1, 2)] for quality in (0.5, 0.8)]
    known = 100 * (sum(h[1]) - sum(h[0])) / 3
    assert table.loc["H", "difference"] == pytest.approx(known, rel=1e-4)


def test_the_same_code_and_parameters_differ_by_nothing(
    queue_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compare.main(["workspace", "HEAD", "tiny-1-Add", "--metric", "H", "--benchmark", KEY])
    told = capsys.readouterr().out
    assert told.count("no difference: equal in every seed") == 2
    assert "differs in" not in told
    assert "ZSL " not in told


def test_seeds_of_one_experiment(queue_project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compare.main(["tiny-1-MHA", "--per-class", "--metric", "ZSL"])
    told = capsys.readouterr().out
    assert "seed 1 against seed 0" in told
    assert "percent, per class" in told


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["HEAD", "HEAD"], "HEAD is named twice"),
        (["HEAD", "tiny-1-mha"], "did you mean tiny-1-MHA"),
        (["HEAD", "tiny-1-MHA", "--csv", "not/there.csv"], r"not/there\.csv: its folder"),
        (["HEAD", "--benchmark", "demo-u9"], "benchmark demo-u9 is not switched on.*mean demo-u8"),
        (["HEAD", "--method", "vae"], "--method is for studies of class splits; add --splits"),
        (["HEAD", "--splits", "--per-class"], "a study has no scores per class"),
        (["HEAD", "--splits"], "HEAD: no study of class splits that all have; run `python -m"),
        (["HEAD", "--splits", "--benchmark", KEY], f"HEAD: has no study of {KEY}"),
    ],
)
def test_errors_are_one_message(
    queue_project: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        raise ValueError(error_of(capsys, *words))


def test_methods_over_class_splits(
    queue_project: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ridge, eszsl = [0.5, 0.6, 0.7, 0.5], [0.6, 0.7, 0.9, 0.7]
    study = small_study({"ridge": ridge, "eszsl": eszsl}, benchmark=KEY, simulated=True)
    study.save(METRICS.many_splits / KEY)
    try:
        compare.main(["workspace", "--splits", "--csv", str(tmp_path / "table.csv")])
        told = error_of(capsys, "workspace", "--splits", "--metric", "AUSUC")
    finally:
        shutil.rmtree(METRICS.many_splits)
    assert f"the study of {KEY} has none of AUSUC" in told
    row = pd.read_csv(tmp_path / "table.csv").iloc[0]
    known = stats.ttest_rel(eszsl, ridge)
    assert (row["base"], row["other"], row["metric"]) == ("ridge", "eszsl", "ZSL")
    assert (row["splits"], row["simulated"]) == (4, True)
    assert row["difference"] == pytest.approx(15)
    assert row["p"] == pytest.approx(known.pvalue, rel=1e-4)


def test_experiments_without_a_common_benchmark(
    queue_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace(KEY, "demo-u9"))
    try:
        told = error_of(capsys, "workspace", "HEAD")
    finally:
        Path("params.yaml").write_text(text)
    assert f"no benchmark in common (workspace: demo-u9; HEAD: {KEY})" in told


def test_results_without_the_score_asked_for(
    queue_project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amsf.compare.__main__.compare_experiments", compare_experiments_of_nothing)
    assert f"{KEY} has none of H; evaluate.task is zsl" in error_of(
        capsys, "HEAD", "workspace", "--metric", "H"
    )


def compare_experiments_of_nothing(*_: object, **__: object) -> list[Comparison]:
    return [Comparison("HEAD", "workspace", (0,), ())]
