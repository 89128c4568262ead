"""Objects between the camera and a person or vehicle."""

import numpy as np
from PIL import Image, ImageDraw

from harness.data.synthetic.drawing.background import OBJECT_COLOURS
from harness.data.synthetic.drawing.colours import shade, vary
from harness.data.synthetic.drawing.randomness import choose, uniform


def draw_occlusion(image: Image.Image, generator: np.random.Generator) -> None:
    """Draw a post, part of a passer-by, a low wall or a bush over the image, in place."""
    width, height = image.size
    draw = ImageDraw.Draw(image)
    colour = vary(choose(generator, OBJECT_COLOURS), generator, 25)
    kind = choose(generator, ("post", "edge", "wall", "bush"))
    if kind == "post":
        left, thick = uniform(generator, 0.15, 0.8) * width, uniform(generator, 0.06, 0.16) * width
        draw.rectangle((left, 0, left + thick, height), colour)
        draw.rectangle((left, 0, left + 0.3 * thick, height), shade(colour, 1.25))
    elif kind == "edge":
        cover = uniform(generator, 0.15, 0.32) * width
        left = choose(generator, (0.0, width - cover))
        top = uniform(generator, 0.0, 0.4) * height
        draw.rectangle((left, top, left + cover, height), colour)
        draw.rectangle((left, 0.65 * height, left + cover, height), shade(colour, 0.6))
    elif kind == "wall":
        top = uniform(generator, 0.66, 0.85) * height
        draw.rectangle((0, top, width, height), colour)
        draw.rectangle((0, top, width, top + 0.03 * height), shade(colour, 1.25))
    else:
        side = uniform(generator, 0.0, 1.0) * width
        for _ in range(12):
            radius = uniform(generator, 0.06, 0.16) * width
            x = side + uniform(generator, -0.3, 0.3) * width
            y = height - uniform(generator, 0.0, 0.22) * height
            leaf = vary((62, 100, 56), generator, 28)
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), leaf)
