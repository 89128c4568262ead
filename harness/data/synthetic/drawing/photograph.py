"""A complete image: a person or vehicle in front of a background, framed as by a detector."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from harness.data.synthetic.drawing.body import sample_pose
from harness.data.synthetic.drawing.camera import Camera
from harness.data.synthetic.drawing.canvas import SUPERSAMPLING, Canvas, Point
from harness.data.synthetic.drawing.occlusion import draw_occlusion
from harness.data.synthetic.drawing.person import Person
from harness.data.synthetic.drawing.person_drawing import draw_person
from harness.data.synthetic.drawing.perspective import View
from harness.data.synthetic.drawing.randomness import uniform
from harness.data.synthetic.drawing.vehicle import Vehicle
from harness.data.synthetic.drawing.vehicle_body import draw_vehicle

Subject = Person | Vehicle

MAST_SLOPE = 0.16  # added to the slope at which cameras look down on vehicles
MAX_STRETCH = 1.35  # vertical scale of a long vehicle's crop, which fills the image


@dataclass(frozen=True, slots=True)
class Framing:
    """Position of the subject in the image."""

    size: float  # relative to the usual one
    shift: Point  # of the centre, in widths and heights of the image
    roll: float  # radians


def sample_framing(
    generator: np.random.Generator, camera: Camera, difficulty: float, *, is_junk: bool
) -> Framing:
    """Sample a slightly imprecise framing, or, for junk, one with a part of the subject only."""
    if is_junk:
        size = uniform(generator, 1.7, 2.6)
        shift = (uniform(generator, -0.5, 0.5), uniform(generator, -0.8, 0.8))
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
    is_junk: bool = False,
) -> Image.Image:
    """Draw a subject as the camera records it.

    Args:
        subject: Person or vehicle.
        camera: The camera.
        generator: Random generator of this image.
        size: Height and width in pixels.
        difficulty: 0 to 1; variation of framing, direction, light and occlusion.
        is_junk: Show a part of the subject only.

    Returns:
        An RGB image of `size`.
    """
    height, width = size
    image = camera.crop_background(generator, height, width)
    framing = sample_framing(generator, camera, difficulty, is_junk=is_junk)
    if isinstance(subject, Person):
        yaw = camera.sample_yaw(generator, difficulty)
        _draw_person_in(image, subject, camera, generator, framing, yaw)
    else:
        yaw = turn_oblique(camera.sample_yaw(generator, 0.3 * difficulty))
        _draw_vehicle_in(image, subject, camera, framing, yaw)
    if generator.random() < 0.45 * difficulty:
        draw_occlusion(image, generator)
    return camera.expose(image.reduce(SUPERSAMPLING), generator, difficulty)


def turn_oblique(yaw: float) -> float:
    """Turn a direction towards the nearer side, as roads seldom lead straight to a camera."""
    return yaw + 0.4 * math.sin(2 * yaw)


def _box_centre(image: Image.Image, framing: Framing) -> Point:
    """Return the centre of the subject, in pixels."""
    return (
        image.width * (0.5 + framing.shift[0]),
        image.height * (0.5 + framing.shift[1]),
    )


def _draw_person_in(
    image: Image.Image,
    person: Person,
    camera: Camera,
    generator: np.random.Generator,
    framing: Framing,
    yaw: float,
) -> None:
    """Draw a person into the image."""
    fitting = min(0.9 * image.height, 1.8 * image.width)
    scale = fitting * framing.size * person.height
    x, y = _box_centre(image, framing)
    canvas = Canvas(image, scale=scale, centre=(x, y - 0.5 * scale), roll=framing.roll)
    draw_person(canvas, person, sample_pose(generator, yaw, camera.elevation))


def _draw_vehicle_in(
    image: Image.Image, vehicle: Vehicle, camera: Camera, framing: Framing, yaw: float
) -> None:
    """Draw a vehicle into the image, as large as it fits from this side."""
    elevation = camera.elevation + MAST_SLOPE
    left, top, right, bottom = View(yaw, elevation, vehicle.box).bounds()
    widest, highest = 0.92 * image.width / (right - left), 0.86 * image.height / (bottom - top)
    view = View(yaw, elevation, vehicle.box, min(max(1.0, highest / widest), MAX_STRETCH))
    left, top, right, bottom = view.bounds()
    scale = framing.size * min(widest, 0.86 * image.height / (bottom - top))
    x, y = _box_centre(image, framing)
    centre = (x - scale * (left + right) / 2, y - scale * (top + bottom) / 2)
    draw_vehicle(Canvas(image, scale=scale, centre=centre, roll=framing.roll), vehicle, view)
