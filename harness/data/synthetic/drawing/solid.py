"""Solids of a vehicle: a side profile extruded across its width, with markings on its faces."""

from collections.abc import Sequence

from harness.data.synthetic.drawing.canvas import Canvas, Point
from harness.data.synthetic.drawing.colours import Colour, shade
from harness.data.synthetic.drawing.perspective import Vertex, View, is_facing, outward_normal
from harness.data.synthetic.drawing.vehicle_shapes import Outline

SUN_DIRECTION: Vertex = (0.35, 0.25, 0.9)


class Solid:
    """A side profile extruded across a vehicle, in metres.

    Args:
        canvas: Canvas to draw on.
        view: The camera's view.
        profile: Vertices (x, z) from the lower rear over the top to the lower front.
        half_width: Half the width at the lowest vertex.
        lean: How much less the half width is at the highest vertex.
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
        self.centre: Vertex = (sum(along) / len(along), 0.0, self._low + self._span / 2)
        self.edge_count = len(profile) - 1

    def height_at(self, share: float) -> float:
        """Return the height z at a share of the solid's own height, 0 at its bottom."""
        return self._low + share * self._span

    def extent(self) -> tuple[float, float]:
        """Return the smallest and the largest x of the profile."""
        along = [x for x, _ in self._profile]
        return min(along), max(along)

    def _half(self, z: float) -> float:
        """Return half the width at a height."""
        return self._half_width - self._lean * (z - self._low) / self._span

    def fill(self, face: Sequence[Vertex], colour: Colour, opacity: float = 1.0) -> None:
        """Fill a part of a face, shaded by its direction, if it is turned to the camera."""
        normal = outward_normal(face, self.centre)
        if not is_facing(normal, face[0], self._view.eye):
            return
        sunlight = (
            normal[0] * SUN_DIRECTION[0]
            + normal[1] * SUN_DIRECTION[1]
            + normal[2] * SUN_DIRECTION[2]
        )
        lit = shade(colour, 0.8 + 0.28 * sunlight)
        self._canvas.polygon([self._view.project(vertex) for vertex in face], lit, opacity)

    def draw(self, colour: Colour, top: Colour | None = None) -> None:
        """Draw both sides and every strip between them; `top` is the colour of level strips."""
        for side in (-1, 1):
            self.fill(self.side_face(side, self._profile), colour)
        for edge in range(self.edge_count):
            (x, z), (next_x, next_z) = self._profile[edge], self._profile[edge + 1]
            is_level = abs(next_x - x) > abs(next_z - z)
            self.fill(self.strip_face(edge), top if is_level and top is not None else colour)

    def side_face(self, side: int, outline: Sequence[Point]) -> list[Vertex]:
        """Return the vertices of an outline (x, z) on the left (1) or right (-1) side."""
        return [(x, side * self._half(z), z) for x, z in outline]

    def strip_face(
        self,
        edge: int,
        across: tuple[float, float] = (-1.0, 1.0),
        along: tuple[float, float] = (0.0, 1.0),
    ) -> list[Vertex]:
        """Return the corners of a part of the strip over one edge of the profile.

        Args:
            edge: Number of the edge, from the rear.
            across: From -1 (right) to 1 (left).
            along: From 0 to 1 along the edge.
        """
        (x, z), (next_x, next_z) = self._profile[edge], self._profile[edge + 1]
        corners = []
        for part, sides in ((along[0], across), (along[1], across[::-1])):
            here_x, here_z = x + (next_x - x) * part, z + (next_z - z) * part
            corners += [(here_x, share * self._half(here_z), here_z) for share in sides]
        return corners

    def side_quadrangle(self, along: tuple[float, float], up: tuple[float, float]) -> list[Point]:
        """Return a quadrangle on the side of a four-cornered profile.

        Args:
            along: From 0 (rear) to 1 (front).
            up: From 0 (bottom) to 1 (top).

        Returns:
            Points (x, z): lower rear, upper rear, upper front, lower front.
        """
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
