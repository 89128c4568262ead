"""An upright round surface (torso, head, skirt), rotated about its axis.

Each row of the profile is an ellipse of half width w and half depth d at one height. At yaw t
its silhouette is W = sqrt((w cos t)^2 + (d sin t)^2) wide on either side, and the point at body
angle a (0 in front, growing to the person's left) appears at W sin(a + s) with
s = atan2(d sin t, w cos t); it is visible where cos(a + s) > 0.
"""

import math
from collections.abc import Sequence

from harness.data.synthetic.drawing.canvas import Point

QUARTER_TURN = math.pi / 2
MIN_PATCH_ANGLE = 0.03  # radians; narrower patches are not drawn


class Surface:
    """A rotated surface in figure units.

    Args:
        profile: Rows (height, half width, half depth), heights increasing downwards.
        yaw: Rotation in radians.
        x: Horizontal position of the axis.
    """

    def __init__(
        self, profile: Sequence[tuple[float, float, float]], yaw: float, x: float = 0.0
    ) -> None:
        across, along = math.cos(yaw), math.sin(yaw)
        self._rows = [
            (height, math.hypot(width * across, depth * along)) for height, width, depth in profile
        ]
        _, width, depth = max(profile, key=lambda row: row[1])
        self._shift = math.atan2(depth * along, width * across)
        self._x = x

    def half_width(self, height: float) -> float:
        """Return half the width of the silhouette at a height, linear between rows."""
        above = self._rows[0]
        for below in self._rows:
            if below[0] >= height:
                span = below[0] - above[0]
                part = (height - above[0]) / span if span > 0 else 0.0
                return above[1] + (below[1] - above[1]) * part
            above = below
        return above[1]

    def outline(self, first: float, last: float, top: float, bottom: float) -> list[Point]:
        """Return the outline between two apparent angles (-pi/2 left edge, pi/2 right edge)."""
        heights = [top, *(height for height, _ in self._rows if top < height < bottom), bottom]
        widths = [self.half_width(height) for height in heights]
        left, right = math.sin(first), math.sin(last)
        edge = [(self._x + width * left, y) for width, y in zip(widths, heights, strict=True)]
        back = [(self._x + width * right, y) for width, y in zip(widths, heights, strict=True)]
        return edge + back[::-1]

    def silhouette(self, top: float, bottom: float) -> list[Point]:
        """Return the full silhouette between two heights."""
        return self.outline(-QUARTER_TURN, QUARTER_TURN, top, bottom)

    def visible_patches(
        self, first: float, last: float, top: float, bottom: float
    ) -> list[list[Point]]:
        """Return the visible outlines (0, 1 or 2) of a region between two angles on the body."""
        outlines = []
        for turns in (-2, -1, 0, 1):
            shift = self._shift + turns * math.tau
            low, high = max(first + shift, -QUARTER_TURN), min(last + shift, QUARTER_TURN)
            if high - low > MIN_PATCH_ANGLE:
                outlines.append(self.outline(low, high, top, bottom))
        return outlines

    def visible_point(self, angle: float, height: float) -> Point | None:
        """Return the position of a point of the body, or None if it faces away."""
        if math.cos(angle + self._shift) < 0.15:
            return None
        return self._x + self.half_width(height) * math.sin(angle + self._shift), height
