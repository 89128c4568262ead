"""A teacher whose images have another size than its students'."""

import json
import shutil

import pytest

from harness.models import measure_complexity
from harness.runs.layout import PREPARED
from harness.training import loop, networks, teacher_batches
from methods import METHODS
from tests.support import tiny_grid

TEACHER_SIZE, STUDENT_SIZE = (64, 32), (32, 16)
AT_64 = ["teacher_recipe.height=64", "teacher_recipe.width=32"]


@pytest.fixture(scope="module")
def packed(tmp_path_factory, shared_runs):
    runs = tmp_path_factory.mktemp("packed")
    shutil.copytree(shared_runs / "data", runs / "data")
    plan, outcome = tiny_grid.run(runs, "all", overrides=AT_64)
    assert not outcome.failed
    return plan


def test_every_method_trains_with_a_larger_teacher(packed):
    (teacher,) = packed.cohorts[0]
    assert teacher.recipe.size == TEACHER_SIZE
    assert [spec.method for spec in packed.cohorts[1]] == ["none", *METHODS]
    assert {spec.recipe.size for spec in packed.cohorts[1]} == {STUDENT_SIZE}
    assert {spec.teacher_size for spec in packed.cohorts[1] if spec.teachers} == {TEACHER_SIZE}


def test_packed_equals_solo_bit_for_bit(packed, tmp_path):
    chosen = ["at", "csd", "kdpe", "pdrd"]
    shutil.copytree(packed.runs / "data", tmp_path / "data")
    solo, outcome = tiny_grid.run(tmp_path, *chosen, overrides=AT_64, pack=1)
    assert not outcome.failed
    assert {len(cohort) for cohort in solo.cohorts} == {1}
    for spec in solo.specs:
        tiny_grid.assert_same_run(spec.key, packed.runs, solo.runs)


def test_a_plain_student_is_the_same_run_beside_any_teacher(packed, shared_runs):
    (plain,) = [spec for spec in packed.cohorts[1] if not spec.teachers]
    tiny_grid.assert_same_run(plain.key, packed.runs, shared_runs)


@pytest.mark.parametrize("batches", ["shared", "separate"])
def test_the_teacher_sees_its_own_size_and_the_student_its_own(
    packed, tmp_path, monkeypatch, batches
):
    seen = []
    original = loop.compute_outputs

    def watch(network, images, context):
        seen.append((network.training, tuple(images.shape[2:])))
        return original(network, images, context)

    monkeypatch.setattr(loop, "compute_outputs", watch)
    shutil.copytree(packed.runs / "data", tmp_path / "data")
    shutil.copytree(packed.runs / packed.cohorts[0][0].key, tmp_path / packed.cohorts[0][0].key)
    overrides = [*AT_64, f"recipe.distillation_batches={batches}"]
    overrides += ["teacher_recipe.distillation_batches=shared"]
    _, outcome = tiny_grid.run(tmp_path, "sp", overrides=overrides)
    assert not outcome.failed
    assert set(seen) == {(True, STUDENT_SIZE), (False, TEACHER_SIZE)}


def test_methods_are_prepared_on_images_of_the_teachers_size(packed, tmp_path, monkeypatch):
    (teacher,) = packed.cohorts[0]
    shutil.copytree(packed.runs / "data", tmp_path / "data")
    shutil.copytree(packed.runs / teacher.key, tmp_path / teacher.key)
    shutil.rmtree(tmp_path / teacher.key / PREPARED)
    sizes = set()
    original = teacher_batches.normalise_pixels

    def watch(pixels):
        sizes.add(tuple(pixels.shape[2:]))
        return original(pixels)

    monkeypatch.setattr(teacher_batches, "normalise_pixels", watch)
    _, outcome = tiny_grid.run(tmp_path, "kdpe", overrides=AT_64)
    assert not outcome.failed and sizes == {TEACHER_SIZE}


def test_the_teacher_is_scored_at_its_own_size(packed):
    (teacher,) = packed.cohorts[0]
    data = packed.open_data(teacher)
    assert data.test[[0]].shape[2:] == TEACHER_SIZE
    record = json.loads((packed.runs / teacher.key / "record.json").read_text())
    network = networks.load_network(teacher, data, packed.context)
    assert record["operations"]["macs"] == measure_complexity(network, *TEACHER_SIZE).macs
