"""Upper garments: the shape of the torso, and patterns wrapped around it."""

import math

from harness.data.synthetic.drawing.body import Pose
from harness.data.synthetic.drawing.canvas import Canvas
from harness.data.synthetic.drawing.colours import Colour
from harness.data.synthetic.drawing.person import Person
from harness.data.synthetic.drawing.surface import QUARTER_TURN, Surface

COLLAR_HEIGHT = 0.152
BLACK: Colour = (0, 0, 0)


def hem_height(person: Person) -> float:
    """Return the height at which the upper garment ends."""
    return person.hip + (0.13 if person.hem == "thigh" else 0.025)


def torso_surface(person: Person, pose: Pose) -> Surface:
    """Return the surface of the upper garment, from collar to hem."""
    breadth, waist = person.breadth, person.hip - 0.09
    flare = 0.102 if person.hem == "thigh" else 0.096
    profile = (
        (COLLAR_HEIGHT, 0.036, 0.036),
        (0.168, 0.08 * breadth, 0.05),
        (0.19, 0.114 * breadth, 0.064 * breadth),
        (0.27, 0.108 * breadth, 0.078 * breadth),
        (waist, 0.09 * breadth, 0.07 * breadth),
        (hem_height(person), flare * breadth, 0.08 * breadth),
    )
    return Surface(profile, pose.yaw)


def draw_top(canvas: Canvas, person: Person, body: Surface) -> None:
    """Draw the garment in its first colour, its pattern in the second, and shadows."""
    bottom = hem_height(person)
    canvas.polygon(body.silhouette(COLLAR_HEIGHT, bottom), person.top)
    _draw_pattern(canvas, person, body, bottom)
    canvas.polygon(body.outline(-QUARTER_TURN, -0.9, COLLAR_HEIGHT, bottom), BLACK, 0.16)
    canvas.polygon(body.outline(0.9, QUARTER_TURN, COLLAR_HEIGHT, bottom), BLACK, 0.16)
    canvas.polygon(body.silhouette(bottom - 0.012, bottom), BLACK, 0.2)


def _draw_pattern(canvas: Canvas, person: Person, body: Surface, bottom: float) -> None:
    """Draw the pattern around the body; logos and open jackets are visible from the front only."""
    colour = person.second
    if person.pattern in ("hoops", "checks"):
        pitch = 0.07
        opacity = 1.0 if person.pattern == "hoops" else 0.6
        for step in range(int((bottom - 0.2) / pitch) + 1):
            top = 0.2 + pitch * step
            canvas.polygon(body.silhouette(top, min(top + pitch / 2, bottom)), colour, opacity)
    if person.pattern in ("stripes", "checks"):
        opacity = 1.0 if person.pattern == "stripes" else 0.6
        pitch = math.tau / 10
        for step in range(10):
            first = pitch * (step - 0.25)
            for outline in body.visible_patches(first, first + pitch / 2, COLLAR_HEIGHT, bottom):
                canvas.polygon(outline, colour, opacity)
    bands = {"halves": ((person.hip + 0.17) / 2, bottom), "band": (0.255, 0.335)}
    if person.pattern in bands:
        canvas.polygon(body.silhouette(*bands[person.pattern]), colour)
    fronts = {"logo": (0.62, 0.235, 0.35), "jacket": (0.42, COLLAR_HEIGHT, bottom)}
    if person.pattern in fronts:
        angle, top, end = fronts[person.pattern]
        for outline in body.visible_patches(-angle, angle, top, end):
            canvas.polygon(outline, colour)
