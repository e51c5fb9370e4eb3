"""The page of methods on real sets: which tables there are, and what stands in them."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.results import GATES, PARTS, SETS, Table, page, pooled, settings_of, tables
from tests.support.small_study import small_study

MOTION = Table("utkinect10", 3, "motion", "ridge", ("conse",), 3)
BACKBONE = replace(MOTION, features="backbone", splits=2)


def cells(text: str, method: str) -> list[list[str]]:
    """The rows of a method, in the order of the page."""
    lines = [line for line in text.splitlines() if line.startswith(f"| {method} |")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_motion_backbone_and_both_of_every_set() -> None:
    found = tables(40, 12, 0, 0)
    assert len({one.key for one in found}) == len(found) == 3 * len(PARTS)
    assert {(one.features, one.splits) for one in found} == {
        ("motion", 40),
        ("backbone", 12),
        ("backbone+motion", 12),
    }
    assert {one.features for one in tables(40, 0, 0, 0)} == {"motion"}
    assert [one.aligner for one in tables(0, 0, 2, 1)[::3]] == ["vae", "contrastive", "sa_dvae"]
    assert settings_of(MOTION).evaluate.transductive


def test_rows_by_hand() -> None:
    gates = {f"{kind}_{gate}": 0.25 for gate in GATES for kind in ("H", "H_best")}
    on_motion = small_study({"ridge": [0.5, 0.7, 0.9], "ridge, transductive": [0.6, 0.8, 1.0]})
    on_backbone = small_study({"ridge": [0.4, 0.4], "ridge, transductive": [0.5, 0.7]})
    found = {
        one: replace(study, scores=study.scores.assign(**gates))
        for one, study in ((MOTION, on_motion), (BACKBONE, on_backbone))
    }
    text = page(found, {})
    assert (
        "## UTKinect-Action3D, 7 seen and 3 unseen classes, features: `backbone`, 2 splits" in text
    )
    glance, scores, gated, scores_backbone, _ = cells(text, "`ridge`")
    assert glance == ["`ridge`", "3", "70.0 ± 11.5", ""]
    assert scores[1] == "70.0 ± 11.5"
    assert gated[1:] == ["25.0 of 25.0"] * len(GATES)
    # Less motion's on the two splits that both have: -10 and -30.
    assert (scores_backbone[1], scores_backbone[-1]) == ("40.0 ± 0.0", "-20.0 ± 10.0")
    transductive = cells(text, "`ridge`, transductive")
    assert transductive[0][2:] == ["80.0 ± 11.5", "+10.0 ± 0.0"]
    assert cells(text, "chance") == [["chance", "", "33.3", ""]]
    assert len(transductive) == 3  # no row among the gates
    assert transductive[2][-2:] == ["+20.0 ± 10.0", "-10.0 ± 0.0"]


def test_other_sets_beside_each_alone() -> None:
    assert pooled(0) == []
    trios = pooled(2)
    assert len({one.key for trio in trios for one in trio}) == 3 * len(SETS)
    for alone, joint, kept in trios:
        assert {alone.dataset, *joint.also} == {alone.dataset, *kept.also} == set(SETS)
        assert [settings_of(one).split.same_meaning for one in (joint, kept)] == [
            "leave_out",
            "keep",
        ]
    scores = ([0.5, 0.7], [0.6, 0.7], [0.8, 0.6])
    studies = [small_study({"ridge": own, "prototypes": own[::-1]}) for own in scores]
    text = page({}, {trios[1][0]: (studies[0], studies[1], studies[2])})
    (row,) = [line for line in text.splitlines() if "| `ridge` |" in line]
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "UTKinect-Action3D 7/3",
        "`ridge`",
        "60.0 ± 10.0",
        *("65.0 ± 5.0", "+5.0 ± 5.0"),
        *("70.0 ± 10.0", "+10.0 ± 20.0"),
    ]
    assert "Several sets" not in page({}, {})
