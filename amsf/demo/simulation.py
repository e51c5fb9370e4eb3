"""The simulated demo: recordings of :data:`amsf.demo.programs.PROGRAMS` by made-up subjects.

Nothing here is measured. Subjects differ in stature, limb lengths, tempo, amplitude, handedness
and idle sway; recordings in viewpoint, distance, timing, number of repetitions and sensor noise.
Equal arguments give equal bytes.

Axis letters: N recordings of a class, T frames, J = 25 joints, S subjects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amsf.base.progress import track
from amsf.demo.kinematics import (
    SEGMENTS,
    SIDES,
    Array,
    Body,
    Controls,
    Hand,
    forward_kinematics,
    rotate,
    turn_x,
    turn_y,
)
from amsf.demo.programs import PLACES, PRIMITIVES, PROGRAMS, Move, Program
from amsf.skeleton.bodies import Track, main_persons
from amsf.skeleton.recordings import Recording, SkeletonSet

DATASET = "demo"
LAYOUT = "kinect25"
SUBJECTS = 12
REPETITIONS = 3
FRAME_RATE = 20.0  # frames a second; a Kinect gives 30, the encoder resamples anyway
# Channels that are lengths, and so grow with the person.
_LENGTHS = ("crouch", "back", "height", "travel")
_EXTREMITIES = [6, 7, 10, 11, 14, 15, 18, 19, 21, 22, 23, 24]  # noisier in a real sensor
_CAMERAS = np.radians([-45.0, 0.0, 45.0])  # as in NTU RGB+D: cameras 1, 2, 3


@dataclass(frozen=True)
class Subject:
    """A made-up person, of whom every recording differs a little."""

    lengths: dict[str, float]
    scale: float
    tempo: float
    amplitude: float
    right_handed: bool


@dataclass(frozen=True)
class Clock:
    """The time of N recordings: ``u`` (N, T) from 0 to 1, and what varies its course, (N, 1)."""

    u: Array
    shift: Array
    repeats: Array
    strikes: Array

    def ramp(self, start: float, length: float) -> Array:
        """From 0 to 1 smoothly, from ``start`` on for the fraction ``length`` of the time."""
        x = np.clip((self.u - self.shift - start) / length, 0.0, 1.0)
        return x * x * (3.0 - 2.0 * x)

    def hump(self, start: float, end: float) -> Array:
        """Up and down again between ``start`` and ``end``."""
        x = np.clip((self.u - self.shift - start) / (end - start), 0.0, 1.0)
        return np.sin(np.pi * x) ** 2

    def turns(self, count: Array) -> Array:
        """The angle that makes ``count`` turns in the time in which a pose is held."""
        return 2.0 * np.pi * count * np.clip((self.u - self.shift - 0.2) / 0.6, 0.0, 1.0)

    def hold(self) -> Array:
        return self.ramp(0.1, 0.2) - self.ramp(0.7, 0.2)

    def cycle(self) -> Array:
        return 0.5 - 0.5 * np.cos(self.turns(self.repeats))


TIMINGS: dict[str, Callable[[Clock], Array]] = {
    "hold": Clock.hold,
    "cycles": lambda c: c.hold() * c.cycle(),
    "guard": lambda c: c.hold() * (1.0 - c.cycle()),
    "swing": lambda c: c.hold() * np.sin(c.turns(c.repeats)),
    "strike": lambda c: np.sin(0.5 * c.turns(c.strikes)) ** 2,
    "hop": lambda c: np.maximum(np.sin(c.turns(c.repeats)), 0.0),
    "dip": lambda c: np.maximum(-np.sin(c.turns(c.repeats)), 0.0),
    "stay": lambda c: c.ramp(0.2, 0.5),
    "leave": lambda c: 1.0 - c.ramp(0.2, 0.5),
    "shift": lambda c: c.hump(0.15, 0.75),
    "early": lambda c: c.hump(0.1, 0.55),
    "late": lambda c: c.hump(0.4, 0.9),
    "recoil": lambda c: c.ramp(0.3, 0.12) - c.ramp(0.75, 0.2),
    "approach": lambda c: c.hump(0.08, 0.34) + c.hump(0.66, 0.92),
    "whole": lambda c: c.ramp(0.0, 0.1) - c.ramp(0.86, 0.1),
}


def make_subjects(count: int, seed: int) -> list[Subject]:
    """``count`` different people; every fourth is left-handed."""
    rng = np.random.default_rng([seed, 0])
    people = []
    for number in range(count):
        scale = float(rng.uniform(0.90, 1.12))
        lengths = {n: v * scale * float(rng.uniform(0.94, 1.06)) for n, v in SEGMENTS.items()}
        tempo, amplitude = float(rng.uniform(0.8, 1.25)), float(rng.uniform(0.85, 1.12))
        people.append(Subject(lengths, scale, tempo, amplitude, number % 4 != 3))
    return people


def simulate(
    subjects: int = SUBJECTS, repetitions: int = REPETITIONS, seed: int = 0
) -> SkeletonSet:
    """Make every class's recordings by every subject.

    Args:
        subjects: the number of people, S, at least 4; they are numbered from 1.
        repetitions: how often each performs each class, seen by cameras 1, 2, 3 in turn.
        seed: the seed of all that is random.

    Returns:
        A set marked as simulated, of C·S·repetitions recordings in order of class.
    """
    people = make_subjects(subjects, seed)
    recordings: list[Recording] = []
    for label, program in enumerate(track(PROGRAMS, "simulating classes")):
        rng = np.random.default_rng([seed, 1, label])
        recordings += simulate_class(label, program, people, repetitions, rng)
    return SkeletonSet.from_recordings(recordings, layout=LAYOUT, dataset=DATASET, simulated=True)


def simulate_class(
    label: int, program: Program, people: list[Subject], repetitions: int, rng: np.random.Generator
) -> list[Recording]:
    """Recordings of one program by every person, ``repetitions`` each, in order of people."""
    who = np.repeat(np.arange(len(people)), repetitions)
    camera = np.tile(np.arange(repetitions) % len(_CAMERAS), len(people))
    count = len(who)
    tempo = np.array([people[s].tempo for s in who]) * rng.uniform(0.9, 1.1, count)
    frames = np.round(2.6 * FRAME_RATE / tempo).astype(int)
    u = np.minimum(np.arange(frames.max()) / (frames[:, None] - 1), 1.0)
    clock = Clock(
        u,
        shift=rng.uniform(-0.05, 0.05, (count, 1)),
        repeats=rng.integers(2, 5, (count, 1)).astype(float),
        strikes=rng.integers(1, 3, (count, 1)).astype(float),
    )
    bodies = [_person(program.first, [people[s] for s in who], clock, rng)]
    if program.distance is not None:
        # A partner of the same parity: who trains and who tests stay apart by odd and even.
        step = 2 * rng.integers(1, len(people) // 2, count)
        partner = (who + step) % (2 * (len(people) // 2))
        late = Clock(
            u, clock.shift + rng.uniform(0, 0.04, (count, 1)), clock.repeats, clock.strikes
        )
        bodies.append(_person(program.second, [people[s] for s in partner], late, rng))
        _face_each_other(bodies, program.distance * rng.uniform(0.92, 1.08, (count, 1)))
    joints = np.stack(
        [forward_kinematics(body, controls, root) for body, controls, root in bodies], axis=1
    )
    joints = _sense(_film(joints, camera, rng), rng)
    return [
        Recording(
            joints=main_persons([Track(np.arange(n), body[:n]) for body in joints[i]])[0],
            name=f"SIM-a{label:03d}-s{who[i] + 1:02d}-r{i % repetitions + 1}",
            label=label,
            subject=int(who[i]) + 1,
            camera=int(camera[i]) + 1,
            setup=1,
        )
        for i, n in enumerate(frames)
    ]


Person = tuple[Body, Controls, Array]


def _person(
    primitives: tuple[str, ...], people: list[Subject], clock: Clock, rng: np.random.Generator
) -> Person:
    """N performances of the primitives, each by its own subject, standing at the origin."""
    count = len(people)
    body = Body(
        **{n: np.array([[p.lengths[n]] for p in people]) for n in SEGMENTS},
        scale=np.array([[p.scale] for p in people]),
    )
    amplitude = np.array([[p.amplitude] for p in people]) * rng.uniform(0.93, 1.07, (count, 1))
    scalars = {
        name: np.zeros_like(clock.u)
        for name in (
            "heading",
            "pitch",
            "crouch",
            "back",
            "height",
            "travel",
            "gait",
            "nod",
            "shake",
        )
    }
    scalars["pitch"] += _slow_noise(rng, clock.u.shape, 0.03)
    scalars["shake"] += _slow_noise(rng, clock.u.shape, 0.10)
    controls = Controls(
        **scalars,
        phase=2 * np.pi * (rng.uniform(2.5, 3.5, (count, 1)) * clock.u + rng.random((count, 1))),
        hands={side: Hand() for side in SIDES},
        feet={side: [] for side in SIDES},
        places={
            name: (place.anchor, place.offset + rng.normal(0, 0.025, (count, 1, 3)))
            for name, place in PLACES.items()
        },
    )
    right_handed = np.array([[p.right_handed] for p in people])
    for move in (move for name in primitives for move in PRIMITIVES[name]):
        _apply(move, controls, clock, amplitude, body.scale, right_handed)
    return body, controls, np.zeros((count, 1, 3))


def _apply(
    move: Move,
    controls: Controls,
    clock: Clock,
    amplitude: Array,
    scale: Array,
    right_handed: Array,
) -> None:
    """Add one move to the signals that drive a person."""
    weight = TIMINGS[move.timing](clock)
    if isinstance(move.amount, float) and not move.side:
        size = scale if move.channel in _LENGTHS else 1.0
        # Half turns stay half turns whoever makes them, and gaits keep the feet on the floor.
        size = size * (1.0 if move.channel in ("heading", "gait", "travel") else amplitude)
        signal = getattr(controls, move.channel)
        signal += move.amount * size * weight
        return
    for side in SIDES:
        if move.side == "preferred":
            share = weight * (right_handed == (side == "right"))
        elif move.side == side:
            share = weight
        else:
            continue
        if move.channel == "hand":
            controls.hands[side].pulls.append((share, move.place))
            continue
        assert isinstance(move.amount, tuple)
        target = controls.hands[side].sway if move.channel == "sway" else controls.feet[side]
        target.append((share * amplitude, move.amount))


def _face_each_other(persons: list[Person], distance: Array) -> None:
    """Put two persons ``distance`` (N, 1) metres apart along x and turn them to each other."""
    for (_, controls, root), sign in zip(persons, (1.0, -1.0)):
        root[..., 0] -= sign * 0.5 * distance
        controls.heading -= sign * 0.5 * np.pi


def _film(joints: Array, camera: NDArray[np.int64], rng: np.random.Generator) -> Array:
    """(N, M, T, J, 3): from the scene's axes to those of each recording's sensor."""
    count = len(joints)
    yaw = _CAMERAS[camera] + rng.normal(0, np.radians(10), count)
    tilt = rng.normal(0, np.radians(3), count)
    view = (turn_x(tilt) @ turn_y(yaw))[:, None, None, None]
    spot = np.stack(
        [
            rng.uniform(-0.4, 0.4, count),
            rng.uniform(-1.1, -0.8, count),
            rng.uniform(2.5, 3.6, count),
        ],
        axis=-1,
    )
    return rotate(view, joints) + spot[:, None, None, None]


def _sense(joints: Array, rng: np.random.Generator) -> Array:
    """Add what a depth sensor adds: jitter, slow drift, and short losses of hands and feet."""
    quality = rng.uniform(0.6, 1.5, (len(joints), 1, 1, 1, 1))
    spread = np.full((joints.shape[3], 1), 0.007)
    spread[_EXTREMITIES] = 0.012
    axes = np.array([1.0, 1.0, 1.6])  # depth is the least certain
    noisy = joints + rng.normal(size=joints.shape) * spread * axes * quality
    count, persons, frames, columns, _ = joints.shape
    drift = _slow_noise(rng, (count * persons * columns * 3, frames), 0.010)
    noisy += drift.reshape(count, persons, columns, 3, frames).transpose(0, 1, 4, 2, 3)
    lost = np.zeros(joints.shape[:-1], bool)
    lost[:, :, :, _EXTREMITIES] = rng.random((count, persons, frames, len(_EXTREMITIES))) < 0.006
    lost[:, :, 1:] |= lost[:, :, :-1]
    lost[:, :, 2:] |= lost[:, :, :-2]
    return noisy + lost[..., None] * rng.normal(0, 0.06, joints.shape)


def _slow_noise(rng: np.random.Generator, shape: tuple[int, ...], spread: float) -> Array:
    """Noise of the given standard deviation that takes a third of a recording to change."""
    count, frames = shape
    knots = rng.normal(0, spread, (count, 4))
    place = np.linspace(0, 3, frames)
    low = np.minimum(place.astype(int), 2)
    x = place - low
    blend = x * x * (3 - 2 * x)
    return knots[:, low] * (1 - blend) + knots[:, low + 1] * blend
