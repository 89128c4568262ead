"""Something between the camera and what it looks at."""

import numpy as np
from PIL import Image, ImageDraw

from harness.data.synthetic.drawing.background import THINGS
from harness.data.synthetic.drawing.colours import shade, vary
from harness.data.synthetic.drawing.randomness import between, pick


def occlude(picture: Image.Image, generator: np.random.Generator) -> None:
    """Draw a post, a passer-by's side, a low wall or a bush over the picture, in place."""
    wide, tall = picture.size
    draw = ImageDraw.Draw(picture)
    colour = vary(pick(generator, THINGS), generator, 25)
    kind = pick(generator, ("post", "edge", "wall", "bush"))
    if kind == "post":
        left, thick = between(generator, 0.15, 0.8) * wide, between(generator, 0.06, 0.16) * wide
        draw.rectangle((left, 0, left + thick, tall), colour)
        draw.rectangle((left, 0, left + 0.3 * thick, tall), shade(colour, 1.25))
    elif kind == "edge":
        cover = between(generator, 0.15, 0.32) * wide
        left = pick(generator, (0.0, wide - cover))
        top = between(generator, 0.0, 0.4) * tall
        draw.rectangle((left, top, left + cover, tall), colour)
        draw.rectangle((left, 0.65 * tall, left + cover, tall), shade(colour, 0.6))
    elif kind == "wall":
        top = between(generator, 0.66, 0.85) * tall
        draw.rectangle((0, top, wide, tall), colour)
        draw.rectangle((0, top, wide, top + 0.03 * tall), shade(colour, 1.25))
    else:
        side = between(generator, 0.0, 1.0) * wide
        for _ in range(12):
            radius = between(generator, 0.06, 0.16) * wide
            x = side + between(generator, -0.3, 0.3) * wide
            y = tall - between(generator, 0.0, 0.22) * tall
            leaf = vary((62, 100, 56), generator, 28)
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), leaf)
