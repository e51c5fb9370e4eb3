"""Text features: the artifact's folder and the published layout."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amsf.base.errors import InputError
from amsf.base.storage import read_json
from amsf.text.features import (
    MSF_NAMES,
    TextFeatures,
    duplicate_rows,
    export_published,
    import_published,
    load_text_features,
    published_views,
)

VIEWS = ("lb", "MAad", "MAmd")


def make(C: int = 6, D: int = 4, views: tuple[str, ...] = VIEWS, seed: int = 0) -> TextFeatures:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(C, len(views), D)).astype(np.float32)
    return TextFeatures(values, views, "minilm", "utd27")


def test_select_takes_views_in_the_order_asked_for() -> None:
    features = make()
    got = features.select(["MAmd", "lb"])
    assert np.array_equal(got[:, 0], features.features[:, 2])
    assert np.array_equal(got[:, 1], features.features[:, 0])
    with pytest.raises(InputError, match=r"no view LLMad; they have lb, MAad, MAmd"):
        features.select(["lb", "LLMad"])


@given(st.integers(2, 9), st.integers(1, 7), st.integers(1, 3), st.integers(0, 99))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_saved_folder_reads_back_and_is_byte_stable(
    tmp_path: Path, C: int, D: int, V: int, seed: int
) -> None:
    features = make(C, D, VIEWS[:V], seed)
    for name in ("one", "two", "one"):  # the second "one" replaces a folder
        features.save(tmp_path / name, {"texts_sha256": {"lb": "ab"}})
    back = load_text_features(tmp_path / "one")
    assert np.array_equal(back.features, features.features)
    assert (back.views, back.encoder, back.dataset) == (VIEWS[:V], "minilm", "utd27")
    for file in ("features.npy", "manifest.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    manifest = read_json(tmp_path / "one" / "manifest.json")
    assert (manifest["classes"], manifest["width"]) == (C, D)
    assert manifest["texts_sha256"] == {"lb": "ab"}


def test_manifest_tells_duplicate_rows(tmp_path: Path) -> None:
    features = make()
    features.features[4, 1] = features.features[2, 1]
    features.save(tmp_path / "f")
    told = read_json(tmp_path / "f" / "manifest.json")["duplicates"]
    assert told == {"lb": [], "MAad": [[2, 4]], "MAmd": []}


def test_damaged_folder_is_told(tmp_path: Path) -> None:
    make().save(tmp_path / "f")
    np.save(tmp_path / "f" / "features.npy", np.ones((6, 2, 4), np.float32))
    with pytest.raises(InputError, match=r"shape \(6, 2, 4\); manifest.json says \(6, 3, 4\)"):
        load_text_features(tmp_path / "f")
    with pytest.raises(InputError, match="no such file"):
        load_text_features(tmp_path / "none")


@pytest.mark.parametrize("names", [None, MSF_NAMES])
def test_published_layout_round_trip(tmp_path: Path, names: dict[str, str] | None) -> None:
    features = make()
    export_published(features, tmp_path, names)
    expected = ["MAad_6.npy", "MAmd_6.npy", "lb_6.npy"]
    if names:
        expected = ["ad_6.npy", "lb_6.npy", "md_6.npy"]
    assert sorted(p.name for p in tmp_path.iterdir()) == expected
    one = np.load(tmp_path / "lb_6.npy")
    assert one.dtype == np.float32
    assert np.array_equal(one, features.features[:, 0])
    back = import_published(tmp_path, published_views(tmp_path, 6), 6, dataset="utd27")
    assert np.array_equal(back.features, features.features)
    assert back.views == VIEWS
    with pytest.raises(InputError, match=r"expected \{view\}_7.npy"):
        published_views(tmp_path, 7)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda a: a[:5], r"shape \(5, 4\); expected \(6, D\)"),
        (lambda a: a[:, 0], r"shape \(6,\)"),
        (lambda a: np.where(np.arange(6)[:, None] == 3, np.nan, a), "class 3 has NaN"),
        (lambda a: np.where(np.arange(6)[:, None] == 1, np.inf, a), "class 1 has NaN or inf"),
        (lambda a: np.where(np.arange(6)[:, None] == 5, 0, a), "class 5 has only zeros"),
        (lambda a: (a * 9).astype(np.int64), "type int64; expected floats"),
        (lambda a: a[:, :3], "views differ in width"),
        (lambda a: a.astype(object), "not a readable .npy"),
    ],
)
def test_bad_published_files_are_refused(tmp_path: Path, spoil, told: str) -> None:
    export_published(make(), tmp_path)
    np.save(tmp_path / "MAad_6.npy", spoil(make().features[:, 1]), allow_pickle=True)
    with pytest.raises(InputError, match=told):
        import_published(tmp_path, published_views(tmp_path, 6), 6)


def test_duplicates_in_published_files_warn_with_ids(tmp_path: Path) -> None:
    features = make()
    features.features[[3, 5], 0] = features.features[0, 0]
    export_published(features, tmp_path)
    with pytest.warns(UserWarning, match=r"lb_6.npy: .*: 0 = 3 = 5\."):
        import_published(tmp_path, {"lb": "lb"}, 6)


def test_duplicate_rows_ignores_scale_and_last_bits() -> None:
    rows = np.array([[1, 2], [3, 1], [2, 4.0000001], [1, 2.1], [3, 1]], np.float32)
    assert duplicate_rows(rows) == [[0, 2], [1, 4]]


@pytest.mark.parametrize("encoder", ["ViT-B/16", "ViT-B/32"])
@pytest.mark.parametrize("classes", [60, 120])
def test_real_published_features_import(data_dir: Path, encoder: str, classes: int) -> None:
    folder = data_dir / "msf" / "text_feats" / encoder
    views = published_views(folder, classes)
    assert views == {"lb": "lb", "MAad": "ad", "MAmd": "md"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        features = import_published(folder, views, classes, dataset=f"ntu{classes}")
    assert features.features.shape == (classes, 3, 512)
    for view, name in views.items():
        raw = np.load(folder / f"{name}_{classes}.npy")
        assert np.array_equal(features.select([view])[:, 0], raw)
    # CLIP's text features are not normalised: their norms are near 10.
    assert 5 < np.linalg.norm(features.features, axis=2).mean() < 15
