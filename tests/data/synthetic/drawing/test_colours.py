import numpy as np
import pytest

from harness.data.synthetic.drawing.colours import luminance, shade, vary


def test_shades_stay_in_range():
    assert shade((100, 200, 10), 0.5) == (50, 100, 5)
    assert shade((100, 200, 10), 2.0) == (200, 255, 20)


def test_a_varied_colour_is_near_and_in_range():
    random = np.random.default_rng(0)
    colours = [vary((3, 128, 254), random, 10) for _ in range(200)]
    assert len(set(colours)) > 100
    for colour in colours:
        assert all(0 <= channel <= 255 for channel in colour)
        assert all(abs(a - b) <= 10 for a, b in zip(colour, (3, 128, 254), strict=True))


def test_green_is_brighter_than_blue():
    assert luminance((0, 255, 0)) > luminance((255, 0, 0)) > luminance((0, 0, 255))
    assert luminance((255, 255, 255)) == pytest.approx(255)
