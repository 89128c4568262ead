"""Head, face, hair and hat on a rotated ellipsoid."""

import math

from harness.data.synthetic.drawing.body import Pose
from harness.data.synthetic.drawing.canvas import Canvas, Point
from harness.data.synthetic.drawing.colours import Colour, shade
from harness.data.synthetic.drawing.person import Person
from harness.data.synthetic.drawing.surface import Surface

CHIN_HEIGHT = 0.142
FACE_ANGLE = 1.15  # radians from the nose to either side of the face
FULL_TURN = math.tau


def _ellipsoid_profile(
    top: float, bottom: float, width: float, depth: float
) -> list[tuple[float, float, float]]:
    """Return the profile (height, half width, half depth) of an upright ellipsoid."""
    rows = []
    for step in range(9):
        angle = math.pi * step / 8
        height = (top + bottom) / 2 - (bottom - top) / 2 * math.cos(angle)
        rows.append((height, width * math.sin(angle), depth * math.sin(angle)))
    return rows


def _head_surface(pose: Pose, top: float, bottom: float, width: float, depth: float) -> Surface:
    """Return an ellipsoid around the head as seen in this pose."""
    rows = _ellipsoid_profile(top, bottom, width, depth)
    return Surface(rows, pose.yaw, pose.project((0.0, 0.0, 0.012))[0])


def draw_hair_behind(canvas: Canvas, person: Person, pose: Pose) -> None:
    """Draw long hair behind the shoulders of a person who faces the camera."""
    if person.haircut == "long" and math.cos(pose.yaw) > 0.3:
        canvas.disc((0.0, 0.12), (0.066, 0.115), shade(person.hair, 0.8))


def draw_head(canvas: Canvas, person: Person, pose: Pose) -> None:
    """Draw neck, head, face, hair and hat."""
    canvas.limb((0.0, 0.12), (0.0, 0.16), (0.026, 0.03), shade(person.skin, 0.85))
    head = _head_surface(pose, 0.012, CHIN_HEIGHT, 0.047, 0.056)
    canvas.polygon(head.silhouette(0.012, CHIN_HEIGHT), person.skin)
    _draw_face(canvas, person, head)
    if person.haircut != "bald":
        _draw_hair(canvas, person, pose)
    if person.hat != "none":
        _draw_hat(canvas, person, pose)


def _draw_face(canvas: Canvas, person: Person, head: Surface) -> None:
    """Draw the visible eyes and the beard."""
    if person.beard:
        for outline in head.visible_patches(-FACE_ANGLE, FACE_ANGLE, 0.102, CHIN_HEIGHT):
            canvas.polygon(outline, person.hair)
    for angle in (-0.42, 0.42):
        eye = head.visible_point(angle, 0.078)
        if eye is not None:
            canvas.disc(eye, (0.007, 0.006), (30, 24, 24))


def _draw_hair(canvas: Canvas, person: Person, pose: Pose) -> None:
    """Draw hair on top and around the back, with a length given by the haircut."""
    volume = 0.006 if person.haircut in ("short", "bun") else 0.013
    reach = {"short": 0.098, "bun": 0.11, "medium": 0.142, "long": 0.142}[person.haircut]
    hair = _head_surface(pose, 0.01 - volume, 0.16, 0.047 + volume, 0.057 + volume)
    canvas.polygon(hair.silhouette(0.01 - volume, 0.046), person.hair)
    for outline in hair.visible_patches(FACE_ANGLE, FULL_TURN - FACE_ANGLE, 0.044, reach):
        canvas.polygon(outline, person.hair)
    if person.haircut == "long" and math.cos(pose.yaw) <= 0.3:
        back = pose.project((0.0, 0.15, -0.04))
        spread = 0.036 + 0.026 * abs(math.cos(pose.yaw))
        canvas.disc(back, (spread, 0.1), person.hair)
    if person.haircut == "bun":
        canvas.disc(pose.project((0.0, 0.04, -0.062)), (0.026, 0.026), shade(person.hair, 0.85))


def _brim_outline(pose: Pose, forward: float, reach: Point, height: float) -> list[Point]:
    """Return the outline of a flat ellipse around the head, seen slightly from above."""
    width, depth = reach
    points = []
    for step in range(16):
        angle = math.tau * step / 16
        x, y = pose.project((width * math.cos(angle), height, forward + depth * math.sin(angle)))
        nearness = pose.depth((width * math.cos(angle), 0.0, depth * math.sin(angle)))
        points.append((x, y + 0.2 * nearness))
    return points


def _draw_hat(canvas: Canvas, person: Person, pose: Pose) -> None:
    """Draw a peaked cap, a beanie with a turned-up band, or a hat with a full brim."""
    colour: Colour = person.hat_colour
    dark = shade(colour, 0.72)
    if person.hat == "beanie":
        dome = _head_surface(pose, -0.022, 0.16, 0.058, 0.068)
        canvas.polygon(dome.silhouette(-0.022, 0.056), colour)
        canvas.polygon(dome.silhouette(0.034, 0.058), dark)
        return
    dome = _head_surface(pose, -0.012, 0.14, 0.056, 0.066)
    reach, forward = ((0.04, 0.052), 0.075) if person.hat == "cap" else ((0.1, 0.1), 0.012)
    brim = _brim_outline(pose, forward, reach, 0.046)
    is_brim_behind = person.hat == "cap" and math.cos(pose.yaw) < 0
    if is_brim_behind:
        canvas.polygon(brim, dark)
    canvas.polygon(dome.silhouette(-0.012, 0.05), colour)
    if not is_brim_behind:
        canvas.polygon(brim, dark)
    if person.hat == "brimmed":
        canvas.polygon(dome.silhouette(-0.012, 0.034), colour)
