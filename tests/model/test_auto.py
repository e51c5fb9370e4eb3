"""The aligner that chooses among the closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from amsf.model.auto import MEMBERS, AutoAligner
from amsf.model.closed_form import DRAWS, left_out_groups, side_by_side
from tests.support.small_aligners import config_of, drawn, fitted

SEEN, UNSEEN = 8, 3


@pytest.fixture(scope="module")
def auto() -> AutoAligner:
    x, labels, text = drawn(240, 10, SEEN + UNSEEN, 7)
    known = labels < SEEN
    model = fitted(config_of("auto", SEEN, UNSEEN, 10, 7), x[known], labels[known], text[:SEEN])
    assert isinstance(model, AutoAligner)
    return model


def test_accuracies_are_those_of_a_plain_loop(auto: AutoAligner) -> None:
    x, labels, text = drawn(240, 10, SEEN + UNSEEN, 7)
    x, labels, text = x[labels < SEEN], labels[labels < SEEN], text[:SEEN]
    groups = left_out_groups(side_by_side(text.double()), UNSEEN, 0)
    for name in ("prototypes", "conse"):
        accuracies = []
        for group in (g.tolist() for g in groups):
            rest = [c for c in range(SEEN) if c not in group]
            kept = [n for n, c in enumerate(labels.tolist()) if c in rest]
            out = [n for n, c in enumerate(labels.tolist()) if c in group]
            config = config_of(name, len(rest), len(group), 10, 7)
            renamed = torch.tensor([rest.index(int(labels[n])) for n in kept])
            model = fitted(config, x[kept], renamed, text[rest])
            model.learn_classes(text[group], torch.Generator(), again=False)
            said = model.probabilities(x[out]).argmax(1).tolist()
            accuracies.append(np.mean([group[s] == int(labels[n]) for s, n in zip(said, out)]))
        assert auto.alternatives()[name] == pytest.approx(np.mean(accuracies), abs=1e-4)
    for name in ("ridge", "eszsl"):  # chosen on other groups, so not above the best for all
        assert 1 / UNSEEN < auto.alternatives()[name] <= 1


def test_it_is_the_member_that_is_best(auto: AutoAligner) -> None:
    x, labels, text = drawn(240, 10, SEEN + UNSEEN, 7)
    new, texts = x[labels >= SEEN], text[SEEN:]
    known = labels < SEEN
    for n, name in enumerate(MEMBERS):
        auto.accuracy = torch.zeros(len(MEMBERS), DRAWS)
        auto.accuracy[n] = 1
        assert auto.method == name
        alone = fitted(config_of(name, SEEN, UNSEEN, 10, 7), x[known], labels[known], text[:SEEN])
        for model in (auto, alone):
            model.learn_classes(texts, torch.Generator(), again=False)
        assert torch.equal(auto.probabilities(new), alone.probabilities(new))
        assert torch.equal(auto.embed_samples(new), alone.embed_samples(new))
        assert torch.equal(
            auto.margins(new, texts, text[:SEEN]), alone.margins(new, texts, text[:SEEN])
        )
        again = auto.for_classes((20, 21), text[:2])
        assert again.alternatives() == auto.alternatives()
        assert again.probabilities(new).shape == (len(new), 2)


def test_another_than_the_first_has_to_be_surely_better(auto: AutoAligner) -> None:
    lead = torch.linspace(-1, 3, DRAWS) / 10  # mean 0.1
    error = float(np.std(lead.numpy(), ddof=1) / DRAWS**0.5)
    for surplus, method in (
        (0.0, "ridge"),
        (2.1 * error - 0.1, "ridge"),
        (1.9 * error - 0.1, "prototypes"),
    ):
        accuracy = torch.full((len(MEMBERS), DRAWS), 0.5)
        accuracy[1] += lead + surplus
        auto.accuracy = accuracy
        assert auto.method == method


def test_too_few_seen_classes_to_choose_by() -> None:
    x, labels, text = drawn(40, 6, 3, 7)
    model = fitted(config_of("auto", 3, 1, 6, 7), x, labels, text)
    assert set(model.alternatives().values()) == {0.0}
    assert model.method == next(iter(MEMBERS))
