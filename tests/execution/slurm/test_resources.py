import pytest

from harness.core.errors import SlurmError
from slurm.limits import chunks, split_evenly
from slurm.resources import Resources, minutes


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
    assert minutes(text) == expected


@pytest.mark.parametrize("text", ["", "soon", "1:2:3:4", "1-", "-5", "1.5", "1h", "0", "0-00:00"])
def test_what_is_no_wall_time(text):
    with pytest.raises(SlurmError, match="wall time"):
        minutes(text)


def test_python_stands_behind_its_container():
    assert Resources(container="singularity exec a.sif").command == "singularity exec a.sif python"
    assert Resources(container="run", python="python3.12").command == "run python3.12"
    assert Resources(python="/opt/python").command == "/opt/python"


def test_a_gpu_by_number_or_by_type():
    assert Resources(gpus=1).wants_gpu
    assert Resources(gres="gpu:a100:1").wants_gpu
    assert not Resources(gres="license:1").wants_gpu


def test_chunks_and_shares():
    assert [list(part) for part in chunks(range(7), 6)] == [[0, 1, 2, 3, 4, 5], [6]]
    assert chunks([], 6) == []
    assert split_evenly(7, 3) == [3, 2, 2]
    assert split_evenly(2, 3) == [1, 1, 0]
