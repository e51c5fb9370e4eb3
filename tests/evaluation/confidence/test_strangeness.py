"""Strangeness: the conformal guarantee, p-values by hand, and damaged files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amsf.base.errors import InputError
from amsf.evaluation.confidence.record import Confidence
from amsf.evaluation.confidence.strangeness import Distances, Strangeness

# Scores are the distance to seen classes, as that to unseen ones is never the smaller.
PLAIN = Strangeness((0.0, 0.0), (1.0, 1.0), 0.0, np.arange(4.0), np.arange(10.0))


def only_seen(values: list[float]) -> Distances:
    return Distances(np.array(values, float), np.full(len(values), np.inf))


def sides(rng: np.random.Generator, count: int) -> tuple[Distances, Distances]:
    """Samples of either side: near their own, far from the other."""
    own, other = rng.normal(1, 0.3, (2, count)), rng.normal(3, 0.5, (2, count))
    return Distances(own[0], other[0]), Distances(other[1], own[1])


def test_p_values_by_hand() -> None:
    # Of 3 seen and 1 unseen class, a seen sample counts 3/16 and an unseen one 1/40.
    p = PLAIN.p_values(only_seen([2.0, 2.5, 99.0, -1.0]), 3, 1)
    above = np.array([2 * 3 / 16 + 8 / 40, 3 / 16 + 7 / 40, 0, 1])
    np.testing.assert_allclose(p, (above + 3 / 16) / (1 + 3 / 16))
    assert PLAIN.finest(3, 1) == pytest.approx(p.min())


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30), st.floats(0.01, 0.99))
def test_exchangeable_scores_keep_the_rate(values: list[float], rate: float) -> None:
    # Whichever of them is the new one, each time with all others as calibration samples.
    refused = 0
    for i, value in enumerate(values):
        others = np.sort(np.delete(values, i))
        measure = replace(PLAIN, seen=others)  # of seen classes alone: no unseen one is named
        refused += int(measure.p_values(only_seen([value]), 1, 0)[0] <= rate)
    assert refused <= rate * len(values) + 1e-9


def test_named_rates_are_kept_on_both_sides_and_strangers_are_found() -> None:
    rng = np.random.default_rng(0)
    measure = Strangeness.fit(*sides(rng, 400))
    seen, unseen = sides(rng, 20_000)
    far = Distances(rng.normal(3, 0.5, 1000), rng.normal(3, 0.5, 1000))
    for rate in (0.05, 0.1, 0.2):
        shares = [(measure.p_values(x, 6, 2) <= rate).mean() for x in (seen, unseen, far)]
        assert 2 / 3 * rate < shares[0] < 4 / 3 * rate
        assert 2 / 3 * rate < shares[1] < 4 / 3 * rate
        assert shares[2] > 0.9


def test_a_side_whose_samples_lie_wider_is_not_refused_more_often() -> None:
    rng = np.random.default_rng(1)

    def drawn(count: int) -> tuple[Distances, Distances]:
        # Unseen samples are not much further from the seen classes than seen ones.
        seen, unseen = sides(rng, count)
        return seen, replace(unseen, to_seen=rng.normal(1.4, 0.4, count))

    measure = Strangeness.fit(*drawn(1000))
    assert measure.seen.mean() == pytest.approx(measure.unseen.mean(), abs=1e-6)


def test_equal_distances_are_no_error() -> None:
    same = Distances(np.ones(5), np.ones(5))
    measure = Strangeness.fit(same, same)
    assert measure.p_values(same, 2, 2).tolist() == [1.0] * 5


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    measure = Strangeness.fit(*sides(np.random.default_rng(0), 30))
    Confidence({"0": 1.25, "ensemble": 0.8}, measure).save(tmp_path / "c.json")
    found = Confidence.load(tmp_path / "c.json")
    assert found.temperatures == {"0": 1.25, "ensemble": 0.8}
    asked = sides(np.random.default_rng(1), 9)[0]
    np.testing.assert_array_equal(
        found.strangeness.p_values(asked, 3, 2), measure.p_values(asked, 3, 2)
    )


@pytest.mark.parametrize(
    "change",
    [
        {"temperatures": {}},
        {"temperatures": {"0": 0}},
        {"temperatures": 3},
        {"strangeness": {}},
        {"strangeness": PLAIN.to_json() | {"seen": []}},
        {"strangeness": PLAIN.to_json() | {"deviation": [1, 0]}},
        {"strangeness": PLAIN.to_json() | {"unseen": ["far"]}},
    ],
)
def test_a_damaged_file_is_named(change: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    raw = {"temperatures": {"0": 1.0}, "strangeness": PLAIN.to_json()}
    path.write_text(json.dumps(raw | change))
    with pytest.raises(InputError, match=r"c\.json: no temperatures and calibration scores"):
        Confidence.load(path)
