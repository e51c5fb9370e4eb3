"""Methods and experiments held against each other over many class splits.

A study (``python -m amsf.study``) scores methods on the same random class splits. The split is the
unit here: seeds within it are averaged, and a difference is that of two methods on the same
classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from amsf.base.artifacts import METRICS
from amsf.base.errors import InputError
from amsf.compare.checks import parameter_changes
from amsf.compare.pairs import Comparison, Row, adjust
from amsf.compare.revisions import Snapshot
from amsf.compare.statistics import paired_over_splits
from amsf.study.summary import SCORES, SUMMARY, TRANSDUCTIVE, Study, parameters


def studied(snapshot: Snapshot) -> list[str]:
    """The benchmarks that a revision has a study of."""
    found = map(PurePosixPath, snapshot.find(METRICS.many_splits.as_posix()))
    return sorted(path.parent.name for path in found if path.name == SUMMARY)


def read_study(snapshot: Snapshot, benchmark: str) -> Study:
    """Read one benchmark's study.

    Raises:
        InputError: there is none, or it is damaged.
    """
    folder = METRICS.many_splits / benchmark
    try:
        scores, summary = (snapshot.read((folder / name).as_posix()) for name in (SCORES, SUMMARY))
    except FileNotFoundError:
        raise InputError(
            f"{snapshot.name}: has no study of {benchmark} ({folder} is missing); run `python -m "
            f"amsf.study {benchmark} --splits 40`, and commit what it writes to compare revisions"
        ) from None
    return Study.of(scores, summary, f"{snapshot.name}: {folder}")


def compare_methods(
    study: Study, methods: Sequence[str], metrics: Sequence[str]
) -> list[Comparison]:
    """The methods of one study against the first of ``methods``, or against its own.

    Args:
        study: has every method on the same splits.
        methods: the base, and those to hold against it; with the base alone all others of its kind
            are, transductive or not; with none ``model.aligner`` is the base.
        metrics: keys of :data:`amsf.compare.pairs.METRICS`.

    Raises:
        InputError: a method was not scored, there is nothing to compare, or one split alone.
    """
    base = methods[0] if methods else study.about["method"]
    others = list(methods[1:]) or [
        name
        for name in study.methods
        if name != base and name.endswith(TRANSDUCTIVE) == base.endswith(TRANSDUCTIVE)
    ]
    for name in (base, *others):
        _refuse_unknown(study, name, study.about["benchmark"])
    if not others:
        raise InputError(
            f"{study.about['benchmark']}: the study has {base} alone; name methods in "
            "evaluate.baselines, or a second experiment to compare with"
        )
    return adjust(
        [_comparison((base, study, base), (name, study, name), metrics) for name in others]
    )


def compare_studies(
    base: tuple[str, Study],
    others: Sequence[tuple[str, Study]],
    method: str | None,
    metrics: Sequence[str],
) -> list[Comparison]:
    """One method of several experiments, on the splits that both have.

    Args:
        base: an experiment's name and its study, which the others are held against.
        others: one or more.
        method: scored in all; None takes each study's own, its ``model.aligner``.
        metrics: keys of :data:`amsf.compare.pairs.METRICS`.

    Raises:
        InputError: a method was not scored, or two studies have other classes unseen.
    """
    found = []
    for other in others:
        sides = [(*one, method or one[1].about["method"]) for one in (base, other)]
        for name, study, used in sides:
            _refuse_unknown(study, used, name)
        _refuse_other_classes(base, other)
        one, two = ((f"{name}: {used}", study, used) for name, study, used in sides)
        notes, changes = _notes(base[1], other[1]), _changes(base[1], other[1])
        found.append(_comparison(one, two, metrics, notes, changes))
    return adjust(found)


Side = tuple[str, Study, str]  # a name to show, a study, and one of its methods


def _comparison(
    base: Side,
    other: Side,
    metrics: Sequence[str],
    notes: Sequence[str] = (),
    changes: Sequence[str] = (),
) -> Comparison:
    one, two = (study.over_splits().loc[method] for _, study, method in (base, other))
    splits = sorted({*one.index} & {*two.index})
    if len(splits) < 2:
        raise InputError(
            f"{base[0]} and {other[0]} have {len(splits)} class split in common; how another one "
            "would do is not known: run `python -m amsf.study` with more --splits"
        )
    rows = []
    for metric in metrics:
        if any(metric not in table or table[metric].isna().any() for table in (one, two)):
            continue
        values = [table.loc[splits, metric].to_numpy(float) for table in (one, two)]
        difference = paired_over_splits(values[1] - values[0])
        rows.append(
            Row(metric, float(values[0].mean()), float(values[1].mean()), difference, difference.p)
        )
    return Comparison(
        base[0], other[0], (), tuple(rows), tuple(notes), tuple(changes), splits=len(splits)
    )


def _refuse_unknown(study: Study, method: str, where: str) -> None:
    if method not in study.methods:
        raise InputError(
            f"{where}: the study has no method '{method}'; it has {'; '.join(study.methods)}"
        )


def _refuse_other_classes(base: tuple[str, Study], other: tuple[str, Study]) -> None:
    """Refuse studies that differ in the unseen classes of a split that both have."""
    one, two = (study.scores.groupby("split")["classes"].first() for _, study in (base, other))
    for split in sorted({*one.index} & {*two.index}):
        if one[split] != two[split]:
            raise InputError(
                f"{base[0]} and {other[0]} have other unseen classes in split {split} "
                f"({one[split]} against {two[split]}); compare studies of one dataset, number of "
                "unseen classes and split.seed"
            )


def _notes(base: Study, other: Study) -> list[str]:
    notes = []
    if base.about["splits"] != other.about["splits"]:
        counts = (base.about["splits"], other.about["splits"])
        notes.append(
            f"the numbers of splits differ ({counts[0]} and {counts[1]}): the first are compared"
        )
    for part in ("recordings", "texts"):
        if base.about[part] != other.about[part]:
            notes.append(f"the {part} differ")
    return notes


def _changes(base: Study, other: Study) -> list[str]:
    """The parameters that differ, and whether the code does."""
    one, two = (parameters(study.about) for study in (base, other))
    code = ["code"] if base.about["code"] != other.about["code"] else []
    return [*parameter_changes(one, two), *code]
