"""Small grids submitted to a test cluster by the main command, as a user would."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.support.tiny_grid import ROOT, STUDY

PROFILE = {
    "partition": "gpu",
    "time": "0-00:30:00",  # a string, which submitit itself could not requeue with
    "cpus": 1,
    "memory": "1000M",
    "exclude": "n2",  # which belongs to the test that preempts
}


def profile(folder, **changes):
    """Write a profile that fits the test cluster; its path."""
    path = Path(folder) / "cluster.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {name: value for name, value in (PROFILE | changes).items() if value is not None}
    path.write_text("\n".join(f"{name}: {json.dumps(value)}" for name, value in content.items()))
    return path


def start(cluster, runs, *arguments, path=ROOT, **changes):
    """`kdreid run --cluster` in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "harness.run",
        "--study",
        str(STUDY),
        "--runs",
        str(runs),
        "--cluster",
        str(profile(Path(runs).parent / f"{Path(runs).name}-profile", **changes)),
        *arguments,
    ]
    environment = cluster.environment | {"PYTHONPATH": f"{path}{os.pathsep}{ROOT}"}
    return subprocess.Popen(
        command,
        cwd=path,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def submit(cluster, runs, *arguments, code=0, seconds=240, **others):
    """The same to its end; what it said."""
    process = start(cluster, runs, *arguments, **others)
    output, said = process.communicate(timeout=seconds)
    assert process.returncode == code, said
    return output + said


def kdreid(cluster, *arguments, path=ROOT):
    """Any command of ours, with modules in `path`; it may fail."""
    return subprocess.run(
        [sys.executable, "-c", "from harness.cli.app import main; main()", *map(str, arguments)],
        cwd=ROOT,
        env=cluster.environment | {"PYTHONPATH": f"{path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )


def alone(runs, *arguments):
    """The same runs in one undisturbed process, with the key of a job on one core."""
    command = [
        sys.executable,
        "-m",
        "harness.run",
        "--study",
        str(STUDY),
        "--runs",
        str(runs),
        "--threads",
        "1",
        "--device",
        "cpu",
        *arguments,
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)


def groups(runs):
    """All submissions below a runs folder, oldest first."""
    found = [json.loads(path.read_text()) for path in Path(runs).glob("groups/*/group.json")]
    return sorted(found, key=lambda group: group["created"])


def submitted(runs):
    """The ids of all jobs that were ever submitted from a runs folder."""
    return [job["job"] for group in groups(runs) for job in group["jobs"]]


def training(runs, method="none"):
    """Wait until a method's only run is in the middle of its training; its folder."""

    def found():
        for path in Path(runs).glob(f"synthetic/{method}/*/*/progress.json"):
            if json.loads(path.read_text())["step"] > 4:
                return path.parent
        return None

    return until(found)


def queued(cluster, runs):
    """Ids of this runs folder's jobs that are in the queue, an array by its elements."""
    names = tuple(f"kdreid-{group['name']}-" for group in groups(runs))
    lines = cluster.call("squeue", "--noheader", "--array", "--format=%i %j").splitlines()
    return [line.split()[0] for line in lines if line.split()[1].startswith(names)]


def until(condition, seconds=240):
    """Wait until it holds, and give back what it gave."""
    limit = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < limit, "it did not come true in time"
        time.sleep(0.3)
    return value


def ended(cluster, runs, seconds=280):
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
