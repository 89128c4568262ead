"""The fixed, cluttered street in front of a camera, of which every image shows another part."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from harness.data.synthetic.drawing.colours import Colour, shade, vary
from harness.data.synthetic.drawing.randomness import between, pick

BREADTH = 6  # widths of a picture that the street is long
TALLNESS = 1.15  # heights of a picture that it is high

WALLS: tuple[Colour, ...] = (
    (150, 96, 84),
    (172, 160, 140),
    (96, 112, 136),
    (120, 140, 116),
    (140, 116, 150),
    (190, 186, 180),
    (92, 88, 92),
    (186, 150, 104),
)
GROUNDS: tuple[Colour, ...] = (
    (112, 112, 116),
    (150, 142, 128),
    (92, 104, 84),
    (134, 110, 98),
    (84, 90, 110),
    (170, 168, 164),
)
THINGS: tuple[Colour, ...] = (
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


def draw_scenery(generator: np.random.Generator, width: int, height: int) -> Image.Image:
    """A street BREADTH x width by TALLNESS x height pixels: wall, ground and what stands there."""
    length, tall = BREADTH * width, round(TALLNESS * height)
    horizon = round(tall * between(generator, 0.45, 0.72))
    wall = vary(pick(generator, WALLS), generator, 20)
    picture = Image.new("RGB", (length, tall), wall)
    draw = ImageDraw.Draw(picture)
    _draw_wall(draw, generator, (length, horizon), width)
    _draw_ground(draw, generator, (length, tall), horizon)
    for _ in range(14):
        _draw_thing(draw, generator, (length, tall), horizon)
    for _ in range(7):
        x, thick = between(generator, 0, length), between(generator, 0.02, 0.06) * width
        colour = shade(pick(generator, THINGS), 0.7)
        draw.rectangle((x, 0, x + thick, horizon + 0.2 * between(generator, 0, tall)), colour)
    return picture.filter(ImageFilter.GaussianBlur(height / 120))


def _draw_wall(
    draw: ImageDraw.ImageDraw, generator: np.random.Generator, size: tuple[int, int], width: int
) -> None:
    """House fronts of different colours with rows of windows, doors and signs."""
    length, horizon = size
    left = 0.0
    while left < length:
        right = left + between(generator, 0.4, 1.3) * width
        front = vary(pick(generator, WALLS), generator, 24)
        draw.rectangle((left, 0, right, horizon), front)
        pane = vary(shade(front, pick(generator, (0.5, 0.65, 1.35))), generator, 24)
        across, down = between(generator, 0.16, 0.4) * width, between(generator, 0.1, 0.3) * horizon
        for top in np.arange(-0.3 * down, horizon - down, 1.6 * down):
            for x in np.arange(left + 0.25 * across, right - across, 1.5 * across):
                draw.rectangle((x, top, x + across, top + down), pane)
                draw.line((x + across / 2, top, x + across / 2, top + down), front, 2)
        if generator.random() < 0.5:
            sign = vary(pick(generator, THINGS), generator, 20)
            top = between(generator, 0.3, 0.8) * horizon
            draw.rectangle((left, top, right, top + 0.09 * horizon), sign)
        left = right


def _draw_ground(
    draw: ImageDraw.ImageDraw, generator: np.random.Generator, size: tuple[int, int], horizon: int
) -> None:
    """Pavement, kerb and road, with slabs or road markings."""
    length, tall = size
    ground = vary(pick(generator, GROUNDS), generator, 18)
    draw.rectangle((0, horizon, length, tall), ground)
    kerb = horizon + between(generator, 0.25, 0.6) * (tall - horizon)
    draw.rectangle((0, kerb, length, tall), vary(pick(generator, GROUNDS), generator, 18))
    draw.rectangle((0, kerb, length, kerb + 0.012 * tall), shade(ground, 1.3))
    slope = between(generator, -0.8, 0.8) * (tall - horizon)
    for x in np.arange(-tall, length + tall, between(generator, 0.1, 0.3) * tall):
        draw.line((x, horizon, x + slope, tall), shade(ground, 0.84), 2)


def _draw_thing(
    draw: ImageDraw.ImageDraw, generator: np.random.Generator, size: tuple[int, int], horizon: int
) -> None:
    """A bush, a bin, a bench, a parked car or somebody far away, standing on the ground."""
    length, tall = size
    x, base = between(generator, 0, length), horizon + between(generator, 0.0, 0.2) * tall
    colour = vary(pick(generator, THINGS), generator, 25)
    kind = int(generator.integers(4))
    if kind == 0:
        green = vary((66, 104, 60), generator, 25)
        for _ in range(9):
            radius = between(generator, 0.03, 0.09) * tall
            left, top = (
                x + between(generator, -0.1, 0.1) * tall,
                base - between(generator, 0.02, 0.22) * tall,
            )
            leaf = shade(green, between(generator, 0.7, 1.25))
            draw.ellipse((left - radius, top - radius, left + radius, top + radius), leaf)
    elif kind == 1:
        across, up = between(generator, 0.06, 0.22) * tall, between(generator, 0.1, 0.28) * tall
        draw.rectangle((x, base - up, x + across, base), colour)
        draw.rectangle((x, base - up, x + across, base - 0.8 * up), shade(colour, 1.3))
    elif kind == 2:
        across, up = between(generator, 0.3, 0.5) * tall, 0.11 * tall
        draw.rounded_rectangle((x, base - up, x + across, base), up / 3, colour)
        draw.rounded_rectangle(
            (x + 0.2 * across, base - 1.8 * up, x + 0.8 * across, base - up / 2),
            up / 3,
            shade(colour, 0.7),
        )
    else:
        up = between(generator, 0.25, 0.4) * tall
        draw.rectangle((x, base - 0.85 * up, x + 0.26 * up, base - 0.45 * up), colour)
        draw.rectangle((x + 0.04 * up, base - 0.47 * up, x + 0.22 * up, base), shade(colour, 0.5))
        draw.ellipse((x + 0.06 * up, base - up, x + 0.2 * up, base - 0.84 * up), (150, 110, 90))
