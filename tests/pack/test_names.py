"""What names of recordings and folders say, and who trains by it."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest

from amsf.base.errors import InputError
from amsf.pack.__main__ import main, pack
from amsf.pack.stated import ClassFolders, NameForm
from amsf.skeleton.partition import LIST_NAME, training_mask
from amsf.skeleton.recordings import FILE_NAME, Recording, SkeletonSet
from tests.pack.test_bvh import bvh, some_motion

POSE = np.zeros((1, 1, 20, 3), np.float32)
LABELS = ("sit", "sit down", "wave, both hands")
OUT = Path("data/external/mine")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data/classes").mkdir(parents=True)
    rows = [f'{i},"{label}",1' for i, label in enumerate(LABELS)]
    Path("data/classes/mine.csv").write_text("\n".join(["id,label,persons", *rows]) + "\n")


def told(form: str, path: str, dataset: str = "mine") -> tuple[int, int]:
    """(label, subject) by the name of a recording below the folder clips."""
    file = Path("clips", f"{path}.bvh")
    said = NameForm(form, ClassFolders(dataset, Path("clips")))
    recording = said.told(Recording(POSE, file.stem), file)
    return recording.label, recording.subject


@pytest.mark.parametrize(
    ("form", "path", "expected"),
    [
        ("{subject}/{label}_{}", "anna/sit_down_01", (1, 1)),  # not `sit`, take `down_01`
        ("{subject}/{label}_{}", "more/anna/Sit-01_x", None),
        ("{subject}/{label}_{}", "more/anna/Sit_01", (0, 1)),
        ("{label}_s{subject}_e{}", "sitDown_S07_e2", (1, 7)),
        ("{subject}_{label}", "12_2", (2, 12)),
        ("{label}/{subject}/{}", "wave both hands/3/a", (2, 3)),
        ("{label}", "WaveBothHands", (2, -1)),
        ("{subject}/{}", "anna", None),  # the folder clips is nobody
        ("p{subject}_{}", "anna_1", None),
        ("{subject}.{}", "axb", None),  # the dot is a dot
    ],
)
def test_a_name_is_read_by_its_form(form: str, path: str, expected: tuple[int, int] | None) -> None:
    if expected is None:
        with pytest.raises(InputError, match=r"is not of the form .* \(--names\)"):
            told(form, path)
    else:
        assert told(form, path) == expected


def test_letters_and_signs_of_all_scripts_are_read() -> None:
    labels = ["Tür öffnen", "tür schließen!", "हाथ की", "हाथ कि", "(re)turn", "push/pull"]
    rows = "".join(f"{i},{label},1\n" for i, label in enumerate(labels))
    Path("data/classes/more.csv").write_text(f"id,label,persons\n{rows}", "utf-8")
    for number, label in enumerate(labels):
        for form in ("NFC", "NFD"):  # on Linux and Windows; on a Mac
            name = unicodedata.normalize(form, f"Jörg/{label.replace('/', '-')}_01")
            assert told("{subject}/{label}_{}", name, "more") == (number, 1)
    said = NameForm("{subject}_{label}", ClassFolders("more", Path("clips")))
    for form in ("NFC", "NFD"):
        name = unicodedata.normalize(form, "Jörg_tür_öffnen")
        said.told(Recording(POSE, name), Path("clips", f"{name}.bvh"))
    assert said.people == {"jörg": 1}


@pytest.mark.parametrize(
    ("labels", "name", "classes"),
    [
        (["walk", "run", "walk -"], "walk", r"0 \(walk\) or 2 \(walk -\)"),
        (["1", "2", "sit"], "1", r"0 \(1\) or 1 \(2\)"),
    ],
)
def test_a_name_that_may_be_two_classes_is_refused(
    labels: list[str], name: str, classes: str
) -> None:
    rows = "".join(f"{i},{label},1\n" for i, label in enumerate(labels))
    Path("data/classes/more.csv").write_text(f"id,label,persons\n{rows}")
    with pytest.raises(InputError, match=rf"'{name}' may be class {classes} of .*more\.csv"):
        told("{label}", name, "more")
    with pytest.raises(InputError, match=rf"'{name}' may be class {classes} of .*more\.csv"):
        ClassFolders("more", Path("clips")).label_of(Path("clips", name, "a.bvh"))


def test_without_a_class_list_labels_are_numbers() -> None:
    assert told("{label}_{}", "04_a", "other") == (4, -1)
    with pytest.raises(InputError, match=r"is an id: there is no data/classes/other\.csv"):
        told("{label}_{}", "sit_a", "other")


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("{who}_{}", "'who' is no field; expected {subject}, {label} and"),
        ("{subject}_{subject}", "{subject} comes twice"),
        ("{subject}{label}", "nothing stands between two fields"),
        ("{}_{}", "it names no field"),
        ("{subject", "expected '}' before end of string"),
        ("{subject:d}", "is no field"),
    ],
)
def test_a_form_that_is_none(form: str, message: str) -> None:
    with pytest.raises(InputError, match=f"--names {form}".replace("{", r"\{")) as error:
        NameForm(form, ClassFolders("mine", Path("clips")))
    assert message in str(error.value)


def clips(*names: str) -> None:
    for seed, name in enumerate(names):
        path = Path("clips", f"{name}.bvh")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(bvh(some_motion(seed=seed)))


def run(*options: str) -> None:
    main(["clips", "--format", "bvh", "--out", str(OUT), "--jobs", "1", *options])


def test_people_by_names_are_numbered_and_half_of_them_train(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clips("Ben/sit_1", "ben/sit_2", "anna/sit_1", "cleo/sit_1", "cleo/sitting")
    run("--names", "{subject}/{label}_{}")
    packed = SkeletonSet.load(OUT / FILE_NAME)
    assert packed.subject.tolist() == [1, 2, 1, 3]  # by the order of folders
    assert (OUT / LIST_NAME).read_text().splitlines()[1:] == ["1  # ben", "3  # cleo"]
    assert training_mask(packed, "subject", OUT).tolist() == [True, False, True, True]
    said = capsys.readouterr()
    assert "skeletons.report.csv: 1 entry of what was left out, with reasons\n" in said.out
    assert f"{OUT / LIST_NAME}: recordings of ben, cleo train, those of anna test" in said.err
    assert (
        "no recording of sit down, wave, both hands: a class of data/classes/mine.csv" in said.err
    )
    (OUT / LIST_NAME).write_text("2\n")
    run("--names", "{subject}/{label}_{}")
    assert (OUT / LIST_NAME).read_text() == "2\n"
    said = capsys.readouterr()
    assert "was there and stays" in said.err
    assert "numbered anew" not in said.err


def test_people_who_come_later_may_change_the_numbers_of_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clips("ben/sit_1", "cleo/sit_1")
    run("--names", "{subject}/{label}_{}")
    assert (OUT / LIST_NAME).read_text().splitlines()[1:] == ["1  # ben"]
    clips("ben/sit_1", "cleo/sit_1", "anna/sit_1")
    capsys.readouterr()
    run("--names", "{subject}/{label}_{}")
    said = f"{OUT / LIST_NAME}: people are numbered anew: 1 was ben and is anna; correct or delete"
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "expected"),
    [((), "nothing says who acts in the recordings"),
     (("--names", "{subject}_{}"), "one person acts in all the recordings")],
)  # fmt: skip
def test_where_others_cannot_test_it_says_what_to_do(
    options: tuple[str, ...], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    clips("sit/anna_1", "sit/anna_2", "sit down/anna_3")
    run(*options)
    said = capsys.readouterr().err
    assert expected in said
    assert "set the benchmark's backbone.partition to recording" in said
    assert not (OUT / LIST_NAME).exists()
    packed = SkeletonSet.load(OUT / FILE_NAME)
    assert packed.label.tolist() == [0, 0, 1]
    assert training_mask(packed, "recording", OUT).tolist() == [True, False, True]


def test_names_and_numbers_of_people_do_not_mix() -> None:
    clips("anna_sit", "1_sit")
    with pytest.raises(InputError, match="'anna' and '1' are people; expected words or numbers"):
        pack("clips", OUT, "bvh", jobs=1, names="{subject}_{label}")
    assert not OUT.exists()


def test_a_datasets_own_names_are_not_read_otherwise() -> None:
    with pytest.raises(InputError, match="--names is for recordings of your own; ntu60 belongs"):
        pack("clips", OUT, "ntu60", names="{subject}_{}")
