"""The published layout of skeleton features: its names, written out."""

from __future__ import annotations

from pathlib import Path

import pytest

from amsf.dataset.layout import FILES, array_file, folder_name, phase_folder, phase_of
from amsf.dataset.splits import make_split


@pytest.mark.parametrize(("kind", "letter"), [("listed", "r"), ("easy", "e"), ("hard", "h")])
def test_the_folder_of_a_phase(kind: str, letter: str) -> None:
    split = make_split("d", 9, [1, 4], [0, 5], kind=kind, where="")
    assert folder_name(split, "test") == f"shift_2_{letter}"
    assert folder_name(split, "val") == f"shift_val_2_{letter}"
    place = Path(f"x/sk_feats/{letter}/shift_val_2_{letter}")
    assert phase_folder(Path("x"), split, "val") == place
    for phase in ("test", "val"):
        assert phase_of(folder_name(split, phase)) == phase


@pytest.mark.parametrize("name", ["shift_r", "shift_val_r", "shift_5_rr", "sk_feats", "xshift_5_r"])
def test_other_folders_are_of_no_phase(name: str) -> None:
    assert phase_of(name) is None


def test_the_files_are_the_published_ones() -> None:
    names = {
        phase: {name for files in roles.values() for name in files if name}
        for phase, roles in FILES.items()
    }
    common = {"train", "train_label", "ztest", "z_label"}
    assert names == {
        "test": common | {"gtest", "g_label", "gtest_out"},
        "val": common | {"ztest_out", "val", "val_label", "val_out"},
    }
    for roles in FILES.values():
        assert all(files.features == role for role, files in roles.items())
    assert array_file(Path("x"), "gtest_out") == Path("x/gtest_out.npy")
