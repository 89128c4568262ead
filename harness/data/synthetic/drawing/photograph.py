"""One image: somebody or something in front of a camera's street, framed by a detector."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from harness.data.synthetic.drawing.body import sample_pose
from harness.data.synthetic.drawing.camera import Camera
from harness.data.synthetic.drawing.canvas import SUPERSAMPLING, Canvas, Point
from harness.data.synthetic.drawing.occlusion import occlude
from harness.data.synthetic.drawing.person import Person
from harness.data.synthetic.drawing.person_drawing import draw_person
from harness.data.synthetic.drawing.perspective import View
from harness.data.synthetic.drawing.randomness import between
from harness.data.synthetic.drawing.vehicle import Vehicle
from harness.data.synthetic.drawing.vehicle_body import draw_vehicle

Subject = Person | Vehicle

MAST = 0.16  # slope by which traffic cameras look down more steeply than others
STRETCH = 1.35  # the most that a long vehicle's crop is made higher to fill the picture


@dataclass(frozen=True, slots=True)
class Framing:
    """How the box lies around the subject: its size, shift (parts of the picture) and roll."""

    size: float
    shift: Point
    roll: float


def frame(
    generator: np.random.Generator, camera: Camera, difficulty: float, *, bad: bool
) -> Framing:
    """A box that is a little off, or (bad) one that holds some part of the subject only."""
    if bad:
        size = between(generator, 1.7, 2.6)
        shift = (between(generator, -0.5, 0.5), between(generator, -0.8, 0.8))
        return Framing(size, shift, 0.0)
    across, down = generator.normal(0.0, difficulty, 2)
    return Framing(
        size=camera.size * float(np.exp(generator.normal(0.0, 0.13 * difficulty))),
        shift=(0.11 * float(across), 0.06 * float(down)),
        roll=float(generator.normal(0.0, 0.09 * difficulty)),
    )


def photograph(
    subject: Subject,
    camera: Camera,
    generator: np.random.Generator,
    size: tuple[int, int],
    difficulty: float,
    *,
    bad: bool = False,
) -> Image.Image:
    """The subject as the camera sees it, an RGB picture of (height, width) pixels."""
    height, width = size
    picture = camera.view(generator, height, width)
    framing = frame(generator, camera, difficulty, bad=bad)
    if isinstance(subject, Person):
        yaw = camera.heading(generator, difficulty)
        _place_person(picture, subject, camera, generator, framing, yaw)
    else:
        yaw = oblique(camera.heading(generator, 0.3 * difficulty))
        _place_vehicle(picture, subject, camera, framing, yaw)
    if generator.random() < 0.45 * difficulty:
        occlude(picture, generator)
    return camera.expose(picture.reduce(SUPERSAMPLING), generator, difficulty)


def oblique(yaw: float) -> float:
    """The direction moved towards the nearer side: roads seldom run straight at a camera."""
    return yaw + 0.4 * math.sin(2 * yaw)


def _centre(picture: Image.Image, framing: Framing) -> Point:
    """The middle of the box, in pixels."""
    return (
        picture.width * (0.5 + framing.shift[0]),
        picture.height * (0.5 + framing.shift[1]),
    )


def _place_person(
    picture: Image.Image,
    person: Person,
    camera: Camera,
    generator: np.random.Generator,
    framing: Framing,
    yaw: float,
) -> None:
    """Draw the person upright; figure units run from 0 (head) to 1 (soles)."""
    fitting = min(0.9 * picture.height, 1.8 * picture.width)
    scale = fitting * framing.size * person.height
    x, y = _centre(picture, framing)
    canvas = Canvas(picture, scale=scale, centre=(x, y - 0.5 * scale), roll=framing.roll)
    draw_person(canvas, person, sample_pose(generator, yaw, camera.elevation))


def _place_vehicle(
    picture: Image.Image, vehicle: Vehicle, camera: Camera, framing: Framing, yaw: float
) -> None:
    """Draw the vehicle as large as the picture lets it be from this side."""
    elevation = camera.elevation + MAST
    left, top, right, bottom = View(yaw, elevation, vehicle.box).bounds()
    widest, highest = 0.92 * picture.width / (right - left), 0.86 * picture.height / (bottom - top)
    view = View(yaw, elevation, vehicle.box, min(max(1.0, highest / widest), STRETCH))
    left, top, right, bottom = view.bounds()
    scale = framing.size * min(widest, 0.86 * picture.height / (bottom - top))
    x, y = _centre(picture, framing)
    centre = (x - scale * (left + right) / 2, y - scale * (top + bottom) / 2)
    draw_vehicle(Canvas(picture, scale=scale, centre=centre, roll=framing.roll), vehicle, view)
