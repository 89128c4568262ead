"""Failed runs are trained again where they were, and with other settings as other runs."""

import json
import time

import pytest

from harness.core.errors import ExitCode, UsageError
from harness.core.lease import inspect_lease
from harness.core.progress import Reporter
from harness.execution.cluster.cancel import cancel_runs
from harness.execution.cluster.retry import RetryRequest, retry_runs
from harness.execution.cluster.status import read_status
from harness.runs.layout import FAILURE, RECORD
from tests.support import tiny_grid

QUIET = Reporter(quiet=True)


@pytest.fixture
def diverged(with_teacher):
    """A runs folder whose student has diverged, and its key."""
    plan, outcome = tiny_grid.run(with_teacher, "kd", overrides=["kd.weight=1e38"])
    (key,) = outcome.failed
    return with_teacher, key


def test_a_retry_is_the_same_run_and_with_a_change_another(diverged):
    runs, key = diverged
    assert retry_runs([], RetryRequest(runs, causes=["diverged"]), QUIET) == ExitCode.FAILED
    assert json.loads((runs / key / FAILURE).read_text())["attempt"] == 2
    assert (
        retry_runs([key[-8:]], RetryRequest(runs, overrides=["kd.weight=1"]), QUIET)
        == ExitCode.DONE
    )
    usual = tiny_grid.grid(runs, "kd").cohorts[-1]
    assert all((runs / spec.key / RECORD).exists() for spec in usual)
    assert (runs / key / FAILURE).exists() and not (runs / key / RECORD).exists()


def test_a_retry_that_makes_no_sense_is_refused(diverged):
    runs, key = diverged
    teacher = tiny_grid.grid(runs, "kd").cohorts[0][0].key
    for handles, request, message in (
        ([], RetryRequest(runs, causes=["node-failure"]), "No run .* failed by node-failure"),
        ([teacher], RetryRequest(runs), f"{teacher} is done"),
        ([key], RetryRequest(runs, overrides=["recipe.epoch=3"]), "Did you mean 'epochs'"),
        ([key], RetryRequest(runs, overrides=["teacher_recipe.epochs=3"]), "kdreid run --set"),
        ([key], RetryRequest(runs, cluster="nowhere"), "No cluster is called 'nowhere'"),
    ):
        with pytest.raises(UsageError, match=message):
            retry_runs(handles, request, QUIET)
    spec = runs / key / "spec.json"
    spec.write_text(spec.read_text().replace('"threads": ', '"threads": 1'))
    with pytest.raises(UsageError, match="another version of this program"):
        retry_runs([key], RetryRequest(runs), QUIET)


def test_data_that_changed_is_not_taken_for_the_old(diverged):
    runs, key = diverged
    (image,) = sorted((runs / "data").rglob("query/*.jpg"))[:1]
    image.write_bytes(image.read_bytes() + b"\0")
    with pytest.raises(Exception, match="were not found.*a generated file, was lost or damaged"):
        retry_runs([key], RetryRequest(runs), QUIET)


def test_cancelling_stops_a_process_at_its_next_step_and_keeps_what_it_reached(with_teacher):
    arguments = ("--set", "recipe.epochs=500", "--quiet")
    process = tiny_grid.start(with_teacher, "kd", arguments=arguments)
    try:
        running = []
        while not running and process.poll() is None:
            time.sleep(0.2)
            running = [row for row in read_status(with_teacher).rows if row.state == "running"]
            running *= len(running) == 2  # the plain student and the other, in one cohort
        assert running, process.communicate()
        lines = []
        assert (
            cancel_runs([running[0].id], with_teacher, lines.append, everything=False)
            == ExitCode.DONE
        )
        assert process.wait(60) == 130
    finally:
        process.kill()
        process.communicate()
    states = {row.key: row.state for row in read_status(with_teacher).rows}
    assert states[running[0].key] == "interrupted"
    assert inspect_lease(with_teacher / running[0].key) is None
    assert lines[0] == f"These runs share a job or process with them and stop, too: {running[1].id}"
    assert lines[-1].startswith("Stopped 2 runs")
    assert (
        cancel_runs([running[0].id], with_teacher, lines.append, everything=False) == ExitCode.DONE
    )
    assert lines[-1] == "None of these runs is queued or running."
    with pytest.raises(UsageError, match="--all"):
        cancel_runs([], with_teacher, lines.append, everything=False)


def test_cancelling_a_pool_waits_until_the_pool_is_gone(with_teacher):
    overrides = ("--set", "recipe.epochs=500", "--set", "cluster.cpus=1")
    arguments = (*overrides, "--quiet", "--cluster", "local")
    process = tiny_grid.start(with_teacher, "kd", arguments=arguments)
    try:
        states = {}
        while "starting" not in states.values() and process.poll() is None:
            time.sleep(0.2)
            rows = read_status(with_teacher).rows
            states = {row.key: row.state for row in rows}
        lines = []
        assert cancel_runs([], with_teacher, lines.append, everything=True) == ExitCode.DONE
        assert not {row.state for row in read_status(with_teacher).rows} & {"queued", "starting"}
        assert process.wait(60) == 130
    finally:
        process.kill()
        process.communicate()
