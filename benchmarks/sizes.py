"""The sizes that are measured, and synthetic inputs of them.

N = samples · C = classes · V = text views · D = text width · F = skeleton feature width.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from amsf.base.artifacts import phase_file
from amsf.dataset.splits import Split, make_split
from amsf.features.checks import ImportedSamples
from amsf.features.phases import save_phase
from amsf.settings.params import Settings
from amsf.stage.portable import pinned
from amsf.training.runs import Inputs

FEATURES, TEXT, VIEWS = 256, 768, ("lb", "MAad", "MAmd", "LLMad", "LLMmd")


@dataclass(frozen=True)
class Size:
    """A benchmark's size.

    Attributes:
        name: what tables call it.
        classes, unseen: C, and how many of them are unseen; as many play that role in validation.
        train: training samples of the seen classes.
        test: test samples of all classes.
        latent: L.
        steps: how many a cycle has in a full run.
        features, text, heads: F, D and attention heads.
        cycles: how many a full run has.
        classifier_samples, classifier_steps: of each cycle's end.
    """

    name: str
    classes: int
    unseen: int
    train: int
    test: int
    latent: int
    steps: int
    features: int = FEATURES
    text: int = TEXT
    heads: int = 8
    batch: int = 64
    cycles: int = 10
    classifier_samples: int = 500
    classifier_steps: int = 300

    @property
    def seen(self) -> int:
        """Classes that train in the test phase."""
        return self.classes - self.unseen

    @property
    def split(self) -> Split:
        """The last classes are unseen, the first play that role in validation."""
        unseen = list(range(self.seen, self.classes))
        validation = list(range(self.unseen))
        return make_split(
            self.name, self.classes, unseen, validation, kind="listed", where=self.name
        )

    def settings(
        self, *, cycles: int, steps: int, protocol: dict[str, Any] | None = None, **more: Any
    ) -> Settings:
        """Settings of a shortened run on the CPU, with the library's defaults for the rest.

        Args:
            cycles: how many.
            steps: how many a cycle has.
            protocol: the protocol section; by default the reference protocol's numerics, with
                runs that do not wait for each other and a schedule that shortened cycles follow
                in proportion.
            more: further keys of sections, such as ``seeds`` or ``jobs``.
        """
        sections: dict[str, dict[str, Any]] = {
            "model": {"views": VIEWS, "heads": self.heads, "latent": self.latent},
            "protocol": protocol or {"name": "reference", "seeding": "run", "schedule": "fraction"},
            "train": {
                "cycles": cycles,
                "steps_per_cycle": steps,
                "batch_size": self.batch,
                "classifier_samples": self.classifier_samples,
                "classifier_steps": self.classifier_steps,
                "seeds": more.get("seeds", [0]),
            },
            "evaluate": {"task": more.get("task", "gzsl")},
            "compute": {"device": "cpu", "jobs": more.get("jobs", 0), "portable": pinned()},
        }
        return Settings.model_validate(sections)

    def inputs(self, folder: Path, settings: Settings) -> Inputs:
        """What `train_benchmark` reads, once :meth:`write` has written ``folder``."""
        return Inputs(settings, self.split, np.load(folder / "text.npy"), folder)

    def test_samples(self, multiple: int = 1) -> dict[str, ImportedSamples]:
        """The sets of the test phase with ``multiple`` times as many GZSL test samples."""
        return _Source(self).phase("test", multiple)

    def write(self, folder: Path) -> None:
        """Write both phases' features, ``text.npy`` (C, V, D) and ``split.json``."""
        folder.mkdir(parents=True, exist_ok=True)
        source = _Source(self)
        for phase in ("test", "val"):
            save_phase(phase_file(folder, phase), source.phase(phase, 1))
        rng = np.random.default_rng(1)
        text = rng.standard_normal((self.classes, len(VIEWS), self.text), dtype=np.float32)
        np.save(folder / "text.npy", text)
        self.split.save(folder / "split.json")


class _Source:
    """Synthetic samples: a class is a random direction; logits point at it half of the time."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self.rng = np.random.default_rng(0)
        self.codes = self.rng.standard_normal((size.classes, size.features), dtype=np.float32)

    def samples(
        self, classes: tuple[int, ...], count: int, *, logits: bool = False
    ) -> ImportedSamples:
        labels = np.resize(np.array(classes, dtype=np.int64), count)
        noise = self.rng.standard_normal((count, self.size.features), dtype=np.float32)
        features = np.abs(self.codes[labels] + 2 * noise)
        if not logits:
            return ImportedSamples(features, labels, None)
        scores = self.rng.standard_normal((count, self.size.classes), dtype=np.float32)
        # An encoder that never saw a class has no logit for it to rise.
        seen = np.flatnonzero(labels < self.size.seen)
        scores[seen, labels[seen]] += 3
        return ImportedSamples(features, labels, scores)

    def phase(self, phase: str, multiple: int) -> dict[str, ImportedSamples]:
        size, split = self.size, self.size.split
        per_class = size.test // size.classes
        if phase == "test":
            every = tuple(range(size.classes))
            return {
                "train": self.samples(split.seen, size.train),
                "zsl": self.samples(split.unseen, per_class * size.unseen),
                "gzsl": self.samples(every, size.test * multiple, logits=True),
            }
        # The gate's samples: as many of the validation-unseen as of the validation-seen classes.
        unseen = self.samples(split.val_unseen, per_class * size.unseen, logits=True)
        seen = self.samples(split.val_seen, per_class * size.unseen, logits=True)
        return {
            "train": self.samples(split.val_seen, size.train * len(split.val_seen) // size.seen),
            "zsl": replace(unseen, logits=None),
            "gzsl": ImportedSamples.stack([unseen, seen]),
        }


# Training samples are those of the cross-subject protocol whose class is seen, test samples all.
NTU60 = Size("NTU-60", 60, 5, train=36_700, test=16_487, latent=100, steps=1700)
NTU120 = Size("NTU-120", 120, 10, train=57_700, test=50_919, latent=200, steps=1900)
TINY = Size(
    "tiny", 24, 3, train=600, test=240, latent=6, steps=30, features=16, text=16, heads=2, cycles=2,
    batch=16, classifier_samples=20, classifier_steps=20,
)  # fmt: skip
SIZES = {size.name: size for size in (NTU60, NTU120, TINY)}
