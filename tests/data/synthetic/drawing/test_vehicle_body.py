import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from harness.data.synthetic.drawing.canvas import Canvas
from harness.data.synthetic.drawing.perspective import View
from harness.data.synthetic.drawing.randomness import random_stream
from harness.data.synthetic.drawing.vehicle import sample_vehicle
from harness.data.synthetic.drawing.vehicle_body import draw_vehicle
from harness.data.synthetic.drawing.vehicle_shapes import VEHICLE_SHAPES

FRONT, SIDE, REAR = 0.0, math.pi / 2, math.pi


def vehicle_with(**attributes):
    """The first vehicle with the given attributes."""
    for number in range(5000):
        vehicle = sample_vehicle(random_stream("search", number))
        if all(getattr(vehicle, name) == value for name, value in attributes.items()):
            return vehicle
    raise AssertionError(attributes)


def portrait(vehicle, yaw):
    """A vehicle alone on a green ground, (200, 300, 3)."""
    image = Image.new("RGB", (300, 200), (0, 255, 0))
    view = View(yaw, 0.25, vehicle.box)
    scale = 120 / max(vehicle.box[0] / 2, vehicle.box[2])
    draw_vehicle(Canvas(image, scale=scale, centre=(150, 110)), vehicle, view)
    return np.asarray(image)


def changed_pixels(vehicle, yaw, **attributes):
    """Number of pixels that differ when the vehicle has the given attributes instead."""
    first, second = (portrait(v, yaw) for v in (vehicle, replace(vehicle, **attributes)))
    return int((first != second).any(axis=2).sum())


@pytest.mark.parametrize("model", VEHICLE_SHAPES)
@pytest.mark.parametrize("yaw", [FRONT, 0.7, SIDE, 2.4, REAR, 4.0])
def test_every_shape_is_drawn_from_every_side(model, yaw):
    image = portrait(vehicle_with(model=model), yaw)
    assert 0.05 < (image != (0, 255, 0)).any(axis=2).mean() < 0.8


@pytest.mark.parametrize("model", VEHICLE_SHAPES)
@pytest.mark.parametrize("logo", ["disc", "square", "bars"])
def test_a_logo_is_visible_from_the_sides_only(model, logo):
    vehicle = vehicle_with(model=model, stripe="none")
    vehicle = replace(vehicle, logo=logo)
    assert changed_pixels(vehicle, SIDE, logo="none") > 50
    assert changed_pixels(vehicle, FRONT, logo="none") == 0


@pytest.mark.parametrize(
    ("stripe", "visible", "hidden"),
    [("racing", FRONT, None), ("belt", SIDE, FRONT), ("slash", SIDE, FRONT)],
)
def test_stripes_are_visible_where_they_are_painted(stripe, visible, hidden):
    vehicle = vehicle_with(model="sedan", stripe=stripe)
    assert changed_pixels(vehicle, visible, stripe="none") > 50
    if hidden is not None:
        assert changed_pixels(vehicle, hidden, stripe="none") == 0


@pytest.mark.parametrize("scheme", ["roof", "lower", "nose"])
def test_paint_schemes_are_visible_from_an_angle(scheme):
    vehicle = vehicle_with(model="suv", scheme=scheme)
    assert changed_pixels(vehicle, 0.7, scheme="plain") > 50


@pytest.mark.parametrize("sticker", ["low", "high"])
def test_stickers_are_visible_from_front_and_rear(sticker):
    vehicle = vehicle_with(model="suv", sticker=sticker)
    for yaw in (FRONT, REAR):
        assert changed_pixels(vehicle, yaw, sticker="none") > 10
    assert changed_pixels(vehicle, SIDE, sticker="none") < 200  # slivers of leaning windows


@pytest.mark.parametrize("fitting", ["rails", "box", "beacon"])
def test_fittings_are_above_the_roof(fitting):
    vehicle = vehicle_with(model="sedan", fitting=fitting)
    tops = [
        int((portrait(v, SIDE) != (0, 255, 0)).any(axis=(1, 2)).argmax())
        for v in (vehicle, replace(vehicle, fitting="none"))
    ]
    assert tops[0] < tops[1]


def test_the_same_side_is_drawn_from_left_and_right():
    vehicle = vehicle_with(model="van", stripe="none", logo="disc")
    left, right = (portrait(vehicle, yaw) for yaw in (SIDE, -SIDE))
    assert np.abs(left[:, ::-1].astype(int) - right).mean() < 8
