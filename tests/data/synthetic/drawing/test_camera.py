from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from harness.data.synthetic.drawing.background import STREET_WIDTH, draw_background
from harness.data.synthetic.drawing.camera import sample_camera
from harness.data.synthetic.drawing.occlusion import draw_occlusion
from harness.data.synthetic.drawing.photograph import sample_framing, turn_oblique
from harness.data.synthetic.drawing.randomness import random_stream


@pytest.fixture(scope="module")
def camera():
    return sample_camera(random_stream("camera"), 0, 64, 32, 0.5)


def test_a_background_is_wider_and_higher_than_an_image():
    image = draw_background(random_stream("background"), 40, 80)
    assert (image.mode, image.size) == ("RGB", (STREET_WIDTH * 40, 92))
    assert np.asarray(image).std() > 5


def test_an_image_shows_a_part_of_the_background_at_the_drawing_resolution(camera):
    parts = [camera.crop_background(random_stream("crop", n), 64, 32) for n in range(3)]
    assert {part.size for part in parts} == {(64, 128)}
    assert len({part.tobytes() for part in parts}) == 3


def test_directions_are_near_the_usual_one_unless_it_is_hard(camera):
    def far(difficulty):
        yaws = [camera.sample_yaw(random_stream("yaw", n), difficulty) for n in range(400)]
        return np.mean(np.abs(np.array(yaws) - camera.yaw) > 1.5)

    assert far(0.0) < far(1.0) < 0.8


def test_an_ideal_camera_records_what_it_sees(camera):
    ideal = replace(
        camera,
        light=np.ones_like(camera.light),
        gains=np.ones(3, np.float32),
        brightness=0.0,
        saturation=1.0,
        blur=0.0,
        noise=0.0,
    )
    pixels = np.random.default_rng(0).integers(0, 256, (64, 32, 3), dtype=np.uint8)
    recorded = np.asarray(ideal.expose(Image.fromarray(pixels), random_stream("expose"), 0.0))
    assert np.abs(recorded.astype(int) - pixels).max() <= 1


def test_a_camera_without_saturation_records_grey(camera):
    grey = replace(camera, gains=np.ones(3, np.float32), saturation=0.0, noise=0.0)
    image = Image.new("RGB", (32, 64), (200, 40, 90))
    recorded = np.asarray(grey.expose(image, random_stream("expose"), 0.0)).astype(int)
    assert np.abs(recorded - recorded.mean(axis=2, keepdims=True)).max() <= 1


def test_an_occlusion_covers_a_part_of_the_image():
    for number in range(12):
        image = Image.new("RGB", (64, 128))
        draw_occlusion(image, random_stream("occlusion", number))
        assert 0.02 < np.asarray(image).any(axis=2).mean() < 0.6


def test_junk_shows_a_part_of_the_subject(camera):
    framings = [
        sample_framing(random_stream("frame", n), camera, 0.0, is_junk=is_junk)
        for is_junk in (False, True)
        for n in range(20)
    ]
    usual, junk = framings[:20], framings[20:]
    assert {framing.size for framing in usual} == {camera.size}
    assert {framing.shift for framing in usual} == {(0.0, 0.0)}
    assert min(framing.size for framing in junk) >= 1.7


def test_oblique_directions_turn_to_the_nearer_side():
    for yaw in (0.3, -0.3):
        assert abs(turn_oblique(yaw)) > abs(yaw)
    assert turn_oblique(0.0) == 0.0
