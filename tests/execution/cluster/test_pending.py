"""Runs of a plan that need a job, and the reasons of those that need none."""

import pytest

from harness.core.errors import SlurmError
from harness.core.lease import try_acquire
from harness.execution.cluster.pending import active_jobs, select_pending
from harness.runs.layout import GROUPS
from harness.runs.origin import code_digests
from harness.runs.record import write_record
from harness.runs.spec import SCORING_VERSION
from harness.runs.states import FailureKind
from slurm.resources import Resources
from tests.support import run_folders

SMALL = Resources(minutes=10)
GROUP = "20260101-000000-abcd"


def select(runs, *cohorts, retry_diverged=False, again=False):
    resources = {spec.key: SMALL for cohort in cohorts for spec in cohort}
    return select_pending(cohorts, resources, runs, retry_diverged=retry_diverged, again=again)


def student(seed, *teachers):
    return run_folders.spec(seed, method="kd", teachers=teachers)


def test_a_teacher_and_its_students_are_two_jobs(tmp_path):
    teacher, plain = run_folders.TEACHER, run_folders.spec(1)
    first, second = student(2, teacher), student(3, teacher)
    pending = select(tmp_path, [teacher], [plain, first, second])
    assert [(job.number, job.after) for job in pending.jobs] == [(1, ()), (2, (1,))]
    # The plain student waits with the others, whose data stream it shares.
    assert pending.jobs[1].runs == (plain.key, first.key, second.key)
    assert pending.skipped == {}


def test_reasons_of_runs_that_need_no_job(tmp_path):
    run_folders.done(tmp_path, 0)
    run_folders.failed(tmp_path, 1, kind=FailureKind.DIVERGED)
    done, diverged, blocked = (
        run_folders.spec(0),
        run_folders.spec(1),
        student(2, run_folders.spec(1)),
    )
    held = run_folders.spec(3)
    with try_acquire(tmp_path / held.key):
        pending = select(tmp_path, [diverged, held], [blocked])
    assert not pending.jobs
    reasons = {key: skipped.reason for key, skipped in pending.skipped.items()}
    diverges = "diverged before and would diverge again; --retry-diverged trains it anyway"
    assert reasons[diverged.key] == diverges
    assert reasons[blocked.key] == f"blocked: its teacher {diverged.key} {diverges}"
    assert "is trained by process" in reasons[held.key]
    assert [key for key, skipped in pending.skipped.items() if skipped.is_active] == [held.key]
    assert len(select(tmp_path, [diverged], retry_diverged=True).jobs) == 1
    # A run of an older scoring version is scored again, which needs a job.
    assert [job.runs for job in select(tmp_path, [done]).jobs] == [(done.key,)]


def test_finished_runs_of_other_code_have_jobs_on_request(tmp_path):
    """And so have the students of such a teacher, whatever made them."""
    teacher, plain = run_folders.TEACHER, run_folders.spec(1)
    taught = student(2, teacher)
    for spec, training in ((teacher, "x"), (plain, None), (taught, None)):
        code = code_digests() | ({"training": training} if training else {})
        content = {
            "scoring_version": SCORING_VERSION,
            "result": run_folders.RESULT | {"model": "w"},
            "code": code,
        }
        write_record(tmp_path, spec, content | {"teachers": ["w"] if spec.teachers else []})
    cohorts = ([teacher], [plain, taught])
    assert select(tmp_path, *cohorts).jobs == []
    pending = select(tmp_path, *cohorts, again=True)
    jobs = [(job.runs, job.after) for job in pending.jobs]
    assert jobs == [((teacher.key,), ()), ((taught.key,), (1,))]
    assert pending.skipped[plain.key].reason == "done"
    with try_acquire(tmp_path / teacher.key):
        assert select(tmp_path, *cohorts, again=True).jobs == []


def test_a_teacher_in_a_local_pool_is_not_a_dependency_of_slurms(tmp_path):
    """Slurm would refuse its id; the worker itself waits for the teacher."""
    teacher = run_folders.waiting(tmp_path, 0)
    run_folders.submitted(tmp_path, [("local-7", [teacher])], group=GROUP, kind="local")
    with try_acquire(tmp_path / GROUPS / GROUP):
        assert active_jobs([teacher], tmp_path) == {teacher: "local-7"}
        pending = select(tmp_path, [run_folders.spec(0)], [student(1, run_folders.spec(0))])
    assert pending.skipped[teacher].reason == "has a job: local-7"
    assert [job.after for job in pending.jobs] == [()]


def test_an_unreachable_queue_that_may_have_jobs_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    key = run_folders.waiting(tmp_path)
    assert active_jobs([key], tmp_path) == {}
    run_folders.submitted(tmp_path, [("17", [key])], group=GROUP)
    with pytest.raises(SlurmError, match="Earlier jobs of these runs may still be in the queue"):
        active_jobs([key], tmp_path)
