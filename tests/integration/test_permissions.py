"""Permissions and group of every file that commands leave in a runs folder."""

import os

import pytest

from harness.core.signals import StopRequest
from harness.runs.layout import GROUPS
from tests.support import tiny_grid
from tests.support.command_line import invoke

GROUP_NUMBER = 61_234  # of nobody here


@pytest.fixture(params=[0o022, 0o002, 0o027], ids=oct)
def mask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def require_permissions(runs, mask, group):
    paths = [runs, *runs.rglob("*")]
    for path in paths:
        status = path.stat()
        usual = 0o777 if path.is_dir() else 0o666
        assert status.st_mode & 0o777 == usual & ~mask, path
        assert status.st_gid == group, path
        if path.is_dir() and group == GROUP_NUMBER:
            assert status.st_mode & 0o2000, path
    return {path.name for path in paths}


def test_all_files_obey_the_umask_and_the_group_of_the_runs_folder(with_teacher, tmp_path, mask):
    """Of runs, submissions, logs, copies of code, caches, images, measurements and reports."""
    runs = tmp_path / "shared"
    runs.mkdir()
    group = GROUP_NUMBER if os.geteuid() == 0 else runs.stat().st_gid
    os.chown(runs, -1, group)
    runs.chmod(0o2777 & ~mask)
    study = ("--study", tiny_grid.STUDY, "--methods", "ft", "--runs", runs)
    for words in (
        ("run", *study, "--cluster", "local", "--set", "cluster.gpus=0", "--set", "cluster.cpus=1"),
        ("measure-consistency", "--runs", runs),
        ("export-embeddings", "1", "2", "--runs", runs),
        ("compare-rankings", "1", "2", "--runs", runs),
        ("report", "--runs", runs),
    ):
        done = invoke(*words)
        assert done.returncode == 0, done.stderr
    names = require_permissions(runs, mask, group)
    assert names >= {
        *("spec.json", "job.json", "record.json", "model.pt", "per_query.npz", "curve.csv"),
        *("group.json", "1.json", "logs", "code", "synthetic.json", "ready.json", "train.npy"),
        *("prepared", "consistency.json", "embeddings.npz", "tables.tex", "figures"),
    }
    assert any(name.startswith("ranked-") for name in names)
    assert any((runs / GROUPS).rglob("*.out"))


def test_what_exists_while_a_run_trains_does_so_too(with_teacher, mask):
    """Leases, checkpoints, progress and a failure."""
    plan = tiny_grid.grid(with_teacher, "kd")
    seen = {}

    class Stop(StopRequest):
        """It is asked before every step, and looks at the student's files then."""

        @property
        def requested(self):
            for path in with_teacher.glob("synthetic/kd/*/*/*"):
                seen[path.name] = path.stat().st_mode & 0o777
            return False

    outcome = tiny_grid.launch(plan, interval=0, stop=Stop())
    assert not outcome.failed
    for name in ("lease", "checkpoint.pt", "spec.json"):
        assert seen[name] == 0o666 & ~mask, name
