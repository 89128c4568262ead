"""What is worn on the torso: its shape, and the patterns wrapped around it."""

import math

from harness.data.synthetic.drawing.body import Pose
from harness.data.synthetic.drawing.canvas import Canvas
from harness.data.synthetic.drawing.colours import Colour
from harness.data.synthetic.drawing.person import Person
from harness.data.synthetic.drawing.surface import QUARTER, Surface

COLLAR = 0.152
BLACK: Colour = (0, 0, 0)


def hem(person: Person) -> float:
    """Where the upper garment ends."""
    return person.hip + (0.13 if person.hem == "thigh" else 0.025)


def torso(person: Person, pose: Pose) -> Surface:
    """The upper garment's surface, from the collar to the hem."""
    wide, waist = person.breadth, person.hip - 0.09
    flare = 0.102 if person.hem == "thigh" else 0.096
    profile = (
        (COLLAR, 0.036, 0.036),
        (0.168, 0.08 * wide, 0.05),
        (0.19, 0.114 * wide, 0.064 * wide),
        (0.27, 0.108 * wide, 0.078 * wide),
        (waist, 0.09 * wide, 0.07 * wide),
        (hem(person), flare * wide, 0.08 * wide),
    )
    return Surface(profile, pose.yaw)


def draw_top(canvas: Canvas, person: Person, body: Surface) -> None:
    """The garment in its first colour, its pattern in the second, and the folds' shadow."""
    bottom = hem(person)
    canvas.polygon(body.whole(COLLAR, bottom), person.top)
    _draw_pattern(canvas, person, body, bottom)
    canvas.polygon(body.seen(-QUARTER, -0.9, COLLAR, bottom), BLACK, 0.16)
    canvas.polygon(body.seen(0.9, QUARTER, COLLAR, bottom), BLACK, 0.16)
    canvas.polygon(body.whole(bottom - 0.012, bottom), BLACK, 0.2)


def _draw_pattern(canvas: Canvas, person: Person, body: Surface, bottom: float) -> None:
    """Wrap the pattern around the body; a logo and an open jacket are seen from the front only."""
    colour = person.second
    if person.pattern in ("hoops", "checks"):
        pitch = 0.07
        opacity = 1.0 if person.pattern == "hoops" else 0.6
        for step in range(int((bottom - 0.2) / pitch) + 1):
            top = 0.2 + pitch * step
            canvas.polygon(body.whole(top, min(top + pitch / 2, bottom)), colour, opacity)
    if person.pattern in ("stripes", "checks"):
        opacity = 1.0 if person.pattern == "stripes" else 0.6
        pitch = math.tau / 10
        for step in range(10):
            first = pitch * (step - 0.25)
            for outline in body.patches(first, first + pitch / 2, COLLAR, bottom):
                canvas.polygon(outline, colour, opacity)
    bands = {"halves": ((person.hip + 0.17) / 2, bottom), "band": (0.255, 0.335)}
    if person.pattern in bands:
        canvas.polygon(body.whole(*bands[person.pattern]), colour)
    fronts = {"logo": (0.62, 0.235, 0.35), "jacket": (0.42, COLLAR, bottom)}
    if person.pattern in fronts:
        angle, top, end = fronts[person.pattern]
        for outline in body.patches(-angle, angle, top, end):
            canvas.polygon(outline, colour)
