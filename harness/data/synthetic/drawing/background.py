"""Background of a camera: a fixed, cluttered street of which every image shows another part."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from harness.data.synthetic.drawing.colours import Colour, shade, vary
from harness.data.synthetic.drawing.randomness import choose, uniform

STREET_WIDTH = 6  # in widths of an image
STREET_HEIGHT = 1.15  # in heights of an image

WALL_COLOURS: tuple[Colour, ...] = (
    (150, 96, 84),
    (172, 160, 140),
    (96, 112, 136),
    (120, 140, 116),
    (140, 116, 150),
    (190, 186, 180),
    (92, 88, 92),
    (186, 150, 104),
)
GROUND_COLOURS: tuple[Colour, ...] = (
    (112, 112, 116),
    (150, 142, 128),
    (92, 104, 84),
    (134, 110, 98),
    (84, 90, 110),
    (170, 168, 164),
)
OBJECT_COLOURS: tuple[Colour, ...] = (
    (60, 90, 150),
    (170, 60, 56),
    (70, 120, 74),
    (210, 180, 90),
    (60, 60, 66),
    (214, 214, 208),
    (120, 84, 60),
    (150, 90, 140),
    (90, 160, 170),
)


def draw_background(generator: np.random.Generator, width: int, height: int) -> Image.Image:
    """Draw a street with walls, ground and objects for images of width x height pixels.

    Returns:
        An RGB image of STREET_WIDTH * width by STREET_HEIGHT * height pixels.
    """
    length, street_height = STREET_WIDTH * width, round(STREET_HEIGHT * height)
    horizon = round(street_height * uniform(generator, 0.45, 0.72))
    wall = vary(choose(generator, WALL_COLOURS), generator, 20)
    image = Image.new("RGB", (length, street_height), wall)
    draw = ImageDraw.Draw(image)
    _draw_wall(draw, generator, (length, horizon), width)
    _draw_ground(draw, generator, (length, street_height), horizon)
    for _ in range(14):
        _draw_object(draw, generator, (length, street_height), horizon)
    for _ in range(7):
        x, thick = uniform(generator, 0, length), uniform(generator, 0.02, 0.06) * width
        colour = shade(choose(generator, OBJECT_COLOURS), 0.7)
        draw.rectangle(
            (x, 0, x + thick, horizon + 0.2 * uniform(generator, 0, street_height)), colour
        )
    return image.filter(ImageFilter.GaussianBlur(height / 120))


def _draw_wall(
    draw: ImageDraw.ImageDraw, generator: np.random.Generator, size: tuple[int, int], width: int
) -> None:
    """Draw house fronts of different colours with rows of windows and signs."""
    length, horizon = size
    left = 0.0
    while left < length:
        right = left + uniform(generator, 0.4, 1.3) * width
        front = vary(choose(generator, WALL_COLOURS), generator, 24)
        draw.rectangle((left, 0, right, horizon), front)
        pane = vary(shade(front, choose(generator, (0.5, 0.65, 1.35))), generator, 24)
        across, down = uniform(generator, 0.16, 0.4) * width, uniform(generator, 0.1, 0.3) * horizon
        for top in np.arange(-0.3 * down, horizon - down, 1.6 * down):
            for x in np.arange(left + 0.25 * across, right - across, 1.5 * across):
                draw.rectangle((x, top, x + across, top + down), pane)
                draw.line((x + across / 2, top, x + across / 2, top + down), front, 2)
        if generator.random() < 0.5:
            sign = vary(choose(generator, OBJECT_COLOURS), generator, 20)
            top = uniform(generator, 0.3, 0.8) * horizon
            draw.rectangle((left, top, right, top + 0.09 * horizon), sign)
        left = right


def _draw_ground(
    draw: ImageDraw.ImageDraw, generator: np.random.Generator, size: tuple[int, int], horizon: int
) -> None:
    """Draw pavement, kerb and road, with slabs or road markings."""
    length, street_height = size
    ground = vary(choose(generator, GROUND_COLOURS), generator, 18)
    draw.rectangle((0, horizon, length, street_height), ground)
    kerb = horizon + uniform(generator, 0.25, 0.6) * (street_height - horizon)
    draw.rectangle(
        (0, kerb, length, street_height), vary(choose(generator, GROUND_COLOURS), generator, 18)
    )
    draw.rectangle((0, kerb, length, kerb + 0.012 * street_height), shade(ground, 1.3))
    slope = uniform(generator, -0.8, 0.8) * (street_height - horizon)
    for x in np.arange(
        -street_height, length + street_height, uniform(generator, 0.1, 0.3) * street_height
    ):
        draw.line((x, horizon, x + slope, street_height), shade(ground, 0.84), 2)


def _draw_object(
    draw: ImageDraw.ImageDraw, generator: np.random.Generator, size: tuple[int, int], horizon: int
) -> None:
    """Draw a bush, a bin, a parked car or a distant person on the ground."""
    length, street_height = size
    x, base = uniform(generator, 0, length), horizon + uniform(generator, 0.0, 0.2) * street_height
    colour = vary(choose(generator, OBJECT_COLOURS), generator, 25)
    kind = int(generator.integers(4))
    if kind == 0:
        green = vary((66, 104, 60), generator, 25)
        for _ in range(9):
            radius = uniform(generator, 0.03, 0.09) * street_height
            left, top = (
                x + uniform(generator, -0.1, 0.1) * street_height,
                base - uniform(generator, 0.02, 0.22) * street_height,
            )
            leaf = shade(green, uniform(generator, 0.7, 1.25))
            draw.ellipse((left - radius, top - radius, left + radius, top + radius), leaf)
    elif kind == 1:
        across, up = (
            uniform(generator, 0.06, 0.22) * street_height,
            uniform(generator, 0.1, 0.28) * street_height,
        )
        draw.rectangle((x, base - up, x + across, base), colour)
        draw.rectangle((x, base - up, x + across, base - 0.8 * up), shade(colour, 1.3))
    elif kind == 2:
        across, up = uniform(generator, 0.3, 0.5) * street_height, 0.11 * street_height
        draw.rounded_rectangle((x, base - up, x + across, base), up / 3, colour)
        draw.rounded_rectangle(
            (x + 0.2 * across, base - 1.8 * up, x + 0.8 * across, base - up / 2),
            up / 3,
            shade(colour, 0.7),
        )
    else:
        up = uniform(generator, 0.25, 0.4) * street_height
        draw.rectangle((x, base - 0.85 * up, x + 0.26 * up, base - 0.45 * up), colour)
        draw.rectangle((x + 0.04 * up, base - 0.47 * up, x + 0.22 * up, base), shade(colour, 0.5))
        draw.ellipse((x + 0.06 * up, base - up, x + 0.2 * up, base - 0.84 * up), (150, 110, 90))
