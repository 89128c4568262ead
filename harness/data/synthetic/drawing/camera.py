"""Cameras: colours, sharpness, light, compression, background and usual point of view."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from harness.data.synthetic.drawing.background import draw_background
from harness.data.synthetic.drawing.canvas import SUPERSAMPLING
from harness.data.synthetic.drawing.randomness import uniform

PixelArray = NDArray[np.float32]

MID_GREY = np.float32(110)  # brightness that a change of contrast keeps


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """Properties that all images of one camera share; pixel values are in 0..255."""

    background: Image.Image  # at the drawing resolution
    light: PixelArray  # (height, width, 1), a smooth gradient around 1
    gains: PixelArray  # (3,), per colour channel, contrast included
    brightness: float  # added to pixel values
    saturation: float  # 0: grey, 1: unchanged
    blur: float  # pixels
    noise: float  # standard deviation
    quality: int  # of the JPEG file
    yaw: float  # usual direction of people and vehicles, radians
    elevation: float  # slope at which the camera looks down
    size: float  # of people and vehicles, relative to the average camera

    def crop_background(
        self, generator: np.random.Generator, height: int, width: int
    ) -> Image.Image:
        """Return a random part of the background at the drawing resolution."""
        drawn_height, drawn_width = height * SUPERSAMPLING, width * SUPERSAMPLING
        left = int(generator.integers(self.background.width - drawn_width + 1))
        top = int(generator.integers(self.background.height - drawn_height + 1))
        return self.background.crop((left, top, left + drawn_width, top + drawn_height))

    def sample_yaw(self, generator: np.random.Generator, difficulty: float) -> float:
        """Sample a direction in radians: near the usual one, or, more often if harder, any."""
        if generator.random() < 0.2 + 0.5 * difficulty:
            return uniform(generator, 0.0, math.tau)
        return self.yaw + float(generator.normal(0.0, 0.35))

    def expose(
        self, image: Image.Image, generator: np.random.Generator, difficulty: float
    ) -> Image.Image:
        """Apply this camera's blur, colours, light and noise, and the light of the moment."""
        softness = self.blur * uniform(generator, 0.7, 1.3)
        if softness > 0.3:
            image = image.filter(ImageFilter.BoxBlur(softness))
        moment = math.exp(0.3 * difficulty * float(generator.standard_normal()))
        warmth = 1 + 0.1 * difficulty * generator.standard_normal(3, np.float32)
        gains = self.gains * warmth * np.float32(moment)
        grey = np.asarray(image.convert("L"), np.float32)[:, :, None]
        pixels: PixelArray = np.asarray(image, np.float32) * (gains * np.float32(self.saturation))
        pixels += grey * (gains * np.float32(1 - self.saturation))
        pixels += np.float32(MID_GREY * moment + self.brightness) - MID_GREY * gains
        pixels *= self.light
        pixels += np.float32(self.noise) * generator.standard_normal(pixels.shape, np.float32)
        return Image.fromarray(np.clip(pixels, 0, 255, out=pixels).astype(np.uint8))


def sample_camera(
    generator: np.random.Generator, number: int, height: int, width: int, difficulty: float
) -> Camera:
    """Sample camera `number` (from 0); a higher difficulty (0..1) gives more extreme cameras."""
    gains = np.exp(generator.uniform(-0.65, 0.65, 3) * difficulty)
    contrast = math.exp(difficulty * uniform(generator, -0.5, 0.5))
    toward = uniform(generator, 0.0, math.tau)
    across = np.linspace(-1, 1, width)[None, :, None] * math.cos(toward)
    down = np.linspace(-1, 1, height)[:, None, None] * math.sin(toward)
    slope = uniform(generator, 0.2, 0.7) * difficulty
    return Camera(
        background=draw_background(generator, width * SUPERSAMPLING, height * SUPERSAMPLING),
        light=(1 + slope * (across + down)).astype(np.float32),
        gains=(gains * contrast).astype(np.float32),
        brightness=difficulty * uniform(generator, -80, 80),
        saturation=uniform(generator, 1 - 0.9 * difficulty, 1 + 0.4 * difficulty),
        blur=uniform(generator, 0.3, 0.5 + 1.6 * difficulty) * height / 128,
        noise=uniform(generator, 1.0, 3.0 + 30 * difficulty),
        quality=int(uniform(generator, 92 - 60 * difficulty, 94)),
        yaw=number * 2.4 + uniform(generator, -0.4, 0.4),
        elevation=uniform(generator, 0.05, 0.3),
        size=math.exp(difficulty * uniform(generator, -0.25, 0.2)),
    )
