"""Warnings for shared folders whose new files would be closed to their other users."""

import os
from contextlib import contextmanager

import pytest

from harness.core.sharing import describe_unshared
from tests.support.small_disks import needs_root
from tests.support.unprivileged import NOBODY


@contextmanager
def umask(value):
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("mode", "mask", "named"),
    [
        (0o755, 0o022, []),  # nobody else writes there
        (0o700, 0o077, []),
        (0o2775, 0o002, []),  # shared, and stays so
        (0o2770, 0o007, []),
        (0o2775, 0o022, ["umask 022", "umask 002"]),
        (0o2770, 0o077, ["umask 077", "umask 002"]),
    ],
)
def test_a_folder_with_the_setgid_bit_wants_files_open_to_its_group(folder, mode, mask, named):
    folder.chmod(mode)
    with umask(mask):
        said = describe_unshared(folder)
    assert bool(said) == bool(named)
    for words in [str(folder), *named] if said else []:
        assert words in said
    assert "chmod" not in (said or "")


@needs_root
def test_a_folder_without_the_setgid_bit_is_shared_if_another_user_owns_it(folder):
    os.chown(folder, NOBODY, -1)
    with umask(0o002):
        said = describe_unshared(folder)
    assert said.endswith(f"Mend it with: chmod g+s {folder}")
    with umask(0o022):
        said = describe_unshared(folder)
    assert said.endswith(f"Mend it with: umask 002; chmod g+s {folder}")


@needs_root
def test_a_group_of_several_users_makes_a_folder_shared(folder):
    """The group of this number has no name here, so it is nobody's own."""
    os.chown(folder, -1, 61_234)
    folder.chmod(0o775)
    with umask(0o022):
        said = describe_unshared(folder)
    assert "umask 002" in said and f"chmod g+s {folder}" in said


@needs_root
def test_the_group_of_one_user_does_not(folder):
    os.chown(folder, 0, 0)  # root's own group, of that name
    folder.chmod(0o775)
    with umask(0o022):
        assert describe_unshared(folder) is None


@needs_root
def test_the_command_can_be_pasted(tmp_path):
    folder = tmp_path / "a folder"
    folder.mkdir()
    folder.chmod(0o777)
    os.chown(folder, NOBODY, -1)
    with umask(0o002):
        assert f"chmod g+s '{folder}'" in describe_unshared(folder)
