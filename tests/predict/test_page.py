"""The page on answers: what it shows, that it obeys no name, and that it stands alone."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amsf.base.display import escaped
from amsf.predict.batch import Found
from amsf.predict.motion import HEIGHT, MOST_FRAMES, WIDTH, motion_of
from amsf.predict.page import TEMPLATES, build_page
from amsf.predict.predictor import Prediction, Predictor
from amsf.skeleton.joints import layout_of
from amsf.skeleton.recordings import Recording, SkeletonSet
from tests.support.html_reader import Reader
from tests.support.raw_files import walk
from tests.support.small_project import KEY

SKELETONS = "data/simulated/demo/skeletons.safetensors"
LAYOUT = layout_of("kinect25")
HOSTILE = (
    "<script>alert(1)</script>",
    "\"' onload='alert(1)' x=\"",
    "</main></script><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }} {% raw %}",
    "\u202egnp.\x1b[2J",
)


def answered(predictor: Predictor, *rows: int) -> list[tuple[Found, Prediction]]:
    """Recordings of the demo and what is said of them."""
    packed = SkeletonSet.load(SKELETONS)
    recordings = [packed.recording(row) for row in rows]
    told = predictor.predict_recordings(recordings, why=True)
    return [(Found(Path(SKELETONS), r), p) for r, p in zip(recordings, told, strict=True)]


@pytest.fixture
def predictor(demo_project: Path) -> Predictor:
    return Predictor.load(KEY)


def test_what_is_said_of_a_recording(predictor: Predictor) -> None:
    answers = answered(predictor, 3, 100, 200)
    page = build_page(answers, predictor, KEY, top=4)
    articles = re.findall(r"<article.*?</article>", page, re.DOTALL)
    for (found, prediction), article in zip(answers, articles, strict=True):
        words = " ".join(Reader(article).words.split())
        why = prediction.why
        assert why is not None
        assert f"{found.recording.name}, in {SKELETONS}" in words
        row = r'<th scope="row">([^<]*)</th><td>((?:un)?seen)</td><td class="n">([\d.]+)</td>'
        assert re.findall(row, article) == [
            (one.label, "seen" if one.seen else "unseen", f"{100 * one.probability:.1f}")
            for one in prediction.classes[:4]
        ]
        assert f"P(unseen) is {100 * prediction.unseen_probability:.1f} %" in words
        near = {one.label: f"{one.cosine:+.2f}" for one in why.nearest[:3]}
        near[prediction.answer.label] = f"{why.cosine:+.2f}"
        cells = re.findall(r'<th scope="row">([^<]*)</th><td class="n">([+-][\d.]+)', article)
        assert dict(cells) == near
        assert cells == sorted(cells, key=lambda one: -float(one[1]))
        assert f"Views that agree: {len(why.agreeing)} of 2" in words
        assert words.count("✓") == 1 + len(why.agreeing) + why.together.agrees
    head = Reader(page).words
    assert "SIMULATED" in head
    assert "Transductive" not in head
    assert "It is no proof" in head


def test_equal_input_gives_equal_bytes_and_settings_are_told(predictor: Predictor) -> None:
    answers = answered(predictor, 3)
    page = build_page(answers, predictor, KEY, top=5)
    assert page == build_page(answered(predictor, 3), Predictor.load(KEY), KEY, top=5)
    measured = replace(predictor, simulated=False)
    other = build_page(answers, measured, KEY, top=5, added=["<b>"], transductive=True)
    assert "SIMULATED" not in other
    assert "Transductive:" in Reader(other).words
    assert "Told by words when this page was made: <b>." in Reader(other).words


def test_no_name_is_obeyed(predictor: Predictor) -> None:
    plain = answered(predictor, *range(len(HOSTILE)))
    labels = tuple(HOSTILE[c % len(HOSTILE)] for c in range(len(predictor.labels)))
    spoilt = replace(predictor, labels=labels)
    hostile = [
        (Found(Path(name), replace(found.recording, name=name)), replace(told, recording=name))
        for name, (found, told) in zip(HOSTILE, answered(spoilt, *range(len(HOSTILE))))
    ]
    page = build_page(hostile, spoilt, HOSTILE[0], top=5, added=HOSTILE)
    read, harmless = Reader(page), Reader(build_page(plain, predictor, KEY, top=5, added=["x"]))
    assert read.names == harmless.names
    assert [sorted(a) for a in read.attributes] == [sorted(a) for a in harmless.attributes]
    for name in HOSTILE:
        assert read.words.count(escaped(name)) >= 4
    assert "\u202e" not in page
    assert "\x1b" not in page


def test_the_page_stands_alone_and_runs_its_own_script_only(predictor: Predictor) -> None:
    page = build_page(answered(predictor, 3), predictor, KEY, top=5)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert script == (TEMPLATES / "motion.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = next(a["content"] or "" for a in Reader(page).all("meta") if "http-equiv" in a)
    assert "default-src 'none'" in policy
    assert policy.endswith(f"script-src 'sha256-{digest}'")
    assert "://" not in page
    assert not re.search(r"\s(src|href)=\"[^#]", page)
    assert not any(name.startswith("on") for a in Reader(page).attributes for name in a)


def test_templates_pass_no_value_unescaped() -> None:
    for path in TEMPLATES.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\|\s*safe|autoescape", text)


def test_the_motion_is_the_recordings(predictor: Predictor) -> None:
    answers = answered(predictor, 3)
    page = Reader(build_page(answers, predictor, KEY, top=5))
    joints = answers[0][0].recording.joints
    (figure,) = (a for a in page.all("figure") if "data-frames" in a)
    frames = [
        np.array(frame.split(","), int).reshape(joints.shape[0], -1, 2)
        for frame in (figure["data-frames"] or "").split(" ")
    ]
    assert len(frames) == joints.shape[1] <= MOST_FRAMES
    shown = np.stack(frames, axis=1)
    # One scale, turned as in a mirror; to half a unit of the picture.
    flat = joints[..., :2] * [-1, -1]
    scale, shift = np.polyfit(flat[..., 0].ravel(), shown[..., 0].ravel(), 1)
    assert scale > 0
    np.testing.assert_allclose(flat[..., 0] * scale + shift, shown[..., 0], atol=0.8)
    rise, _ = np.polyfit(flat[..., 1].ravel(), shown[..., 1].ravel(), 1)
    assert rise == pytest.approx(scale, rel=2e-3)
    assert shown.min() >= 0
    assert (shown.max((0, 1, 2)) <= [WIDTH, HEIGHT]).all()
    # The lines that stand there without the script are those of the frame in the slider.
    (slider,) = page.all("input")
    at = shown[:, int(slider["value"] or "")]
    lines = json.loads(page.all("main")[0]["data-lines"] or "")
    for path in page.all("path"):
        person = at[int(path["data-person"] or "")]
        drawn = [
            [int(n) for n in re.findall(r"\d+", m)] for m in re.split("M", path["d"] or "")[1:]
        ]
        pairs = lines[path["data-kind"] or ""]
        assert drawn == [[*person[a], *person[b]] for a, b in pairs]
    assert sum(map(len, lines.values())) == len(LAYOUT) - 1 + 1  # the bones and the head


@pytest.mark.parametrize(("length", "kept"), [(1, 1), (64, 64), (65, 33), (1000, 63)])
def test_long_recordings_are_thinned(length: int, kept: int) -> None:
    joints = np.stack([walk(length, 25), walk(length, 25, seed=1) + np.array([1, 0, 0])])
    motion = motion_of(Recording(joints, "two").joints, LAYOUT)
    assert (motion.count, motion.of) == (kept, length)
    assert len(motion.frames.split(" ")) == kept
    assert motion.milliseconds == round(-(-length // MOST_FRAMES) * 1000 / 30)
    assert len(motion.frames) < 27_000
    assert [line.person for line in motion.lines] == [1] * 4 + [0] * 4  # the main one on top
