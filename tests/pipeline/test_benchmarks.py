"""The benchmarks: that they compare like with like, what they derive, and that they run."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from amsf.base.storage import read_json, read_tensors
from amsf.model.fusion import build_fusion
from amsf.model.vae import CrossModalVAE, schedule
from amsf.settings.params import Model
from benchmarks import floor, ours, portable, speed, straightforward
from benchmarks.floor import Product, distinct_classes, products, step_bytes, step_flop
from benchmarks.processes import Memory, run_together
from benchmarks.report import Measured, comparison_table, derive, floor_table
from benchmarks.sizes import NTU60, TINY, Size

VIEWS, WIDTH, FEATURES, LATENT, CLASSES, BATCH = 5, 16, 24, 10, 7, 12
# A straightforward module -> ours.
NAMES = {
    "fusion.norm.": "fusion.mha.0.ln.",
    "fusion.attention.": "fusion.mha.0.mha.",
    "fusion.tail.": "fusion.mlp.",
}
# A straightforward module -> that of the golden file.
PUBLISHED = {
    "fusion.mha": "fm.mha",
    "fusion.mlp": "fm.mlp",
    "skeleton_encoder.": "se.",
    "skeleton_decoder.linear": "sd.model.0",
    "text_encoder.": "te.",
    "text_decoder.linear": "td.model.0",
    "mu.": "mu_transformation.0.",
    "logvar.": "logvar_transformation.0.",
}

# Whole scripts, of half a minute each: CI runs them.
slow = pytest.mark.skipif(os.environ.get("AMSF_SLOW") != "1", reason="AMSF_SLOW=1 is not set")


def renamed(name: str, names: dict[str, str]) -> str:
    for theirs, other in names.items():
        name = name.replace(theirs, other)
    return name


def straightforward_and_ours() -> tuple[straightforward.CrossModalVAE, CrossModalVAE]:
    torch.manual_seed(0)
    theirs = straightforward.CrossModalVAE(VIEWS, WIDTH, 4, FEATURES, LATENT)
    same = CrossModalVAE(build_fusion(Model(heads=4), VIEWS, WIDTH), FEATURES, LATENT)
    same.load_state_dict({renamed(k, NAMES): v for k, v in theirs.state_dict().items()})
    return theirs, same


@pytest.mark.parametrize(("step", "cycle"), [(0, 0), (1200, 1), (1401, 1), (1650, 2)])
def test_straightforward_loop_computes_the_same(step: int, cycle: int) -> None:
    theirs, same = straightforward_and_ours()
    skeleton, text = torch.rand(BATCH, FEATURES), torch.randn(CLASSES, VIEWS, WIDTH)
    labels = torch.randint(CLASSES, (BATCH,))
    noise = torch.randn(BATCH, 1), torch.randn(BATCH, 1)
    terms = theirs(skeleton, text[labels], *noise)
    loss = terms.total(*straightforward.loss_weights(step, cycle, 1700))
    loss.backward()
    weights = schedule(step, cycle, 1700, "absolute")
    expected = same.losses(
        normalize(skeleton, dim=1), text, labels, *noise, align=weights["text_cross"] > 0
    )
    total = sum(weights.get(name, 1.0) * loss for name, loss in expected.items())
    total.backward()
    torch.testing.assert_close(loss, total, rtol=1e-5, atol=0)
    for name in terms._fields:
        if weights["text_cross"] or "cross" not in name:
            ours = name.replace("s_", "skeleton_", 1).replace("t_", "text_", 1)
            torch.testing.assert_close(getattr(terms, name), expected[ours], rtol=1e-5, atol=0)
    gradients = {name: p.grad for name, p in same.named_parameters()}
    for name, parameter in theirs.named_parameters():
        torch.testing.assert_close(parameter.grad, gradients[renamed(name, NAMES)])


def test_straightforward_loop_follows_the_published_trajectory(golden_dir: Path) -> None:
    golden = np.load(golden_dir / "vae_training.npz")
    vae = straightforward.CrossModalVAE(5, 32, 4, 24, 10)

    def weights(which: str) -> dict[str, torch.Tensor]:
        return {
            name: torch.from_numpy(golden[f"{which}.{renamed(renamed(name, NAMES), PUBLISHED)}"])
            for name in vae.state_dict()
        }

    vae.load_state_dict(weights("init"))
    optimiser = torch.optim.Adam(vae.parameters(), lr=1e-4)
    tensors = {k: torch.from_numpy(golden[k]) for k in ("x", "y", "eps_skeleton", "eps_text")}
    text = torch.from_numpy(golden["text"])
    for i, step in enumerate(golden["step_in_cycle"]):
        terms = vae(
            tensors["x"][i],
            text[tensors["y"][i]],
            tensors["eps_skeleton"][i],
            tensors["eps_text"][i],
        )
        chosen = straightforward.loss_weights(int(step), int(golden["cycle"][i]), 1700)
        optimiser.zero_grad()
        loss = terms.total(*chosen)
        loss.backward()
        optimiser.step()
        record = [loss.item(), *(term.item() for term in terms), *chosen]
        np.testing.assert_allclose(record, golden["record"][i], rtol=2e-5, atol=1e-7)
    for name, final in weights("final").items():
        assert (vae.state_dict()[name] - final).norm() <= 1e-5 * final.norm(), name


def test_straightforward_loop_trains_a_phase(tmp_path: Path) -> None:
    size = TINY
    size.write(tmp_path / "inputs")
    words = [str(tmp_path / "inputs"), str(tmp_path / "out"), "--cycles=2", "--steps=20"]
    words += [f"--latent={size.latent}", f"--heads={size.heads}", "--phase=val"]
    straightforward.main([*words, "--classifier-samples=20", "--classifier-steps=10"])
    seconds = read_json(tmp_path / "out/seconds.json")
    assert 20 * seconds["step"] + seconds["cycle_end"] < seconds["counted"]
    model = read_tensors(tmp_path / "out/model.safetensors")
    assert model["classifier.linear.weight"].shape == (size.unseen, size.latent)
    assert all(np.isfinite(array).all() for array in model.values())


def test_distinct_classes_equals_a_simulation() -> None:
    rng = np.random.default_rng(0)
    drawn = [len(set(rng.integers(NTU60.seen, size=64).tolist())) for _ in range(4000)]
    assert distinct_classes(NTU60) == pytest.approx(np.mean(drawn), abs=0.15)


def test_flop_and_parameters_are_those_of_the_module() -> None:
    """PyTorch's own counter on the straightforward loop, at one sample a class."""
    from torch.utils.flop_counter import FlopCounterMode

    size = Size("one", 2000, 1, 10, 10, latent=12, steps=1, features=32, text=64, heads=2, batch=3)
    assert round(distinct_classes(size)) == 3
    vae = straightforward.CrossModalVAE(VIEWS, size.text, 2, size.features, size.latent)
    with FlopCounterMode(display=False) as counter:
        terms = vae(
            torch.rand(3, size.features),
            torch.randn(3, VIEWS, size.text),
            torch.randn(3, 1),
            torch.randn(3, 1),
        )
        terms.total(0.1, 0.1, 1.0).backward()
    counted = counter.get_total_flops()
    # The counter saw a step with cross terms; ours is the mean over a cycle.
    share = {p.name: 2 / p.times for p in products(size) if p.times > 1}
    ours_with_cross = step_flop(size) + sum(
        p.flop * (share[p.name] - 1) for p in products(size) if p.name in share
    )
    assert ours_with_cross == pytest.approx(counted, rel=0.01)
    weights = sum(p.numel() for p in vae.parameters() if p.ndim == 2)
    assert step_bytes(size) == 40 * weights


def test_a_product_and_its_gradients() -> None:
    assert Product("", 2, 3, 5).flop == 3 * 2 * 2 * 3 * 5
    assert Product("", 2, 3, 5, times=1.5, input_gradient=False).flop == 1.5 * 2 * 2 * 2 * 3 * 5


def times(step: float, cycle_end: float, start: float) -> dict[str, float]:
    return {"step": step, "cycle_end": cycle_end, "start": start}


def test_whole_runs_by_hand() -> None:
    size = Size("hand", 10, 2, 10, 10, latent=2, steps=1000, cycles=10)
    ours_times = {
        **times(0.1, 2.0, 3.0),
        **{"runs": 4.0, "imports": 7.0, "alone": 0.02, "alone_plain": 0.018},
    }
    found = derive(size, 2, times(0.09, 1.0, 10.0), times(0.15, 2.0, 10.0), ours_times)
    # 10 + 10 (90 + 1) = 920 s; 10 + 10 (150 + 2) = 1530 s for two; 10 + 10 (100 + 2) for four.
    assert found["threaded_rate"] == pytest.approx(60 / 920)
    assert found["single_rate"] == found["theirs_rate"] == pytest.approx(120 / 1530)
    assert found["ours_rate"] == pytest.approx(240 / 1030)
    assert found["rate_ratio"] == pytest.approx((240 / 1030) / (120 / 1530))
    # Six runs in three waves of two: 3 x 1530 beats 6 x 920; ours 10 + 1.5 x 1020.
    assert found["theirs_benchmark"] == pytest.approx(3 * 1530 / 60)
    assert found["ours_benchmark"] == pytest.approx((10 + 1.5 * 1020) / 60)
    assert found["ours_step"] == pytest.approx(0.05)


def test_tables_hold_medians_and_the_range_of_the_ratio() -> None:
    size = Size("hand", 10, 2, 10, 10, latent=2, steps=1000)
    measured = Measured(size)
    for factor in (1.0, 1.2, 0.9):
        measured.threaded.append(times(0.09, 1, 10))
        measured.single.append(times(0.15 * factor, 2, 10))
        measured.ours.append(
            {**times(0.1, 2, 3), "runs": 4, "imports": 7, "alone": 0.02, "alone_plain": 0.018}
        )
    measured.memory = {"theirs": Memory(300 << 20, 600 << 20), "ours": Memory(200 << 20, 1 << 30)}
    measured.rates = {1: dict.fromkeys(("mm", "onednn", "best"), 0.01) | {"copy": 1e9, "adam": 2e9}}
    table = comparison_table(measured, 2)
    assert "| 150.0 | 50.0 | 3.00 |" in table
    assert "(2.68 to 3.55 in 3 rounds)" in table
    assert "| 300 | 200 | 1.50 |" in table
    rows = dict(line.strip("| ").split(" | ") for line in floor_table([measured], 2).splitlines())
    moved = step_bytes(size) / 2e9
    assert rows["bytes at the better rate (ms)"] == f"{1e3 * moved:.1f}"
    total = 0.01 + moved
    assert rows["ours / floor"].endswith(f"to {0.02 / total:.2f}")


def test_rates_are_told_of_every_library() -> None:
    rates = floor._rates(TINY, 0.001, 1 << 16, threading.Barrier(1))
    assert 0 < rates["best"] <= min(rates["mm"], rates["onednn"])
    assert rates["copy"] > 0
    assert rates["adam"] > 0


def test_memory_of_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "hog.py").write_text(
        "import time\n"
        "block = bytearray(200 << 20)\n"
        "block[::4096] = b'1' * (200 << 8)  # touch each page\n"
        "time.sleep(1)\n"
    )
    seconds, memory = run_together([["hog"], ["hog"]], watch=True)
    assert seconds > 1
    assert memory is not None
    assert 200 << 20 < memory.process < 260 << 20
    assert 400 << 20 < memory.group < 520 << 20


def test_a_failed_process_is_told() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)no_such_module failed.*No module named"):
        run_together([["no_such_module"]])


def test_training_and_evaluation_for_memory(tmp_path: Path) -> None:
    TINY.write(tmp_path)
    common = ["tiny", str(tmp_path), str(tmp_path / "result.json")]
    ours.main(["train", *common, "2", "4", "1", "1"])
    assert (tmp_path / "models/seed0/val/model.safetensors").is_file()
    ours.main(["assess", *common, "1"])
    assert read_json(tmp_path / "result.json")["repetitions"] == 1


def test_new_tables_replace_the_old() -> None:
    text = f"before\n{speed.BEGIN}\nold\n{speed.END}\nafter\n"
    assert speed.replace_tables(text, "new") == f"before\n{speed.BEGIN}\nnew\n{speed.END}\nafter\n"


def test_readme_has_the_markers() -> None:
    text = speed.README.read_text(encoding="utf-8")
    assert text.count(speed.BEGIN) == text.count(speed.END) == 1


@slow
def test_quick_run_prints_all_tables(capsys: pytest.CaptureFixture[str]) -> None:
    speed.main(["--quick"])
    printed = capsys.readouterr().out
    for text in ("runs a minute", "whole benchmark", "ours / floor", "µs a sample", "torch 2."):
        assert text in printed
    assert "nan" not in printed


@slow
def test_the_cost_of_portable_is_measured_in_turn(capsys: pytest.CaptureFixture[str]) -> None:
    portable.main(["--rounds", "1", "--size", "tiny"])
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    assert len(rows) == 3
    assert [len(row) for row in rows] == [4, 4, 4]
    # The others are differences of a few steps' times, which a busy machine may turn negative.
    assert float(rows[2][1]) > 0 < float(rows[2][2])
