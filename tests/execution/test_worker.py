"""The worker alone: what it checks before it trains, how it stops, what it leaves."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.errors import ExitCode, SetupError
from harness.core.files import read_json, write_json
from harness.core.progress import Reporter
from harness.core.signals import StopRequest
from harness.execution.cluster.job_spec import JobSpec
from harness.execution.worker_inputs import open_inputs, read_specs, wait_for_teachers
from harness.runs.folder_state import local_state
from harness.runs.record import create_run_folder
from harness.runs.spec import RunSpec
from tests.support import tiny_grid

QUIET = Reporter(quiet=True)


def order_of(plan, cohort):
    """What the worker of one of a plan's cohorts is told."""
    first = cohort[0]
    for spec in plan.specs:
        create_run_folder(plan.runs, spec)
    root = str(plan.roots[first.dataset])
    keys = tuple(spec.key for spec in cohort)
    return JobSpec(keys, first.dataset, root, {}, "cpu", first.threads, checkpoint_every=1000)


def start(runs, order, **environment):
    path = Path(runs) / "groups" / "order.json"
    order.write(path)
    return subprocess.Popen(
        [sys.executable, "-m", "harness.execution.worker", str(path), "--runs", str(runs)],
        cwd=tiny_grid.ROOT,
        env=os.environ | {"PYTHONPATH": str(tiny_grid.ROOT)} | environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(process):
    output, said = process.communicate(timeout=200)
    return process.returncode, output + said


def in_training(process, folder):
    while not (folder / "progress.json").exists():
        assert process.poll() is None, finish(process)
        time.sleep(0.02)


@pytest.fixture
def long(with_teacher):
    """A student whose training can be disturbed."""
    plan = tiny_grid.grid(
        with_teacher, "kd", overrides=["recipe.epochs=40", "teacher_recipe.epochs=2"]
    )
    student = next(spec for spec in plan.specs if spec.teachers)
    return plan, student


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGUSR2, ExitCode.REQUEUE), (signal.SIGTERM, 130)]
)
def test_a_signal_however_often_saves_and_says_how_to_go_on(long, number, code):
    plan, student = long
    process = start(plan.runs, order_of(plan, [student]))
    in_training(process, plan.runs / student.key)
    for _ in range(3):
        process.send_signal(number)
    assert finish(process)[0] == code
    assert local_state(plan.runs / student.key) == "interrupted"
    assert not (plan.runs / student.key / "lease").exists()


def test_a_signal_before_anything_is_loaded_is_not_lost(long):
    """As the job starts its worker: with the signals blocked, so that they wait for its handler."""
    plan, student = long
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    try:
        process = start(plan.runs, order_of(plan, [student]))
        process.send_signal(signal.SIGUSR2)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR2])
    code, said = finish(process)
    assert code == ExitCode.REQUEUE, said
    assert not (plan.runs / student.key / "record.json").exists()


def test_an_attempt_without_a_step_after_another_is_a_failure(long):
    plan, student = long
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    try:
        process = start(plan.runs, order_of(plan, [student]), SLURM_RESTART_COUNT="1")
        process.send_signal(signal.SIGUSR2)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR2])
    code, said = finish(process)
    assert code == 1, said
    failure = read_json(plan.runs / student.key / "failure.json")
    assert failure["kind"] == "time limit"
    assert "--set cluster.time=" in failure["message"]


def test_a_restarted_attempt_that_got_on_is_continued(long):
    plan, student = long
    process = start(plan.runs, order_of(plan, [student]), SLURM_RESTART_COUNT="3")
    in_training(process, plan.runs / student.key)
    process.send_signal(signal.SIGUSR2)
    assert finish(process)[0] == ExitCode.REQUEUE


def test_a_gpu_that_is_not_there_is_told_in_the_runs_folder(long):
    plan, student = long
    order = replace(order_of(plan, [student]), device="cuda")
    code, said = finish(start(plan.runs, order, CUDA_VISIBLE_DEVICES=""))
    assert code == 3
    assert "torch sees no GPU here" in said
    assert read_json(plan.runs / student.key / "failure.json")["kind"] == "setup"


@pytest.fixture
def planned(with_teacher):
    plan = tiny_grid.grid(with_teacher, "kd")
    student = next(spec for spec in plan.specs if spec.teachers)
    return plan, student, order_of(plan, [student])


def check(plan, order, *specs):
    return open_inputs(order, specs or read_specs(order, plan.runs), plan.runs, QUIET)


def test_inputs_as_planned_are_accepted(planned):
    plan, student, order = planned
    assert read_specs(order, plan.runs) == [student]
    dataset, weights = check(plan, order)
    assert dataset.fingerprint == student.fingerprint
    assert weights == {}


def test_other_data_than_planned_is_refused(planned):
    plan, _, order = planned
    picture = next((Path(order.data_root) / "bounding_box_train").glob("*.jpg"))
    picture.unlink()
    with pytest.raises(SetupError, match="is not what the run was planned with|lacks|files"):
        check(plan, order)


def test_another_fingerprint_method_or_weight_is_refused(planned, tmp_path):
    plan, student, order = planned
    with pytest.raises(SetupError, match="synthetic in .* is not what the run was planned with"):
        check(plan, order, replace(student, fingerprint="0" * 16))
    with pytest.raises(SetupError, match="^kd is not what the run was planned with"):
        check(plan, order, replace(student, source="0" * 16))
    with pytest.raises(SetupError, match="weights None of cnn5 do not exist on this machine"):
        check(plan, order, replace(student, weights="0" * 16))
    file = tmp_path / "cnn5.pth"
    file.write_bytes(b"other")
    given = replace(order, weights={"cnn5": str(file)})
    with pytest.raises(SetupError, match="cnn5.pth is not what the run was planned with"):
        check(plan, given, replace(student, weights="0" * 16))
    with pytest.raises(SetupError, match="is for cuda, its job is on cpu"):
        check(plan, order, replace(student, device="cuda"))
    with pytest.raises(SetupError, match="data root /nowhere does not exist on this machine"):
        check(plan, replace(order, data_root="/nowhere"))


def test_a_run_that_this_code_would_name_otherwise_is_refused(planned):
    plan, student, order = planned
    path = plan.runs / student.key / "spec.json"
    content = json.loads(path.read_text())
    write_json(path, content | {"seed": 5})
    with pytest.raises(SetupError, match="does not fit this code: this version would call it"):
        read_specs(order, plan.runs)
    path.unlink()
    with pytest.raises(SetupError, match="cannot be read. Is the runs folder visible"):
        read_specs(order, plan.runs)


def test_without_its_teacher_a_student_does_not_start(planned):
    plan, student, order = planned
    wait_for_teachers([student], plan.runs, StopRequest(), QUIET)
    shutil.rmtree(plan.runs / student.teachers[0].key)
    with pytest.raises(SetupError, match="The teacher .*resnet18.* is not done"):
        wait_for_teachers([student], plan.runs, StopRequest(), QUIET)
    code, said = finish(start(plan.runs, order))
    assert code == 3, said


def test_an_order_survives_the_disk_and_another_file_is_none(planned, tmp_path):
    _, _, order = planned
    order.write(tmp_path / "order.json")
    assert JobSpec.read(tmp_path / "order.json") == order
    for text in ("{}", "[]", '{"runs": ["a"], "unknown": 1}'):
        (tmp_path / "other.json").write_text(text)
        with pytest.raises(SetupError, match="Submit the runs again"):
            JobSpec.read(tmp_path / "other.json")


def test_every_planned_run_comes_back_from_its_folder(planned):
    plan, _, _ = planned
    for spec in plan.specs:
        assert (
            RunSpec.from_json(json.loads((plan.runs / spec.key / "spec.json").read_text())) == spec
        )
