"""Drawing of polygons, discs and limbs in a figure's own units."""

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw

from harness.data.synthetic.drawing.colours import Colour

Point = tuple[float, float]

SUPERSAMPLING = 2  # images are drawn at this multiple of their size
CIRCLE: tuple[Point, ...] = tuple(
    (math.cos(math.tau * step / 16), math.sin(math.tau * step / 16)) for step in range(16)
)


class Canvas:
    """An image to draw on, in figure units.

    Images are drawn at twice their size and reduced afterwards, because Pillow does not smooth the
    edges of polygons.

    Args:
        image: The image, changed in place.
        scale: Pixels per figure unit.
        centre: Position of the figure's origin, in pixels.
        roll: Rotation about the origin, in radians.
    """

    def __init__(
        self, image: Image.Image, *, scale: float, centre: Point, roll: float = 0.0
    ) -> None:
        self._opaque = ImageDraw.Draw(image)
        self._translucent = ImageDraw.Draw(image, "RGBA")
        self._along = scale * math.cos(roll)
        self._across = scale * math.sin(roll)
        self._scale = scale
        self._centre = centre

    def _pixels(self, points: Sequence[Point]) -> list[Point]:
        """Convert figure units to pixels."""
        along, across, (left, top) = self._along, self._across, self._centre
        return [(left + along * x - across * y, top + across * x + along * y) for x, y in points]

    def polygon(self, points: Sequence[Point], colour: Colour, opacity: float = 1.0) -> None:
        """Fill a polygon, transparent with an opacity below 1."""
        if opacity >= 1.0:
            self._opaque.polygon(self._pixels(points), fill=colour)
        else:
            self._translucent.polygon(self._pixels(points), fill=(*colour, int(255 * opacity)))

    def line(self, points: Sequence[Point], colour: Colour, width: float) -> None:
        """Draw a line of the given width in figure units, at least one pixel wide."""
        pixels = max(1, round(width * self._scale))
        self._opaque.line(self._pixels(points), fill=colour, width=pixels)

    def disc(self, centre: Point, radius: Point, colour: Colour, opacity: float = 1.0) -> None:
        """Fill an ellipse with the given horizontal and vertical radius."""
        points = [(centre[0] + radius[0] * x, centre[1] + radius[1] * y) for x, y in CIRCLE]
        self.polygon(points, colour, opacity)

    def limb(self, start: Point, end: Point, radii: Point, colour: Colour) -> None:
        """Fill a tapered bar with round ends; `radii` are those at its start and end."""
        for (x, y), radius in zip(self._pixels((start, end)), radii, strict=True):
            reach = radius * self._scale
            self._opaque.ellipse((x - reach, y - reach, x + reach, y + reach), fill=colour)
        across, down = end[0] - start[0], end[1] - start[1]
        length = math.hypot(across, down)
        if length < 1e-6:
            return
        side, up = -down / length, across / length
        self.polygon(
            [
                (start[0] + side * radii[0], start[1] + up * radii[0]),
                (end[0] + side * radii[1], end[1] + up * radii[1]),
                (end[0] - side * radii[1], end[1] - up * radii[1]),
                (start[0] - side * radii[0], start[1] - up * radii[0]),
            ],
            colour,
        )
