"""Kill studies with SIGKILL at random moments until each is done, and compare their bits.

    python -m tests.integration.kill_runs --kills 60 --seed 1

Each study draws its images, decodes them, trains a teacher and four students behind it and scores
them, in processes that are killed one after the other. Its results are compared with those of a
study that nobody killed. The processes are forks of one that has imported everything, so that few
kills are spent on imports. It prints what the runs folder held at the kills, and ends with 1 if a
bit differs, a process fails, or something is left behind.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from harness.cli import run as command
from harness.execution import in_process  # noqa: F401  (imported once, before the forks)
from harness.execution.cleanup import find_leftovers, remove_leftover
from harness.planning import plan as planning  # noqa: F401
from harness.runs.layout import CHECKPOINT, RECORD
from tests.support import tiny_grid

METHODS = "fitnet,kdpe,pdrd"  # an adapter with batch statistics, a prepared state, neither


def main() -> int:
    """Kill until the number is reached, finish the last study, and print the figures."""
    parser = argparse.ArgumentParser(description="Kill studies at random moments.")
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--longest", type=float, help="seconds until a kill; default: a third")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="kill-runs-"))
    try:
        return kill_studies(folder, options.kills, options.longest, random.Random(options.seed))
    finally:
        shutil.rmtree(folder)


def kill_studies(folder: Path, kills: int, longest: float | None, draw: random.Random) -> int:
    """Run studies below a folder until so many processes were killed; return the exit code."""
    start = time.monotonic()
    whole = folder / "uninterrupted"
    if (code := wait_for(fork(whole, folder / "log"), None)) != 0:
        return fail(f"the study that nobody killed ended with {code}", folder)
    longest = longest or (time.monotonic() - start) / 3
    keys = [path.parent.relative_to(whole) for path in whole.glob(f"*/*/*/*/{RECORD}")]
    phases: Counter[str] = Counter()
    studies = 0
    while phases.total() < kills:
        runs = folder / f"study{studies}"
        while (pid := fork(runs, folder / "log")) and phases.total() < kills:
            if (code := wait_for(pid, draw.uniform(0, longest))) is not None:
                break
            phases[describe(runs)] += 1
        else:
            code = wait_for(pid, None)
        studies += 1
        if code != 0:
            return fail(f"study {studies} ended with {code}", folder)
        for key in keys:
            tiny_grid.assert_same_run(key, whole, runs)
        leftovers, _ = find_leftovers(runs)
        problems = [problem for one in leftovers if (problem := remove_leftover(one))]
        problems += [f"{path} was left" for path in runs.glob("*/*/*/*/.*")]
        if problems or find_leftovers(runs)[0]:
            return fail(f"study {studies}: {problems}", folder)
        say(
            f"study {studies}, {phases.total()} kills so far: same bits in {len(keys)} runs; "
            f"{len(leftovers)} leftovers, which kdreid clean removes"
        )
        shutil.rmtree(runs)
    say(f"{phases.total()} kills in {studies} studies, {time.monotonic() - start:.0f} s; killed at")
    for phase, count in phases.most_common():
        say(f"{count:>4}  {phase}")
    return 0


def fork(runs: Path, log: Path) -> int:
    """Start the main command in a fork, with a checkpoint after every step; return its id."""
    arguments = ["--study", str(tiny_grid.STUDY), "--methods", METHODS, "--runs", str(runs)]
    if pid := os.fork():
        return pid
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.argv = ["run", *arguments, "--checkpoint-every", "0", "--num-workers", "1"]
    code: object = 1
    try:
        command.main()
    except SystemExit as end:
        code = end.code
    finally:
        os._exit(int(str(code or 0)))


def wait_for(pid: int, seconds: float | None) -> int | None:
    """Return the exit code of a process; None if it was killed after so many seconds."""
    end = None if seconds is None else time.monotonic() + seconds
    while end is None or time.monotonic() < end:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def describe(runs: Path) -> str:
    """Return how far a study is, by what its runs folder holds."""
    folders = [path.parent for path in runs.glob("*/*/*/*/spec.json")]
    records = sum((folder / RECORD).exists() for folder in folders)
    checkpoints = sum((folder / CHECKPOINT).exists() for folder in folders)
    if folders:
        return f"{records} records, {checkpoints} checkpoints"
    if list(runs.glob("data/synthetic-*-????????")):
        return "images drawn"
    return "images half drawn" if list(runs.glob("data/.*.partial")) else "nothing yet"


def fail(problem: str, folder: Path) -> int:
    """Print a problem and the end of the log; return the exit code."""
    log = (folder / "log").read_text(errors="replace")
    say(f"{problem}\n{log[-3000:]}")
    return 1


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
