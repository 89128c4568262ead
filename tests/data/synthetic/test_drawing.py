"""Rendering: identities that differ, attributes that views hide, cameras that disagree."""

import math
from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from harness.data.synthetic.drawing.body import Pose, arm_joints, leg_joints
from harness.data.synthetic.drawing.camera import sample_camera
from harness.data.synthetic.drawing.canvas import Canvas
from harness.data.synthetic.drawing.identities import SUBJECT_SAMPLERS, make_identities
from harness.data.synthetic.drawing.person import HATS, LEGWEAR, PATTERNS, sample_person
from harness.data.synthetic.drawing.person_drawing import draw_person
from harness.data.synthetic.drawing.perspective import View, is_facing, outward_normal
from harness.data.synthetic.drawing.photograph import photograph
from harness.data.synthetic.drawing.randomness import choose, random_stream, uniform
from harness.data.synthetic.drawing.surface import Surface
from harness.data.synthetic.drawing.vehicle import sample_vehicle
from harness.data.synthetic.drawing.vehicle_shapes import VEHICLE_SHAPES


def portrait(person, yaw):
    """A person alone on a plain ground, (256, 128, 3)."""
    picture = Image.new("RGB", (128, 256), (90, 90, 90))
    pose = Pose(yaw=yaw, phase=1.0, stride=0.3, swing=0.3, elevation=0.1)
    draw_person(Canvas(picture, scale=230, centre=(64, 12)), person, pose)
    return np.asarray(picture).astype(int)


def person_with(**attributes):
    """The first person with the given attributes."""
    for number in range(5000):
        person = sample_person(random_stream("search", number))
        if all(getattr(person, name) == value for name, value in attributes.items()):
            return person
    raise AssertionError(attributes)


def area(picture, colour):
    """The number of pixels of about that colour."""
    return int((np.abs(picture - np.array(colour)).max(axis=2) <= 3).sum())


def test_streams_depend_on_their_labels_alone():
    first, again = random_stream("a", 1).random(4), random_stream("a", 1).random(4)
    assert (first == again).all()
    assert (first != random_stream("a", 2).random(4)).all()
    assert (first != random_stream("a1").random(4)).all()


def test_draws_stay_in_range():
    generator = random_stream("range")
    assert {choose(generator, "abc") for _ in range(100)} == set("abc")
    assert all(2.0 <= uniform(generator, 2.0, 3.0) < 3.0 for _ in range(100))


@pytest.mark.parametrize("kind", SUBJECT_SAMPLERS)
def test_any_two_identities_differ_in_two_visible_attributes(kind):
    attributes = [subject.attributes for subject in make_identities(kind, 0, 200)]
    for first, second in combinations(attributes, 2):
        assert sum(a != b for a, b in zip(first, second, strict=True)) >= 2


def test_a_longer_sequence_of_identities_begins_with_the_shorter_one():
    assert make_identities("people", 3, 20)[:5] == make_identities("people", 3, 5)
    assert make_identities("people", 3, 5) != make_identities("people", 4, 5)


def test_too_many_identities_are_refused(monkeypatch):
    monkeypatch.setattr("harness.data.synthetic.drawing.identities.MAX_ATTEMPTS", 1)
    with pytest.raises(ValueError, match=r"people: only \d+ of 4321 sufficiently different"):
        make_identities("people", 5, 4321)


def test_every_attribute_value_occurs():
    people = [sample_person(random_stream("many", number)) for number in range(300)]
    assert {person.pattern for person in people} == set(PATTERNS)
    assert {person.hat for person in people} == set(HATS)
    assert {person.legwear for person in people} == set(LEGWEAR)
    vehicles = [sample_vehicle(random_stream("many", number)) for number in range(300)]
    assert {vehicle.model for vehicle in vehicles} == set(VEHICLE_SHAPES)


def test_a_surface_hides_its_back():
    rows = ((0.0, 0.1, 0.06), (1.0, 0.1, 0.06))
    assert Surface(rows, 0.0).visible_point(0.0, 0.5) == pytest.approx((0.0, 0.5))
    assert Surface(rows, math.pi).visible_point(0.0, 0.5) is None
    assert Surface(rows, math.pi / 2).visible_point(-math.pi / 2, 0.5) == pytest.approx((0.0, 0.5))
    assert Surface(rows, math.pi / 2).half_width(0.5) == pytest.approx(0.06)
    assert Surface(rows, 0.0).visible_patches(2.5, 3.7, 0.0, 1.0) == []
    assert len(Surface(rows, 0.0).visible_patches(1.0, math.tau - 1.0, 0.0, 1.0)) == 2


@pytest.mark.parametrize("yaw", np.linspace(0, math.tau, 9).tolist())
def test_a_point_of_a_surface_appears_where_rotation_puts_it(yaw):
    width, depth, angle = 0.1, 0.06, 0.7
    surface = Surface(((0.0, width, depth), (1.0, width, depth)), yaw)
    spot = surface.visible_point(angle, 0.5)
    if spot is not None:
        expected = width * math.sin(angle) * math.cos(yaw) + depth * math.cos(angle) * math.sin(yaw)
        assert spot[0] == pytest.approx(expected)


def test_limbs_keep_their_lengths_in_any_phase():
    person = sample_person(random_stream("limbs"))
    for phase in np.linspace(0, math.tau, 7):
        pose = Pose(yaw=0.3, phase=float(phase), stride=0.5, swing=0.5, elevation=0.1)
        hip, knee, _, _ = leg_joints(person, pose, 1)
        assert math.dist(hip, knee) == pytest.approx(0.24)
        _, elbow, wrist = arm_joints(person, pose, -1)
        assert math.dist(elbow, wrist) == pytest.approx(0.14, abs=0.01)


def test_a_logo_is_seen_from_the_front_only():
    person = person_with(pattern="logo", bag="none", hat="none", sleeves="long")
    front, back = (area(portrait(person, yaw), person.second) for yaw in (0.0, math.pi))
    assert front > 200
    assert back < 20


def test_a_backpack_is_seen_best_from_behind():
    person = person_with(bag="backpack", pattern="plain", hat="none", hem="hip")
    front, back = (area(portrait(person, yaw), person.bag_colour) for yaw in (0.0, math.pi))
    assert back > 4 * max(front, 100)


def test_hoops_are_seen_from_everywhere():
    person = person_with(pattern="hoops", bag="none", sleeves="long")
    for yaw in (0.0, math.pi / 2, math.pi, 4.7):
        assert area(portrait(person, yaw), person.second) > 150


@pytest.mark.parametrize("legwear", sorted(set(LEGWEAR)))
def test_skirts_and_shorts_show_the_legs(legwear):
    person = person_with(legwear=legwear, sleeves="long", hat="none")
    legs = portrait(person, 0.0)[175:225]
    assert (area(legs, person.skin) > 100) == (legwear != "trousers")


def test_a_box_is_seen_from_outside():
    view = View(0.0, 0.2, (4.0, 2.0, 1.5))
    left, top, right, bottom = view.bounds()
    assert left < 0 < right
    assert top < bottom
    front = [(2.0, -1.0, 0.0), (2.0, 1.0, 0.0), (2.0, 1.0, 1.5), (2.0, -1.0, 1.5)]
    rear = [(-x, y, z) for x, y, z in front]
    inside = (0.0, 0.0, 0.75)
    assert outward_normal(front, inside) == pytest.approx((1.0, 0.0, 0.0))
    assert outward_normal(rear, inside) == pytest.approx((-1.0, 0.0, 0.0))
    assert is_facing(outward_normal(front, inside), front[0], view.eye)
    assert not is_facing(outward_normal(rear, inside), rear[0], view.eye)


@pytest.mark.parametrize("kind", SUBJECT_SAMPLERS)
@pytest.mark.parametrize("size", [(128, 64), (64, 32), (48, 48), (33, 57)])
def test_a_photograph_has_the_given_size(kind, size):
    camera = sample_camera(random_stream("camera"), 0, *size, 0.4)
    for number, subject in enumerate(make_identities(kind, 0, 6)):
        picture = photograph(
            subject, camera, random_stream("moment", number), size, 0.4, is_junk=number > 3
        )
        assert (picture.mode, picture.size) == ("RGB", size[::-1])


@pytest.mark.parametrize("difficulty", [0.0, 1.0])
@pytest.mark.parametrize("kind", SUBJECT_SAMPLERS)
def test_the_ends_of_the_difficulty_scale_work(kind, difficulty):
    camera = sample_camera(random_stream("camera"), 1, 64, 64, difficulty)
    assert 1 <= camera.quality <= 95
    for number, subject in enumerate(make_identities(kind, 0, 4)):
        pixels = np.asarray(
            photograph(subject, camera, random_stream("moment", number), (64, 64), difficulty)
        )
        assert pixels.std() > 5


def test_cameras_differ_more_when_it_is_harder():
    def spread(difficulty):
        cameras = [
            sample_camera(random_stream("camera", number), number, 32, 16, difficulty)
            for number in range(6)
        ]
        return float(np.std([camera.gains for camera in cameras]))

    assert spread(0.0) == pytest.approx(0.0)
    assert spread(0.0) < spread(0.3) < spread(0.9)
