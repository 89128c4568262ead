"""Splitting of jobs and of limits, and the size of an array on a machine without a controller."""

import pytest

from harness.core.errors import SlurmError
from slurm.limits import batched, max_array_size, split_evenly


def test_batches_keep_the_order_and_the_last_is_the_rest():
    assert [list(part) for part in batched(range(7), 6)] == [[0, 1, 2, 3, 4, 5], [6]]
    assert batched([], 6) == []


def test_parts_of_a_number_differ_by_at_most_one():
    assert split_evenly(7, 3) == [3, 2, 2]
    assert split_evenly(2, 3) == [1, 1, 0]


def write_scontrol(folder, text, code=0):
    """Put an scontrol that prints `text` into a folder."""
    path = folder / "scontrol"
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit {code}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("text", "code", "size"),
    [
        ("MaxArraySize            = 6\nMaxJobCount             = 10000", 0, 6),
        ("MaxJobCount             = 10000", 0, 1001),
        ("MaxArraySize            = 6", 1, 1001),
        ("MaxArraySize            = 0", 0, 1),
    ],
)
def test_the_size_of_an_array_is_the_controllers_or_slurms_default(
    tmp_path, monkeypatch, text, code, size
):
    write_scontrol(tmp_path, text, code)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert max_array_size() == size


def test_without_slurm_the_command_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SlurmError, match="scontrol cannot be run here"):
        max_array_size()
