"""The seam for alignment methods: an outsider's method goes everywhere, and groups stay apart."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from torch import Tensor, nn

from amsf.base.errors import InputError
from amsf.base.storage import read_json
from amsf.features.phases import load_phase
from amsf.model.aligner import Batch, Config, Optimiser, Progress, SteppedAligner, build_aligner
from amsf.model.checkpoints import load_model
from amsf.model.eager_adam import EagerAdam
from amsf.predict import Predictor
from amsf.settings.aligners import ALIGNERS, Method
from amsf.settings.params import Model, load_params
from amsf.training.runs import train_benchmark
from amsf.training.trainer import PhaseTrainer, Streams
from stages import evaluate, summarize, train
from tests.support import toy_aligners
from tests.support.small_benchmark import SPLIT, small_inputs, small_settings
from tests.support.small_project import KEY

TOYS = {"toy": "Toy", "at_once": "AtOnce"}
SKELETONS = "data/simulated/demo/skeletons.safetensors"


@pytest.fixture(params=TOYS)
def registered(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name: str = request.param
    monkeypatch.setitem(ALIGNERS, name, Method(f"tests.support.toy_aligners:{TOYS[name]}"))
    return name


def test_a_toy_is_short() -> None:
    for name in TOYS.values():
        assert len(inspect.getsource(getattr(toy_aligners, name)).splitlines()) < 60


def test_an_outsiders_method_is_trained_evaluated_used_and_reported(
    demo_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registered: str
) -> None:
    for name in ("classes", "splits", "texts"):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / name).symlink_to(Path(__file__).parents[2] / "data" / name)
    for name in ("backbone", "descriptions", "features", "simulated", "split", "text_features"):
        shutil.copytree(demo_project / "data" / name, tmp_path / "data" / name)
    published = Path(__file__).parents[2] / "data/published_results.csv"
    shutil.copy(published, tmp_path / "data")
    params = yaml.safe_load((demo_project / "params.yaml").read_text())
    params["model"]["aligner"] = registered
    params["train"]["steps_per_cycle"] = 300
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    monkeypatch.chdir(tmp_path)
    train.main(KEY)
    evaluate.main(KEY)
    summarize.main()
    model = load_model(tmp_path / f"data/models/{KEY}/seed0/test")
    assert type(model).__name__ == TOYS[registered]
    scores = read_json(Path(f"data/evaluation/{KEY}/metrics.json"))["mean"]
    assert scores["zsl"]["overall"] > 0.25  # chance is 1/8
    curve = pd.read_csv(f"data/models/{KEY}/seed0/test/curve.csv")
    own = [c for c in curve.columns if c.startswith("loss_")]
    assert own == (["loss_pull"] if registered == "toy" else [])
    page = Path("metrics/report.html").read_text(encoding="utf-8")
    assert KEY in page
    losses = pd.read_csv("metrics/plots/losses.csv") if registered == "toy" else None
    assert losses is None or set(losses["term"]) == {"pull"}
    own_classes = tmp_path / "own.csv"
    own_classes.write_text("label,description\nmoonwalk,glide backwards on the soles\n")
    predictor = Predictor.load(KEY).with_classes(own_classes)
    prediction = predictor.predict(SKELETONS)[0]
    assert sum(score.probability for score in prediction.classes) == pytest.approx(1)
    assert {score.label for score in prediction.classes} >= {"moonwalk"}


def test_an_interrupted_toy_goes_on_to_the_same_bytes(tmp_path: Path, registered: str) -> None:
    """Its optimiser is torch's own, whose moments are in the snapshot."""
    settings = small_settings(model={"aligner": registered})
    inputs = small_inputs(tmp_path, settings)
    whole = tmp_path / "whole"
    train_benchmark(inputs, whole, tmp_path / "scratch")
    short = small_settings(model={"aligner": registered})
    again = tmp_path / "again"
    train_benchmark(small_inputs(tmp_path, short), again, tmp_path / "scratch")
    for path in whole.rglob("*.safetensors"):
        assert path.read_bytes() == (again / path.relative_to(whole)).read_bytes()


def test_an_unknown_method_is_named_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="expected one of vae"):
        Model(aligner="vea")


def test_the_message_for_an_unknown_method(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("benchmarks: {}\nmodel: {aligner: vea}\n")
    with pytest.raises(InputError, match=r"model\.aligner is 'vea': expected one of vae.*'vae'"):
        load_params(path)


class Adversarial(toy_aligners.Toy):
    """A generator (the map) whose loss passes through a critic that has a loss of its own."""

    TERMS = ("fool", "judge")
    GROUPS = ("generator", "critic")

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.critic = nn.Linear(self.map.out_features, 1)

    def parameters_of(self, group: str) -> list[nn.Parameter]:
        return list((self.map if group == "generator" else self.critic).parameters())

    def losses(self, batch: Batch, progress: Progress) -> Mapping[str, Mapping[str, Tensor]]:
        made = self.embed(batch.features)
        losses = {"generator": {"fool": self.critic(made).mean()}}
        if progress.step % 5 == 4:
            real = self.embed_text(batch.text)[batch.classes]
            judged = self.critic(real).mean() - self.critic(made.detach()).mean()
            losses["critic"] = {"judge": judged}
        return losses


class Eager(Adversarial):
    """The same, asking for an optimiser that updates within the backward pass."""

    def optimiser(self, group: str, learning_rate: float) -> Optimiser:
        return EagerAdam(self.parameters_of(group), learning_rate)


@contextmanager
def adversary(monkeypatch: pytest.MonkeyPatch, kind: str, folder: Path) -> Iterator[PhaseTrainer]:
    monkeypatch.setitem(ALIGNERS, "adversarial", Method(f"{__name__}:{kind}"))
    settings = small_settings(model={"aligner": "adversarial"}, train={"steps_per_cycle": 4})
    inputs = small_inputs(folder, settings)
    data = load_phase(folder / "test.safetensors")
    config = Config(
        settings.model, settings.train, settings.switches(), inputs.text.shape[2], data.width,
        "test", 0, SPLIT.seen, SPLIT.unseen, 0,
    )  # fmt: skip
    cpu = torch.device("cpu")
    yield PhaseTrainer(
        settings, config, data.train, torch.from_numpy(inputs.text),
        Streams.seeded(0, "test", cpu), cpu,
    )  # fmt: skip


def state_of(trainer: PhaseTrainer, part: str) -> list[Tensor]:
    return [t.clone() for n, t in trainer.model.state_dict().items() if n.startswith(part)]


def test_a_critic_does_not_move_in_its_generators_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with adversary(monkeypatch, "Adversarial", tmp_path) as trainer:
        critic, generator = state_of(trainer, "critic."), state_of(trainer, "map.")
        (result,) = trainer.cycles(1, None)  # four steps: the generator's alone
        assert all(torch.equal(a, b) for a, b in zip(critic, state_of(trainer, "critic.")))
        assert not any(torch.equal(a, b) for a, b in zip(generator, state_of(trainer, "map.")))
        assert all(p.grad is None for p in trainer.model.critic.parameters())
        assert np.isnan([row["loss_judge"] for row in result.points]).all()


def test_a_critic_moves_by_its_own_loss_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a step of both, each is where a step of its own loss alone would put it."""
    with adversary(monkeypatch, "Adversarial", tmp_path) as trainer:
        model = trainer.model
        assert isinstance(model, Adversarial)
        batch = torch.arange(8)
        text, classes = trainer._classes_of(batch)
        given = Batch(trainer.features[batch], text, classes, trainer.streams.noise)
        progress = Progress(4, 5, 0)
        losses = model.losses(given, progress)
        expected = {}
        for group, terms in losses.items():
            parameters = model.parameters_of(group)
            loss = sum(terms.values(), torch.zeros(()))
            gradients = torch.autograd.grad(loss, parameters, retain_graph=True)
            # Adam's first step: against the sign, by the learning rate.
            rate = small_settings().train.learning_rate
            expected[group] = [
                p - rate * g / (g.abs() + 1e-8) for p, g in zip(parameters, gradients)
            ]
        trainer._step(model, batch, progress, {})
        for group, wanted in expected.items():
            for parameter, value in zip(model.parameters_of(group), wanted):
                torch.testing.assert_close(parameter, value, rtol=1e-4, atol=1e-6)


def test_the_eager_optimiser_is_refused_to_a_method_with_two_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        pytest.raises(TypeError, match="generator, critic and asks for EagerAdam"),
        adversary(monkeypatch, "Eager", tmp_path),
    ):
        pass


def test_the_default_optimiser_is_torchs_adam() -> None:
    settings = small_settings()
    config = Config(
        settings.model, settings.train, settings.switches(), 4, 6, "test", 0, (0, 1), (2,), 0
    )
    assert isinstance(toy_aligners.Toy(config).optimiser("all", 0.01), torch.optim.Adam)
    vae = build_aligner(config)
    assert isinstance(vae, SteppedAligner)
    assert isinstance(vae.optimiser("vae", 0.01), EagerAdam)
