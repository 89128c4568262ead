"""An upright round surface (torso, head, skirt) turned about its axis.

A row of the profile is an ellipse of half width w and half depth d at one height. Seen at yaw t,
its silhouette is W = sqrt((w cos t)^2 + (d sin t)^2) wide on either side, and the point at body
angle a (0 in front, growing to the person's left) appears at W sin(a + s) with
s = atan2(d sin t, w cos t); it is visible where cos(a + s) > 0.
"""

import math
from collections.abc import Sequence

from harness.data.synthetic.drawing.canvas import Point

QUARTER = math.pi / 2
THINNEST = 0.03  # radians; narrower slivers would only flicker


class Surface:
    """Profile rows are (height, half width, half depth), heights growing downwards."""

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
        """Half of the silhouette at that height, linear between the rows."""
        above = self._rows[0]
        for below in self._rows:
            if below[0] >= height:
                span = below[0] - above[0]
                part = (height - above[0]) / span if span > 0 else 0.0
                return above[1] + (below[1] - above[1]) * part
            above = below
        return above[1]

    def seen(self, first: float, last: float, top: float, bottom: float) -> list[Point]:
        """The outline between two angles as seen (-pi/2 left edge, pi/2 right edge)."""
        heights = [top, *(height for height, _ in self._rows if top < height < bottom), bottom]
        widths = [self.half_width(height) for height in heights]
        left, right = math.sin(first), math.sin(last)
        edge = [(self._x + width * left, y) for width, y in zip(widths, heights, strict=True)]
        back = [(self._x + width * right, y) for width, y in zip(widths, heights, strict=True)]
        return edge + back[::-1]

    def whole(self, top: float, bottom: float) -> list[Point]:
        """The full silhouette between two heights."""
        return self.seen(-QUARTER, QUARTER, top, bottom)

    def patches(self, first: float, last: float, top: float, bottom: float) -> list[list[Point]]:
        """The visible outlines (0, 1 or 2) of a region between two angles on the body."""
        outlines = []
        for turns in (-2, -1, 0, 1):
            shift = self._shift + turns * math.tau
            low, high = max(first + shift, -QUARTER), min(last + shift, QUARTER)
            if high - low > THINNEST:
                outlines.append(self.seen(low, high, top, bottom))
        return outlines

    def spot(self, angle: float, height: float) -> Point | None:
        """Where a point of the body appears, or None when it faces away."""
        if math.cos(angle + self._shift) < 0.15:
            return None
        return self._x + self.half_width(height) * math.sin(angle + self._shift), height
