"""A made-up evaluation in the pipeline's files, as functions and as a DVC stage of a tiny project.

Needs numpy, pandas and PyYAML alone: the tiny project has a copy of this file in place of amsf.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

KEY = "demo-u8"
LABELS = ["sit", "wave", "kick", "bow", "clap", "jump"]
UNSEEN = [1, 4]
SEEN = [0, 2, 3, 5]
SAMPLES = 20  # a class
QUALITY = {"MHA": 0.8, "Add": 0.5, "MLP": 0.8}  # share of right answers, by model.fusion


def answers(seed: int, quality: float, spread: float = 0.02) -> tuple[pd.DataFrame, pd.DataFrame]:
    """ZSL and GZSL answers of one seed; a higher quality turns wrong answers right, never back."""
    rng = np.random.default_rng(seed)
    quality += spread * rng.normal()
    classes = np.arange(len(LABELS))

    def wrong(labels: np.ndarray, among: list[int]) -> np.ndarray:
        step = rng.integers(1, len(among), len(labels))
        place = np.searchsorted(among, labels)
        return np.array(among)[(place + step) % len(among)]

    zsl = np.repeat(UNSEEN, SAMPLES)
    zsl_right = rng.random(len(zsl)) < quality
    labels = np.repeat(classes, SAMPLES)
    unseen = np.isin(labels, UNSEEN)
    right = rng.random(len(labels)) < quality
    probability = np.round(np.clip(rng.normal(0.35 + 0.3 * unseen, 0.15), 0, 1), 3)
    seen_prediction = np.where(~unseen & right, labels, wrong(labels, SEEN))
    unseen_prediction = np.where(unseen & right, labels, wrong(labels, UNSEEN))
    gzsl = pd.DataFrame(
        {
            "labels": labels,
            "probability": probability,
            "seen_prediction": seen_prediction,
            "unseen_prediction": unseen_prediction,
            "prediction": np.where(probability > 0.5, unseen_prediction, seen_prediction),
        }
    )
    prediction = np.where(zsl_right, zsl, wrong(zsl, UNSEEN))
    return pd.DataFrame({"label": zsl, "prediction": prediction}), gzsl


def scores(zsl: pd.DataFrame, gzsl: pd.DataFrame | None) -> dict[str, float]:
    """The overall scores, from their definitions; the area by counting pairs."""
    found = {"zsl": float((zsl["label"] == zsl["prediction"]).mean())}
    if gzsl is None:
        return found
    unseen = gzsl["labels"].isin(UNSEEN).to_numpy()
    right = (gzsl["labels"] == gzsl["prediction"]).to_numpy()
    S, U = float(right[~unseen].mean()), float(right[unseen].mean())
    p = gzsl["probability"].to_numpy()
    own = [
        (gzsl["labels"] == gzsl[f"{side}_prediction"]).to_numpy()[members]
        for side, members in (("seen", ~unseen), ("unseen", unseen))
    ]
    above = np.sign(p[unseen][None] - p[~unseen][:, None]) / 2 + 0.5
    area = float((own[0][:, None] * own[1][None] * above).mean())
    return found | {"seen": S, "unseen": U, "H": 2 * S * U / (S + U), "ausuc": area}


def write_evaluation(
    root: Path,
    quality: float,
    seeds: tuple[int, ...] = (0, 1, 2),
    *,
    task: str = "gzsl",
    protocol: str = "clean",
    spread: float = 0.02,
) -> None:
    """Write what the stages split, backbone, evaluate and summarize leave for ``KEY``."""
    folder = root / "data/evaluation" / KEY
    folder.mkdir(parents=True, exist_ok=True)
    by_seed = {}
    for seed in seeds:
        zsl, gzsl = answers(seed, quality, spread)
        zsl.to_csv(folder / f"zsl_predictions_seed{seed}.csv", index=False)
        if task == "gzsl":
            gzsl.to_csv(folder / f"predictions_seed{seed}.csv", index=False)
        by_seed[seed] = scores(zsl, gzsl if task == "gzsl" else None)
    table = pd.DataFrame(by_seed).T
    about = {"protocol": protocol, "selection": "val" if task == "gzsl" else "last"}
    metrics = {
        **about,
        "switches": {"name": protocol, "selection": about["selection"], "noise": "independent"},
        "mean": {name: {"overall": table[name].mean()} for name in table},
        "std": {name: {"overall": table[name].std()} for name in table},
        "seeds": {
            str(s): {name: {"overall": value} for name, value in row.items()}
            for s, row in by_seed.items()
        },
    }
    (folder / "metrics.json").write_text(json.dumps(metrics))
    pd.DataFrame(
        {
            "id": range(len(LABELS)),
            "label": LABELS,
            "side": ["unseen" if c in UNSEEN else "seen" for c in range(len(LABELS))],
        }
    ).to_csv(folder / "per_class.csv", index=False)
    for path, value in (
        (f"data/split/{KEY}.json", {"val_unseen": [0, 3]}),
        (
            f"data/backbone/{KEY}/sk_feats/r/shift_2_r/names.json",
            {"gtest": [f"a{i}" for i in range(6 * SAMPLES)], "ztest": ["z0", "z1"]},
        ),
        (f"data/backbone/{KEY}/sk_feats/r/shift_val_2_r/names.json", {"val": ["v0"]}),
        (
            "metrics/gzsl.json",
            {
                KEY: {
                    name: {
                        "mean": round(100 * table[name].mean(), 2),
                        "std": round(100 * table[name].std(), 2),
                    }
                    for name in table
                }
                | about
                | {"seeds": len(seeds)}
            },
        ),
    ):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(json.dumps(value))


def main() -> None:
    """The stage: results that depend on model.fusion and train.seeds; model.layers 9 fails."""
    params = yaml.safe_load(Path("params.yaml").read_text())
    if params["model"]["layers"] == 9:
        print("error: 9 layers are too many", file=sys.stderr)
        raise SystemExit(1)
    write_evaluation(Path(), QUALITY[params["model"]["fusion"]], tuple(params["train"]["seeds"]))


if __name__ == "__main__":
    main()
