"""Files that keep the books, damaged in many ways: every command answers without a traceback."""

import json
import math
import os
import random
from contextlib import suppress

import pytest

from harness.core.errors import KDReIDError
from harness.core.lease import LEASE
from harness.core.progress import Reporter
from harness.execution.cleanup import find_leftovers
from harness.execution.cluster.cancel import cancel_runs
from harness.execution.cluster.failures import show_failures
from harness.execution.cluster.logs import show_logs
from harness.execution.cluster.pending import select_pending
from harness.execution.cluster.retry import RetryRequest, retry_runs
from harness.execution.cluster.status import read_status
from harness.runs.layout import CACHE_FOLDER, FAILURE, GROUP, JOB, PROGRESS, SPEC
from harness.runs.states import RunState
from tests.support import run_folders

GROUP_NAME = "20260101-000000-abcd"
VALUES = (
    None,
    True,
    -1,
    1e308,
    float("nan"),
    float("inf"),
    10**400,
    "",
    "x",
    "../..",
    [],
    [[1]],
    {},
)
LEASE_CONTENT = {"token": "t", "machine": "elsewhere", "host": "n", "process": 4, "since": 0}


@pytest.fixture
def runs(tmp_path):
    """A failed, an interrupted and a waiting run of one submission to a pool that has ended."""
    keys = [
        run_folders.failed(tmp_path, 0, trace="Traceback"),
        run_folders.interrupted(tmp_path, 1),
        run_folders.waiting(tmp_path, 2),
    ]
    jobs = [("local-1", keys[:2]), (None, keys[2:])]
    folder = run_folders.submitted(tmp_path, jobs, group=GROUP_NAME, kind="local")
    (folder / "logs" / "local-1_0_log.err").write_text("the end\n")
    (tmp_path / keys[1] / LEASE).write_text(json.dumps(LEASE_CONTENT))
    (tmp_path / CACHE_FOLDER / "synthetic-0123456789abcdef-64x32-1").mkdir(parents=True)
    return tmp_path


def damages(content):
    """Contents that a disk, a copy or another program may have left instead of an object."""
    draw, whole = random.Random(1), json.dumps(content).encode()
    yield from (b"", b"{", b"[]", b"null", b"7", b"\xff", b"[" * 5000, whole[: len(whole) // 2])
    for field in content:
        for value in VALUES:
            yield json.dumps(content | {field: value}).encode()
        yield json.dumps({name: value for name, value in content.items() if name != field}).encode()
    for _ in range(30):
        flipped = bytearray(whole)
        flipped[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
        yield bytes(flipped)


def commands(runs):
    """Every command that reads these files, without one that trains."""
    lines = []
    specs = [run_folders.spec(seed) for seed in range(3)]
    yield lambda: [row.as_json() for row in read_status(runs).rows]
    yield lambda: show_failures((), (), runs, lines.append, as_json=False)
    yield lambda: show_failures((), (), runs, lines.append, as_json=True)
    for row in ("1", "2", "3", GROUP_NAME):
        yield lambda row=row: show_logs([row], runs, lines.append, follow=False, raw=False)
    yield lambda: find_leftovers(runs)
    yield lambda: cancel_runs((), runs, lines.append, everything=True)
    yield lambda: select_pending(
        [specs], dict.fromkeys(s.key for s in specs), runs, retry_diverged=False
    )


def assert_all_answer(runs):
    """Let every command end with its lines or with an error that is printed as one."""
    for command in commands(runs):
        with suppress(KDReIDError):
            command()


@pytest.mark.parametrize("name", [JOB, GROUP, PROGRESS, FAILURE, LEASE, SPEC])
def test_no_damage_gives_a_traceback(runs, name, monkeypatch):
    path = next(runs.glob(f"**/{name}"))
    whole = path.read_bytes()
    for content in damages(json.loads(whole)):
        path.write_bytes(content)
        assert_all_answer(runs)
        path.write_bytes(whole)


@pytest.mark.parametrize("field", ["number", "runs", "job", "after", "array", "index", "resources"])
def test_no_damaged_job_of_a_submission_gives_a_traceback(runs, field):
    path = next(runs.glob(f"**/{GROUP}"))
    whole = json.loads(path.read_text())
    for value in VALUES:
        jobs = [whole["jobs"][0] | {field: value}, *whole["jobs"][1:]]
        path.write_text(json.dumps(whole | {"jobs": jobs}))
        assert_all_answer(runs)


@pytest.mark.parametrize("kind", ["folder", "unreadable", "pipe"])
def test_a_log_that_cannot_be_read_is_a_line(runs, kind):
    path = next(runs.glob("groups/*/logs/*.err"))
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/not/mounted")
    assert_all_answer(runs)


@pytest.mark.parametrize("teachers", [None, 5, True, "x", {}, [1], [{}], [{"key": 5}]])
def test_teachers_of_another_form_are_named_and_nothing_is_concluded(runs, teachers):
    failed, interrupted, waiting = (run_folders.spec(seed).key for seed in range(3))
    for key in (failed, waiting):
        run_folders.change(runs / key / SPEC, teachers=teachers)
    rows = {row.key: row for row in read_status(runs).rows}
    assert rows[interrupted].state is not RunState.UNREADABLE
    for key in (failed, waiting):
        assert rows[key].state is RunState.UNREADABLE
        assert f"{runs / key / SPEC} is damaged (its teachers are not a list" in rows[key].detail
    leftovers, problems = find_leftovers(runs)
    assert not leftovers and "The caches were not examined" in problems[0]
    request = RetryRequest(runs, overrides=["recipe.lr=0.1"], cluster="inline")
    with pytest.raises(KDReIDError):
        retry_runs([failed], request, Reporter(quiet=True))


@pytest.mark.parametrize(
    ("recipe", "reason"),
    [
        (None, "the recipe in its spec is not a JSON object"),
        ({"lr": "x"}, "the recipe's lr in its spec cannot be 'x'"),
        ({"images_each": math.inf}, "the recipe's images_each in its spec cannot be inf"),
    ],
)
def test_the_fix_for_a_run_with_another_recipe_is_to_plan_it_again(runs, recipe, reason):
    key = run_folders.spec(0).key
    whole = json.loads((runs / key / SPEC).read_text())["recipe"]
    run_folders.change(runs / key / SPEC, recipe=recipe and whole | recipe)
    lines = []
    assert show_failures((), (), runs, lines.append, as_json=False) == 1
    assert lines[-2] == (
        f"     {key} cannot be trained from its {SPEC}: {reason}. Plan it again with kdreid run."
    )
