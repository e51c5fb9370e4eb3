"""The whole report, and the stage that writes it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from amsf.base.errors import InputError
from amsf.evaluation.headline import headline
from stages import summarize
from tests.support.small_report import small_reports, summarised


def files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_summarize_leaves_metrics_report_pictures_and_plots(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    project = summarised(tmp_path_factory)
    names = ("confusion", "reliability", "classes", "map", "texts", "losses", "schedule")
    assert files(project / "metrics") == {
        "gzsl.json",
        "report.html",
        "run.html",
        *(f"pictures/two-u3/curve.{kind}" for kind in ("png", "svg")),
        *(
            f"pictures/{key}/{name}.{kind}"
            for key in ("two-u3", "one-u3")
            for name in names
            for kind in ("png", "svg")
        ),
        *(f"plots/{name}.csv" for name in ("accuracy", "confusion", "curve", "losses", "weights")),
    }
    rows = json.loads((project / "metrics/gzsl.json").read_text())
    metrics = json.loads((project / "data/evaluation/two-u3/metrics.json").read_text())
    assert rows["two-u3"] == headline(metrics)
    assert set(rows) == {"two-u3", "one-u3"}
    page = (project / "metrics/report.html").read_text()
    assert page.count("<img") == 15


def test_a_damaged_artifact_stops_before_anything_is_written(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    summarised(tmp_path_factory)
    shutil.copytree(small_reports(tmp_path_factory), tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy/metrics")
    (tmp_path / "copy/data/evaluation/one-u3/metrics.json").write_text("{")
    monkeypatch.chdir(tmp_path / "copy")
    with pytest.raises(InputError, match="not valid JSON"):
        summarize.main()
    assert not (tmp_path / "copy/metrics").exists()


def test_the_report_loads_no_model() -> None:
    """It reads what evaluation wrote: neither torch nor scikit-learn is there to compute with."""
    code = (
        "import sys; import stages.summarize\n"
        "loaded = {name.split('.')[0] for name in sys.modules}\n"
        "assert not loaded & {'torch', 'sklearn'}, loaded\n"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)
