"""Backpacks, shoulder bags and handbags; some views hide them."""

import math

from harness.data.synthetic.drawing.body import Pose, arm_joints
from harness.data.synthetic.drawing.canvas import Canvas
from harness.data.synthetic.drawing.colours import shade
from harness.data.synthetic.drawing.person import Person
from harness.data.synthetic.drawing.surface import Surface


def draw_bag(canvas: Canvas, person: Person, pose: Pose, *, behind: bool) -> None:
    """Draw the bag if it is behind the body (`behind` true) or in front of it (false)."""
    if person.bag == "backpack":
        if (math.cos(pose.yaw) > 0.1) == behind:
            _draw_backpack(canvas, person, pose)
    elif person.bag in ("shoulder", "hand"):
        hidden = pose.depth((float(person.bag_side), 0.0, 0.0)) < -0.35
        if hidden == behind:
            _draw_side_bag(canvas, person, pose)


def _draw_backpack(canvas: Canvas, person: Person, pose: Pose) -> None:
    """Draw a rounded pack with a pocket on the back."""
    breadth = person.breadth
    x = pose.project((0.0, 0.0, -0.115 * breadth))[0]
    profile = (
        (0.175, 0.05, 0.03),
        (0.2, 0.084, 0.052),
        (0.4, 0.09, 0.06),
        (0.43, 0.07, 0.045),
    )
    pack = Surface(profile, pose.yaw, x)
    canvas.polygon(pack.silhouette(0.175, 0.43), person.bag_colour)
    canvas.polygon(pack.outline(-1.57, -0.9, 0.175, 0.43), (0, 0, 0), 0.18)
    for outline in pack.visible_patches(math.pi - 0.8, math.pi + 0.8, 0.31, 0.4):
        canvas.polygon(outline, shade(person.bag_colour, 0.7))


def _draw_side_bag(canvas: Canvas, person: Person, pose: Pose) -> None:
    """Draw a bag on the hip (shoulder bag) or below the hand (handbag)."""
    side, colour = person.bag_side, person.bag_colour
    if person.bag == "shoulder":
        centre = pose.project((side * 0.125 * person.breadth, person.hip + 0.01, 0.02))
        reach, drop = 0.048 + 0.022 * abs(math.sin(pose.yaw)), 0.055
    else:
        wrist = pose.project(arm_joints(person, pose, side)[2])
        centre = (wrist[0], wrist[1] + 0.1)
        reach, drop = 0.036 + 0.034 * abs(math.sin(pose.yaw)), 0.052
        canvas.line(
            [
                (centre[0] - reach * 0.6, centre[1] - drop),
                (wrist[0], wrist[1] + 0.02),
                (centre[0] + reach * 0.6, centre[1] - drop),
            ],
            shade(colour, 0.6),
            0.008,
        )
    left, right = centre[0] - reach, centre[0] + reach
    top, bottom = centre[1] - drop, centre[1] + drop
    canvas.polygon(
        [(left + 0.008, top), (right - 0.008, top), (right, bottom), (left, bottom)], colour
    )
    canvas.polygon(
        [
            (left + 0.006, top),
            (right - 0.006, top),
            (right - 0.004, top + 0.04),
            (left + 0.004, top + 0.04),
        ],
        shade(colour, 0.7),
    )


def draw_straps(canvas: Canvas, person: Person, body: Surface) -> None:
    """Draw two straps of a backpack, or one of a shoulder bag across chest and back."""
    colour = shade(person.bag_colour, 0.75)
    if person.bag == "backpack":
        for first in (-0.95, 0.6):
            for outline in body.visible_patches(first, first + 0.35, 0.165, 0.36):
                canvas.polygon(outline, colour)
    elif person.bag == "shoulder":
        side = float(person.bag_side)
        for angles in ((-0.75, -0.3, 0.15, 0.6, 1.05), (3.9, 3.45, 3.0, 2.55, 2.1)):
            points = [
                body.visible_point(side * angle, 0.17 + 0.08 * step)
                for step, angle in enumerate(angles)
            ]
            visible = [point for point in points if point is not None]
            if len(visible) > 1:
                canvas.line(visible, colour, 0.02)
