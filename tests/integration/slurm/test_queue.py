"""Jobs as the real commands report them, with and without accounting."""

import time

import pytest

from harness.core.errors import SlurmError
from slurm import queue
from slurm.queue import query_jobs
from tests.support.slurm_queue import OURS, submit, turn_to

pytestmark = pytest.mark.slurm


def wait_until(ids, condition, seconds=60):
    """Query the jobs until a condition holds; return the last snapshot."""
    limit = time.monotonic() + seconds
    while not condition(snapshot := query_jobs(ids)) and time.monotonic() < limit:
        time.sleep(0.2)
    return snapshot


def test_states_reasons_and_ends_of_jobs(cluster, monkeypatch):
    turn_to(monkeypatch, cluster)
    ended = submit(cluster, "exit 3")
    killed = submit(cluster, "kill -9 $$")
    held = submit(cluster, "true", "--hold")
    later = submit(cluster, "true", "--begin=now+3600")
    array = submit(cluster, "sleep $((SLURM_ARRAY_TASK_ID * 100))", "--array=0-3%2")
    never = submit(cluster, "true", f"--dependency=afterok:{ended}", "--kill-on-invalid-dep=yes")
    one = submit(cluster, "true", "--array=0")
    ids = [
        ended,
        killed,
        held,
        later,
        f"{array}_0",
        f"{array}_1",
        f"{array}_3",
        never,
        one,
        "99999",
    ]
    is_over = lambda name, s: name in s.jobs and s.jobs[name].is_finished  # noqa: E731
    snapshot = wait_until(
        ids,
        lambda s: all(is_over(name, s) for name in (ended, killed, never, one, f"{array}_0")),
    )
    jobs = snapshot.jobs
    assert snapshot.complete and not snapshot.accounting and not snapshot.problems
    assert (jobs[ended].state, jobs[ended].exit_code, jobs[ended].signal) == ("FAILED", 3, 0)
    assert jobs[ended].node in cluster.nodes
    assert (jobs[killed].state, jobs[killed].signal) == ("FAILED", 9)
    assert jobs[held].is_pending and jobs[held].reason.startswith("JobHeld")
    assert jobs[later].reason == "BeginTime" and 3000 < jobs[later].begin - time.time() < 3700
    assert jobs[f"{array}_0"].state == "COMPLETED"
    assert jobs[f"{array}_1"].is_active and not jobs[f"{array}_1"].is_finished
    assert jobs[f"{array}_3"].is_pending or jobs[f"{array}_3"].is_active
    assert jobs[never].state == "CANCELLED"
    assert query_jobs([f"{one}_0"]).jobs[f"{one}_0"].state == "COMPLETED"  # an array of one
    assert "99999" not in jobs
    assert {job.name for job in jobs.values()} == {OURS}
    theirs = {held: "kdreid-20260101", later: "kdreid-20250101-000000-abcd-", ended: "somebody"}
    assert set(query_jobs([held, later, ended, killed], theirs).jobs) == {held, killed}
    cluster.call("scancel", held, later, array)


def test_scontrol_and_squeue_agree(cluster, monkeypatch):
    turn_to(monkeypatch, cluster)
    ended = submit(cluster, "exit 4")
    array = submit(cluster, "sleep 60", "--array=0-2", "--hold")
    wait_until([ended], lambda s: ended in s.jobs and s.jobs[ended].is_finished)
    (job,) = queue._query_scontrol(ended)
    assert (job.id, job.state, job.exit_code, job.source) == (ended, "FAILED", 4, "scontrol")
    elements = queue._query_scontrol(array)
    assert {job.id for job in elements} == {f"{array}_{index}" for index in range(3)}
    assert all(job.is_pending for job in elements)
    cluster.call("scancel", array)


def test_a_requeued_job_has_a_time_before_which_it_does_not_start(cluster, monkeypatch):
    turn_to(monkeypatch, cluster)
    name = submit(cluster, "sleep 100", "--requeue")
    wait_until([name], lambda s: name in s.jobs and s.jobs[name].is_active)
    cluster.call("scontrol", "requeue", name)
    snapshot = wait_until([name], lambda s: s.jobs[name].reason == "BeginTime", 30)
    job = snapshot.jobs[name]
    assert job.is_pending and job.restarts == 1 and job.reason == "BeginTime"
    assert 0 < job.begin - time.time() < 30
    cluster.call("scancel", name)


def test_sacct_knows_jobs_that_the_controller_forgot(accounted, monkeypatch):
    turn_to(monkeypatch, accounted)
    ended = submit(accounted, "exit 5")
    array = submit(accounted, "exit 0", "--array=0-1")
    ids = [ended, f"{array}_0", f"{array}_1"]

    def recorded():
        try:
            jobs = queue._query_sacct(ids)
        except SlurmError:
            return {}
        return jobs if all(name in jobs and jobs[name].is_finished for name in ids) else {}

    limit = time.monotonic() + 60
    while not (jobs := recorded()) and time.monotonic() < limit:
        time.sleep(0.2)
    assert (jobs[ended].state, jobs[ended].exit_code) == ("FAILED", 5)
    assert jobs[f"{array}_1"].state == "COMPLETED" and jobs[ended].source == "sacct"
    assert jobs[ended].name == OURS
    assert query_jobs(["99999"]).accounting


def test_without_a_controller_nothing_is_known(monkeypatch, cluster, tmp_path):
    turn_to(monkeypatch, cluster)
    (tmp_path / "broken.conf").write_text("ClusterName=broken\n")
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "broken.conf"))
    snapshot = query_jobs(["1"])
    assert not snapshot.complete and not snapshot.jobs
    assert "squeue failed" in snapshot.problems[0]
