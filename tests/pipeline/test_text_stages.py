"""The stages describe, encode, split and look_at_texts one after another, in an empty folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from amsf.base.errors import InputError
from amsf.base.storage import read_json
from amsf.dataset.classes import load_classes
from amsf.dataset.splits import Split
from amsf.settings.params import WHOLE_VIEWS, Text
from amsf.text.descriptions import Texts
from amsf.text.encoders import load_encoder
from amsf.text.features import all_texts, load_other_texts, load_text_features
from stages import describe, encode, look_at_texts, split

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with this repository's classes, texts and prompts, where outputs may be written."""
    (tmp_path / "data").mkdir()
    for name in ("classes", "texts", "prompts"):
        (tmp_path / "data" / name).symlink_to(ROOT / "data" / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_params(project: Path, benchmarks: dict[str, dict[str, object]]) -> None:
    common = {"source": "data/external/x", "features": "published"}
    entries = {key: {**common, **entry} for key, entry in benchmarks.items()}
    (project / "params.yaml").write_text(yaml.safe_dump({"benchmarks": entries}))


def test_shipped_texts_become_features_and_a_report(project: Path) -> None:
    write_params(project, {"utd27-u5": {"dataset": "utd27", "unseen": 5}})
    describe.main()
    assert (project / "data/llm_record.jsonl").read_text() == ""
    for view in ("lb", "MAad", "MAmd", "LLMad", "LLMmd"):
        own = pd.read_csv(project / f"data/texts/utd27/{view}.csv")
        gathered = pd.read_csv(project / f"data/descriptions/utd27/{view}.csv")
        assert gathered["text"].tolist() == own["text"].tolist()
    encode.main("utd27-u5")
    features = load_text_features(project / "data/text_features/utd27-u5")
    assert features.features.shape == (27, 5, 384)
    look_at_texts.main("utd27-u5")
    report = read_json(project / "data/text_report/utd27-u5/report.json")
    assert list(report["views"]) == sorted(features.views)
    assert all(found["duplicates"] == [] for found in report["views"].values())


def test_texts_of_datasets_that_train_too_go_with_ones_own(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random = {"split": {"kind": "random", "seed": 1}}
    entry = {"dataset": "utkinect10", "unseen": 3, "features": "motion", "set": random}
    both = {"alone-u3": entry, "joint-u3": {**entry, "also": ["florence9"]}}
    write_params(project, both)
    describe.main()
    for key in both:
        encode.main(key)
        split.main(key)
    alone, joint = (project / f"data/text_features/{key}" for key in both)
    assert (alone / "features.npy").read_bytes() == (joint / "features.npy").read_bytes()
    assert not (alone / "also").exists()
    own, theirs = load_text_features(joint), load_other_texts(joint)["florence9"]
    vectors = all_texts(joint, ["MAmd", "lb"])
    np.testing.assert_array_equal(vectors[:10], own.select(["MAmd", "lb"]))
    np.testing.assert_array_equal(vectors[10:], theirs.select(["MAmd", "lb"]))
    made = Split.load(project / "data/split/joint-u3.json")
    assert made.unseen == Split.load(project / "data/split/alone-u3.json").unseen
    (florence,) = made.also
    names = [load_classes(name)["label"].tolist() for name in ("utkinect10", "florence9")]
    pairs = {(names[1][theirs], names[0][ours]) for theirs, ours in florence.alike}
    assert {("wave", "wave hands"), ("clap", "clap hands"), ("sit down", "sit down")} <= pairs
    told = capsys.readouterr().out
    out = len(made.left_out(florence, "test"))
    assert f"florence9 trains too: {9 - out} classes; {out} mean the same as an unseen" in told


def test_parts_are_gathered_and_encoded_where_the_model_names_them(project: Path) -> None:
    plain: dict[str, object] = {"dataset": "utkinect10", "unseen": 3}
    other = {
        "dataset": "florence9",
        "unseen": 3,
        "set": {"model": {"views": ["lb", "legs", "end"]}},
    }
    write_params(project, {"plain-u3": plain})
    describe.main()
    encode.main("plain-u3")
    before = (project / "data/text_features/plain-u3/features.npy").read_bytes()
    assert not (project / "data/descriptions/utkinect10/legs.csv").exists()
    write_params(project, {"plain-u3": plain, "parts-u3": {**plain, **other}})
    describe.main()
    for key in ("plain-u3", "parts-u3"):
        encode.main(key)
    assert (project / "data/text_features/plain-u3/features.npy").read_bytes() == before
    features = load_text_features(project / "data/text_features/parts-u3")
    assert features.views == (*WHOLE_VIEWS, "legs", "end")
    encoder = load_encoder(Text())
    legs = pd.read_csv(project / "data/texts/florence9/legs.csv")["text"].tolist()
    np.testing.assert_allclose(features.select(["legs"])[:, 0], encoder.encode(legs), atol=1e-5)


@pytest.mark.parametrize(
    ("views", "asked"),
    [(["lb"], ["LLMad", "LLMmd"]), (["lb", "trunk"], ["LLMad", "LLMmd", "trunk"])],
)
def test_a_model_is_asked_for_a_part_that_is_used(
    project: Path, monkeypatch: pytest.MonkeyPatch, views: list[str], asked: list[str]
) -> None:
    entry = {"dataset": "utkinect10", "unseen": 3, "set": {"model": {"views": views}}}
    write_params(project, {"own-u3": entry})
    with (project / "params.yaml").open("a") as file:
        file.write("describe:\n  provider: openai\n  model: m\n")
    prompts: list[str] = []

    def ask_model(
        labels: list[str], known: list[str], given: dict[str, str], *rest: object
    ) -> Texts:
        prompts.extend(given)
        return {}

    monkeypatch.setattr("amsf.text.describe.ask_model", ask_model)
    describe.main()
    assert prompts == asked


@pytest.mark.parametrize("kind", ["easy", "hard"])
def test_real_clip_features_drive_a_split(project: Path, data_dir: Path, kind: str) -> None:
    folder = data_dir / "msf" / "text_feats" / "ViT-B" / "32"
    text = {"encoder": "published", "checkpoint": str(folder)}
    entry = {"dataset": "ntu60", "unseen": 5, "set": {"text": text, "split": {"kind": kind}}}
    write_params(project, {"ntu60-u5": entry})
    encode.main("ntu60-u5")
    split.main("ntu60-u5")
    made = Split.load(project / "data/split/ntu60-u5.json")
    assert (len(made.unseen), len(made.val_unseen), made.kind) == (5, 5, kind)
    # The easy classes have a nearer seen class than the hard ones' usual.
    raw = [np.load(folder / f"{view}_60.npy") for view in ("lb", "ad", "md")]
    rows = [view / np.linalg.norm(view, axis=1, keepdims=True) for view in raw]
    similarity = sum(view @ view.T for view in rows)
    nearest = similarity[np.ix_(made.unseen, made.seen)].max(axis=1).mean()
    usual = np.mean([np.delete(row, i).max() for i, row in enumerate(similarity)])
    assert nearest > usual if kind == "easy" else nearest < usual


def test_describe_settings_of_one_benchmark_are_refused(project: Path) -> None:
    entry = {"dataset": "utd27", "unseen": 5, "set": {"describe": {"samples": 2}}}
    write_params(project, {"utd27-u5": entry})
    with pytest.raises(InputError, match=r"benchmarks.utd27-u5.set.describe: texts are made once"):
        describe.main()
    assert not (project / "data/descriptions").exists()


def test_nothing_is_written_where_the_key_is_missing(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_params(project, {"utd27-u5": {"dataset": "utd27", "unseen": 5}})
    with (project / "params.yaml").open("a") as file:
        file.write("describe:\n  provider: openai\n  model: m\n")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(InputError, match="OPENAI_API_KEY is not set"):
        describe.main()
    assert not (project / "data/descriptions").exists()
