import math

import numpy as np
import pytest
from PIL import Image

from harness.data.synthetic.drawing.canvas import Canvas
from harness.data.synthetic.drawing.perspective import View
from harness.data.synthetic.drawing.solid import Solid

PROFILE = ((-2.0, 0.0), (-1.0, 1.0), (1.0, 1.0), (2.0, 0.0))


def solid(yaw=0.0, lean=0.2):
    image = Image.new("RGB", (200, 200))
    canvas = Canvas(image, scale=30, centre=(100, 100))
    return Solid(canvas, View(yaw, 0.3, (4.0, 2.0, 1.0)), PROFILE, 1.0, lean), image


def test_heights_and_lengths_are_those_of_the_profile():
    box, _ = solid()
    assert box.height_at(0.0) == 0 and box.height_at(0.25) == 0.25
    assert box.extent() == (-2.0, 2.0)
    assert box.edge_count == 3


def test_sides_lean_in_towards_the_top():
    box, _ = solid()
    assert box.side_face(1, PROFILE)[0] == (-2.0, 1.0, 0.0)
    assert box.side_face(-1, PROFILE)[1] == pytest.approx((-1.0, -0.8, 1.0))


def test_a_part_of_a_strip_lies_between_the_ends_of_its_edge():
    box, _ = solid(lean=0.0)
    corners = box.strip_face(1, across=(-0.5, 0.5), along=(0.25, 0.75))
    assert corners == [(-0.5, -0.5, 1.0), (-0.5, 0.5, 1.0), (0.5, 0.5, 1.0), (0.5, -0.5, 1.0)]


def test_a_quadrangle_follows_slanting_pillars():
    box, _ = solid()
    assert box.side_quadrangle((0.0, 1.0), (0.0, 1.0)) == list(PROFILE)
    middle = box.side_quadrangle((0.5, 0.5), (0.0, 1.0))
    assert [x for x, _ in middle] == pytest.approx([0, 0, 0, 0])


def test_only_faces_turned_to_the_camera_are_filled():
    for yaw, side in ((math.pi / 2, 1), (-math.pi / 2, -1)):
        for drawn in (side, -side):
            box, image = solid(yaw)
            box.fill(box.side_face(drawn, PROFILE), (255, 0, 0))
            assert np.asarray(image).any() == (drawn == side)
