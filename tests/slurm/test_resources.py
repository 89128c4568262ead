"""Wall times in Slurm's forms, and the command that starts Python."""

import pytest

from harness.core.errors import SlurmError
from slurm.resources import Resources, parse_wall_time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (90, 90),
        ("90", 90),
        ("10:00", 10),
        ("10:01", 11),
        ("1:30:00", 90),
        ("0:00:01", 1),
        ("2-0", 2880),
        ("1-12", 2160),
        ("0-00:30", 30),
        ("1-02:03:04", 1564),
    ],
)
def test_wall_times_become_minutes(text, expected):
    assert parse_wall_time(text) == expected


@pytest.mark.parametrize("text", ["", "soon", "1:2:3:4", "1-", "-5", "1.5", "1h", "0", "0-00:00"])
def test_other_texts_are_refused(text):
    with pytest.raises(SlurmError, match="wall time"):
        parse_wall_time(text)


def test_python_follows_its_container():
    container = Resources(container="singularity exec a.sif")
    assert container.python_command == "singularity exec a.sif python"
    assert Resources(container="run", python="python3.12").python_command == "run python3.12"
    assert Resources(python="/opt/python").python_command == "/opt/python"


def test_a_gpu_is_requested_by_number_or_by_type():
    assert Resources(gpus=1).wants_gpu
    assert Resources(gres="gpu:a100:1").wants_gpu
    assert not Resources(gres="license:1").wants_gpu
