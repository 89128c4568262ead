"""An interrupted run of which one file is damaged: the same result, or a refusal that names it."""

import json
import os
import random
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.core.errors import ExitCode, RunInterrupted
from harness.core.lease import LEASE
from harness.runs.layout import (
    CACHE_FOLDER,
    CHECKPOINT,
    CURVE,
    DATA_FOLDER,
    MODEL,
    PREPARED,
    PROGRESS,
    RECORD,
    SPEC,
)
from tests.fuzz.damages import damages, inflict
from tests.fuzz.mutate import Case, assert_good, run_command
from tests.fuzz.verdicts import EQUAL, HANG, OTHER, REFUSED, SAID, TRACEBACK, speaks_of
from tests.support import tiny_grid
from tests.support.stopping import StopAfter

# The clock of a case is SIGALRM, which the timeouts of pytest use, too.
pytestmark = pytest.mark.timeout(1200, method="thread")
CASES_OF_200 = 25


@dataclass
class Interrupted:
    """A runs folder with an interrupted run, and the result of going on while all is whole."""

    folder: Path
    key: str
    command: tuple[object, ...]  # without --runs
    files: list[Path]  # relative: what the run reads when it goes on, the more important more often
    result: dict[str, object]


@pytest.fixture(scope="module")
def interrupted(mixed_runs, tmp_path_factory):
    """A run of a method with a prepared state, stopped after some steps, and its teacher."""
    folder, (teacher, plain, *_) = tmp_path_factory.mktemp("interrupted"), mixed_runs.done
    for name in (DATA_FOLDER, CACHE_FOLDER, teacher, plain):
        shutil.copytree(mixed_runs.folder / name, folder / name)
    plan = tiny_grid.grid(folder, "kdpe", teacher="cnn5")
    with pytest.raises(RunInterrupted):
        tiny_grid.launch(plan, stop=StopAfter(5))
    key = plan.specs[-1].key
    assert {CHECKPOINT, PROGRESS, SPEC} == {path.name for path in (folder / key).iterdir()}
    shutil.copyfile(mixed_runs.folder / key / CURVE, folder / key / CURVE)  # of a killed attempt
    lease = folder / key / LEASE  # of a process that ended long ago on another machine
    lease.write_text(json.dumps({"token": "t", "machine": "m", "host": "n", "process": 4}))
    os.utime(lease, (time.time() - 3600,) * 2)
    command = ("run", *mixed_runs.study("kdpe")[:-4], "--num-workers", 0)
    own = [
        folder / key / name for name in 3 * (CHECKPOINT,) + 2 * (SPEC, LEASE) + (CURVE, PROGRESS)
    ]
    prepared = [*(folder / teacher / PREPARED).glob("*.pt")]
    of_teacher = [folder / teacher / name for name in 2 * (MODEL, RECORD) + (SPEC,)]
    images = [*folder.glob(f"{CACHE_FOLDER}/*/*.*"), *folder.glob(f"{DATA_FOLDER}/*/*.json")]
    files = [*own, *3 * prepared, *of_teacher, *sorted(images)]
    assert all(file.is_file() for file in files)
    whole = tmp_path_factory.mktemp("whole") / "runs"
    shutil.copytree(folder, whole)
    called = run_command(*command, "--runs", whole)
    assert called.code == 0, called
    relative = [file.relative_to(folder) for file in files]
    return Interrupted(folder, key, command, relative, tiny_grid.result_of(whole, key))


def has_same_result(case, runs):
    """Whether the run in a copy of its runs folder ended with the same bits."""
    try:
        tiny_grid.assert_same_bits(tiny_grid.result_of(runs, case.key), case.result)
    except (AssertionError, OSError):
        return False
    return True


def judge(called, path, is_same):
    """What became of a damaged file: see `tests.fuzz.verdicts`; a refusal has exit code 3."""
    if called.failure:
        return HANG if called.failure == HANG else TRACEBACK
    if "Traceback (most recent call last)" in called.errors:
        return TRACEBACK
    is_named = any(speaks_of(line, path) for line in called.lines)
    if called.code:
        return REFUSED if is_named and called.code == ExitCode.ENVIRONMENT else OTHER
    return OTHER if not is_same else SAID if is_named else EQUAL


def go_on(interrupted, number, seed, runs):
    """Damage a file of a copy, go on with its run, and tell what became of it."""
    source = random.Random(f"{seed}-{number}")
    shutil.copytree(interrupted.folder, runs)
    files = [runs / file for file in interrupted.files]
    path = files[number % len(files)]
    damage = source.choice(damages(path))
    inflict(damage, path, source, [file for file in files if file != path])
    called = run_command(*interrupted.command, "--runs", runs)
    verdict = judge(called, path, has_same_result(interrupted, runs))
    shutil.rmtree(runs)
    return Case(path, damage.__name__, "run", verdict, called)


def test_going_on(interrupted, cases, seed, tmp_path):
    count = CASES_OF_200 * cases // 200
    assert_good(go_on(interrupted, number, seed, tmp_path / str(number)) for number in range(count))
