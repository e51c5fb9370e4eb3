"""The page: its tables, what it escapes, and that it stands alone."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from amsf.dataset.splits import OtherSet
from amsf.report.benchmark_section import benchmark_section
from amsf.report.data import BenchmarkData
from amsf.report.page import build_page, summary_row
from amsf.report.published_results import load_published, published_beside
from amsf.report.render import render
from amsf.report.words import spread
from amsf.settings.protocol import GATES
from tests.support.html_reader import Reader
from tests.support.small_report import HOSTILE, LABELS, PUBLISHED, found_in, summarised
from tests.support.small_study import small_study

HOST = {"cores": 2, "cpu": "CPU", "gpu": None, "kernels": {}, "memory": 2**30, "system": "Linux"}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[BenchmarkData]:
    return [found_in(tmp_path_factory, key) for key in ("two-u3", "one-u3")]


@pytest.fixture(scope="module")
def published() -> pd.DataFrame:
    return load_published(PUBLISHED)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return summarised(tmp_path_factory) / "metrics/pictures"


@pytest.fixture(scope="module")
def made(both: list[BenchmarkData], published: pd.DataFrame, pictures: Path) -> str:
    return build_page(both, published, pictures)


def cells(table: str) -> list[list[str]]:
    """The rows of a table as words."""
    rows = re.findall(r"<tr.*?</tr>", table, re.DOTALL)
    return [[Reader(cell).words for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


def test_the_page_names_the_sets_that_trained_too(
    both: list[BenchmarkData], published: pd.DataFrame, pictures: Path
) -> None:
    one = both[0]
    unseen = one.split.unseen[0]
    theirs = OtherSet("theirs", 3, one.split.classes, ((1, unseen),), kept=False)
    more = OtherSet("more", 2, one.split.classes + 3, ((0, unseen),), kept=True)
    joint = replace(
        one,
        split=replace(one.split, also=(theirs, more)),
        other_labels={"theirs": ("hop", "skip", "jump"), "more": ("run", "fall")},
    )
    own = pictures / one.key
    facts = benchmark_section(joint, published, own)["facts"]
    assert facts["Trained also on"] == (
        "theirs (2 of 3 classes; same as an unseen one: skip), more (2 of 2 classes; classes that "
        "mean the same as an unseen one are kept)"
    )
    assert "Trained also on" not in benchmark_section(one, published, own)["facts"]
    rows = [row for row in published_beside(joint.conditions, published) if row.differs]
    assert all("training: also on theirs, more here" in row.differs for row in rows)


def test_the_page_starts_with_one_row_a_benchmark(made: str, both: list[BenchmarkData]) -> None:
    first = made[made.index("<table") : made.index("</table>")]
    header, two, together, ridge, one, alone_ridge = cells(first)
    row = dict(zip(header, two, strict=True))
    assert row["Benchmark"].removesuffix(" DOUBTFUL") == "two-u3"
    for score, name in (("zsl", "ZSL"), ("seen", "S"), ("unseen", "U"), ("H", "H")):
        assert row[name] == spread(both[0].metrics, score)
        assert "±" in row[name]
    assert (row["Seeds"], row["Protocol"], row["Selection"]) == ("2", "clean", "val")
    alone = dict(zip(header, one, strict=True))
    assert (alone["Seeds"], alone["S"], alone["U"], alone["H"]) == ("1", "–", "–", "–")
    assert "±" not in alone["ZSL"]
    assert alone["Chance of ZSL"] == "33.3"
    beside = both[0].metrics["beside"]
    assert [together[0], ridge[0]] == ["ensemble of 2 seeds", "ridge, closed form"]
    for name, shown in (("ensemble", together), ("ridge", ridge)):
        for score, column in (("zsl", "ZSL"), ("seen", "S"), ("unseen", "U"), ("H", "H")):
            told = dict(zip(header, shown, strict=True))[column]
            assert told == f"{100 * beside[name][score]['overall']:.1f}"
    # One seed is no ensemble, and ZSL alone has no S, U and H.
    assert alone_ridge[0] == "ridge, closed form"
    assert alone_ridge[3:6] == ["–", "–", "–"]


def test_what_stands_beside_is_marked(made: str, both: list[BenchmarkData]) -> None:
    first = made[made.index("<table") : made.index("</table>")]
    assert first.count('<tr class="beside">') == 3
    assert "Indented rows are evaluated on the same samples" in Reader(made).words
    bare = replace(both[0], metrics={**both[0].metrics, "beside": {}})
    page = render("summary.html", summary=[summary_row(bare)])
    assert "beside" not in page
    assert "Indented rows" not in page


def test_none_of_these_has_a_row_for_each_rate(
    both: list[BenchmarkData], published: pd.DataFrame, pictures: Path
) -> None:
    one = {"rate": 0.05, "false_alarms": 0.04, "seen": 0.03, "unseen": 0.08, "found": 0.25}
    benchmark = replace(both[0], metrics={**both[0].metrics, "none_of_these": [one]})
    page = build_page([benchmark, both[1]], published, pictures)
    assert page.count("<h3>None of these</h3>") == 1  # none of ZSL alone
    start = page.index("<h3>None of these</h3>")
    _, row = cells(page[page.index("<table", start) : page.index("</table>", start)])
    assert row == ["5.0", "4.0", "3.0", "8.0", "25.0"]


def test_gates_side_by_side(
    both: list[BenchmarkData], published: pd.DataFrame, pictures: Path
) -> None:
    gates = {**both[0].metrics["gates"]}
    gates["energy"] = {"auc": 0.5, "ausuc": 0.25, "H": 0.125, "H_best": 0.375, "H_chance": 0.2}
    gates["energy"]["better_than_chance"] = False
    gates["combined"] = {**gates["combined"], "better_than_chance": True}
    benchmark = replace(both[0], metrics={**both[0].metrics, "gates": gates})
    page = build_page([benchmark, both[1]], published, pictures)
    assert page.count("Gates side by side") == 1  # none of ZSL alone
    start = page.index("Gates side by side")
    table = page[page.index("<table", start) : page.index("</table>", start)]
    header, *rows = cells(table)
    assert header[1:] == [
        "AUC",
        "AUSUC",
        "H at the chosen threshold",
        "H at the best threshold",
        "H of a coin",
        "Remark",
    ]
    by_name = {row[0]: row[1:] for row in rows}
    assert list(by_name) == list(GATES)
    assert by_name["energy"] == ["50.0", "25.0", "12.5", "37.5", "20.0", "no better than chance"]
    assert by_name["combined"][-1] == "used"
    assert re.findall(r'<tr class="own"><th scope="row">(\w+)', table) == ["combined"]
    worth = gates["combined"]
    assert by_name["combined"][:4] == [
        f"{100 * worth[column]:.1f}" for column in ("auc", "ausuc", "H", "H_best")
    ]
    assert "50 being chance" in Reader(page).words


def test_transductive_never_goes_without_the_word(
    made: str, both: list[BenchmarkData], published: pd.DataFrame, pictures: Path
) -> None:
    # Nobody asked for it: the parameter of each benchmark alone.
    assert made.count("ransductive") == made.count("evaluate.transductive") == 2
    scores = {"zsl": {"overall": 0.9126, "per_class": 0.5}, "H": {"overall": 0.7, "per_class": 0.5}}
    found = {
        "mean": scores,
        "std": {"zsl": {"overall": 0.0321}, "H": {"overall": 0.01}},
        "seeds": {"0": scores, "1": scores},
        "beside": {"ridge": {"zsl": {"overall": 0.877}}, "ensemble": scores},
    }
    benchmark = replace(both[0], metrics={**both[0].metrics, "transductive": found})
    page = build_page([benchmark], published, pictures)
    for number in ("91.3", "87.7"):  # each of them in this one table
        assert page.count(number) == page[page.index("<h3>Transductive") :].count(number)
    start = page.index("<h3>Transductive")
    header, *rows = cells(page[page.index("<table", start) : page.index("</table>", start)])
    assert header == ["Method", "ZSL", "H"]
    assert rows == [
        ["vae, transductive", "91.3 ± 3.2", "70.0 ± 1.0"],
        ["ensemble of 2 seeds, transductive", "91.3", "70.0"],
        ["ridge, closed form, transductive", "87.7", "–"],
    ]


def test_many_class_splits(
    both: list[BenchmarkData], published: pd.DataFrame, pictures: Path
) -> None:
    study = small_study({"ridge": [0.5, 0.75], "ridge, transductive": [0.75, 0.75]})
    benchmark = replace(both[0], study=study)
    page = build_page([benchmark], published, pictures)
    start = page.index("<h3>Over 2 class splits")
    header, *rows = cells(page[page.index("<table", start) : page.index("</table>", start)])
    assert header == ["Method", "ZSL", "H", "ZSL less that of ridge"]
    assert rows == [
        ["ridge", "62.5 ± 12.5", "50.0 ± 0.0", "–"],
        ["ridge, transductive", "75.0 ± 0.0", "–", "+12.5 ± 12.5"],
    ]
    words = Reader(page).words
    assert "model.latent 7 -> 5" in words  # what params.yaml has now
    assert "evaluate.task" not in words[words.index("since then") : words.index("Random class")]


def test_simulated_data_says_so_in_its_row(both: list[BenchmarkData]) -> None:
    found = [both[0], replace(both[1], simulated=True)]
    rows = cells(render("summary.html", summary=[summary_row(one) for one in found]))
    assert ["SIMULATED" in " ".join(row) for row in rows[1:]] == [False] * 3 + [True] * 2


def test_simulated_data_says_so_in_its_section(
    both: list[BenchmarkData], published: pd.DataFrame, pictures: Path
) -> None:
    benchmark = replace(both[1], simulated=True)
    words = Reader(build_page([benchmark], published, pictures)).words
    assert "SIMULATED recordings are made by a program and say nothing of real ones." in words
    assert "SIMULATED The recordings of this benchmark are made by a program" in words
    assert "standard deviation" not in words  # of one seed


def test_hostile_names_are_shown_and_not_obeyed(made: str) -> None:
    assert HOSTILE in LABELS
    assert HOSTILE not in made
    read = Reader(made)
    assert HOSTILE in read.words
    assert "script" not in read.names
    assert "a finding with <b>markup</b>" in read.words
    assert "b" not in read.names


def test_the_page_stands_alone(made: str) -> None:
    read = Reader(made)
    for attributes in read.attributes:
        assert (attributes.get("src") or "data:").startswith("data:image/png;base64,"[:5])
        assert (attributes.get("href") or "#").startswith("#")
        assert not [name for name in attributes if name.startswith("on")]
    assert not re.search(r"url\(|@import|https?://", made)
    assert "link" not in read.names
    assert made.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert "default-src 'none'" in made
    targets = {a["id"] for a in read.attributes if "id" in a}
    assert {a["href"] for a in read.attributes if "href" in a} == {f"#{t}" for t in targets}


def test_every_picture_is_in_the_page_with_words(made: str, pictures: Path) -> None:
    read = Reader(made)
    images = [a for n, a in zip(read.names, read.attributes) if n == "img"]
    # One set of eight, and one without the curve where only ZSL was evaluated.
    assert len(images) == 8 + 7 == len(list(pictures.rglob("*.png")))
    assert all(len(image["alt"] or "") > 40 for image in images)
    assert not (pictures / "one-u3/curve.png").exists()


def test_every_header_has_a_scope(made: str) -> None:
    read = Reader(made)
    headers = [a for n, a in zip(read.names, read.attributes) if n == "th"]
    assert headers
    assert all(a.get("scope") in ("row", "col") for a in headers)


def test_elements_are_closed(made: str) -> None:
    for name in ("table", "div", "figure", "details", "ul", "li", "tr", "td", "th", "p", "dl"):
        assert len(re.findall(rf"<{name}[ >]", made)) == made.count(f"</{name}>"), name


def test_published_results_stand_beside_ours(
    both: list[BenchmarkData], published: pd.DataFrame, pictures: Path
) -> None:
    assert "No published result is known for mine" in build_page(both, published, pictures)
    table = published.assign(dataset="mine", seen=6, unseen=3).head(8)
    table.loc[table["method"].str.startswith("MSF"), "selection"] = "test"
    page = build_page([both[0]], table, pictures)
    start = page.index("Beside published results")
    rows = cells(page[page.index("<table", start) : page.index("</table>", start)])
    assert rows[0] == ["Method", "ZSL", "H", "Source", "Comparable", "What differs"]
    assert rows[1][:3] == [
        "this run",
        spread(both[0].metrics, "zsl"),
        spread(both[0].metrics, "H"),
    ]
    assert [row[0] for row in rows[2:]] == table["method"].tolist()
    msf = dict(zip(rows[0], rows[6]))
    assert msf["Comparable"] == "no"
    assert "clip-vit-b32 there, minilm here" in msf["What differs"]
    assert "on the test samples of the unseen classes there" in msf["What differs"]
    assert "not recorded: " in msf["What differs"]
