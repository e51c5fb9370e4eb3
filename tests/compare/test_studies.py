"""Comparisons over class splits, against scipy's paired t test and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from amsf.base.errors import InputError
from amsf.compare.revisions import Snapshot
from amsf.compare.studies import compare_methods, compare_studies, read_study, studied
from amsf.compare.tables import as_csv, as_markdown, as_text, of_studies
from tests.support.small_study import SETTINGS, small_study

RNG = np.random.default_rng(0)
HARD = RNG.uniform(0.3, 0.8, 12)  # how hard a split's classes are, for all methods alike
RIDGE = HARD.tolist()
ESZSL = (HARD + 0.05 + RNG.normal(scale=0.03, size=12)).tolist()
CONSE = (HARD + np.tile([0.02, -0.015], 6)).tolist()
STUDY = small_study({"ridge": RIDGE, "eszsl": ESZSL, "conse": CONSE})


def test_methods_of_a_study_equal_scipys_paired_t() -> None:
    found = compare_methods(STUDY, [], ["zsl", "H"])
    assert [(one.base, one.other) for one in found] == [("ridge", "eszsl"), ("ridge", "conse")]
    for one, scores in zip(found, (ESZSL, CONSE)):
        (row,) = one.rows  # H is of ridge alone
        known = stats.ttest_rel(scores, RIDGE)
        interval = known.confidence_interval()
        assert row.difference.p == pytest.approx(known.pvalue)
        assert (row.difference.interval.low, row.difference.interval.high) == pytest.approx(
            (interval.low, interval.high)
        )
        assert (row.base, row.other) == pytest.approx((np.mean(RIDGE), np.mean(scores)))
        assert one.splits == 12
    # Holm: the smaller of two is doubled.
    p = [one.rows[0].difference.p for one in found]
    assert found[0].rows[0].adjusted == pytest.approx(2 * min(p))


def test_any_method_may_be_the_base() -> None:
    (one,) = compare_methods(STUDY, ["conse", "ridge"], ["zsl"])
    assert one.rows[0].difference.mean == pytest.approx(np.mean(RIDGE) - np.mean(CONSE))
    assert [c.other for c in compare_methods(STUDY, ["conse"], ["zsl"])] == ["ridge", "eszsl"]


def test_transductive_scores_are_held_against_others_where_they_are_named() -> None:
    again = "ridge, transductive"
    study = small_study({"ridge": RIDGE, "eszsl": ESZSL, again: ESZSL})
    assert [c.other for c in compare_methods(study, [], ["zsl"])] == ["eszsl"]
    (one,) = compare_methods(study, ["ridge", again], ["zsl"])
    assert (one.base, one.other) == ("ridge", again)


def test_one_method_over_two_experiments() -> None:
    settings = {**SETTINGS, "model": {"latent": 9}}
    other = small_study(
        {"eszsl": ESZSL[:10], "ridge": RIDGE[:10]}, settings=settings, code="new", texts="other"
    )
    (one,) = compare_studies(("main", STUDY), [("mine", other)], None, ["zsl"])
    assert (one.base, one.other, one.splits) == ("main: ridge", "mine: eszsl", 10)
    known = stats.ttest_rel(ESZSL[:10], RIDGE[:10])
    assert one.rows[0].difference.p == pytest.approx(known.pvalue)
    assert one.changes == ("model.latent 7 -> 9", "code")
    assert one.notes == (
        "the numbers of splits differ (12 and 10): the first are compared",
        "the texts differ",
    )
    (same,) = compare_studies(("main", STUDY), [("mine", other)], "ridge", ["zsl"])
    told = as_text(of_studies("mine", STUDY, [same]))
    assert "no difference: equal in every split" in told


@pytest.mark.parametrize(
    ("study", "methods", "message"),
    [
        (
            STUDY,
            ["ridge", "vae"],
            r"mine: the study has no method 'vae'; it has ridge; eszsl; conse",
        ),
        (small_study({"ridge": RIDGE}), [], "the study has ridge alone"),
        (
            small_study({"ridge": [0.5], "vae": [0.4]}),
            [],
            r"1 class split in common.*more --splits",
        ),
    ],
)
def test_what_a_study_cannot_tell(study: object, methods: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        compare_methods(study, methods, ["zsl"])  # type: ignore[arg-type]


def test_other_classes_do_not_compare() -> None:
    other = small_study({"ridge": RIDGE})
    other.scores["classes"] = other.scores["classes"].str.replace("3 7", "4 8")
    with pytest.raises(InputError, match=r"split 3 \(3 7 against 4 8\)"):
        compare_studies(("main", STUDY), [("mine", other)], None, ["zsl"])


def test_tables_say_what_was_compared() -> None:
    report = of_studies("mine", STUDY, compare_methods(STUDY, [], ["zsl"]))
    told = as_text(report)
    assert "means over class splits of 3 unseen classes" in told
    assert "eszsl against ridge, paired by class split (12)" in told
    assert "other class splits drawn at random" in told
    assert "p is adjusted for 2 comparisons" in told
    assert "Few splits" not in told
    (line,) = [line for line in told.splitlines() if line.endswith("better")]
    assert f"{100 * (np.mean(ESZSL) - np.mean(RIDGE)):+.1f}" in line
    assert "| ZSL |" in as_markdown(report)
    header, *rows = as_csv([report]).splitlines()
    assert "splits" in header.split(",")
    assert len(rows) == 2
    few = small_study({"ridge": RIDGE[:3], "conse": CONSE[:3]})
    assert "Few splits" in as_text(of_studies("mine", few, compare_methods(few, [], ["zsl"])))


def test_read_from_a_revision() -> None:
    files: dict[str, bytes] = {}

    def read(path: str) -> bytes:
        if path not in files:
            raise FileNotFoundError(path)
        return files[path]

    snapshot = Snapshot("main", "0" * 40, read, lambda folder: [p for p in files if folder in p])
    assert studied(snapshot) == []
    with pytest.raises(InputError, match=r"main: has no study of mine .*commit what it writes"):
        read_study(snapshot, "mine")
    files["metrics/many_splits/README.md"] = b""
    files["metrics/many_splits/mine/scores.csv"] = STUDY.scores.to_csv(index=False).encode()
    files["metrics/many_splits/mine/summary.json"] = b'{"about": {}}'
    with pytest.raises(InputError, match="main: metrics/many_splits/mine: not a study"):
        read_study(snapshot, "mine")
    assert studied(snapshot) == ["mine"]
