"""What stands beside a trained method's result: all its seeds together, and what a formula gets.

C = classes · V = text views · D = text width. A closed form is fitted in seconds, once a phase, on
the training samples of the phase's seen classes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from amsf.base.errors import InputError
from amsf.base.progress import track
from amsf.dataset.splits import Split
from amsf.evaluation.ensemble import Ensemble
from amsf.evaluation.evaluate import Result, evaluate
from amsf.evaluation.headline import ENSEMBLE
from amsf.features.phases import PhaseFeatures
from amsf.model.aligner import Aligner, ClosedFormAligner, Config, build_aligner
from amsf.settings.params import Settings


def fit_closed_form(
    name: str, settings: Settings, split: Split, phase: str, data: PhaseFeatures, text: np.ndarray
) -> ClosedFormAligner:
    """Fit a closed form on one phase, and make it ready for the phase's unseen classes.

    Args:
        name: the method's, as ``model.aligner`` has it.
        settings: the benchmark's settings.
        split: the benchmark's classes.
        phase: ``test`` or ``val``.
        data: the phase's features.
        text: (C, V, D) text vectors of all classes.

    Raises:
        InputError: the method learns by steps.
    """
    settings = _with_aligner(settings, name)
    seed = settings.train.seeds[0]
    config = Config.of(settings, split, phase, seed, text.shape[2], data.width)
    aligner = build_aligner(config)
    if not isinstance(aligner, ClosedFormAligner):
        raise InputError(
            f"evaluate.baselines has {name}, which learns by steps; set model.aligner to it, and "
            "leave it out here"
        )
    vectors = torch.from_numpy(text)
    learnt = torch.tensor(config.learnt)
    classes = torch.searchsorted(learnt, data.learnt.labels)
    with torch.no_grad():
        aligner.fit(data.learnt.features, classes, vectors[learnt])
        generator = torch.Generator().manual_seed(seed)
        aligner.learn_classes(vectors[list(config.unseen)], generator, again=False)
    return aligner.eval()


def evaluate_beside(
    models: Sequence[tuple[Aligner, Aligner | None]],
    test: PhaseFeatures,
    val: PhaseFeatures | None,
    text: np.ndarray,
    split: Split,
    settings: Settings,
    compared: Sequence[str] = (),
) -> dict[str, Result]:
    """Evaluate the seeds' ensemble and each of ``evaluate.baselines`` on the same samples.

    Args:
        models: for each seed, that of the test and that of the validation phase.
        test, val: features of the phases; ``val`` is None for ZSL alone.
        text: (C, V, D) text vectors of all classes, in the order of the model's views.
        split: the benchmark's classes.
        settings: the benchmark's settings.
        compared: names of gates that stand beside the protocol's own.

    Returns:
        name -> result; ``ensemble`` is there where there are several seeds.
    """
    found: dict[str, Result] = {}
    if len(models) > 1:
        members = [model for model, _ in models]
        val_members = [model for _, model in models if model is not None]
        val_ensemble = Ensemble(val_members) if val_members else None
        found[ENSEMBLE] = evaluate(
            Ensemble(members), val_ensemble, test, val, text, settings, compared
        )
    names = [name for name in settings.evaluate.baselines if name != settings.model.aligner]
    for name in track(names, "baselines evaluated"):
        found[name] = evaluate_closed_form(name, test, val, text, split, settings, compared)
    return found


def evaluate_closed_form(
    name: str,
    test: PhaseFeatures,
    val: PhaseFeatures | None,
    text: np.ndarray,
    split: Split,
    settings: Settings,
    compared: Sequence[str] = (),
) -> Result:
    """Fit a closed form on each phase and evaluate it; see :func:`evaluate_beside`.

    Raises:
        InputError: the method learns by steps.
    """
    settings = _with_aligner(settings, name)
    model = fit_closed_form(name, settings, split, "test", test, text)
    val_model = None if val is None else fit_closed_form(name, settings, split, "val", val, text)
    return evaluate(model, val_model, test, val, text, settings, compared)


def _with_aligner(settings: Settings, name: str) -> Settings:
    """The settings as if ``model.aligner`` were ``name``."""
    model = settings.model.model_copy(update={"aligner": name})
    return settings.model_copy(update={"model": model})
