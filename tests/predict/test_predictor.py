"""Prediction on a small trained benchmark, against the evaluation of the same recordings."""

from __future__ import annotations

import doctest
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from amsf.backbone.network import EncoderShape
from amsf.base.errors import InputError
from amsf.evaluation.decision import GatedAnswers
from amsf.evaluation.evaluate import GzslPredictions, transductive_scores
from amsf.evaluation.gate import Gate
from amsf.evaluation.gates import FittedGate
from amsf.evaluation.score_gate import ScoreGate
from amsf.features.phases import load_phase
from amsf.predict.predictor import Prediction, Predictor
from amsf.skeleton.recordings import Recording, SkeletonSet
from tests.support.small_project import KEY, write_params

SKELETONS = "data/simulated/demo/skeletons.safetensors"
U = 8


@pytest.fixture
def predictor(demo_project: Path) -> Predictor:
    return Predictor.load(KEY)


def evaluated() -> pd.DataFrame:
    """The evaluation's predictions, by the names of the recordings."""
    table = pd.read_csv(f"data/evaluation/{KEY}/predictions_seed0.csv")
    folder = Path(f"data/backbone/{KEY}/sk_feats/r/shift_{U}_r")
    return table.set_index(pd.Index(json.loads((folder / "names.json").read_text())["gtest"]))


def test_answers_are_those_of_the_evaluation(predictor: Predictor) -> None:
    table = evaluated()
    said = {p.recording: p for p in predictor.predict(SKELETONS)}
    assert [said[name].answer.id for name in table.index] == table["prediction"].tolist()
    # The benchmark is worth the comparison: both sides are answered.
    sides = {said[name].answer.seen for name in table.index}
    assert sides == {True, False}
    for name, probability in zip(table.index, table["probability"]):
        prediction = said[name]
        # The evaluation's P(unseen), with its odds divided by those of the threshold.
        t = predictor.gate.threshold
        odds = probability / (1 - probability) * (1 - t) / t
        assert prediction.unseen_probability == pytest.approx(odds / (1 + odds), abs=1e-4)
        assert prediction.answer.seen == (prediction.unseen_probability <= 0.5)


def test_probabilities_are_a_distribution_over_all_classes(predictor: Predictor) -> None:
    for prediction in predictor.predict(SKELETONS)[::7]:
        scores = prediction.classes
        assert sorted(s.id for s in scores) == list(range(59))
        assert sum(s.probability for s in scores) == pytest.approx(1)
        unseen = sum(s.probability for s in scores if not s.seen)
        assert unseen == pytest.approx(prediction.unseen_probability, abs=1e-6)
        assert {s.id for s in scores if not s.seen} == set(predictor.model.config.unseen)
        rest = [s.probability for s in scores[1:]]
        assert rest == sorted(rest, reverse=True)
        # The answer is the best of its side.
        side = [s for s in scores if s.seen == prediction.answer.seen]
        assert prediction.answer.probability == max(s.probability for s in side)


def test_a_second_look_is_that_of_the_evaluation(predictor: Predictor) -> None:
    """The whole of the demo at once, against the evaluation's function on the same samples."""
    test = load_phase(Path(f"data/features/{KEY}/test.safetensors"))
    names = list(evaluated().index)
    packed = SkeletonSet.load(SKELETONS)
    recordings = [packed.recording(list(packed.names).index(name)) for name in names]
    first = predictor.predict_recordings(recordings)
    again = predictor.predict_recordings(recordings, transductive=True)
    labels = packed.label[[list(packed.names).index(name) for name in names]]
    answers = np.array([p.answer.id for p in first])
    gated = GatedAnswers(np.zeros(len(answers)), answers, answers, answers)
    known = transductive_scores(predictor.model, test, GzslPredictions(labels, gated))
    said = np.array([p.answer.id for p in again])
    unseen = np.isin(labels, predictor.model.config.unseen)
    assert (said == labels)[unseen].mean() == pytest.approx(known["unseen"]["overall"])
    assert (said != answers).any()
    for one, two in zip(first, again, strict=True):
        assert one.answer.seen == two.answer.seen
        assert two.unseen_probability == pytest.approx(one.unseen_probability)
        assert sum(score.probability for score in two.classes) == pytest.approx(1)
        if one.answer.seen:  # its probabilities stay what they were
            assert two.classes == one.classes


PUBLISHED = Gate((0.0,) * 2 * U, intercept=0.0, threshold=0.2, temperature=2.0)
OF_SCORES = ScoreGate(
    scores=("distance", "stacking"),
    mean=(1.0, 2.0),
    deviation=(3.0, 4.0),
    coefficients=(0.0, 0.0),
    intercept=0.0,
    threshold=0.2,
    temperature=2.0,
)


@pytest.mark.parametrize(
    ("gate", "stricter"),
    [(gate, replace(gate, threshold=0.6)) for gate in (PUBLISHED, OF_SCORES)],
    ids=["published", "of scores"],
)
def test_joint_probability_by_hand(
    predictor: Predictor, gate: FittedGate, stricter: FittedGate
) -> None:
    features = torch.rand(1, predictor.extractor.width, generator=torch.Generator().manual_seed(0))
    logits = np.zeros((1, 59), np.float32)
    seen = predictor.model.config.seen
    logits[0, seen[3]] = gate.temperature * np.log(50)  # 50 seen classes have e^0, this one 50
    plain = replace(predictor, gate=gate, temperature=1.0)
    probability, answers, joint = plain.scores(features, logits)
    # P = 1/2, so odds 1; those of the threshold are 1/4: together 4, P(unseen) = 4/5.
    assert probability[0] == pytest.approx(0.8)
    assert joint[0, seen[3]] == pytest.approx(0.2 * 0.5)
    assert joint[0, seen[0]] == pytest.approx(0.2 * 0.01)
    of_unseen = predictor.model.probabilities(features)[0].numpy()
    unseen = list(predictor.model.config.unseen)
    np.testing.assert_allclose(joint[0, unseen], 0.8 * of_unseen, rtol=1e-6)
    assert answers[0] == unseen[int(of_unseen.argmax())]
    # At another temperature T each is raised to 1/T.
    tempered = replace(plain, temperature=0.5).scores(features, logits)[2][0, unseen]
    np.testing.assert_allclose(tempered, 0.8 * of_unseen**2 / (of_unseen**2).sum(), rtol=1e-6)
    above = replace(predictor, gate=stricter)
    assert above.scores(features, logits)[1][0] == seen[3]


def test_one_recording_alone_and_among_others(predictor: Predictor) -> None:
    recordings = [SkeletonSet.load(SKELETONS).recording(i) for i in (5, 100, 230)]
    together = predictor.predict_recordings(recordings)
    # Equal names do not disturb each other.
    same = [replace(r, name="clip") for r in recordings]
    assert [p.answer for p in predictor.predict_recordings(same)] == [p.answer for p in together]
    for recording, prediction in zip(recordings, together):
        (alone,) = predictor.predict_recordings([recording])
        assert alone.answer.id == prediction.answer.id
        assert alone.unseen_probability == pytest.approx(prediction.unseen_probability, abs=1e-4)
    assert predictor.predict_recordings([]) == []


def test_other_joints_are_refused(predictor: Predictor) -> None:
    with pytest.raises(
        InputError,
        match=r"clip: the 20 joints are those of kinect20; .* lack left_hand_tip, left_thumb",
    ):
        predictor.with_own_joints([Recording(np.ones((1, 4, 20, 3)), "clip")], "kinect20", "clip")
    with pytest.raises(InputError, match="clip: it has 20 joints; expected 25"):
        predictor.predict_recordings([Recording(np.zeros((1, 4, 20, 3)), "clip")])


def unseen_answers(predictions: list[Prediction]) -> set[str]:
    return {p.answer.label for p in predictions if not p.answer.seen}


def test_classes_added_by_words(predictor: Predictor, tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text('label,description\nmoonwalk,"glide backwards"\nsomersault,roll over\n')
    more = predictor.with_classes(own)
    assert more.labels[59:] == ("moonwalk", "somersault")
    assert more.model.config.unseen == (*predictor.model.config.unseen, 59, 60)
    scores = {s.label: s for s in more.predict(SKELETONS)[0].classes}
    assert len(scores) == 61
    assert not scores["moonwalk"].seen
    assert 0 < scores["moonwalk"].probability < 1
    assert sum(s.probability for s in scores.values()) == pytest.approx(1)
    # The predictor that it was made from is as it was.
    assert len(predictor.predict(SKELETONS)[0].classes) == 59


def test_an_unseen_class_taken_out_comes_back_by_words(
    predictor: Predictor, tmp_path: Path
) -> None:
    """A class whose recordings were recognised, known by another name and its words alone."""
    table = evaluated()
    right = table[table["labels"].isin(predictor.model.config.unseen)]
    right = right[right["prediction"] == right["labels"]]
    gone = int(right["labels"].iloc[0])
    keep = [c for c in predictor.model.config.unseen if c != gone]
    text = predictor.text[[predictor.model.config.unseen.index(c) for c in keep]]
    model = predictor.model.for_classes(tuple(keep), torch.from_numpy(text))
    without = replace(predictor, model=model, text=text)
    names = set(right.index[right["labels"] == gone])

    def answers(predictor: Predictor) -> set[str]:
        return {p.answer.label for p in predictor.predict(SKELETONS) if p.recording in names}

    words = {
        view: pd.read_csv(f"data/texts/demo/{view}.csv")["text"][gone] for view in ("lb", "MAmd")
    }
    path = tmp_path / "own.csv"
    pd.DataFrame([{"label": "my own action", **words}]).to_csv(path, index=False)
    assert predictor.labels[gone] not in unseen_answers(without.predict(SKELETONS))
    assert "my own action" in answers(without.with_classes(path))


def test_the_words_of_an_unseen_class_are_replaced(predictor: Predictor, tmp_path: Path) -> None:
    number = predictor.model.config.unseen[2]
    path = tmp_path / "own.csv"
    path.write_text(f"label,lb,MAmd\n{predictor.labels[number].upper()},crawl,You crawl.\n")
    other = predictor.with_classes(path)
    assert other.labels == predictor.labels
    assert other.model.config.unseen == predictor.model.config.unseen
    assert not np.allclose(other.text[2], predictor.text[2])
    np.testing.assert_array_equal(np.delete(other.text, 2, 0), np.delete(predictor.text, 2, 0))


def test_the_words_of_a_seen_class_are_refused(predictor: Predictor, tmp_path: Path) -> None:
    label = predictor.labels[predictor.model.config.seen[0]]
    path = tmp_path / "own.csv"
    path.write_text(f"label,lb\n{label},something else\n")
    with pytest.raises(InputError, match=f"own.csv: '{label}' is a seen class"):
        predictor.with_classes(path)


@pytest.mark.parametrize("count", [3, 12])
def test_gates_of_other_numbers_of_classes(predictor: Predictor, count: int) -> None:
    """The published gate takes the largest of more, and zeros for fewer; scores fit any number."""
    rng = np.random.default_rng(0)
    features = torch.rand(6, predictor.extractor.width, generator=torch.Generator().manual_seed(1))
    logits = rng.normal(size=(6, 59)).astype(np.float32)
    weights = tuple(rng.normal(size=2 * U).tolist())
    published = Gate(weights, intercept=0.1, threshold=0.3, temperature=2.0)
    assert isinstance(predictor.gate, ScoreGate)
    ids = (*predictor.model.config.unseen, *range(59, 70))[:count]
    text = np.resize(predictor.text, (count, *predictor.text.shape[1:]))
    model = predictor.model.for_classes(ids, torch.from_numpy(text))
    labels = (*predictor.labels, *map(str, range(59, 70)))
    changed = replace(predictor, model=model, text=text, labels=labels)
    probabilities = np.zeros((6, max(count, U)))
    probabilities[:, :count] = model.probabilities(features).numpy()
    taken = -np.sort(-probabilities, axis=1)[:, :U]
    p = published.probability(taken, logits)
    odds = p / (1 - p) * 0.7 / 0.3
    found, _, joint = replace(changed, gate=published).scores(features, logits)
    np.testing.assert_allclose(found, odds / (1 + odds), rtol=1e-5)
    np.testing.assert_allclose(joint.sum(1), 1, rtol=1e-6)
    found, _, joint = changed.scores(features, logits)
    assert ((found >= 0) & (found <= 1)).all()
    np.testing.assert_allclose(joint[:, list(ids)].sum(1), found, rtol=1e-5)
    np.testing.assert_allclose(joint.sum(1), 1, rtol=1e-6)


def test_the_docstring_example_runs(demo_project: Path) -> None:
    tests = doctest.DocTestFinder().find(Predictor, "Predictor", globs={})
    runner = doctest.DocTestRunner()
    for test in tests:
        runner.run(test)
    assert runner.summarize(verbose=False) == (0, 5)


@pytest.mark.parametrize("name", ["confidence.json", "gate_space.safetensors"])
def test_an_evaluation_of_before_is_to_be_run_again(demo_project: Path, name: str) -> None:
    path = demo_project / "data/evaluation" / KEY / name
    aside = path.rename(path.with_suffix(".aside"))
    try:
        with pytest.raises(InputError, match=rf"{name}: not there yet; run `dvc repro` first"):
            Predictor.load(KEY)
    finally:
        aside.rename(path)


def test_benchmarks_that_cannot_predict(
    demo_project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="no seed 7 was trained; there are 0"):
        Predictor.load(KEY, seed=7)
    with pytest.raises(InputError, match="benchmark 'demo-u9' is not switched on"):
        Predictor.load("demo-u9")
    saved = (demo_project / "params.yaml").read_text()
    raw = yaml.safe_load(saved)
    try:
        write_params(demo_project, features="published")
        with pytest.raises(InputError, match="published features, whose skeleton encoder"):
            Predictor.load(KEY)
        write_params(demo_project, features="table")
        with pytest.raises(InputError, match="a table of features, whose skeleton encoder"):
            Predictor.load(KEY)
        zsl = {"evaluate": {"task": "zsl"}, "protocol": {"selection": "last"}}
        write_params(demo_project, set=zsl)
        with pytest.raises(InputError, match="evaluated for zsl, so it has no gate"):
            Predictor.load(KEY)
        for change in ({"set": {"model": {"latent": 16}}}, {"features": "motion"}):
            write_params(demo_project, **change)
            with pytest.raises(InputError, match="trained with other parameters"):
                Predictor.load(KEY)
        write_params(demo_project)
        with monkeypatch.context() as older:  # whose encoder gave features of another width
            older.setattr(EncoderShape, "features", 256)
            with pytest.raises(InputError, match="on other features"):
                Predictor.load(KEY)
        raw["benchmarks"]["other"] = raw["benchmarks"][KEY]
        (demo_project / "params.yaml").write_text(yaml.safe_dump(raw))
        with pytest.raises(InputError, match=r"data/split/other\.json: not there yet; run `dvc"):
            Predictor.load("other")
    finally:
        (demo_project / "params.yaml").write_text(saved)
