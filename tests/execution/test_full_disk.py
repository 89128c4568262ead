"""Disks that fill up while a plan is carried out: one sentence, exit code 3, then the same bits."""

import shutil

import pytest

from harness.core.errors import ExitCode
from harness.planning.datasets import generated_folders
from harness.runs.layout import PROGRESS, RECORD
from tests.support import tiny_grid
from tests.support.command_line import call
from tests.support.small_disks import fill, make_read_only, needs_root, small_disk

pytestmark = needs_root


@pytest.fixture
def disk(with_teacher, tmp_path_factory):
    """A disk with a trained teacher and its data."""
    with small_disk(tmp_path_factory.mktemp("disk"), size="100m") as disk:
        shutil.copytree(with_teacher, disk / "runs")
        yield disk


def require_unfinished(outcome, runs, keys):
    """The runs ended with a sentence each, and nothing half-written passes for a result."""
    assert outcome.exit_code == ExitCode.ENVIRONMENT and not outcome.failed
    for key in keys:
        assert outcome.unusable[key].count("No space left on the disk of ") == 1
        assert "Traceback" not in outcome.unusable[key] and "\n" not in outcome.unusable[key]
        assert not (runs / key / RECORD).exists()
        assert not list((runs / key).glob(".*.tmp"))


@pytest.mark.parametrize("leave", [0, 400_000])
def test_a_disk_that_fills_up_in_training(disk, with_teacher, leave):
    runs = disk / "runs"
    plan = tiny_grid.grid(runs, "kd")
    _, *students = [spec.key for spec in plan.specs]
    fill(disk, leave)
    outcome = tiny_grid.launch(plan, interval=0)
    require_unfinished(outcome, runs, students)
    (disk / "filler").unlink()
    again = tiny_grid.launch(plan)
    assert again.done == students and again.exit_code == ExitCode.DONE
    tiny_grid.run(with_teacher, "kd")
    for key in students:
        tiny_grid.assert_same_run(key, runs, with_teacher)


def test_a_failure_that_cannot_be_written_is_printed(disk):
    """Neither the checkpoint nor `failure.json` has room."""
    runs = disk / "runs"
    fill(disk)
    done = call("run", "--study", tiny_grid.STUDY, "--methods", "kd", "--runs", runs)
    assert done.returncode == 3 and "Traceback" not in done.stderr
    assert "No space left on the disk of" in done.stderr
    assert "inline_container" not in done.stderr


def test_progress_that_cannot_be_written_fails_nothing(disk):
    runs = disk / "runs"
    plan = tiny_grid.grid(runs, "kd")
    student = plan.specs[-1].key
    (runs / student / PROGRESS).mkdir(parents=True)  # which no file can replace
    outcome = tiny_grid.launch(plan)
    assert student in outcome.done and outcome.exit_code == ExitCode.DONE


def test_a_disk_that_becomes_read_only(disk):
    runs = disk / "runs"
    plan = tiny_grid.grid(runs, "kd")
    _, *students = [spec.key for spec in plan.specs]
    make_read_only(disk)
    outcome = tiny_grid.launch(plan)
    assert outcome.exit_code == ExitCode.ENVIRONMENT
    assert all("is read-only" in outcome.unusable[key] for key in students)


def test_images_that_cannot_be_drawn(tmp_path):
    with small_disk(tmp_path / "disk", size="100k") as disk:
        done = call("run", "--study", tiny_grid.STUDY, "--methods", "kd", "--runs", disk / "runs")
        assert done.returncode == 3 and "Traceback" not in done.stderr
        assert "kdreid: " in done.stderr and "No space left on the disk of" in done.stderr
        assert generated_folders(disk / "runs") == []
