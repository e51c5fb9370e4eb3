"""The motion programs of the simulated demo: which primitives each class is composed of.

A class is a set of primitives that run together ("right hand to the mouth" and "walk in place"),
one set a person. Several classes share each primitive, and the classes that the demo's splits hide
are new combinations of primitives that other classes have. So a text can carry to them: who
knows "left hand to the head" and "right hand to the mouth" can recognise "left hand to the mouth".

Lengths are metres on a body 1.70 m tall, angles radians. Triples are (outward, up, forward), where
outward is to the right for the right side and to the left for the left side.
"""

from __future__ import annotations

from dataclasses import dataclass

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Place:
    """A point that a hand can go to: ``offset`` metres from ``anchor``.

    Attributes:
        anchor: ``head`` or ``chest`` (turning with the trunk), ``shoulder`` (likewise, of the
            hand's side) or ``floor`` (below the pelvis, turning with the heading alone).
        offset: (outward, up, forward).
    """

    anchor: str
    offset: Triple


@dataclass(frozen=True)
class Move:
    """One channel of the body moved by ``amount`` along a time course.

    Attributes:
        channel: ``hand`` (to ``place``), ``sway`` (of a hand, metres), ``foot`` (metres), or one of
            the scalar channels of :class:`amsf.demo.kinematics.Controls`.
        timing: a key of :data:`amsf.demo.simulation.TIMINGS`.
        amount: a triple for ``sway`` and ``foot``, else a number; unused by ``hand``.
        side: ``right``, ``left``, or ``preferred`` (the subject's handedness); unused by scalars.
        place: where the hand goes, a key of :data:`PLACES`.
    """

    channel: str
    timing: str
    amount: float | Triple = 1.0
    side: str = ""
    place: str = ""


@dataclass(frozen=True)
class Program:
    """A class of the demo: its label, the primitives of each person, and how they stand.

    Attributes:
        label: the class's label.
        first: names of primitives of the first person, keys of :data:`PRIMITIVES`.
        second: names of primitives of the second person; empty for one who stands still.
        distance: metres between the two persons at the start; None where there is one person.
    """

    label: str
    first: tuple[str, ...]
    second: tuple[str, ...] = ()
    distance: float | None = None

    @property
    def persons(self) -> int:
        """How many people take part (M)."""
        return 1 if self.distance is None else 2


PLACES: dict[str, Place] = {
    "mouth": Place("head", (0.09, -0.12, 0.13)),
    "head": Place("head", (0.17, 0.02, 0.03)),
    "chest": Place("chest", (0.04, -0.12, 0.15)),
    "overhead": Place("shoulder", (0.04, 0.60, 0.06)),
    "front": Place("shoulder", (-0.06, 0.02, 0.60)),
    "side": Place("shoulder", (0.60, 0.02, 0.06)),
    "beside head": Place("shoulder", (0.20, 0.36, 0.14)),
    "behind head": Place("shoulder", (0.10, 0.28, -0.16)),
    "middle": Place("chest", (0.03, -0.08, 0.38)),
    "shake": Place("chest", (0.02, -0.18, 0.46)),
    "embrace": Place("chest", (0.12, -0.02, 0.36)),
    "floor": Place("floor", (0.10, 0.12, 0.42)),
}


def _one_sided(side: str) -> dict[str, tuple[Move, ...]]:
    """The primitives of one arm or leg, for ``right``, ``left`` or the preferred side."""

    def to(place: str, timing: str = "hold") -> Move:
        return Move("hand", timing, side=side, place=place)

    def sway(timing: str, amount: Triple) -> Move:
        return Move("sway", timing, amount, side)

    def foot(amount: Triple) -> Move:
        return Move("foot", "strike", amount, side)

    arm = {
        f"{side} hand to mouth": (to("mouth"),),
        f"{side} hand to head": (to("head"), sway("cycles", (0.0, 0.05, 0.03))),
        f"{side} hand to chest": (to("chest"),),
        f"{side} hand overhead": (to("overhead"),),
        f"{side} hand to front": (to("front"),),
        f"{side} hand to side": (to("side"),),
        f"{side} hand to floor": (to("floor"),),
        f"{side} hand waves": (to("beside head"), sway("cycles", (0.17, -0.03, 0.0))),
        f"{side} hand punches": (to("chest", "guard"), to("front", "cycles")),
        f"{side} hand claps": (to("middle"), sway("cycles", (0.22, 0.0, 0.0))),
        f"{side} hand throws": (to("behind head", "early"), to("front", "late")),
        f"{side} hand shakes": (to("shake"), sway("cycles", (0.0, 0.07, 0.0))),
        f"{side} hand gives": (to("shake", "late"), to("chest", "early")),
        f"{side} arm embraces": (to("embrace"),),
    }
    leg = {
        f"{side} foot kicks forward": (foot((0.0, 0.50, 0.62)), Move("pitch", "strike", -0.15)),
        f"{side} foot kicks sideways": (foot((0.62, 0.42, 0.0)),),
    }
    return arm | leg


PRIMITIVES: dict[str, tuple[Move, ...]] = {
    **_one_sided("right"),
    **_one_sided("left"),
    **_one_sided("preferred"),
    "bow": (Move("pitch", "hold", 0.8),),
    "bend to the floor": (Move("pitch", "hold", 1.15), Move("crouch", "hold", 0.30)),
    "squat": (Move("crouch", "hold", 0.46), Move("pitch", "hold", 0.45)),
    "sit down": (
        Move("crouch", "stay", 0.40),
        Move("back", "stay", 0.38),
        Move("pitch", "shift", 0.55),
    ),
    "stand up": (
        Move("crouch", "leave", 0.40),
        Move("back", "leave", 0.38),
        Move("pitch", "shift", 0.55),
    ),
    "jump": (
        Move("height", "hop", 0.24),
        Move("crouch", "dip", 0.20),
        Move("pitch", "dip", 0.20),
    ),
    "walk in place": (Move("gait", "whole", 1.0),),
    "walk forward": (Move("gait", "shift", 1.0), Move("travel", "stay", 0.8)),
    "step close": (Move("gait", "approach", 0.8), Move("travel", "hold", 0.28)),
    "walk backward": (Move("gait", "shift", 1.0), Move("travel", "stay", -0.8)),
    "stagger": (
        Move("pitch", "recoil", -0.35),
        Move("travel", "recoil", -0.22),
        Move("gait", "recoil", 0.5),
    ),
    "turn around": (Move("heading", "stay", 3.14), Move("gait", "shift", 0.7)),
    "nod": (Move("nod", "cycles", 0.55),),
    "shake the head": (Move("shake", "swing", 0.75),),
}


def _both(action: str, limb: str = "hand") -> tuple[str, str]:
    return f"right {limb} {action}", f"left {limb} {action}"


PROGRAMS: tuple[Program, ...] = (
    Program("drink with the right hand", ("right hand to mouth",)),
    Program("drink with the left hand", ("left hand to mouth",)),
    Program("cover the mouth with both hands", _both("to mouth")),
    Program("scratch the head with the right hand", ("right hand to head",)),
    Program("scratch the head with the left hand", ("left hand to head",)),
    Program("rub the head with both hands", _both("to head")),
    Program("lay the right hand on the chest", ("right hand to chest",)),
    Program("lay the left hand on the chest", ("left hand to chest",)),
    Program("press both hands to the chest", _both("to chest")),
    Program("point forward with the right hand", ("right hand to front",)),
    Program("point forward with the left hand", ("left hand to front",)),
    Program("stretch both arms forward", _both("to front")),
    Program("raise the right arm overhead", ("right hand overhead",)),
    Program("raise the left arm overhead", ("left hand overhead",)),
    Program("raise both arms overhead", _both("overhead")),
    Program("point to the right side with the right hand", ("right hand to side",)),
    Program("point to the left side with the left hand", ("left hand to side",)),
    Program("spread both arms to the sides", _both("to side")),
    Program("wave the right hand", ("right hand waves",)),
    Program("wave the left hand", ("left hand waves",)),
    Program("wave both hands", _both("waves")),
    Program("clap the hands", _both("claps")),
    Program("punch the air with the right fist", ("right hand punches",)),
    Program("punch the air with the left fist", ("left hand punches",)),
    Program("throw something with one hand", ("preferred hand throws",)),
    Program("kick forward with the right foot", ("right foot kicks forward",)),
    Program("kick forward with the left foot", ("left foot kicks forward",)),
    Program("kick sideways with the right foot", ("right foot kicks sideways",)),
    Program("kick sideways with the left foot", ("left foot kicks sideways",)),
    Program("jump up and down", ("jump",)),
    Program("jump with both arms raised", ("jump", *_both("overhead"))),
    Program("squat", ("squat",)),
    Program("squat with both arms stretched forward", ("squat", *_both("to front"))),
    Program("squat with both arms raised", ("squat", *_both("overhead"))),
    Program("sit down", ("sit down",)),
    Program("stand up", ("stand up",)),
    Program("bow", ("bow",)),
    Program("bow with the right hand on the chest", ("bow", "right hand to chest")),
    Program("pick up with the right hand", ("bend to the floor", "right hand to floor")),
    Program("pick up with the left hand", ("bend to the floor", "left hand to floor")),
    Program("pick up with both hands", ("bend to the floor", *_both("to floor"))),
    Program("walk in place", ("walk in place",)),
    Program("walk in place and wave the right hand", ("walk in place", "right hand waves")),
    Program("walk in place with both arms raised", ("walk in place", *_both("overhead"))),
    Program("turn around", ("turn around",)),
    Program("shake the head", ("shake the head",)),
    Program("shake hands", ("right hand shakes",), ("right hand shakes",), 0.95),
    Program(
        "hug the other person",
        ("step close", *_both("embraces", "arm")),
        ("step close", *_both("embraces", "arm")),
        1.0,
    ),
    Program("push the other person with both hands", _both("punches"), ("stagger",), 0.85),
    Program(
        "punch the other person with the right fist", ("right hand punches",), ("stagger",), 0.85
    ),
    Program(
        "punch the other person with the left fist", ("left hand punches",), ("stagger",), 0.85
    ),
    Program(
        "kick the other person with the right foot",
        ("right foot kicks forward",),
        ("stagger",),
        1.0,
    ),
    Program(
        "kick the other person with the left foot", ("left foot kicks forward",), ("stagger",), 1.0
    ),
    Program(
        "wave to each other with the right hand", ("right hand waves",), ("right hand waves",), 1.5
    ),
    Program("point at the other person with the right hand", ("right hand to front",), (), 1.2),
    Program("hand over an object", ("preferred hand gives",), ("preferred hand gives",), 1.0),
    Program("bow to each other", ("bow",), ("bow",), 1.7),
    Program("walk towards each other", ("walk forward",), ("walk forward",), 2.6),
    Program("walk away from each other", ("walk backward",), ("walk backward",), 0.9),
)
