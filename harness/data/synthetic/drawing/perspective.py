"""Perspective view of a vehicle's bounding box, and visibility of its faces.

Vehicle axes in metres: x forward, y to the left, z up, the origin on the ground below the middle.
At yaw 0 the camera looks at the front, at pi/2 at the left side, at pi at the rear.
"""

import math
from collections.abc import Sequence

from harness.data.synthetic.drawing.canvas import Point

Vertex = tuple[float, float, float]

CAMERA_DISTANCE = 2.6  # from the camera to the middle, in lengths of the box


class View:
    """A camera's view of a box.

    Args:
        yaw: Position around the box, in radians.
        elevation: Slope at which the camera looks down.
        box: Length, width and height in metres.
        stretch: Vertical scale, as resizing stretches the crop of a long vehicle.
    """

    def __init__(self, yaw: float, elevation: float, box: Vertex, stretch: float = 1.0) -> None:
        length, width, height = box
        away = CAMERA_DISTANCE * length
        tilt = math.atan(elevation)
        self.box = box
        self._cosine, self._sine = math.cos(yaw), math.sin(yaw)
        self._level, self._steep = math.cos(tilt), math.sin(tilt)
        self._away = away
        self._stretch = stretch
        self._middle = height / 2
        self.eye: Vertex = (
            away * self._level * self._cosine,
            away * self._level * self._sine,
            away * self._steep + height / 2,
        )
        self._reach = (length / 2, width / 2, height)

    def project(self, vertex: Vertex) -> Point:
        """Project a vertex to the image, in metres at the distance of the middle, y down."""
        x, y, z = vertex
        z -= self._middle
        toward = x * self._cosine + y * self._sine
        nearer = self._away / (self._away - toward * self._level - z * self._steep)
        across = y * self._cosine - x * self._sine
        up = z * self._level - toward * self._steep
        return across * nearer, -up * nearer * self._stretch

    def bounds(self) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom of the projected box."""
        length, width, height = self._reach
        corners = [
            self.project((x, y, z))
            for x in (-length, length)
            for y in (-width, width)
            for z in (0.0, height)
        ]
        across, down = zip(*corners, strict=True)
        return min(across), min(down), max(across), max(down)


def outward_normal(face: Sequence[Vertex], inside: Vertex) -> Vertex:
    """Return the unit normal of a face that points away from a point inside the solid."""
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = face[0], face[1], face[2]
    ux, uy, uz = bx - ax, by - ay, bz - az
    vx, vy, vz = cx - ax, cy - ay, cz - az
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    length = math.sqrt(nx * nx + ny * ny + nz * nz) or 1.0
    if nx * (ax - inside[0]) + ny * (ay - inside[1]) + nz * (az - inside[2]) < 0:
        length = -length
    return nx / length, ny / length, nz / length


def is_facing(normal: Vertex, point: Vertex, eye: Vertex) -> bool:
    """Return whether a face with this normal at this point is turned to the eye."""
    return (
        normal[0] * (eye[0] - point[0])
        + normal[1] * (eye[1] - point[1])
        + normal[2] * (eye[2] - point[2])
    ) > 0
