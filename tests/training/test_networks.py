"""Networks of finished runs as teachers, and students as they start."""

import random
from dataclasses import replace

import pytest
import torch

from harness.core.errors import DamagedFileError, RunInterrupted, SetupError
from harness.core.lease import try_acquire
from harness.models import EnsembleTeacher
from harness.runs.layout import MODEL
from harness.training.networks import load_network, load_teacher, start_training_run
from harness.training.state import weights_sha256, write_state
from tests.support import tiny_grid


@pytest.fixture(scope="module")
def trained(shared_runs):
    """The plan of the shared runs, its teacher, its student and its opened data."""
    plan = tiny_grid.grid(shared_runs, "kd")
    teacher, student = plan.cohorts[0][0], plan.cohorts[-1][-1]
    return plan, teacher, student, plan.open_data(student)


def test_a_loaded_network_has_the_recorded_weights_and_is_frozen(trained):
    plan, teacher, _, data = trained
    network = load_network(teacher, data, plan.context)
    recorded = tiny_grid.result_of(plan.runs, teacher.key)["result"]["model"]
    assert weights_sha256(network.state_dict()) == recorded
    assert not network.training


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "There is no .*model.pt"),
        (lambda path: path.write_bytes(b"damaged"), "is damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "is damaged"),
        (lambda path: path.write_bytes(b""), "is damaged"),
        (lambda path: torch.save({"other": torch.ones(1)}, path), "not what its record describes"),
        (lambda path: write_state(path, {"step": 1}), "is damaged .it does not hold a network"),
    ],
)
def test_files_other_than_recorded_are_refused(with_teacher, damage, message):
    plan = tiny_grid.grid(with_teacher, "kd")
    teacher = plan.cohorts[0][0]
    damage(with_teacher / teacher.key / MODEL)
    with pytest.raises(
        SetupError, match=f"{message}.*To train the run again, remove .*{teacher.key}"
    ):
        load_network(teacher, plan.open_data(teacher), plan.context)


def test_no_damage_gives_another_network(with_teacher):
    """Of flipped bits, cuts and zeros, all that torch would load without a word among them."""
    plan = tiny_grid.grid(with_teacher, "kd")
    teacher = plan.cohorts[0][0]
    data, path = plan.open_data(teacher), with_teacher / teacher.key / MODEL
    recorded = tiny_grid.result_of(with_teacher, teacher.key)["result"]["model"]
    whole, draw, refused = path.read_bytes(), random.Random(2), 0
    for number in range(40):
        content = bytearray(whole)
        place = draw.randrange(len(content))
        if number % 8 == 0:
            del content[place:]
        elif number % 8 == 1:
            content[place : place + 512] = bytes(len(content[place : place + 512]))
        else:
            content[place] ^= 1 << draw.randrange(8)
        path.write_bytes(content)
        try:
            network = load_network(teacher, data, plan.context)
        except DamagedFileError:
            refused += 1
        else:
            assert weights_sha256(network.state_dict()) == recorded
    assert refused > 30


def test_a_run_that_is_not_done_has_no_network(with_teacher):
    plan = tiny_grid.grid(with_teacher, "kd")
    student = plan.cohorts[-1][-1]
    with pytest.raises(SetupError, match="run it first"):
        load_network(student, plan.open_data(student), plan.context)


def test_no_one_and_several_teachers(trained):
    plan, teacher, _, data = trained
    assert load_teacher((), data, plan.context) is None
    one = load_teacher((teacher,), data, plan.context)
    several = load_teacher((teacher, teacher), data, plan.context)
    assert isinstance(several, EnsembleTeacher) and not isinstance(one, EnsembleTeacher)
    assert not one.training and not several.training


def test_a_student_starts_with_the_same_bits_whatever_was_built_before(trained, tmp_path):
    plan, teacher_spec, spec, data = trained
    teacher = load_teacher((teacher_spec,), data, plan.context)
    digests = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        with try_acquire(tmp_path / str(seed)) as lease:
            run = start_training_run(spec, lease, teacher, data, plan.context)
        assert run.step == 0 and run.network.training and not run.scaler.is_enabled()
        adapters = run.method.state_dict() | {"weight": torch.tensor(run.method.weight)}
        digests.append((weights_sha256(run.network.state_dict()), weights_sha256(adapters)))
    assert digests[0] == digests[1]


def test_a_plain_student_has_no_method(trained, tmp_path):
    plan, teacher_spec, _, data = trained
    (plain,) = [spec for spec in plan.cohorts[-1] if not spec.teachers]
    teacher = load_teacher((teacher_spec,), data, plan.context)
    with try_acquire(tmp_path) as lease:
        run = start_training_run(plain, lease, teacher, data, plan.context)
    assert run.method is None
    assert {len(group["params"]) for group in run.optimiser.param_groups} == {
        sum(parameter.requires_grad for parameter in run.network.parameters())
    }


def test_preparing_reports_its_progress_and_can_be_stopped(with_teacher, tmp_path):
    plan = tiny_grid.grid(with_teacher, "kdpe")
    spec = plan.cohorts[-1][-1]
    data = plan.open_data(spec)
    teacher = load_teacher(spec.teachers, data, plan.context)
    plan.context.stop.requested = True
    with try_acquire(tmp_path / "run") as lease, pytest.raises(RunInterrupted):
        start_training_run(spec, lease, teacher, data, plan.context)
    assert not list((with_teacher / spec.teachers[0].key / "prepared").glob("*.pt"))
    plan.context.stop.requested = False
    with try_acquire(tmp_path / "run") as lease:
        run = start_training_run(spec, lease, teacher, data, plan.context)
    assert run.prepared


def test_a_run_never_starts_from_random_weights_instead_of_those_of_its_key(trained, tmp_path):
    plan, _, spec, data = trained
    plain = replace(spec, teachers=(), recipe=replace(spec.recipe, pretrained="imagenet"))
    with try_acquire(tmp_path) as lease, pytest.raises(SetupError, match="digest 0123"):
        start_training_run(replace(plain, weights="0123"), lease, None, data, plan.context)
