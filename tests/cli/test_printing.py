"""Errors, reports and counts as commands print them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from harness.cli.printing import count_states, print_report, run_application
from harness.core.errors import ExitCode, RunInterrupted, SetupError, SlurmError, UsageError
from harness.runs.states import RunState
from tests.support.command_line import COMMANDS, invoke


def application(error):
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command()
    def fail():
        raise error

    return app


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (UsageError("No method is called 'x'."), 2, "kdreid: No method is called 'x'.\n"),
        (UsageError("one", "two"), 2, "kdreid: 2 problems:\n- one\n- two\n"),
        (SetupError("no data"), 3, "kdreid: no data\n"),
        (SlurmError("no answer"), 3, "kdreid: no answer\n"),
        (RunInterrupted("stopped"), 130, "kdreid: stopped\n"),
    ],
)
def test_a_known_error_is_text_and_an_exit_code(error, code, text):
    done = invoke(entry=lambda: run_application(application(error)))
    assert (done.returncode, done.stderr) == (code, text)


def test_an_unknown_error_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        invoke(entry=lambda: run_application(application(ZeroDivisionError())))


def test_an_interruption_ends_with_its_code():
    def interrupt():
        raise KeyboardInterrupt

    done = invoke(entry=lambda: run_application(interrupt))
    assert done.returncode == ExitCode.INTERRUPTED


def write_to(stdout, stderr, *words, **environment):
    return subprocess.run(
        [sys.executable, *COMMANDS["kdreid"], *words],
        stdout=stdout,
        stderr=stderr,
        text=True,
        cwd=Path(__file__).parents[2],
        env=os.environ | environment,
        timeout=250,
        check=False,
    )


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", ["status", "status --json", "options recipe", "--help"])
def test_an_output_on_a_full_disk_is_one_sentence(words, unbuffered, tmp_path):
    runs = [] if "--help" in words or "options" in words else ["--runs", str(tmp_path)]
    with Path("/dev/full").open("w") as full:
        done = write_to(full, subprocess.PIPE, *words.split(), *runs, PYTHONUNBUFFERED=unbuffered)
        assert done.returncode == ExitCode.ENVIRONMENT
        assert done.stderr.startswith("kdreid: ") and done.stderr.count("\n") == 1
        assert "cannot be written (No space left on device): " in done.stderr
        both = write_to(full, full, *words.split(), *runs, PYTHONUNBUFFERED=unbuffered)
        assert both.returncode == ExitCode.ENVIRONMENT


def test_a_closed_pipe_is_quiet(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = write_to(writing, subprocess.PIPE, "status", "--runs", str(tmp_path))
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_states_are_counted_in_the_order_of_their_first():
    states = [RunState.DONE, RunState.FAILED, RunState.DONE]
    assert count_states(states) == "3 runs: 2 done, 1 failed"
    assert count_states([RunState.LOST]) == "1 run: 1 lost"
    assert count_states([]) == "0 runs: none"


def test_the_report_names_its_files_and_what_is_missing(shared_runs, capsys):
    print_report(shared_runs)
    output = capsys.readouterr().out
    folder = shared_runs / "report"
    assert f"Tables (.csv, .html, .json, .md, .tex): {folder}/\n" in output
    assert f"For a browser: {folder / 'index.html'}\n" in output


def test_a_report_needs_a_runs_folder(tmp_path):
    with pytest.raises(SetupError, match="There is no runs folder .*absent. Name one with --runs"):
        print_report(tmp_path / "absent")
