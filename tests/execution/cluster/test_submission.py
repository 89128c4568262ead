"""Files of a submission: other versions of the program read and write the same."""

import json
import re

from harness.execution.cluster.job_spec import JobSpec
from harness.execution.cluster.submission import (
    ClusterJob,
    Submission,
    array_name,
    new_submission_name,
)
from harness.runs.submissions import last_submission, log_files
from slurm.resources import Resources

KEY = "synthetic/kd/resnet18-cnn5/seed0-12345678"
NAME = "20260101-000000-abcd"


def submission():
    job = ClusterJob(1, (KEY,), Resources(minutes=5, flags=(("nice", "5"),)), (), "12_0", "a", 0)
    return Submission(NAME, "gpu", "slurm", "kdreid run", "/code", [job], created=1000.0)


def test_a_submission_keeps_its_form_on_disk(tmp_path):
    written = submission()
    written.write(tmp_path, written.jobs)
    assert json.loads((tmp_path / "groups" / NAME / "group.json").read_text()) == {
        "name": NAME,
        "cluster": "gpu",
        "kind": "slurm",
        "command": "kdreid run",
        "snapshot": "/code",
        "created": 1000.0,
        "jobs": [
            {
                "number": 1,
                "runs": [KEY],
                "after": [],
                "job": "12_0",
                "array": "a",
                "index": 0,
                "resources": {
                    "minutes": 5,
                    "gpus": 0,
                    "gres": None,
                    "cpus": 4,
                    "memory": None,
                    "partition": None,
                    "account": None,
                    "qos": None,
                    "constraint": None,
                    "exclude": None,
                    "flags": [["nice", "5"]],
                    "setup": [],
                    "container": None,
                    "python": None,
                    "stop_ahead": 90,
                },
            }
        ],
    }
    assert json.loads((tmp_path / KEY / "job.json").read_text()) == {
        "group": NAME,
        "number": 1,
        "job": "12_0",
        "cluster": "gpu",
        "submitted": 1000.0,
    }


def test_a_submission_is_read_back(tmp_path):
    written = submission()
    written.write(tmp_path, written.jobs)
    folder = written.logs(tmp_path)
    folder.mkdir()
    (folder / "12_0_0_log.err").touch()
    last = last_submission(tmp_path, KEY)
    assert (last.group, last.number, last.slurm_id, last.cluster) == (NAME, 1, "12_0", "gpu")
    (logs,) = log_files(tmp_path, KEY)
    assert [path.name for path in logs.files] == ["12_0_0_log.err"]


def test_a_job_file_keeps_its_form_on_disk(tmp_path):
    path = submission().job_file(tmp_path, submission().jobs[0])
    assert path == tmp_path / "groups" / NAME / "1.json"
    JobSpec((KEY,), "synthetic", "/data", {"cnn5": "/w.pth"}, "cuda", 0).write(path)
    assert json.loads(path.read_text()) == {
        "runs": [KEY],
        "dataset": "synthetic",
        "data_root": "/data",
        "weights": {"cnn5": "/w.pth"},
        "device": "cuda",
        "threads": 0,
        "workers": 2,
        "checkpoint_every": 300.0,
        "allow_partial": False,
        "cache": True,
        "retry": False,
        "again": False,
    }


def test_names_sort_by_age_and_are_those_of_arrays_in_the_queue():
    assert re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{4}", new_submission_name())
    assert array_name(NAME, 3) == f"kdreid-{NAME}-3"
