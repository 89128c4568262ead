"""One camera: its colours, sharpness, light, compression, street and usual point of view."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from harness.data.synthetic.drawing.background import draw_scenery
from harness.data.synthetic.drawing.canvas import SUPERSAMPLING
from harness.data.synthetic.drawing.randomness import between

Pixels = NDArray[np.float32]

MIDDLE = np.float32(110)  # the brightness that contrast leaves as it is


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """What stays the same in every image of one camera; pixel values are in 0..255."""

    scenery: Image.Image  # at the drawing resolution
    light: Pixels  # (height, width, 1), a smooth gradient around 1
    gains: Pixels  # (3,), per colour channel, contrast included
    brightness: float  # added
    saturation: float  # 0 grey, 1 unchanged
    blur: float  # pixels
    noise: float  # standard deviation
    quality: int  # of the JPEG file
    yaw: float  # the direction in which people and vehicles usually come by, radians
    elevation: float  # slope at which it looks down
    size: float  # of what it sees, relative to the average camera

    def view(self, generator: np.random.Generator, height: int, width: int) -> Image.Image:
        """A window of the street, as large as the picture to draw on."""
        tall, wide = height * SUPERSAMPLING, width * SUPERSAMPLING
        left = int(generator.integers(self.scenery.width - wide + 1))
        top = int(generator.integers(self.scenery.height - tall + 1))
        return self.scenery.crop((left, top, left + wide, top + tall))

    def heading(self, generator: np.random.Generator, difficulty: float) -> float:
        """A direction: near the usual one, or any; the harder, the more often any."""
        if generator.random() < 0.2 + 0.5 * difficulty:
            return between(generator, 0.0, math.tau)
        return self.yaw + float(generator.normal(0.0, 0.35))

    def expose(
        self, picture: Image.Image, generator: np.random.Generator, difficulty: float
    ) -> Image.Image:
        """The picture as this camera records it, under the light of the moment."""
        softness = self.blur * between(generator, 0.7, 1.3)
        if softness > 0.3:
            picture = picture.filter(ImageFilter.BoxBlur(softness))
        moment = math.exp(0.3 * difficulty * float(generator.standard_normal()))
        warmth = 1 + 0.1 * difficulty * generator.standard_normal(3, np.float32)
        gains = self.gains * warmth * np.float32(moment)
        grey = np.asarray(picture.convert("L"), np.float32)[:, :, None]
        pixels: Pixels = np.asarray(picture, np.float32) * (gains * np.float32(self.saturation))
        pixels += grey * (gains * np.float32(1 - self.saturation))
        pixels += np.float32(MIDDLE * moment + self.brightness) - MIDDLE * gains
        pixels *= self.light
        pixels += np.float32(self.noise) * generator.standard_normal(pixels.shape, np.float32)
        return Image.fromarray(np.clip(pixels, 0, 255, out=pixels).astype(np.uint8))


def sample_camera(
    generator: np.random.Generator, number: int, height: int, width: int, difficulty: float
) -> Camera:
    """Camera `number` (from 0), the more extreme the higher the difficulty (0..1)."""
    gains = np.exp(generator.uniform(-0.65, 0.65, 3) * difficulty)
    contrast = math.exp(difficulty * between(generator, -0.5, 0.5))
    toward = between(generator, 0.0, math.tau)
    across = np.linspace(-1, 1, width)[None, :, None] * math.cos(toward)
    down = np.linspace(-1, 1, height)[:, None, None] * math.sin(toward)
    slope = between(generator, 0.2, 0.7) * difficulty
    return Camera(
        scenery=draw_scenery(generator, width * SUPERSAMPLING, height * SUPERSAMPLING),
        light=(1 + slope * (across + down)).astype(np.float32),
        gains=(gains * contrast).astype(np.float32),
        brightness=difficulty * between(generator, -80, 80),
        saturation=between(generator, 1 - 0.9 * difficulty, 1 + 0.4 * difficulty),
        blur=between(generator, 0.3, 0.5 + 1.6 * difficulty) * height / 128,
        noise=between(generator, 1.0, 3.0 + 30 * difficulty),
        quality=int(between(generator, 92 - 60 * difficulty, 94)),
        yaw=number * 2.4 + between(generator, -0.4, 0.4),
        elevation=between(generator, 0.05, 0.3),
        size=math.exp(difficulty * between(generator, -0.25, 0.2)),
    )
