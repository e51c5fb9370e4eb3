"""The ablation's commands on a grid that went through a real DVC queue."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from amsf.ablation import __main__ as ablation
from amsf.ablation.experiments import Experiment, State
from amsf.compare.revisions import Named
from tests.support.queue_project import GRID, SOURCE, git
from tests.support.small_evaluation import KEY, answers, scores

PATH = "data/ablations/tiny.yaml"


def error_of(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit, match="1"):
        ablation.main(words)
    return capsys.readouterr().err


def test_the_table_has_each_experiments_scores(
    queue_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ablation.main(["table", PATH])
    assert capsys.readouterr().out.strip() == Path("metrics/ablation.md").read_text().strip()
    frame = pd.read_csv("metrics/ablation.csv").set_index("experiment")
    assert frame["state"].to_dict() == {
        "tiny-1-Add": "done",
        "tiny-1-MHA": "done",
        "tiny-9-Add": "excluded",
        "tiny-9-MHA": "failed",
    }
    for name, quality in (("tiny-1-Add", 0.5), ("tiny-1-MHA", 0.8)):
        known = pd.DataFrame([scores(*answers(seed, quality)) for seed in (0, 1, 2)])
        assert frame.loc[name, "H_mean"] == round(100 * known["H"].mean(), 2)
        assert frame.loc[name, "ZSL_std"] == round(100 * known["zsl"].std(), 2)
    assert (frame.loc["tiny-1-MHA", "protocol"], frame.loc["tiny-1-MHA", "seeds"]) == ("clean", 3)
    assert frame.loc["tiny-9-MHA", "reason"] == "9 layers are too many"
    (queue_project / "metrics/ablation.md").unlink()
    (queue_project / "metrics/ablation.csv").unlink()


def test_a_second_queue_leaves_what_is_done_alone_and_retries_what_failed(
    queue_project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    queued = []
    monkeypatch.setattr("amsf.ablation.__main__.queue_run", lambda *words: queued.append(words))
    ablation.main(["queue", PATH])
    told = capsys.readouterr().out
    assert "tiny-1-Add: already done, left alone" in told
    assert "tiny-9-MHA: queued again after it failed" in told
    assert "1 queued" in told
    assert queued == [
        (queue_project, "tiny-9-MHA", ["model.layers=9", 'model.fusion="MHA"'], [SOURCE])
    ]


def test_what_was_done_from_another_commit_says_so(
    queue_project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "amsf.ablation.experiments.Experiments.of",
        lambda *_: Experiment("done", named=Named("a" * 40, "b" * 40)),
    )
    ablation.main(["queue", PATH])
    assert f"already done from commit {'b' * 10}, left alone" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("state", "words"), [("queued", "already in the queue"), ("running", "already running")]
)
def test_what_waits_is_not_queued_twice(
    queue_project: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    state: State,
    words: str,
) -> None:
    monkeypatch.setattr("amsf.ablation.experiments.Experiments.of", lambda *_: Experiment(state))
    ablation.main(["queue", PATH])
    told = capsys.readouterr().out
    assert told.count(words) == 3
    assert "nothing to queue" in told


def test_nothing_is_queued_if_one_combination_cannot_run(
    queue_project: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    grid = {**GRID, "axes": {"m": {"ok": {"model.heads": 2}, "no": {"model.fusion": "SA"}}}}
    path = tmp_path / "bad.yaml"
    path.write_text(yaml.safe_dump({**grid, "exclude": []}))
    for action in ("queue", "check"):
        told = error_of(capsys, action, str(path))
        assert "1 of 2 combinations cannot run, and nothing was queued" in told
        assert "protocol.name: reference" in told
        assert "1 of them: tiny-no" in told
    ablation.main(["table", str(path)])
    assert "- `tiny-no`: cannot run: parameters: model.fusion is SA" in capsys.readouterr().out


def test_check_says_that_all_can_run(
    queue_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ablation.main(["check", PATH])
    assert capsys.readouterr().out == "all 3 combinations can run\n"


def test_experiments_with_other_parameters_are_never_taken_for_the_grids(
    queue_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("heads: 4", "heads: 2"))
    try:
        told = error_of(capsys, "queue", PATH)
        assert "tiny-1-MHA (run with model.heads 4 instead of 2)" in told
        assert "nothing was queued" in told
        ablation.main(["table", PATH])
        assert "0 of 4 combinations done" in capsys.readouterr().out
    finally:
        Path("params.yaml").write_text(text)


def test_code_that_git_does_not_know_stops_the_queue(
    queue_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = queue_project / "data/texts/demo/LLMad.csv"
    git(queue_project, "rm", "-q", "--cached", str(new))
    try:
        assert "git does not know data/texts/demo/LLMad.csv" in error_of(capsys, "queue", PATH)
    finally:
        git(queue_project, "add", str(new))


def test_a_missing_grid(queue_project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "none.yaml: no such file" in error_of(capsys, "check", "none.yaml")
    assert KEY in Path("params.yaml").read_text()
