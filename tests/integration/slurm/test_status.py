"""States of runs whose jobs Slurm has, on a real cluster."""

import json
import time

import pytest

from harness.execution.cluster.failure_causes import cause_of
from harness.execution.cluster.failures import failed_runs, show_failures
from harness.execution.cluster.status import exit_code, read_status
from harness.runs.layout import CHECKPOINT, GROUPS
from tests.support import run_folders
from tests.support.slurm_queue import OURS, submit, turn_to

pytestmark = pytest.mark.slurm


def until(runs, expected, seconds=90):
    """Read the states until they are as expected; return the rows by key."""
    limit = time.monotonic() + seconds
    while True:
        rows = {row.key: row for row in read_status(runs).rows}
        states = {key: rows[key].state for key in expected}
        if states == expected or time.monotonic() > limit:
            assert states == expected, {key: (row.state, row.detail) for key, row in rows.items()}
            return rows
        time.sleep(0.3)


@pytest.mark.parametrize("which", ["cluster", "accounted"])
def test_every_state_of_a_job(which, request, monkeypatch, tmp_path):
    cluster = request.getfixturevalue(which)
    turn_to(monkeypatch, cluster)
    keys = [run_folders.waiting(tmp_path, seed) for seed in range(9)]
    again = submit(cluster, "sleep 300", "--requeue")
    jobs = [
        submit(cluster, "sleep 300"),
        submit(cluster, "true", "--hold"),
        submit(cluster, "exit 3"),
        submit(cluster, "kill -9 $$"),
        again,
        submit(cluster, "true"),  # ends well, but nobody wrote a record
        submit(cluster, "sleep 300"),
        "99999",  # forgotten long ago
        submit(cluster, "sleep 300", "--job-name=other"),  # as of another cluster, by its number
    ]
    (tmp_path / keys[6] / CHECKPOINT).write_bytes(b"")
    run_folders.submitted(tmp_path, [(job, [key]) for job, key in zip(jobs, keys, strict=True)])
    until(tmp_path, {keys[0]: "starting", keys[4]: "starting", keys[6]: "starting"})
    cluster.call("scontrol", "requeue", again)
    cluster.call("scancel", jobs[6])
    before = run_folders.everything(tmp_path)
    rows = until(
        tmp_path,
        dict(
            zip(
                keys,
                (
                    "starting",
                    "queued",
                    "failed",
                    "failed",
                    "requeued",
                    "lost",
                    "interrupted",
                    "lost",
                    "lost",
                ),
                strict=True,
            )
        ),
    )
    assert run_folders.everything(tmp_path) == before
    assert "held; release it with scontrol release" in rows[keys[1]].detail
    assert "ended as FAILED, exit code 3" in rows[keys[2]].detail
    assert "signal 9" in rows[keys[3]].detail and cause_of(rows[keys[3]]) == "killed"
    assert ", until " in rows[keys[4]].detail and rows[keys[4]].until > time.time() - 30
    assert "was cancelled" in rows[keys[6]].detail
    assert "disappeared without a record or an error" in rows[keys[7]].detail
    assert exit_code(rows.values()) == 4
    cluster.call("scancel", *jobs[:7], jobs[8])


def test_students_whose_teacher_failed_are_blocked(cluster, monkeypatch, tmp_path):
    turn_to(monkeypatch, cluster)
    teacher = run_folders.waiting(tmp_path, 0)
    student = run_folders.waiting(tmp_path, 1, method="kd", teachers=(run_folders.spec(0),))
    first = submit(cluster, "sleep 2; exit 1")
    second = submit(cluster, "true", f"--dependency=afterok:{first}", "--kill-on-invalid-dep=yes")
    run_folders.submitted(tmp_path, [(first, [teacher]), (second, [student])])
    rows = until(tmp_path, {student: "queued"}, 5)
    assert "after its teacher" in rows[student].detail
    rows = until(tmp_path, {teacher: "failed", student: "blocked"})
    assert exit_code(rows.values()) == 1
    causes = {failure.row.key: failure.cause for failure in failed_runs(tmp_path)}
    assert causes == {teacher: "error", student: "blocked"}


def test_failures_are_grouped_by_what_the_log_says(cluster, monkeypatch, tmp_path):
    turn_to(monkeypatch, cluster)
    keys = [run_folders.waiting(tmp_path, seed) for seed in range(3)]
    logs = tmp_path / GROUPS / "20260101-000000-abcd" / "logs"
    logs.mkdir(parents=True)
    words = (
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
        "ModuleNotFoundError: No module named 'torchdistill'",
        "slurmstepd: error: Detected 1 oom-kill event(s) in StepId=4.0",
    )
    jobs = [
        cluster.call(
            "sbatch",
            "--parsable",
            f"--job-name={OURS}",
            "--mem=10",
            f"--error={logs}/%j_0_log.err",
            f"--output={logs}/%j_0_log.out",
            f"--wrap=echo '{line}' >&2; exit 1",
        )
        for line in [word.replace("'", "") for word in words]
    ]
    run_folders.submitted(tmp_path, list(zip(jobs, ([key] for key in keys), strict=True)))
    until(tmp_path, dict.fromkeys(keys, "failed"), 30)
    lines = []
    assert show_failures([], [], tmp_path, lines.append, as_json=False) == 1
    text = "\n".join(lines)
    for cause, word in zip(("gpu-memory", "import-error", "host-memory"), words, strict=True):
        assert f"{cause}: 1 run" in text
        assert f"| {word}".replace("'", "") in text
    assert f"kdreid retry --only gpu-memory --runs {tmp_path} --with recipe.images_each=3" in text


def test_a_job_whose_submitter_died_is_found_by_its_name(cluster, monkeypatch, tmp_path):
    turn_to(monkeypatch, cluster)
    key, other = run_folders.waiting(tmp_path, 0), run_folders.waiting(tmp_path, 1)
    folder = run_folders.submitted(tmp_path, [(None, [key]), (None, [other])])
    title = f"kdreid-{folder.name}-1"
    content = json.loads((folder / "group.json").read_text())
    for index, job in enumerate(content["jobs"]):
        job |= {"array": title, "index": index}
    (folder / "group.json").write_text(json.dumps(content))
    array = submit(cluster, "sleep 100", "--array=0-1", "--hold", f"--job-name={title}")
    rows = until(tmp_path, {key: "queued", other: "queued"}, 10)
    assert rows[other].job == f"{array}_1"
    cluster.call("scancel", array)
