"""Plans carried out in this process, on runs folders whose files cannot all be used."""

import os
import shutil

import pytest

from harness.core.errors import ExitCode
from harness.runs.layout import FAILURE, RECORD, SPEC
from tests.support import run_folders, tiny_grid

DAMAGES = {
    "cut": lambda path: os.truncate(path, path.stat().st_size // 2),
    "emptied": lambda path: path.write_bytes(b""),
    "a list": lambda path: path.write_text("[]"),
    "a pipe": lambda path: (path.unlink(), os.mkfifo(path)),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "a link to nothing": lambda path: (path.unlink(), path.symlink_to("/not/mounted")),
}


@pytest.mark.parametrize("name", [RECORD, FAILURE, SPEC])
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_run_with_an_unusable_file_is_named_and_left_alone(shared_runs, tmp_path, damage, name):
    plan = tiny_grid.grid(shared_runs, "kd")
    shutil.copytree(shared_runs, tmp_path, dirs_exist_ok=True)
    teacher, plain, student = (spec.key for spec in plan.specs)
    path = tmp_path / student / name
    if name != RECORD:
        (tmp_path / student / RECORD).unlink()
        path.write_text("{}")
    damage(path)
    before = run_folders.everything(tmp_path / student) if path.is_file() else None
    plan, outcome = tiny_grid.run(tmp_path, "kd")
    assert outcome.done == [] and outcome.done_before == [teacher, plain] and not outcome.failed
    assert list(outcome.unusable) == [student]
    assert str(path) in outcome.unusable[student]
    assert outcome.exit_code == ExitCode.ENVIRONMENT
    assert before is None or run_folders.everything(tmp_path / student) == before


def test_a_finished_run_needs_no_spec(shared_runs, tmp_path):
    shutil.copytree(shared_runs, tmp_path, dirs_exist_ok=True)
    plan = tiny_grid.grid(tmp_path, "kd")
    for spec in plan.specs:
        DAMAGES["cut"](tmp_path / spec.key / SPEC)
    outcome = tiny_grid.launch(plan)
    assert len(outcome.done_before) == 3 and outcome.exit_code == ExitCode.DONE


def test_students_of_a_teacher_whose_record_is_damaged_are_blocked(with_teacher):
    plan = tiny_grid.grid(with_teacher, "kd")
    teacher, plain, student = (spec.key for spec in plan.specs)
    weights = (with_teacher / teacher / "model.pt").read_bytes()
    DAMAGES["cut"](with_teacher / teacher / RECORD)
    outcome = tiny_grid.launch(plan)
    assert outcome.done == [plain]  # the others go on
    assert list(outcome.unusable) == [teacher]
    assert list(outcome.failed) == [student] and "blocked: its teacher" in outcome.failed[student]
    assert outcome.exit_code == ExitCode.ENVIRONMENT
    assert (with_teacher / teacher / "model.pt").read_bytes() == weights


def test_a_record_copied_from_another_run_is_no_result_and_teaches_nobody(with_teacher):
    """The files of a run with another seed, copied over those of the teacher."""
    plan = tiny_grid.grid(with_teacher, "kd")
    teacher, plain, student = (spec.key for spec in plan.specs)
    path = with_teacher / teacher / RECORD
    path.write_text(path.read_text().replace("/seed0-", "/seed1-"))
    outcome = tiny_grid.launch(plan)
    assert outcome.done == [plain] and list(outcome.failed) == [student]
    assert f"it is of the run {teacher.replace('/seed0-', '/seed1-')}" in outcome.unusable[teacher]
