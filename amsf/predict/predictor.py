"""From skeleton recordings to ranked seen and unseen classes, with a trained benchmark.

N = recordings · C = classes, added ones included · U = unseen classes · V = text views ·
D = text width · F = feature width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from scipy.special import expit, logit, softmax

from amsf.backbone.extractors import Extractor, load_extractor
from amsf.base.artifacts import Artifacts, encoder_name
from amsf.base.errors import InputError
from amsf.base.storage import read_json
from amsf.dataset.classes import load_classes
from amsf.dataset.splits import Split
from amsf.dataset.worded import key_of, read_classes
from amsf.evaluation.confidence.record import Confidence
from amsf.evaluation.confidence.strangeness import Distances, Strangeness
from amsf.evaluation.confidence.temperature import temper
from amsf.evaluation.decision import decide
from amsf.evaluation.ensemble import Ensemble, Scorer
from amsf.evaluation.evidence import collect_evidence
from amsf.evaluation.gate_space import GateSpace
from amsf.evaluation.gates import FittedGate, load_gate
from amsf.evaluation.headline import ENSEMBLE
from amsf.evaluation.transductive import look_again
from amsf.features.phases import SampleSet
from amsf.machine.device import find_device
from amsf.model.checkpoints import load_model
from amsf.pack.formats import read_file
from amsf.predict.prediction import NONE, ClassScore, Prediction
from amsf.predict.unseen_classes import encode_classes
from amsf.predict.why import Why, explain
from amsf.settings.params import Settings, load_params
from amsf.skeleton.cleaning import NOTHING, Stated
from amsf.skeleton.correspondence import converted
from amsf.skeleton.joints import layout_of
from amsf.skeleton.recordings import Recording, SkeletonSet
from amsf.text.features import MANIFEST, load_text_features

__all__ = ["ClassScore", "Prediction", "Predictor"]

_HUGE = 1e15  # its square, summed over a vector, still is a float32


@dataclass(frozen=True)
class Predictor:
    """A trained benchmark, ready to name the actions of recordings.

    >>> from amsf.predict.__main__ import Predictor
    >>> predictor = Predictor.load("demo-u8")
    >>> prediction = predictor.predict("data/simulated/demo/skeletons.safetensors")[0]
    >>> prediction.answer == prediction.classes[0]
    True
    >>> round(sum(score.probability for score in prediction.classes), 6)
    1.0

    Attributes:
        settings: the benchmark's settings.
        extractor: from recordings to features and logits, of the test phase.
        model: the trained alignment: one seed's, or all of them together.
        gate: the gate that was fitted for that model.
        space: what the gate measures by itself, whatever the alignment method.
        temperature: of the unseen classes' probabilities.
        strangeness: of recordings to all classes.
        labels: names of the C classes, by id.
        text: (U, V, D) text vectors of the unseen classes, in the order of the model's config.
        seen_text: (S, V, D) those of the seen classes, likewise.
        text_weights: SHA-256 of the text encoder's weights; empty where features were imported.
        simulated: whether the benchmark's recordings are made, not measured.
    """

    settings: Settings
    extractor: Extractor
    model: Scorer
    gate: FittedGate
    space: GateSpace
    temperature: float
    strangeness: Strangeness
    labels: tuple[str, ...]
    text: np.ndarray
    seen_text: np.ndarray
    text_weights: str
    simulated: bool

    @classmethod
    def load(cls, benchmark: str, seed: int | None = None) -> Predictor:
        """Gather what the pipeline has made of a benchmark, below the current folder.

        Args:
            benchmark: a name in params.yaml.
            seed: one of ``train.seeds``; all of them together where None.

        Raises:
            InputError: the benchmark has no skeleton encoder, gate or such seed, the pipeline has
                not run, or params.yaml has changed since.
        """
        params = load_params()
        settings = params.for_benchmark(benchmark)
        entry = params.benchmark(benchmark)
        if not entry.reads_recordings:
            kind = "published features" if entry.features == "published" else "a table of features"
            raise InputError(
                f"benchmark '{benchmark}' has {kind}, whose skeleton encoder is not "
                "here, so it cannot read recordings; set its `features: backbone` or "
                "`features: motion` in params.yaml and run `dvc repro`"
            )
        if settings.evaluate.task == "zsl":
            raise InputError(
                f"benchmark '{benchmark}' is evaluated for zsl, so it has no gate between seen and "
                "unseen classes; set evaluate.task: gzsl and run `dvc repro`"
            )
        seeds = settings.train.seeds
        if seed is not None and seed not in seeds:
            raise InputError(f"no seed {seed} was trained; there are {', '.join(map(str, seeds))}")
        used = seeds if seed is None else (seed,)
        made = Artifacts(benchmark)
        backbone, text_folder, split_file = made.backbone, made.text_features, made.split
        folders = [made.model(one, "test") for one in used]
        name = used[0] if len(used) == 1 else ENSEMBLE
        files = made.evaluation_files
        gate_file = files.gate(name)
        needed = (split_file, text_folder, backbone, *folders, gate_file)
        for path in (*needed, files.gate_space, files.confidence):
            if not path.exists():
                raise InputError(f"{path}: not there yet; run `dvc repro` first")
        split, gate = Split.load(split_file), load_gate(gate_file)
        confidence = Confidence.load(files.confidence)
        models = [load_model(folder) for folder in folders]
        model: Scorer = models[0] if len(models) == 1 else Ensemble(models)
        extractor, note = load_extractor(backbone, encoder_name("test"))
        config = model.config
        if (
            any(one.config.model != settings.model for one in models)
            or (config.seen, config.unseen) != (split.seen, split.unseen)
            or tuple(note["classes"]) != split.seen
            or (note.get("features"), extractor.width) != (entry.features, config.feature_width)
            or not gate.fits(len(split.unseen))
            or str(name) not in confidence.temperatures
        ):
            raise InputError(
                f"{made.models}: trained with other parameters, on other features or on another "
                "split than there are now; run `dvc repro`"
            )
        text = load_text_features(text_folder).select(config.model.views)
        return cls(
            settings=settings,
            extractor=extractor,
            model=model,
            gate=gate,
            space=GateSpace.load(files.gate_space),
            temperature=confidence.temperatures[str(name)],
            strangeness=confidence.strangeness,
            labels=tuple(load_classes(split.dataset)["label"].astype(str)),
            text=text[list(split.unseen)],
            seen_text=text[list(split.seen)],
            text_weights=read_json(text_folder / MANIFEST).get("weights_sha256", ""),
            simulated=bool(note["simulated"]),
        )

    def with_classes(self, path: str | Path) -> Predictor:
        """Add unseen classes by words, or replace the words of unseen classes.

        Args:
            path: a CSV file, see :func:`amsf.dataset.worded.read_classes`.

        Raises:
            InputError: the file is not such a table, a label is that of a seen class, or its
                texts cannot be encoded as the benchmark's were.
        """
        classes = read_classes(path)
        config = self.model.config
        ids = {key_of(label): number for number, label in enumerate(self.labels)}
        seen = [c.label for c in classes if ids.get(key_of(c.label)) in config.seen]
        if seen:
            raise InputError(
                f"{path}: '{seen[0]}' is a seen class, which recordings have taught the encoder; "
                "words are for unseen ones: take the row out, or give the class another name"
            )
        vectors = encode_classes(
            classes, config.model.views, self.settings.text, self.text_weights, str(path)
        )
        labels, rows = list(self.labels), dict(zip(config.unseen, self.text))
        for words, vector in zip(classes, vectors):
            number = ids.get(key_of(words.label), len(labels))
            if number == len(labels):
                labels.append(words.label)
            rows[number] = vector
        text = np.stack(list(rows.values()))
        model = self.model.for_classes(tuple(rows), torch.from_numpy(text))
        return replace(self, model=model, labels=tuple(labels), text=text)

    def predict(
        self,
        path: str | Path,
        *,
        transductive: bool = False,
        why: bool = False,
        stated: Stated = NOTHING,
    ) -> list[Prediction]:
        """Name the actions of the recordings of one file, of any format that can be packed.

        Args:
            path: the file.
            transductive, why: see :meth:`predict_recordings`.
            stated: what the user says of the file, such as which axis is up.

        Raises:
            InputError: the file is not readable or lacks joints that the benchmark looks at.
        """
        layout, recordings = read_file(path, stated)
        recordings = self.with_own_joints(recordings, layout, str(path))
        return self.predict_recordings(recordings, transductive=transductive, why=why)

    def with_own_joints(
        self, recordings: Sequence[Recording], layout: str, where: str
    ) -> list[Recording]:
        """Recordings of some layout with the joints that the benchmark takes.

        Raises:
            InputError: the layout lacks joints that the benchmark looks at; ``where`` and they are
                named.
        """
        own = self.extractor.layout
        try:
            return [
                replace(r, joints=converted(r.joints, layout, own, self.extractor.joints))
                for r in recordings
            ]
        except InputError as error:
            raise InputError(
                f"{where}: the {len(layout_of(layout))} joints are those of {layout}; the "
                f"benchmark takes the {len(layout_of(own))} joints of {own}: {error}"
            ) from error

    def predict_recordings(
        self, recordings: Sequence[Recording], *, transductive: bool = False, why: bool = False
    ) -> list[Prediction]:
        """Name the actions of recordings in memory; they have the joints of the benchmark.

        Args:
            recordings: N of them.
            transductive: take a second look at those that count as unseen, all at once
                (:mod:`amsf.evaluation.transductive`); an answer then depends on the others too.
            why: say what stands behind each answer (:mod:`amsf.predict.why`).

        Raises:
            InputError: they have another number of joints, or one alone is to be looked at again.
        """
        if not recordings:
            return []
        if transductive and len(recordings) == 1:
            raise InputError(
                f"{recordings[0].name}: one recording alone has no others to be told by, which is "
                "what a transductive answer is; give several recordings at once, or leave out "
                "--transductive"
            )
        layout = self.extractor.layout
        # Recordings of several files may share a name; a set wants them apart.
        numbered = [replace(r, name=f"{i} {r.name}") for i, r in enumerate(recordings)]
        skeletons = SkeletonSet.from_recordings(numbered, layout=layout, dataset="recordings")
        device = find_device(self.settings.compute.device)
        features, logits = self.extractor.compute(skeletons, range(len(skeletons)), device)
        # What comes of coordinates beyond all bodies has no probabilities, and spoils no other's.
        usable = (np.abs(features) < _HUGE).all(1) & (np.abs(logits) < _HUGE).all(1)
        unseen_probability = np.full(len(features), np.nan)
        answers = np.zeros(len(features), np.int64)
        joint = np.full((len(features), len(self.labels)), np.nan)
        p_values = np.full(len(features), np.nan)
        reasons: list[Why | None] = [None] * len(features)
        if usable.any():
            p_values[usable] = self.p_values(features[usable])
            unseen_probability[usable], answers[usable], joint[usable] = self.scores(
                torch.from_numpy(features[usable]), logits[usable], transductive=transductive
            )
        if why and usable.any():
            looked_at, texts = torch.from_numpy(features[usable]), (self.text, self.seen_text)
            told = explain(self.model, looked_at, answers[usable], *texts, self.labels)
            for row, reason in zip(np.flatnonzero(usable).tolist(), told):
                reasons[row] = reason
        seen = set(self.model.config.seen)
        predictions = []
        for i, recording in enumerate(recordings):
            falling = np.argsort(-joint[i], kind="stable").tolist()
            falling.remove(answers[i])
            scores = (
                ClassScore(c, self.labels[c], c in seen, float(joint[i, c]))
                for c in (int(answers[i]), *falling)
            )
            predictions.append(
                Prediction(
                    *(recording.name, float(unseen_probability[i]), tuple(scores)),
                    *(float(p_values[i]), reasons[i]),
                )
            )
        return predictions

    def check_false_alarms(self, rate: float) -> None:
        """Refuse a rate of false alarms that could not be told or understood.

        Raises:
            InputError: the rate is finer than the calibration recordings tell apart, so that no
                recording would ever be "none of these"; or a class is called so.
        """
        same = [label for label in self.labels if key_of(label) == key_of(NONE)]
        if same:
            raise InputError(
                f"--false-alarms {rate:g}: a class is called '{same[0]}', as is said of recordings "
                "of no class: give the class another label, or leave out the option"
            )
        finest = self.strangeness.finest(len(self.seen_text), len(self.text))
        if rate < finest:
            count = len(self.strangeness.seen) + len(self.strangeness.unseen)
            raise InputError(
                f"--false-alarms {rate:g}: the {count} recordings that it is measured on tell no "
                f"share below {finest:.2g} apart; name a larger one"
            )

    def p_values(self, features: np.ndarray) -> np.ndarray:
        """Of (N, F) features, how usual they are for one of the classes: (N,), 0 to 1."""
        distances = Distances(
            self.space.space.distance(features),
            self.space.unseen_distances(features, self.text).min(axis=1),
        )
        return self.strangeness.p_values(distances, len(self.seen_text), len(self.text))

    def scores(
        self, features: torch.Tensor, logits: np.ndarray, *, transductive: bool = False
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """P(unseen) (N,) with the threshold at 0.5, answers (N,) and joint probabilities (N, C).

        Args:
            features: (N, F) of the extractor.
            logits: (N, classes of the dataset), its raw logits.
            transductive: look again at what counts as unseen.
        """
        config, gate = self.model.config, self.gate
        seen, unseen = np.array(config.seen), np.array(config.unseen)
        samples = SampleSet(features, torch.full((len(features),), -1), torch.from_numpy(logits))
        evidence = collect_evidence(
            self.model, samples, self.space, self.seen_text, self.text, gate.temperature
        )
        of_unseen = temper(evidence.unseen_probabilities, self.temperature)
        gated = decide(gate, evidence, config)
        answers = gated.prediction
        if transductive:
            answers = answers.copy()
            counted = np.flatnonzero(np.isin(answers, unseen))
            of_unseen[counted] = look_again(self.model, features[counted])
            answers[counted] = unseen[of_unseen[counted].argmax(axis=1)]
        # The prior odds are moved so that the threshold comes to lie at one half.
        shifted = expit(logit(gated.probability) - logit(gate.threshold))
        joint = np.zeros((len(features), len(self.labels)))
        joint[:, unseen] = shifted[:, None] * of_unseen
        of_seen = softmax(logits[:, seen].astype(np.float64) / gate.temperature, axis=1)
        joint[:, seen] = (1 - shifted[:, None]) * of_seen
        return shifted, answers, joint
