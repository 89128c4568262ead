import math

import numpy as np
import pytest
from PIL import Image

from harness.data.synthetic.drawing.canvas import Canvas

GREY, RED = (90, 90, 90), (200, 0, 0)


@pytest.fixture
def image():
    return Image.new("RGB", (100, 80), GREY)


def red_box(image):
    """Left, top, right and bottom of the red pixels."""
    rows, columns = np.nonzero(np.asarray(image)[:, :, 0] == RED[0])
    return columns.min(), rows.min(), columns.max(), rows.max()


def test_units_are_scaled_and_moved(image):
    canvas = Canvas(image, scale=20, centre=(50, 40))
    canvas.polygon([(-1, -0.5), (1, -0.5), (1, 0.5), (-1, 0.5)], RED)
    assert red_box(image) == (30, 30, 70, 50)


def test_roll_turns_about_the_centre(image):
    canvas = Canvas(image, scale=20, centre=(50, 40), roll=math.pi / 2)
    canvas.polygon([(-1, -0.5), (1, -0.5), (1, 0.5), (-1, 0.5)], RED)
    left, top, right, bottom = red_box(image)
    assert (right - left, bottom - top) == pytest.approx((20, 40), abs=1)


def test_a_transparent_polygon_mixes_colours(image):
    canvas = Canvas(image, scale=20, centre=(50, 40))
    canvas.polygon([(-1, -1), (1, -1), (1, 1), (-1, 1)], RED, opacity=0.5)
    assert image.getpixel((50, 40)) == pytest.approx((145, 45, 45), abs=2)
    assert image.getpixel((5, 5)) == GREY


def test_a_line_is_at_least_one_pixel_wide(image):
    Canvas(image, scale=20, centre=(50, 40)).line([(-1, 0), (1, 0)], RED, 0.001)
    left, top, right, bottom = red_box(image)
    assert top == bottom == 40 and right - left >= 39


def test_a_disc_has_its_radii(image):
    Canvas(image, scale=20, centre=(50, 40)).disc((0, 0), (1, 0.5), RED)
    assert red_box(image) == (30, 30, 70, 50)


def test_a_limb_has_round_ends(image):
    Canvas(image, scale=20, centre=(50, 40)).limb((-1, 0), (1, 0), (0.5, 0.25), RED)
    left, top, right, bottom = red_box(image)
    assert (left, right) == (20, 75)
    assert (top, bottom) == (30, 50)


def test_a_limb_without_length_is_a_disc(image):
    Canvas(image, scale=20, centre=(50, 40)).limb((0, 0), (0, 0), (0.5, 0.25), RED)
    assert red_box(image) == (40, 30, 60, 50)
