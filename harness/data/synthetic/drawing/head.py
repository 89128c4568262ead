"""Head, face, hair and hat, wrapped around a turned ellipsoid."""

import math

from harness.data.synthetic.drawing.body import Pose
from harness.data.synthetic.drawing.canvas import Canvas, Point
from harness.data.synthetic.drawing.colours import Colour, shade
from harness.data.synthetic.drawing.person import Person
from harness.data.synthetic.drawing.surface import Surface

CHIN = 0.142
FACE = 1.15  # radians to either side of the nose
ROUND = math.tau


def _ellipsoid(
    top: float, bottom: float, width: float, depth: float
) -> list[tuple[float, float, float]]:
    """Profile rows (height, half width, half depth) of an egg standing upright."""
    rows = []
    for step in range(9):
        angle = math.pi * step / 8
        height = (top + bottom) / 2 - (bottom - top) / 2 * math.cos(angle)
        rows.append((height, width * math.sin(angle), depth * math.sin(angle)))
    return rows


def _egg(pose: Pose, top: float, bottom: float, width: float, depth: float) -> Surface:
    """An ellipsoid around the head, seen from where the camera is."""
    rows = _ellipsoid(top, bottom, width, depth)
    return Surface(rows, pose.yaw, pose.project((0.0, 0.0, 0.012))[0])


def draw_hair_behind(canvas: Canvas, person: Person, pose: Pose) -> None:
    """Long hair that a person facing the camera lets hang behind the shoulders."""
    if person.haircut == "long" and math.cos(pose.yaw) > 0.3:
        canvas.disc((0.0, 0.12), (0.066, 0.115), shade(person.hair, 0.8))


def draw_head(canvas: Canvas, person: Person, pose: Pose) -> None:
    """Neck, skull, face, hair and hat."""
    canvas.limb((0.0, 0.12), (0.0, 0.16), (0.026, 0.03), shade(person.skin, 0.85))
    head = _egg(pose, 0.012, CHIN, 0.047, 0.056)
    canvas.polygon(head.whole(0.012, CHIN), person.skin)
    _draw_face(canvas, person, head)
    if person.haircut != "bald":
        _draw_hair(canvas, person, pose)
    if person.hat != "none":
        _draw_hat(canvas, person, pose)


def _draw_face(canvas: Canvas, person: Person, head: Surface) -> None:
    """Eyes, and a beard for some."""
    if person.beard:
        for outline in head.patches(-FACE, FACE, 0.102, CHIN):
            canvas.polygon(outline, person.hair)
    for angle in (-0.42, 0.42):
        eye = head.spot(angle, 0.078)
        if eye is not None:
            canvas.disc(eye, (0.007, 0.006), (30, 24, 24))


def _draw_hair(canvas: Canvas, person: Person, pose: Pose) -> None:
    """Hair on top and around the back; how far down it reaches is the cut."""
    volume = 0.006 if person.haircut in ("short", "bun") else 0.013
    reach = {"short": 0.098, "bun": 0.11, "medium": 0.142, "long": 0.142}[person.haircut]
    hair = _egg(pose, 0.01 - volume, 0.16, 0.047 + volume, 0.057 + volume)
    canvas.polygon(hair.whole(0.01 - volume, 0.046), person.hair)
    for outline in hair.patches(FACE, ROUND - FACE, 0.044, reach):
        canvas.polygon(outline, person.hair)
    if person.haircut == "long" and math.cos(pose.yaw) <= 0.3:
        back = pose.project((0.0, 0.15, -0.04))
        spread = 0.036 + 0.026 * abs(math.cos(pose.yaw))
        canvas.disc(back, (spread, 0.1), person.hair)
    if person.haircut == "bun":
        canvas.disc(pose.project((0.0, 0.04, -0.062)), (0.026, 0.026), shade(person.hair, 0.85))


def _brim(pose: Pose, forward: float, reach: Point, height: float) -> list[Point]:
    """A flat ellipse around the head, seen slightly from above."""
    width, depth = reach
    points = []
    for step in range(16):
        angle = math.tau * step / 16
        x, y = pose.project((width * math.cos(angle), height, forward + depth * math.sin(angle)))
        nearness = pose.depth((width * math.cos(angle), 0.0, depth * math.sin(angle)))
        points.append((x, y + 0.2 * nearness))
    return points


def _draw_hat(canvas: Canvas, person: Person, pose: Pose) -> None:
    """A peaked cap, a beanie with a turned-up band, or a hat with a brim all around."""
    colour: Colour = person.hat_colour
    dark = shade(colour, 0.72)
    if person.hat == "beanie":
        dome = _egg(pose, -0.022, 0.16, 0.058, 0.068)
        canvas.polygon(dome.whole(-0.022, 0.056), colour)
        canvas.polygon(dome.whole(0.034, 0.058), dark)
        return
    dome = _egg(pose, -0.012, 0.14, 0.056, 0.066)
    reach, forward = ((0.04, 0.052), 0.075) if person.hat == "cap" else ((0.1, 0.1), 0.012)
    brim = _brim(pose, forward, reach, 0.046)
    behind = person.hat == "cap" and math.cos(pose.yaw) < 0
    if behind:
        canvas.polygon(brim, dark)
    canvas.polygon(dome.whole(-0.012, 0.05), colour)
    if not behind:
        canvas.polygon(brim, dark)
    if person.hat == "brimmed":
        canvas.polygon(dome.whole(-0.012, 0.034), colour)
