"""Methods on real sets over many class splits: ``python -m benchmarks.results DATA [--write]``.

DATA has UTD-MHAD, UTKinect and Florence 3D as docs/results.md says. Every number is made here,
from the recordings on: packed, texts encoded, and each method scored on the same random class
splits with the parameters of params.yaml. What was finished is kept below ``--scratch`` and gone on
from.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import amsf.stage.pinned  # noqa: F401  (before anything loads NumPy or torch)
from amsf.base.storage import write_text
from amsf.dataset.classes import class_count
from amsf.pack.__main__ import pack
from amsf.settings.params import Benchmark, Settings, load_params
from amsf.skeleton.partition import LIST_NAME
from amsf.skeleton.recordings import FILE_NAME, SkeletonSet
from amsf.stage.stage_log import describe_host
from amsf.study.run import ENCODERS, study
from amsf.study.summary import TRANSDUCTIVE, Study, as_text, mean_and_error, paired_difference
from amsf.text.descriptions import load_texts
from amsf.text.encode import encode_texts

PAGE = Path("docs/results.md")
# Set -> its files below DATA, their format, and its name as people write it.
SETS = {
    "utd27": ("utd-mhad/Skeleton", "utd27", "UTD-MHAD"),
    "utkinect10": ("utkinect/utkinect10.npz", "npz", "UTKinect-Action3D"),
    "florence9": ("florence3d/florence9.npz", "npz", "Florence 3D Actions"),
}
NAMES = {
    "vae": "AMSF (`vae`, `clean`)",
    "ensemble": "AMSF, seeds together",
    "ridge": "`ridge`",
    "prototypes": "`prototypes`",
    "eszsl": "`eszsl`",
    "conse": "`conse`",
    "auto": "`auto`",
    "contrastive": "`contrastive`",
    "sa_dvae": "`sa_dvae`",
}
# Sets with the numbers of their unseen classes.
PARTS = (("utd27", 5), ("utd27", 9), ("utd27", 13), ("utkinect10", 3), ("florence9", 3))
SMALLEST = PARTS[:1] + PARTS[3:]  # of each set
COLUMNS = {
    "zsl": "ZSL",
    "seen": "S",
    "unseen": "U",
    "H": "H",
    "H_best": "H, best threshold",
    "ausuc": "AUSUC",
    "ece": "ECE",
}
GATES = ("regression", "probability", "energy", "distance", "stacking", "combined")


@dataclasses.dataclass(frozen=True)
class Table:
    """One table: a set, how many of its classes are unseen, the features and the methods.

    ``protocol`` has switches, by name, that are not to be the protocol's own. The sets in ``also``
    train too.
    """

    dataset: str
    unseen: int
    features: str
    aligner: str
    baselines: tuple[str, ...]
    splits: int
    protocol: tuple[tuple[str, Any], ...] = ()
    also: tuple[str, ...] = ()
    same_meaning: str = "leave_out"
    task: str = "gzsl"

    @property
    def key(self) -> str:
        """A name for its files."""
        name = f"{self.dataset}-u{self.unseen}-{self.features.replace('+', '-')}-{self.aligner}"
        name += f"-also-{self.same_meaning}" if self.also else ""
        name += "" if self.task == "gzsl" else f"-{self.task}"
        return "-".join([name, *(f"{switch}-{value}" for switch, value in self.protocol)])


def tables(splits: int, encoded: int, stepped: int, others: int) -> list[Table]:
    """All tables, on as many class splits as each kind takes time for; none of those with 0.

    Closed forms on motion statistics take ``splits``; where the encoder is trained for both phases
    of each split ``encoded``; AMSF ``stepped``, and the others that learn by steps ``others``.
    """
    closed = ("prototypes", "eszsl", "conse", "auto")
    found = [
        Table(dataset, unseen, features, "ridge", closed, count)
        for dataset, unseen in PARTS
        for features, count in (
            ("motion", splits), ("backbone", encoded), ("backbone+motion", encoded),
        )
        if count
    ]  # fmt: skip
    found += [
        Table(dataset, unseen, "motion", aligner, ("ridge", "prototypes"), count)
        for aligner, count in (("vae", stepped), ("contrastive", others), ("sa_dvae", others))
        for dataset, unseen in SMALLEST
        if count
    ]
    return found


def pooled(splits: int) -> list[tuple[Table, Table, Table]]:
    """For each set: alone, with the others, and with those of their classes that mean the same.

    None with 0 splits.
    """
    found = []
    for dataset, unseen in SMALLEST if splits else ():
        others = tuple(sorted(SETS.keys() - {dataset}))
        alone = Table(dataset, unseen, "motion", "ridge", ("prototypes",), splits, task="zsl")
        joint = dataclasses.replace(alone, also=others)
        found.append((alone, joint, dataclasses.replace(joint, same_meaning="keep")))
    return found


def prepare(dataset: str, data: Path, source: Path) -> None:
    """Pack a set's recordings into a folder, where they are not there yet."""
    place, format_name, _ = SETS[dataset]
    if not (source / FILE_NAME).is_file():
        own = dataset if format_name == "npz" else None
        pack(data / place, source, format_name, dataset=own)
        subjects = set(SkeletonSet.load(source / FILE_NAME).subject.tolist())
        odd = " ".join(str(subject) for subject in sorted(subjects) if subject % 2)
        write_text(source / LIST_NAME, f"{odd}\n")  # as UTD-MHAD's official partition


def run(one: Table, data: Path, scratch: Path) -> Study:
    """Score one table's methods, as :func:`amsf.study.run.study`."""
    recordings = scratch / "recordings"
    settings = settings_of(one)
    texts = {}
    for dataset in (one.dataset, *one.also):
        prepare(dataset, data, recordings / dataset)
        features, _ = encode_texts(load_texts(dataset), settings.text, dataset)
        assert len(features.features) == class_count(dataset)
        texts[dataset] = features.select(settings.model.views)
    entry = Benchmark(
        dataset=one.dataset,
        unseen=one.unseen,
        source=str(recordings),
        features=one.features,  # type: ignore[arg-type]
        splits=one.splits,
        also=one.also,
    )
    own, out = texts.pop(one.dataset), scratch / "out" / one.key
    return study(one.key, entry, settings, own, out, scratch / "splits", texts)


def settings_of(one: Table) -> Settings:
    """The parameters of params.yaml, but for the methods; one seed, since splits are the unit."""
    params = load_params()
    sections = params.model_dump(exclude={"benchmarks"})
    sections["model"]["aligner"] = one.aligner
    sections["protocol"].update(one.protocol)
    sections["evaluate"]["baselines"] = one.baselines
    sections["evaluate"]["transductive"] = True
    sections["train"]["seeds"] = (0,)
    sections["split"]["same_meaning"] = one.same_meaning
    sections["evaluate"]["task"] = one.task
    if one.task == "zsl":
        sections["protocol"]["selection"] = "last"
    return Settings.model_validate(sections)


def overview(found: Mapping[Table, Study]) -> list[str]:
    """A Markdown table of ZSL on motion statistics, each set with the fewest unseen classes.

    A method of several tables stands with the first one's scores; what it has over ``ridge`` is
    paired over the splits of that table.
    """
    header, chance = ["method", "splits"], ["chance", ""]
    rows: dict[str, list[str]] = {}
    for dataset, unseen in SMALLEST:
        listed: set[str] = set()
        for one, scored in found.items():
            if (one.dataset, one.unseen, one.features) != (dataset, unseen, "motion"):
                continue
            scores = 100 * scored.over_splits()["zsl"]
            for method in [name for name in scored.methods if name not in listed]:
                less = (scores.loc[method] - scores.loc["ridge"]).dropna()
                cells = rows.setdefault(method, [name_of(method), str(one.splits)])
                cells += [_text(scores.loc[method]), "" if method == "ridge" else _text(less, "+")]
            listed |= set(scored.methods)
        if listed:
            name = SETS[dataset][2].split(" ")[0]
            header += [f"{name} {class_count(dataset) - unseen}/{unseen}", "less `ridge`, paired"]
            chance += [f"{100 / unseen:.1f}", ""]
    lines = [header, ["---"] * len(header), *rows.values(), chance]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def score_table(found: Study, motion: Study | None) -> list[str]:
    """A Markdown table of the methods: mean ± standard error, and paired differences of ZSL.

    Args:
        found: scores of the methods.
        motion: of the same methods on motion statistics, where ``found`` is on other features.
    """
    base = found.about["method"]
    header = [*COLUMNS.values(), f"ZSL less {base}'s, paired"]
    header += ["ZSL less that on `motion`, same splits"] if motion else []
    lines = [f"| method | {' | '.join(header)} |", "|---" * (len(header) + 1) + "|"]
    for method, scores in found.summary().items():
        cells = [as_text(scores.get(score, {})) for score in COLUMNS]
        cells.append(paired_difference(scores, "zsl"))
        if motion:
            own, other = (one.over_splits().loc[method]["zsl"] for one in (found, motion))
            mean, error = mean_and_error(100 * (own - other).dropna().to_numpy())
            cells.append(as_text({"mean": mean, "se": error}, "+"))
        lines.append(f"| {name_of(method)} | {' | '.join(cells)} |")
    return lines


def name_of(method: str) -> str:
    """A method as the page names it, with the word for its transductive scores."""
    own = method.removesuffix(TRANSDUCTIVE)
    return NAMES[own] + method.removeprefix(own)


def gate_table(found: Study) -> list[str]:
    """A Markdown table of the gates: H at the chosen threshold, and at the best one."""
    lines = [f"| method | {' | '.join(GATES)} |", "|---" * (len(GATES) + 1) + "|"]
    for method, scores in found.summary().items():
        if method.endswith(TRANSDUCTIVE):  # with the used gate alone
            continue
        cells = [
            f"{scores[f'H_{gate}']['mean']:.1f} of {scores[f'H_best_{gate}']['mean']:.1f}"
            for gate in GATES
        ]
        lines.append(f"| {NAMES[method]} | {' | '.join(cells)} |")
    return lines


def pooled_table(trios: Mapping[Table, tuple[Study, Study, Study]]) -> list[str]:
    """A Markdown table of ZSL: alone, with other sets, and the paired differences."""
    header = [
        *("set, seen/unseen", "method", "alone", "trained also on the others"),
        *("less alone, paired", "same meanings kept", "less alone, paired"),
    ]
    lines = [f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    for one, studies in trios.items():
        seen = class_count(one.dataset) - one.unseen
        name = f"{SETS[one.dataset][2]} {seen}/{one.unseen}"
        for method in (one.aligner, *one.baselines):
            scores = [100 * found.over_splits().loc[method]["zsl"].to_numpy() for found in studies]
            own, *more = scores
            cells = [_text(own)]
            for values in more:
                cells += [_text(values), _text(values - own, "+")]
            lines.append(f"| {name} | {NAMES[method]} | {' | '.join(cells)} |")
    return lines


def _text(values: Any, sign: str = "") -> str:
    mean, error = mean_and_error(values)
    return as_text({"mean": mean, "se": error}, sign)


def page(found: Mapping[Table, Study], trios: Mapping[Table, tuple[Study, Study, Study]]) -> str:
    """docs/results.md."""
    host = describe_host()
    on_motion = {
        (one.dataset, one.unseen): study
        for one, study in found.items()
        if (one.features, one.aligner) == ("motion", "ridge")
    }
    lines = [
        "# Methods on real sets, over many class splits",
        "",
        f"Written by `python -m benchmarks.results DATA --write` on {datetime.now(UTC):%Y-%m-%d} "
        f"({host['cpu']}), with the parameters of params.yaml. Percent, mean ± standard error over "
        "random class splits; each has validation classes of its own. The odd subjects' "
        "recordings of the seen classes train everything; scored are the even subjects' "
        "recordings, for ZSL those of the unseen classes. Texts: the five views in `data/texts`, "
        "by MiniLM. "
        "*Transductive* takes a second look at all test recordings that count as unseen, at once, "
        "though not at their labels, and is a setting of its own. H is at the threshold that "
        "validation classes choose; at the best threshold, beside it, looks at the test labels. "
        "ECE: expected calibration error of ZSL answers, the mean of each split's own, which has a "
        "bias of its own (docs/predict.md). "
        "The motion summary and the settings of "
        "the closed forms were chosen on UTKinect, Florence and the training subjects of UTD-MHAD: "
        "the figures of the first two are therefore optimistic.",
        "",
        "`DATA` is a folder with `utd-mhad/Skeleton/*.mat`, `utkinect/utkinect10.npz` and "
        "`florence3d/florence9.npz` (docs/skeletons.md has both formats).",
    ]
    if on_motion:
        lines += [
            "",
            "## ZSL at a glance, features: `motion`",
            "",
            "Means over fewer splits are of other classes: between those, compare the differences.",
            "",
            *overview(found),
        ]
    for one, scored in found.items():
        name = SETS[one.dataset][2]
        motion = on_motion.get((one.dataset, one.unseen)) if one.features != "motion" else None
        classes = class_count(one.dataset)
        lines += [
            "",
            f"## {name}, {classes - one.unseen} seen and {one.unseen} unseen classes, features: "
            f"`{one.features}`, {one.splits} splits",
            "",
            f"Chance for ZSL is {100 / one.unseen:.1f}.",
            "",
            *score_table(scored, motion),
            "",
            "H of each gate, of what its best threshold would give:",
            "",
            *gate_table(scored),
        ]
    if trios:
        lines += [
            "",
            "## Several sets at once (`also`)",
            "",
            "ZSL of each set with all recordings of the two others in training, and alone, on the "
            f"same {next(iter(trios)).splits} class splits, features: `motion`. Classes of the "
            "others that mean the same as an unseen one are left out, or, in the last two columns, "
            "kept (`split.same_meaning: keep`), which is no longer zero-shot for these classes. "
            "`prototypes` whitens by the set's own scatter, with that of the others as a prior; "
            "its weight was chosen on UTKinect and Florence, whose figures are optimistic "
            "therefore. `ridge` sums over all recordings alike.",
            "",
            *pooled_table(trios),
        ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run all tables and print the page, or write it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.results", description=__doc__)
    parser.add_argument("data", type=Path, help="the folder of the real sets")
    parser.add_argument("--scratch", type=Path, default=Path("data/training/results"))
    parser.add_argument("--splits", type=int, default=40, help="class splits of the closed forms")
    parser.add_argument(
        "--backbone-splits",
        type=int,
        default=12,
        help="class splits on which the encoder is trained; 0: none",
    )
    parser.add_argument(
        "--trained-splits",
        type=int,
        default=40,
        help="class splits of AMSF, some 20 seconds each; 0: none",
    )
    parser.add_argument(
        "--other-splits",
        type=int,
        default=12,
        help="class splits of the other methods that learn by steps; 0: none",
    )
    parser.add_argument(
        "--pooled-splits",
        type=int,
        default=40,
        help="class splits of each set alone and with the others in training; 0: none",
    )
    parser.add_argument("--write", action="store_true", help=f"write {PAGE} instead of printing it")
    given = parser.parse_args(arguments)
    found = {}
    for one in tables(
        given.splits, given.backbone_splits, given.trained_splits, given.other_splits
    ):
        print(one.key)
        found[one] = run(one, given.data, given.scratch)
        if one.features != "backbone":  # whose encoders the next table takes over
            shutil.rmtree(given.scratch / "splits" / ENCODERS, ignore_errors=True)
    trios = {}
    for trio in pooled(given.pooled_splits):
        print(trio[0].key)
        alone, joint, kept = (run(one, given.data, given.scratch) for one in trio)
        trios[trio[0]] = (alone, joint, kept)
    text = page(found, trios)
    if given.write:
        write_text(PAGE, text)
    else:
        print(text)


if __name__ == "__main__":
    main()
