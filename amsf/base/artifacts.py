"""Where everything lies that the pipeline reads and writes, relative to the repository's folder.

These paths are spelled here alone; dvc.yaml cannot import them, and a test compares the two.
What serves every benchmark is a constant; what is made for one of them is named by its key.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DATA = Path("data")

# What people write, in git.
CLASSES = DATA / "classes"  # <dataset>.csv
EXAMPLES = DATA / "examples"  # a recording and words to try prediction with
LAYOUTS = DATA / "layouts"  # <name>.yaml: joint layouts of your own
LISTS = DATA / "splits"  # <key>.yaml: the unseen classes of split.kind listed
PROMPTS = DATA / "prompts"  # <view>.txt
PUBLISHED_RESULTS = DATA / "published_results.csv"
TEXTS = DATA / "texts"  # <dataset>/<view>.csv

# What stages make for all benchmarks.
ANSWERS = DATA / "llm_record.jsonl"  # answers of language models, which were paid for
DESCRIPTIONS = DATA / "descriptions"  # <dataset>/<view>.csv: the texts that are encoded
SETTINGS = DATA / "settings"  # describe.json, <key>/<stage>.json: what each stage reads
SIMULATED = DATA / "simulated" / "demo"  # the demo's recordings

STAGE_LOG = DATA / "stage_log"  # time and memory of each stage run; DVC does not keep it


def other_descriptions(dataset: str, key: str, other: str) -> Path:
    """The texts of another dataset that trains in a benchmark too.

    Among those of the benchmark's own dataset, on which its stage encode depends.
    """
    return DESCRIPTIONS / dataset / "also" / key / other


@dataclass(frozen=True)
class Artifacts:
    """What the pipeline makes of one benchmark.

    Attributes:
        key: the benchmark's name in params.yaml.
        data: the folder that holds it all.
    """

    key: str
    data: Path = DATA

    def settings(self, stage: str) -> Path:
        """File of the stage check: the parameters that another stage reads of this benchmark."""
        return self.data / SETTINGS.name / self.key / f"{stage}.json"

    @property
    def text_features(self) -> Path:
        """Folder of the stage encode."""
        return self.data / "text_features" / self.key

    @property
    def text_report(self) -> Path:
        """Folder of the stage look_at_texts."""
        return self.data / "text_report" / self.key

    @property
    def split(self) -> Path:
        """File of the stage split."""
        return self.data / "split" / f"{self.key}.json"

    @property
    def backbone(self) -> Path:
        """Folder of the stage backbone."""
        return self.data / "backbone" / self.key

    @property
    def features(self) -> Path:
        """Folder of the stage features."""
        return self.data / "features" / self.key

    @property
    def splits_scratch(self) -> Path:
        """Where ``python -m amsf.study`` keeps finished splits until all are."""
        return self.data / "training" / f"{self.key}-splits"

    @property
    def models(self) -> Path:
        """Folder of the stage train."""
        return self.data / "models" / self.key

    @property
    def evaluation(self) -> Path:
        """Folder of the stage evaluate."""
        return self.data / "evaluation" / self.key

    @property
    def evaluation_files(self) -> EvaluationFiles:
        """The files in the folder of the stage evaluate."""
        return EvaluationFiles(self.evaluation)

    def model(self, seed: int, phase: str) -> Path:
        """Folder of one trained model."""
        return seed_folder(self.models, seed) / phase

    @property
    def classes(self) -> Path:
        """Folder of the class lists, which all benchmarks share."""
        return self.data / CLASSES.name

    @property
    def training(self) -> Path:
        """Where the stage train keeps unfinished runs."""
        return self.data / "training" / self.key

    @property
    def backbone_training(self) -> Path:
        """Where the stage backbone keeps unfinished training."""
        return self.data / "training" / f"{self.key}-backbone"


def phase_file(features: Path, phase: str) -> Path:
    """The features of one phase, in the folder of the stage features."""
    return features / f"{phase}.safetensors"


def encoder_name(phase: str) -> str:
    """What makes a phase's features of recordings, in the folder of the stage backbone.

    Without an ending: a ``.json`` and a ``.safetensors``.
    """
    return f"encoder_{phase}"


def seed_folder(models: Path, seed: int) -> Path:
    """The runs of one seed, one folder for each phase, in the folder of the stage train."""
    return models / f"seed{seed}"


@dataclass(frozen=True)
class EvaluationFiles:
    """The files in the folder of the stage evaluate."""

    folder: Path

    @property
    def metrics(self) -> Path:
        """Scores of each seed, their mean and standard deviation."""
        return self.folder / "metrics.json"

    @property
    def per_class(self) -> Path:
        """Accuracies of each class."""
        return self.folder / "per_class.csv"

    @property
    def curve(self) -> Path:
        """The seen-unseen curve; GZSL alone has one."""
        return self.folder / "curve.csv"

    @property
    def confusion(self) -> Path:
        """Counts of true and predicted classes; GZSL alone has them."""
        return self.folder / "confusion.csv"

    @property
    def latent_map(self) -> Path:
        """The first seed's shared space of skeletons and texts, in two dimensions."""
        return self.folder / "map.json"

    @property
    def gate_space(self) -> Path:
        """What gates measure by themselves, whatever the alignment method; of GZSL alone."""
        return self.folder / "gate_space.safetensors"

    @property
    def confidence(self) -> Path:
        """Temperatures, and how strange recordings of known classes are; of GZSL alone."""
        return self.folder / "confidence.json"

    def zsl_predictions(self, seed: int) -> Path:
        """One row for each test sample of an unseen class."""
        return self.folder / f"zsl_predictions_seed{seed}.csv"

    def predictions(self, seed: int) -> Path:
        """One row for each test sample; GZSL alone has them."""
        return self.folder / f"predictions_seed{seed}.csv"

    def gate(self, seed: int | str) -> Path:
        """The gate of a seed or of all together (``ensemble``); GZSL alone has one."""
        return self.folder / f"gate_{f'seed{seed}' if isinstance(seed, int) else seed}.json"


@dataclass(frozen=True)
class Metrics:
    """What people read: the files of the stage summarize, and tables of ablations."""

    folder: Path = Path("metrics")

    @property
    def scores(self) -> Path:
        """One row for each benchmark, percent: what `dvc metrics show` shows."""
        return self.folder / "gzsl.json"

    @property
    def report(self) -> Path:
        """The page that holds all."""
        return self.folder / "report.html"

    @property
    def run(self) -> Path:
        """The page on what was run and how long: no output of DVC, since it never repeats."""
        return self.folder / "run.html"

    @property
    def pictures(self) -> Path:
        """The report's pictures, one folder for each benchmark."""
        return self.folder / "pictures"

    @property
    def plots(self) -> Path:
        """Tables that `dvc plots` draws."""
        return self.folder / "plots"

    @property
    def many_splits(self) -> Path:
        """What ``python -m amsf.study`` wrote, one folder for each benchmark; git keeps it."""
        return self.folder / "many_splits"

    @property
    def ablation(self) -> Path:
        """The table of a grid of experiments, but for its ending."""
        return self.folder / "ablation"


METRICS = Metrics()
