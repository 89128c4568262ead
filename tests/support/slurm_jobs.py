"""Small grids submitted to a test cluster by the command line, as a user would."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

from tests.support import forks
from tests.support.command_line import COMMANDS, invoke
from tests.support.tiny_grid import ROOT, STUDY

PROFILE = {
    "partition": "gpu",
    "time": "0-00:30:00",  # a string, which submitit itself could not requeue with
    "cpus": 1,
    "memory": "1000M",
    "exclude": "n2",  # which belongs to the test that preempts
}
POLL_SECONDS = 0.2
WITHOUT_REPORT = """
from harness.cli import run, run_printing

run_printing.print_report = lambda runs: ()
run.main()
"""


def profile(folder, **changes):
    """Write a profile that fits the test cluster; its path."""
    path = Path(folder) / "cluster.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {name: value for name, value in (PROFILE | changes).items() if value is not None}
    path.write_text("\n".join(f"{name}: {json.dumps(value)}" for name, value in content.items()))
    return path


def profile_folder(runs):
    """The folder of the profile with which `submit` submits to a runs folder."""
    return Path(runs).parent / f"{Path(runs).name}-profile"


def retry_arguments(runs):
    """Arguments of `kdreid retry` for the runs and profile of `submit`."""
    return ["retry", "--runs", runs, "--cluster", profile_folder(runs) / "cluster.yaml"]


def run_arguments(runs, *arguments, **changes):
    """Arguments of `kdreid run` for a profile with these changes, which is written."""
    path = profile(profile_folder(runs), **changes)
    return ["--study", str(STUDY), "--runs", str(runs), "--cluster", str(path), *arguments]


def start(cluster, runs, *arguments, path=ROOT, **changes):
    """`kdreid run --cluster` in a process of its own, with modules in `path`."""
    words = ["-m", "harness.run", *run_arguments(runs, *arguments, **changes)]
    environment = cluster.environment | {"PYTHONPATH": f"{path}{os.pathsep}{ROOT}"}
    if not (path / "harness").exists() or path == ROOT:
        return forks.start(words, cwd=path, env=environment)
    return subprocess.Popen(  # with other code of ours than a fork would have
        [sys.executable, *words],
        cwd=path,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def submit(cluster, runs, *arguments, code=0, seconds=240, **others):
    """The same to its end; what it printed."""
    process = start(cluster, runs, *arguments, **others)
    stdout, stderr = process.communicate(timeout=seconds)
    assert process.returncode == code, stderr
    return stdout + stderr


def submit_here(cluster, runs, *arguments, code=0, **changes):
    """The same in this process, which saves the import of torch."""
    result = kdreid(cluster, "run", *run_arguments(runs, *arguments, **changes))
    assert result.returncode == code, result.stderr
    return result.stdout + result.stderr


def kdreid(cluster, *arguments):
    """Any command of ours in this process; it may fail."""
    with mock.patch.dict(os.environ, cluster.environment):
        return invoke(*arguments)


def kdreid_process(cluster, *arguments, path):
    """Any command of ours in a process of its own, with modules in `path`; it may fail."""
    environment = cluster.environment | {"PYTHONPATH": f"{path}{os.pathsep}{ROOT}"}
    return forks.call([*COMMANDS["kdreid"], *arguments], env=environment)


def start_alone(runs, *arguments):
    """Train the same runs in one undisturbed process, with the keys of jobs on one core."""
    grid = ["--study", str(STUDY), "--runs", str(runs), "--threads", "1", "--device", "cpu"]
    return forks.start(["-c", WITHOUT_REPORT, *grid, *arguments])


def finish(process, seconds=500):
    """Wait until a process of `start_alone` has ended well."""
    _, stderr = process.communicate(timeout=seconds)
    assert process.returncode == 0, stderr


def groups(runs):
    """All submissions below a runs folder, oldest first."""
    contents = [json.loads(path.read_text()) for path in Path(runs).glob("groups/*/group.json")]
    return sorted(contents, key=lambda group: group["created"])


def submitted(runs):
    """The ids of all jobs that were ever submitted from a runs folder."""
    return [job["job"] for group in groups(runs) for job in group["jobs"]]


def training(runs, method="none"):
    """Wait until a method's only run is in the middle of its training; its folder."""

    def folder():
        for path in Path(runs).glob(f"synthetic/{method}/*/*/progress.json"):
            if json.loads(path.read_text())["step"] > 4:
                return path.parent
        return None

    return until(folder)


def queued(cluster, runs):
    """Ids of this runs folder's jobs that are in the queue, an array by its elements."""
    names = tuple(f"kdreid-{group['name']}-" for group in groups(runs))
    lines = cluster.call("squeue", "--noheader", "--array", "--format=%i %j").splitlines()
    return [line.split()[0] for line in lines if line.split()[1].startswith(names)]


def until(condition, seconds=400):
    """Wait until it holds, and give back what it gave."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(POLL_SECONDS)
    return value


def ended(cluster, runs, seconds=400):
    """Wait until the queue holds no job of a runs folder."""
    until(lambda: not queued(cluster, runs), seconds)


def logs(runs):
    """All that the jobs wrote."""
    paths = sorted(Path(runs).glob("groups/*/logs/*_log.*"))
    return "\n".join(path.read_text() for path in paths)


def records(runs):
    """The keys of the runs that are done."""
    return sorted(
        path.parent.relative_to(runs).as_posix() for path in Path(runs).glob("*/*/*/*/record.json")
    )
