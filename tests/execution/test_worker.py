"""The worker alone: its checks before it trains, how it stops, and what it leaves on disk."""

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
from harness.execution.cluster.job_spec import JobSpec
from harness.execution.worker_inputs import open_inputs, read_specs, wait_for_teachers
from harness.runs.folder_state import local_state
from harness.runs.record import create_run_folder
from harness.runs.spec import RunSpec
from tests.support import forks, tiny_grid

QUIET = Reporter(quiet=True)


def job_spec_of(plan, cohort):
    """Return the job of one of a plan's cohorts."""
    first = cohort[0]
    for spec in plan.specs:
        create_run_folder(plan.runs, spec)
    root = str(plan.roots[first.dataset])
    keys = tuple(spec.key for spec in cohort)
    return JobSpec(keys, first.dataset, root, {}, "cpu", first.threads, checkpoint_every=1000)


def words_of(runs, job_spec):
    path = Path(runs) / "groups" / "1.json"
    job_spec.write(path)
    return ["-m", "harness.execution.worker", str(path), "--runs", str(runs)]


def start(runs, job_spec, **environment):
    return forks.start(words_of(runs, job_spec), env=environment)


def start_as_a_job_does(runs, job_spec, **environment):
    """With the signals that this process blocks."""
    return subprocess.Popen(
        [sys.executable, *words_of(runs, job_spec)],
        cwd=tiny_grid.ROOT,
        env=os.environ | {"PYTHONPATH": str(tiny_grid.ROOT)} | environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(process):
    stdout, stderr = process.communicate(timeout=200)
    return process.returncode, stdout + stderr


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
def test_a_signal_however_often_saves_and_gives_its_exit_code(long, number, code):
    plan, student = long
    process = start(plan.runs, job_spec_of(plan, [student]))
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
        process = start_as_a_job_does(plan.runs, job_spec_of(plan, [student]))
        process.send_signal(signal.SIGUSR2)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR2])
    code, output = finish(process)
    assert code == ExitCode.REQUEUE, output
    assert not (plan.runs / student.key / "record.json").exists()


def test_an_attempt_without_a_step_after_another_is_a_failure(long):
    plan, student = long
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    try:
        job_spec = job_spec_of(plan, [student])
        process = start_as_a_job_does(plan.runs, job_spec, SLURM_RESTART_COUNT="1")
        process.send_signal(signal.SIGUSR2)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR2])
    code, output = finish(process)
    assert code == 1, output
    failure = read_json(plan.runs / student.key / "failure.json")
    assert failure["kind"] == "time limit"
    assert "--set cluster.time=" in failure["message"]


def test_a_restarted_attempt_with_progress_is_continued(long):
    plan, student = long
    process = start(plan.runs, job_spec_of(plan, [student]), SLURM_RESTART_COUNT="3")
    in_training(process, plan.runs / student.key)
    process.send_signal(signal.SIGUSR2)
    assert finish(process)[0] == ExitCode.REQUEUE


def test_a_missing_gpu_is_recorded_in_the_runs_folder(long):
    plan, student = long
    job_spec = replace(job_spec_of(plan, [student]), device="cuda")
    code, output = finish(start(plan.runs, job_spec, CUDA_VISIBLE_DEVICES=""))
    assert code == 3
    assert "torch finds none here" in output
    assert read_json(plan.runs / student.key / "failure.json")["kind"] == "setup"


@pytest.fixture
def planned(with_teacher):
    plan = tiny_grid.grid(with_teacher, "kd")
    student = next(spec for spec in plan.specs if spec.teachers)
    return plan, student, job_spec_of(plan, [student])


def check(plan, job_spec, *specs):
    return open_inputs(job_spec, specs or read_specs(job_spec, plan.runs), plan.context)


def test_inputs_as_planned_are_accepted(planned):
    plan, student, job_spec = planned
    assert read_specs(job_spec, plan.runs) == [student]
    dataset, weights = check(plan, job_spec)
    assert dataset.fingerprint == student.fingerprint
    assert weights == {}


def test_other_data_than_planned_is_refused(planned):
    plan, _, job_spec = planned
    picture = next((Path(job_spec.data_root) / "bounding_box_train").glob("*.jpg"))
    picture.unlink()
    with pytest.raises(SetupError, match=r"fingerprint \w+ were not found.*was lost or damaged"):
        check(plan, job_spec)


def test_another_fingerprint_method_or_weight_is_refused(planned, tmp_path):
    plan, student, job_spec = planned
    with pytest.raises(
        SetupError, match="The images of synthetic with the fingerprint 0+ were not found"
    ):
        check(plan, job_spec, replace(student, fingerprint="0" * 16))
    with pytest.raises(SetupError, match="^kd is not what the run was planned with"):
        check(plan, job_spec, replace(student, source="0" * 16))
    with pytest.raises(SetupError, match="weights None of cnn5 do not exist on this machine"):
        check(plan, job_spec, replace(student, weights="0" * 16))
    file = tmp_path / "cnn5.pth"
    file.write_bytes(b"other")
    given = replace(job_spec, weights={"cnn5": str(file)})
    with pytest.raises(SetupError, match="cnn5.pth is not what the run was planned with"):
        check(plan, given, replace(student, weights="0" * 16))
    with pytest.raises(SetupError, match="is a run on cuda, but its job is on cpu"):
        check(plan, job_spec, replace(student, device="cuda"))
    with pytest.raises(SetupError, match=r"is a run with \d+ threads, but its job has 3"):
        check(plan, replace(job_spec, threads=3))
    with pytest.raises(SetupError, match="data root /nowhere does not exist on this machine"):
        check(plan, replace(job_spec, data_root="/nowhere"))


def test_a_run_that_this_code_would_name_otherwise_is_refused(planned):
    plan, student, job_spec = planned
    path = plan.runs / student.key / "spec.json"
    content = json.loads(path.read_text())
    write_json(path, content | {"seed": 5})
    with pytest.raises(SetupError, match="does not fit this code: its key in this version is"):
        read_specs(job_spec, plan.runs)
    path.unlink()
    with pytest.raises(SetupError, match=r"There is no .*spec\.json\. Is the runs folder visible"):
        read_specs(job_spec, plan.runs)


def test_without_its_teacher_a_student_does_not_start(planned):
    plan, student, job_spec = planned
    wait_for_teachers([student], plan.context)
    shutil.rmtree(plan.runs / student.teachers[0].key)
    with pytest.raises(SetupError, match="The teacher .*resnet18.* is not done"):
        wait_for_teachers([student], plan.context)
    code, output = finish(start(plan.runs, job_spec))
    assert code == 3, output


def test_a_job_file_is_read_as_written_and_another_file_is_refused(planned, tmp_path):
    _, _, job_spec = planned
    job_spec.write(tmp_path / "1.json")
    assert JobSpec.read(tmp_path / "1.json") == job_spec
    for text in ("{}", "[]", '{"runs": ["a"], "unknown": 1}'):
        (tmp_path / "other.json").write_text(text)
        with pytest.raises(SetupError, match="is not a (valid|complete) job file"):
            JobSpec.read(tmp_path / "other.json")


def test_every_planned_run_comes_back_from_its_folder(planned):
    plan, _, _ = planned
    for spec in plan.specs:
        assert (
            RunSpec.from_json(json.loads((plan.runs / spec.key / "spec.json").read_text())) == spec
        )
