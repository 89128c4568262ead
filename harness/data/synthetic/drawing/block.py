"""A solid with a side profile, extruded across the vehicle; pieces of its faces carry markings."""

from collections.abc import Sequence

from harness.data.synthetic.drawing.canvas import Canvas, Point
from harness.data.synthetic.drawing.colours import Colour, shade
from harness.data.synthetic.drawing.perspective import Vertex, View, faces, outward
from harness.data.synthetic.drawing.vehicle_shapes import Outline

SUN: Vertex = (0.35, 0.25, 0.9)


class Solid:
    """Profile vertices (x, z) from the lower rear over the top to the lower front.

    The half width shrinks by `lean` from the lowest to the highest vertex.
    """

    def __init__(
        self, canvas: Canvas, view: View, profile: Outline, half_width: float, lean: float = 0.0
    ) -> None:
        heights = [z for _, z in profile]
        self._canvas, self._view = canvas, view
        self._profile = profile
        self._low, self._span = min(heights), max(heights) - min(heights)
        self._half_width, self._lean = half_width, lean
        along = [x for x, _ in profile]
        self.inside: Vertex = (sum(along) / len(along), 0.0, self._low + self._span / 2)
        self.edges = len(profile) - 1

    def level(self, share: float) -> float:
        """The height z at a share of the block's own height, 0 at its bottom."""
        return self._low + share * self._span

    def reach(self) -> tuple[float, float]:
        """From where to where the block extends, in x."""
        along = [x for x, _ in self._profile]
        return min(along), max(along)

    def _half(self, z: float) -> float:
        """Half the width at a height."""
        return self._half_width - self._lean * (z - self._low) / self._span

    def fill(self, face: Sequence[Vertex], colour: Colour, opacity: float = 1.0) -> None:
        """Fill a piece of a face, lit by where it faces; nothing if it is turned away."""
        normal = outward(face, self.inside)
        if not faces(normal, face[0], self._view.eye):
            return
        sunny = normal[0] * SUN[0] + normal[1] * SUN[1] + normal[2] * SUN[2]
        lit = shade(colour, 0.8 + 0.28 * sunny)
        self._canvas.polygon([self._view.project(vertex) for vertex in face], lit, opacity)

    def draw(self, colour: Colour, top: Colour | None = None) -> None:
        """Both sides and every strip; strips that look up may have a colour of their own."""
        for side in (-1, 1):
            self.fill(self.side(side, self._profile), colour)
        for edge in range(self.edges):
            (x, z), (next_x, next_z) = self._profile[edge], self._profile[edge + 1]
            level = abs(next_x - x) > abs(next_z - z)
            self.fill(self.strip(edge), top if level and top is not None else colour)

    def side(self, side: int, outline: Sequence[Point]) -> list[Vertex]:
        """An outline (x, z) on the left (1) or right (-1) side."""
        return [(x, side * self._half(z), z) for x, z in outline]

    def strip(
        self,
        edge: int,
        across: tuple[float, float] = (-1.0, 1.0),
        along: tuple[float, float] = (0.0, 1.0),
    ) -> list[Vertex]:
        """Part of the strip over profile edge `edge`: across -1 right .. 1 left, along 0 .. 1."""
        (x, z), (next_x, next_z) = self._profile[edge], self._profile[edge + 1]
        corners = []
        for part, sides in ((along[0], across), (along[1], across[::-1])):
            here_x, here_z = x + (next_x - x) * part, z + (next_z - z) * part
            corners += [(here_x, share * self._half(here_z), here_z) for share in sides]
        return corners

    def between_pillars(self, along: tuple[float, float], up: tuple[float, float]) -> list[Point]:
        """A quadrangle on the side of a four-cornered profile: shares along and up it."""
        (ax, az), (bx, bz), (cx, cz), (dx, dz) = self._profile
        points = []
        for share, height in (
            (along[0], up[0]),
            (along[0], up[1]),
            (along[1], up[1]),
            (along[1], up[0]),
        ):
            rear = (ax + (bx - ax) * height, az + (bz - az) * height)
            front = (dx + (cx - dx) * height, dz + (cz - dz) * height)
            points.append(
                (rear[0] + (front[0] - rear[0]) * share, rear[1] + (front[1] - rear[1]) * share)
            )
        return points
