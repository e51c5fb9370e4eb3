"""Published split files: import, export, the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amsf.base.errors import InputError
from amsf.dataset.published_splits import export_split, file_names, import_split, main, write_list
from amsf.dataset.splits import Split, listed_split, make_split, random_split

ROOT = Path(__file__).parents[2]
LISTS = ("seen", "unseen", "val_seen", "val_unseen")


@pytest.mark.parametrize(
    ("classes", "unseen", "letter", "names"),
    [
        (60, 5, "r", ("rs55", "ru5", "rs50_0", "rv5_0")),
        (60, 12, "e", ("es48", "eu12", "es36_0", "ev12_0")),
        (120, 10, "r", ("rs110", "ru10", "rs100_0", "rv10_0")),
        (120, 24, "h", ("hs96", "hu24", "hs72_0", "hv24_0")),
        (51, 4, "r", ("rs47", "ru4", "rs43_0", "rv4_0")),
        (51, 8, "r", ("rs43", "ru8", "rs35_0", "rv8_0")),
    ],
)
def test_published_names(classes: int, unseen: int, letter: str, names: tuple[str, ...]) -> None:
    expected = {name: f"{file}.npy" for name, file in zip(LISTS, names, strict=True)}
    assert file_names(classes, unseen, letter) == expected


@given(st.integers(3, 40), st.sampled_from(["random", "easy", "hard"]), st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_exported_splits_import_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, classes: int, kind: str, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("lists")
    unseen = 1 + seed % ((classes - 1) // 2)
    drawn = random_split("x", classes, unseen, seed)
    split = Split("x", classes, drawn.seen, drawn.unseen, drawn.val_seen, drawn.val_unseen, kind)
    paths = export_split(split, folder)
    assert sorted(paths) == sorted(folder.iterdir())
    assert {p.name for p in paths} == set(file_names(classes, unseen, kind[0]).values())
    for path in paths:
        ids = np.load(path)
        assert ids.dtype == np.int64
        assert (np.diff(ids) > 0).all()
    assert import_split(folder, "x", classes, unseen, kind[0]) == split


def test_without_validation_only_two_lists_are_exported(tmp_path: Path) -> None:
    split = make_split("x", 7, [1, 5], [], kind="listed", where="")
    assert [p.name for p in export_split(split, tmp_path)] == ["rs5.npy", "ru2.npy"]


def publish(folder: Path, **changed: np.ndarray) -> Path:
    """The lists of a split of 7 classes, 2 unseen, with some changed."""
    lists = {"rs5": [0, 2, 3, 4, 6], "ru2": [5, 1], "rs3_0": [2, 3, 6], "rv2_0": [4, 0]}
    for name, ids in lists.items():
        np.save(folder / f"{name}.npy", changed.get(name, np.array(ids)))
    return folder


def test_unsorted_lists_and_other_integers_are_taken(tmp_path: Path) -> None:
    split = import_split(publish(tmp_path, ru2=np.array([5, 1], np.uint8)), "x", 7, 2)
    assert split == Split("x", 7, (0, 2, 3, 4, 6), (1, 5), (2, 3, 6), (0, 4), "random")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "ru2",
            np.array([1.0, 5.0]),
            r"ru2\.npy: it holds float64 of shape \(2,\); .* integer class",
        ),
        ("rv2_0", np.array([[0, 4]]), r"rv2_0\.npy: it holds int64 of shape \(1, 2\); .* 1-D list"),
        ("rs5", np.array(3), r"rs5\.npy: it holds int64 of shape \(\)"),
        ("rs5", np.array([True] * 5), r"rs5\.npy: it holds bool of shape \(5,\)"),
        ("ru2", np.array([1, 7]), "unseen: class ids 7; expected 0 to 6"),
        ("rs3_0", np.array([2, 3, 5]), "classes 5 are in both val_seen and unseen"),
        ("rs5", np.array([0, 2, 3, 4]), "classes 6 of x are neither seen nor unseen"),
        ("rs5", np.array([{}], dtype=object), r"rs5\.npy: not a readable \.npy array"),
    ],
)
def test_lists_that_make_no_split(
    tmp_path: Path, name: str, value: np.ndarray, message: str
) -> None:
    publish(tmp_path, **{name: value})
    with pytest.raises(InputError, match=message):
        import_split(tmp_path, "x", 7, 2)


@pytest.mark.parametrize("name", ["rs5", "ru2", "rs3_0", "rv2_0"])
def test_missing_lists(tmp_path: Path, name: str) -> None:
    (publish(tmp_path) / f"{name}.npy").unlink()
    with pytest.raises(InputError, match=rf"{name}\.npy: no such file"):
        import_split(tmp_path, "x", 7, 2)


@pytest.mark.parametrize(
    "split",
    [
        make_split("x", 7, [1, 5], [0, 4], kind="listed", where=""),
        make_split("x", 7, [1, 5], [0, 4], val_seen=[2, 3], kind="listed", where=""),
        make_split("x", 7, [1, 5], [], kind="listed", where=""),
        make_split("x", 120, range(24), range(24, 48), kind="listed", where=""),
    ],
    ids=["plain", "short val_seen", "no validation", "long"],
)
def test_written_lists_are_those_that_the_pipeline_reads(tmp_path: Path, split: Split) -> None:
    path = tmp_path / "mine.yaml"
    write_list(split, path, "Ours.")
    assert listed_split(path, "x", split.classes, len(split.unseen)) == split
    assert path.read_text().startswith("# Ours.\ndataset: x\nunseen: [")
    assert max(map(len, path.read_text().splitlines())) <= 100


# --- the command line ---------------------------------------------------------------------------


def test_import_and_export_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)  # class lists are looked up in data/classes
    lists, target, back = tmp_path / "lists", tmp_path / "mine.yaml", tmp_path / "back"
    split = random_split("utd27", 27, 5, 3)
    split.save(tmp_path / "split.json")
    main(["export", str(tmp_path / "split.json"), str(lists)])
    main(["import", str(lists), "--dataset", "utd27", "--unseen", "5", "--to", str(target)])
    listed = listed_split(target, "utd27", 27, 5)
    listed.save(tmp_path / "again.json")
    main(["export", str(tmp_path / "again.json"), str(back)])
    printed = capsys.readouterr().out.splitlines()
    names = list(file_names(27, 5, "r").values())
    assert printed == [
        *(str(lists / n) for n in names),
        str(target),
        *(str(back / n) for n in names),
    ]
    for name in names:
        assert (lists / name).read_bytes() == (back / name).read_bytes()


def test_an_imported_easy_split_keeps_its_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its features are published in shift_5_e, which is found by the split's letter.
    monkeypatch.chdir(ROOT)
    drawn = random_split("utd27", 27, 5, 3)
    easy = Split("utd27", 27, drawn.seen, drawn.unseen, drawn.val_seen, drawn.val_unseen, "easy")
    export_split(easy, tmp_path)
    target = tmp_path / "mine.yaml"
    words = ["--dataset", "utd27", "--unseen", "5", "--kind", "e", "--to", str(target)]
    main(["import", str(tmp_path), *words])
    assert listed_split(target, "utd27", 27, 5).letter == "e"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--dataset", "utd27", "--unseen", "5"], r"rs22\.npy: no such file"),
        (["--dataset", "ours", "--unseen", "5"], "no class list for dataset 'ours'"),
    ],
)
def test_a_failed_import_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(InputError, match=message):
        main(["import", str(tmp_path), *words, "--to", str(tmp_path / "mine.yaml")])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [[], ["import"], ["import", "x", "--dataset", "y", "--to", "z"]])
def test_wrong_words_end_in_the_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert "usage: python -m amsf.dataset.published_splits" in capsys.readouterr().err


# --- the published ones -------------------------------------------------------------------------


@pytest.mark.parametrize(("classes", "unseen"), [(60, 5), (60, 12), (120, 10), (120, 24)])
def test_published_lists_import(data_dir: Path, classes: int, unseen: int) -> None:
    folder = data_dir / "msf" / "label_splits"
    split = import_split(folder, f"ntu{classes}", classes, unseen)
    for name, file in file_names(classes, unseen, "r").items():
        assert list(getattr(split, name)) == sorted(np.load(folder / file))


def test_the_validation_list_of_110_10_keeps_its_81_classes(data_dir: Path, tmp_path: Path) -> None:
    split = import_split(data_dir / "msf" / "label_splits", "ntu120", 120, 10)
    assert len(split.val_seen) == 81
    assert max(split.val_seen) < 100
    write_list(split, tmp_path / "mine.yaml", "x")
    assert listed_split(tmp_path / "mine.yaml", "ntu120", 120, 10).val_seen == split.val_seen
    export_split(split, tmp_path)
    assert len(np.load(tmp_path / "rs100_0.npy")) == 81
