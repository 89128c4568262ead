"""The whole project: a teacher and twelve students, from one command to the tables."""

import json
import re

import pytest

from methods import METHODS
from tests.support import slurm_jobs

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(900)]


def test_a_teacher_and_twelve_students_from_submission_to_tables(accounted, tmp_path):
    runs = tmp_path / "runs"
    output = slurm_jobs.submit(accounted, runs, "--methods", "all", "--watch", seconds=800, cpus=2)
    (group,) = slurm_jobs.groups(runs)
    assert [len(job["runs"]) for job in group["jobs"]] == [1, 13]  # one cohort: 12 and the plain
    assert group["jobs"][1]["after"] == [1]
    done = slurm_jobs.records(runs)
    assert {key.split("/")[1] for key in done} == {"none", *METHODS}
    table = slurm_jobs.kdreid(accounted, "report", "--no-figures", "--runs", runs).stdout
    assert table and table in output  # watching ends with it
    for key in done:
        record = json.loads((runs / key / "record.json").read_text())
        score = f"{100 * record['result']['evaluations']['test'][0]['mAP']:.2f}"
        assert re.search(rf"\b{re.escape(score)}\b", table), key
    assert slurm_jobs.kdreid(accounted, "status", "--runs", runs).returncode == 0
