"""Digests of files: kept, renewed where a file may have changed, and never trusted when damaged."""

import hashlib
import os
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.core.errors import SetupError
from harness.data import file_digests
from harness.data.file_digests import FileDigester
from tests.support.reporters import CollectingReporter
from tests.support.unprivileged import as_nobody

NAMES = ["a/1.jpg", "a/2 ü '\".jpg", "b/3.jpg"]


@pytest.fixture(autouse=True)
def _settled(monkeypatch):
    """Files of these tests count as old enough, although they were just written."""
    monkeypatch.setattr(file_digests, "RECENT_NS", -60_000_000_000)


@pytest.fixture
def root(tmp_path):
    for number, name in enumerate(NAMES):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%d" % number)
    return tmp_path / "images"


@pytest.fixture
def digester(tmp_path):
    return FileDigester(tmp_path / "cache", 2, CollectingReporter())


def digests_of(root):
    return {name: hashlib.sha256((root / name).read_bytes()).hexdigest() for name in NAMES}


def kept_file(digester):
    (path,) = digester.folder.glob("digests-*.txt")
    return path


def forge(digester, file):
    """Keep another digest of a file, as if its content had changed without a trace."""
    path = kept_file(digester)
    kept = file_digests._decode(path.read_bytes(), path)
    kept[file] = "0" * 64, kept[file][1]
    path.write_bytes(file_digests._encode(kept))


def test_digests_are_those_of_the_content_and_are_kept(digester, root):
    assert digester.digest_files("x", root, NAMES) == digests_of(root)
    forge(digester, NAMES[1])
    assert digester.digest_files("x", root, NAMES) == digests_of(root) | {NAMES[1]: "0" * 64}
    assert FileDigester().digest_files("x", root, NAMES) == digests_of(root)
    assert not digester.reporter.lines


def overwrite(path):
    status = path.stat()
    path.write_bytes(b"?" * status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def replace_by_a_copy(path):
    other = path.with_suffix(".new")
    other.write_bytes(b"?" * path.stat().st_size)
    shutil.copystat(path, other)
    other.replace(path)


def link_elsewhere(path):
    target = path.parent.parent / "elsewhere"
    target.write_bytes(b"?" * path.stat().st_size)
    shutil.copystat(path, target)
    path.unlink()
    path.symlink_to(target)


@pytest.mark.parametrize("change", [overwrite, replace_by_a_copy, link_elsewhere])
def test_a_file_of_the_same_size_and_time_is_read_again(digester, root, change):
    first = digester.digest_files("x", root, NAMES)
    before = (root / NAMES[0]).stat()
    change(root / NAMES[0])
    after = (root / NAMES[0]).stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    again = digester.digest_files("x", root, NAMES)
    assert again == digests_of(root) and again != first


def test_content_that_changed_without_a_trace_is_found_and_renewed(digester, root):
    digester.digest_files("x", root, NAMES)
    forge(digester, NAMES[2])
    (root / NAMES[0]).write_bytes(b"written since")  # leaves a trace
    assert digester.find_silent_changes("x", root, NAMES) == [NAMES[2]]
    assert digester.find_silent_changes("x", root, NAMES) == []
    assert digester.digest_files("x", root, NAMES) == digests_of(root)


def test_a_file_that_was_just_written_is_read_again(digester, root, monkeypatch):
    """Another change within one tick of the disk's clock would not show."""
    monkeypatch.undo()
    digester.digest_files("x", root, NAMES)
    assert not digester.folder.exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: content.replace(b"1", b"2"),
        lambda content: b"\xff" * 100,
    ],
    ids=["cut", "empty", "changed", "noise"],
)
def test_damaged_digests_are_said_and_made_again(digester, root, damage):
    digester.digest_files("x", root, NAMES)
    path = kept_file(digester)
    path.write_bytes(damage(path.read_bytes()))
    assert digester.digest_files("x", root, NAMES) == digests_of(root)
    (line,) = digester.reporter.lines
    assert str(path) in line and "all images are read" in line
    digester.digest_files("x", root, NAMES)
    assert len(digester.reporter.lines) == 1


def test_a_folder_that_takes_no_files_is_no_error(root, public_path):
    shutil.copytree(root, public_path / "images")
    digester = FileDigester(public_path / "cache", 1, CollectingReporter())
    with as_nobody():
        found = digester.digest_files("x", public_path / "images", NAMES)
    assert found == digests_of(root) and not digester.folder.exists()


def test_several_at_once(digester, root):
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: digester.digest_files("x", root, NAMES), range(32)))
    assert all(result == digests_of(root) for result in results)
    assert [path.name for path in digester.folder.iterdir()] == [kept_file(digester).name]


def make_pipe(path):
    os.mkfifo(path)


SPECIAL = {
    "pipe": (make_pipe, "it is a pipe, not a file"),
    "folder": (lambda path: path.mkdir(), "it is a folder, not a file"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "it is a device, not a file"),
    "link to itself": (lambda path: path.symlink_to(path.name), "symbolic links"),
    "link to nothing": (lambda path: path.symlink_to("gone"), "No such file"),
    "huge": (lambda path: (path.touch(), os.truncate(path, 10**12)), "it has 1,000,000 MB"),
}


@pytest.mark.parametrize("kind", SPECIAL)
def test_special_and_huge_files_are_named_and_not_waited_for(digester, root, kind):
    make, words = SPECIAL[kind]
    for name in NAMES:
        (root / name).unlink()
        make(root / name)
    with pytest.raises(SetupError) as caught:
        digester.digest_files("x", root, NAMES * 2)
    for name in NAMES:
        assert f"{root / name} cannot be read (" in str(caught.value)
    assert str(caught.value).count(words) == 3


def test_many_unreadable_files_are_counted(digester, root):
    names = [f"{number}.jpg" for number in range(10)]
    with pytest.raises(SetupError, match=r"x: .*0\.jpg cannot .*2\.jpg cannot .*; and 7 more file"):
        digester.digest_files("x", root, names)
