"""Remaining time of a run, and durations in words."""

import pytest

from harness.runs.progress import estimate_remaining, format_duration

# 20 steps in 40 seconds, and 60 more to go.
PROGRESS = {"step": 30, "steps": 90, "time": 1040.0, "since": 1000.0, "from_step": 10}


@pytest.mark.parametrize(("now", "seconds"), [(1040, 120), (1100, 60), (9999, 0), (1000, 120)])
def test_the_remaining_time_is_that_of_the_present_attempts_speed(now, seconds):
    assert estimate_remaining(PROGRESS, now) == seconds


@pytest.mark.parametrize(
    "change",
    [{"step": 10}, {"time": 1000.0}, {"step": None}, {"since": "soon"}],
)
def test_without_a_speed_the_remaining_time_is_unknown(change):
    assert estimate_remaining(PROGRESS | change, 1040) is None


@pytest.mark.parametrize("name", PROGRESS)
def test_without_a_field_the_remaining_time_is_unknown(name):
    incomplete = {field: value for field, value in PROGRESS.items() if field != name}
    assert estimate_remaining(incomplete, 1040) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (89.4, "89 s"),
        (90, "2 min"),
        (3540, "59 min"),
        (3600, "1 h 00 min"),
        (11100, "3 h 05 min"),
        (86340, "23 h 59 min"),
        (86400, "1 d 0 h"),
        (190000, "2 d 4 h"),
    ],
)
def test_durations_have_two_units_at_most(seconds, text):
    assert format_duration(seconds) == text
