"""Progress on standard error where there is no terminal."""

import re

from harness.core import progress
from harness.core.progress import Reporter, ignore_progress


def test_the_end_of_a_task_is_one_line_with_its_note(capsys):
    with Reporter().task("decoding") as update:
        update(1, 3)
        update(2, 3, "early")
        update(3, 3, "late")
    assert re.fullmatch(r"decoding: 3/3  \d+ s  late\n", capsys.readouterr().err)


def test_a_line_appears_now_and_then_with_the_time_left(capsys, monkeypatch):
    monkeypatch.setattr(progress, "PLAIN_LINE_EVERY", 0.0)
    with Reporter().task("decoding") as update:
        update(1, 3)
    assert re.fullmatch(r"decoding: 1/3  \d+ s, \d+ s left\n", capsys.readouterr().err)


def test_messages_are_printed_as_they_are_and_on_one_line(capsys):
    text = "[bold]a long line[/bold] " * 20
    Reporter().info(text)
    assert capsys.readouterr().err == f"{text}\n"


def test_a_quiet_reporter_prints_nothing(capsys):
    reporter = Reporter(quiet=True)
    reporter.info("text")
    with reporter.task("decoding") as update:
        update(1, 1)
    captured = capsys.readouterr()
    assert captured.err == captured.out == ""


def test_ignoring_progress_takes_the_same_arguments(capsys):
    ignore_progress(1, 2)
    ignore_progress(1, 2, note="text")
    assert capsys.readouterr().err == ""
