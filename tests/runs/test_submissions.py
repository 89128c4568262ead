"""Submissions of runs and their logs, as files tell of them."""

import pytest

from harness.core.errors import DamagedFileError
from harness.core.files import write_json
from harness.core.lease import try_acquire
from harness.runs.groups import job_name_prefix, read_run_submission, read_submission
from harness.runs.layout import GROUPS, JOB, LOGS
from harness.runs.submissions import (
    iter_submissions,
    last_submission,
    log_files,
    submitted_jobs,
)
from tests.support import run_folders

FIRST, SECOND = "20260101-000000-aaaa", "20260102-000000-bbbb"


def test_the_last_submission_of_a_run_is_the_newest(tmp_path):
    key = run_folders.waiting(tmp_path)
    assert last_submission(tmp_path, key) is read_run_submission(tmp_path, key) is None
    run_folders.submitted(tmp_path, [("12_3", [key])], group=FIRST)
    run_folders.submitted(tmp_path, [(None, []), ("local-7", [key])], group=SECOND)
    last = last_submission(tmp_path, key)
    assert (last.group, last.number, last.job, last.cluster) == (SECOND, 2, "local-7", "test")
    assert read_run_submission(tmp_path, key)["group"] == SECOND


@pytest.mark.parametrize(
    ("job", "slurm_id", "is_local"),
    [
        ("12", "12", False),
        ("12_3", "12_3", False),
        ("local-12", None, True),
        (None, None, False),
        ("12_x", None, False),
    ],
)
def test_a_job_is_slurms_local_or_neither(tmp_path, job, slurm_id, is_local):
    key = run_folders.waiting(tmp_path)
    run_folders.submitted(tmp_path, [(job, [key])])
    last = last_submission(tmp_path, key)
    assert (last.slurm_id, last.is_local) == (slurm_id, is_local)


def test_a_pool_is_alive_while_its_process_holds_the_submission(tmp_path):
    key = run_folders.waiting(tmp_path)
    run_folders.submitted(tmp_path, [(None, [key])], group=FIRST, kind="local")
    last = last_submission(tmp_path, key)
    assert not last.is_pool_alive(tmp_path)
    with try_acquire(tmp_path / GROUPS / FIRST):
        assert last.is_pool_alive(tmp_path)


@pytest.mark.parametrize("content", [{}, {"group": "g"}, {"group": "g", "number": "one"}])
def test_a_submission_of_another_form_is_damaged(tmp_path, content):
    key = run_folders.waiting(tmp_path)
    write_json(tmp_path / key / JOB, content)
    with pytest.raises(DamagedFileError, match=r"job\.json is damaged"):
        last_submission(tmp_path, key)


def test_submissions_come_oldest_first_without_damaged_ones(tmp_path):
    for name in (SECOND, FIRST):
        run_folders.submitted(tmp_path, [("7", ["key"])], group=name)
    damaged = tmp_path / GROUPS / "20260103-000000-cccc"
    damaged.mkdir()
    (damaged / "group.json").write_text("{")
    linked = tmp_path / GROUPS / "20260104-000000-dddd"
    linked.mkdir()
    (linked / "group.json").symlink_to("nothing")
    (tmp_path / GROUPS / "20260105-000000-eeee").mkdir()
    problems = []
    found = [folder.name for folder, _ in iter_submissions(tmp_path, problems)]
    assert found == [FIRST, SECOND]
    of_damaged, of_linked = problems
    assert f"{damaged}/group.json is damaged" in of_damaged
    assert f"{linked}/group.json is a link to nothing" in of_linked
    assert read_submission(tmp_path, FIRST)["name"] == FIRST
    with pytest.raises(DamagedFileError, match=r"group\.json is damaged"):
        read_submission(tmp_path, damaged.name)


@pytest.mark.parametrize("jobs", [None, "text", [1], [{"number": 1}], [{"number": 1, "runs": [2]}]])
def test_a_submission_with_jobs_of_another_form_is_damaged(tmp_path, jobs):
    write_json(tmp_path / GROUPS / FIRST / "group.json", {"jobs": jobs})
    with pytest.raises(DamagedFileError, match="it does not list jobs"):
        read_submission(tmp_path, FIRST)
    assert list(iter_submissions(tmp_path)) == []


def test_the_jobs_of_a_submission_are_those_in_its_file(tmp_path):
    run_folders.submitted(tmp_path, [("7", ["key"]), (None, [])], group=FIRST)
    jobs = submitted_jobs(read_submission(tmp_path, FIRST))
    assert [(job["number"], job["runs"]) for job in jobs] == [(1, ["key"]), (2, [])]


def test_logs_are_found_by_the_jobs_id_or_number(tmp_path):
    key = run_folders.waiting(tmp_path)
    first = run_folders.submitted(tmp_path, [("12_3", [key]), ("12_4", ["other"])], group=FIRST)
    second = run_folders.submitted(tmp_path, [(None, ["other"]), (None, [key])], group=SECOND)
    for name in ("12_3_0_log.err", "12_3_0_log.out", "12_3_1_log.out", "12_4_0_log.out", "x.out"):
        (first / LOGS / name).touch()
    for name in ("2.out", "2_log.err", "21.out"):
        (second / LOGS / name).touch()
    older, newer = log_files(tmp_path, key)
    assert (older.group, older.number, older.job) == (FIRST, 1, "12_3")
    assert [path.name for path in older.files] == [
        "12_3_0_log.out",
        "12_3_1_log.out",
        "12_3_0_log.err",
    ]
    assert (newer.group, newer.number, newer.job) == (SECOND, 2, "")
    assert [path.name for path in newer.files] == ["2.out", "2_log.err"]


def test_names_of_jobs_begin_with_their_submission():
    assert job_name_prefix(FIRST) == f"kdreid-{FIRST}-"
