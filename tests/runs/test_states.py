"""Run states and failure kinds: values that users and files depend on, and how they are read."""

import pytest

from harness.core.files import read_json
from harness.runs.layout import FAILURE
from harness.runs.record import failure_kind
from harness.runs.states import FailureKind, RunState
from tests.support import run_folders


def test_the_states_are_those_that_status_prints_and_accepts():
    assert list(RunState) == [
        *("done", "running", "starting", "queued", "requeued", "waiting"),
        *("interrupted", "unknown", "blocked", "failed", "lost", "unreadable"),
    ]
    assert f"{RunState.DONE:<6}|" == "done  |"


def test_every_state_is_finished_failed_active_or_idle():
    failures = {state for state in RunState if state.is_failure}
    assert failures == {"blocked", "failed", "lost", "unreadable"}
    active = {"running", "starting", "queued", "requeued", "unknown"}
    assert {state for state in RunState if state.is_active} == active


def test_only_a_diverged_run_is_not_retried():
    assert [kind for kind in FailureKind if not kind.is_retried] == ["diverged"]


def test_failure_kinds_keep_the_values_that_files_contain():
    assert set(FailureKind) == {
        *("diverged", "memory", "disk", "setup", "error", "lost", "blocked"),
        *("time limit", "node failure"),
    }


@pytest.mark.parametrize("text", ["time limit", "time-limit", "time_limit", "Time limit"])
def test_every_spelling_of_a_kind_is_read(text):
    assert FailureKind(text) is FailureKind.TIME_LIMIT


@pytest.mark.parametrize("content", [{"kind": "kind of next year"}, {"kind": None}, {}])
def test_an_unknown_kind_is_read_as_an_error(content):
    assert failure_kind(content) is FailureKind.ERROR


def test_a_failure_is_stored_with_the_plain_value(tmp_path):
    key = run_folders.failed(tmp_path, kind="time-limit")
    assert read_json(tmp_path / key / FAILURE)["kind"] == "time limit"
