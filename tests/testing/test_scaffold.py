import subprocess
import sys
from pathlib import Path

import pytest

from harness.core.errors import UnwritableFileError, UsageError
from harness.testing.scaffold import write_method
from tests.support.small_disks import fill, needs_root, small_disk

ROOT = Path(__file__).parents[2]


def test_what_is_written_passes_its_own_test(tmp_path):
    method, test = write_method("my_method", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": f"{ROOT}:{tmp_path}", "PATH": ""},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
    assert "class MyMethod(Method)" in method.read_text()


@pytest.mark.parametrize("name", ["Mine", "2d", "my-method", ""])
def test_names_that_python_would_not_take(tmp_path, name):
    with pytest.raises(UsageError, match="cannot name a method"):
        write_method(name, tmp_path)


def test_nothing_is_overwritten_and_no_name_is_taken_twice(tmp_path):
    write_method("mine", tmp_path)
    with pytest.raises(UsageError, match="mine.py exists already"):
        write_method("mine", tmp_path)
    with pytest.raises(UsageError, match="There is a method called 'pdrd' already"):
        write_method("pdrd", tmp_path)


@needs_root
@pytest.mark.parametrize("leave", [0, 4096])  # of pages: the method has room, and its test has none
def test_nothing_is_left_on_a_full_disk(tmp_path, leave):
    with small_disk(tmp_path / "disk", size="64k") as disk:
        fill(disk, leave)
        with pytest.raises(UnwritableFileError, match="No space left on the disk of"):
            write_method("mine", disk)
        assert [path.name for path in disk.iterdir()] == ["filler"]
