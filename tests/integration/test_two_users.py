"""One runs folder, two users: shared, readable only, and private."""

import json
import shutil
import signal
import tempfile
import time
from pathlib import Path

import pytest

from harness.core.lease import try_acquire
from harness.runs.folder_state import local_state
from harness.runs.layout import CHECKPOINT, FAILURE, RECORD
from tests.support import tiny_grid
from tests.support.small_disks import needs_root
from tests.support.users import GROUP, two_users

pytestmark = needs_root
RESULTS = ("record.json", "model.pt", "per_query.npz", "curve.csv")


@pytest.fixture(scope="module")
def users():
    with two_users() as users:
        yield users


@pytest.fixture(scope="module")
def place():
    """A folder that everybody may enter; those of pytest are private."""
    with tempfile.TemporaryDirectory(prefix="kdreid-users-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def command(runs, *others):
    return ("run", "--study", tiny_grid.STUDY, "--methods", "kd", "--runs", runs, *others)


def keys_of(runs, **asked):
    return [spec.key for spec in tiny_grid.grid(runs, "kd", **asked).specs]


def results(runs, keys):
    """The bytes, times and owners of finished runs' files: nothing of them may change."""
    paths = [runs / key / name for key in keys for name in RESULTS]
    return [(path.read_bytes(), path.stat().st_mtime_ns, path.owner()) for path in paths]


def require_one_sentence(done, code=3):
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    (sentence,) = [line for line in done.stderr.splitlines() if line.startswith("kdreid: ")]
    return sentence


@pytest.fixture(scope="module")
def shared(users, place):
    """A folder of the group in which the first user has trained three runs."""
    runs = place / "shared"
    runs.mkdir()
    shutil.chown(runs, users[0].name, GROUP)
    runs.chmod(0o2775)
    done = users[0].call(*command(runs))
    assert done.returncode == 0, done.stderr
    assert "3 runs done now, 0 were done before" in done.stderr and "warning" not in done.stderr
    return runs


def test_the_second_user_finds_the_runs_done(users, shared):
    keys = keys_of(shared)
    before = results(shared, keys)
    done = users[1].call(*command(shared))
    assert done.returncode == 0, done.stderr
    assert "0 runs done now, 3 were done before, 0 failed" in done.stderr
    assert results(shared, keys) == before
    assert (shared / "report" / "tables.md").owner() == users[1].name  # replaced, not refused


def test_everything_is_open_to_the_group(users, shared):
    for path in [shared, *shared.rglob("*")]:
        if path.owner() == "root":  # the test itself, which planned the runs
            continue
        status = path.stat()
        expected = 0o2775 if path.is_dir() else 0o664
        assert status.st_mode & 0o7777 == expected, path
        assert path.group() == GROUP, path


def test_an_interrupted_run_and_its_lease_are_taken_over(users, shared):
    one, two = users
    teacher, plain, student = keys_of(shared, seeds="1")
    arguments = command(shared, "--seeds", "1", "--checkpoint-every", "0")
    process = one.start(*arguments)
    while not (shared / plain / CHECKPOINT).exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = two.call(*arguments)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr and "0 failed" in done.stderr
    assert {local_state(shared / key) for key in (teacher, plain, student)} == {"done"}
    assert (shared / plain / RECORD).owner() == two.name


def test_a_failed_run_of_the_other_user_is_tried_again(users, shared):
    one, two = users
    keys = keys_of(shared)
    for name in RESULTS:
        (shared / keys[-1] / name).unlink()
    code = (
        "import sys; from pathlib import Path; from harness.core.files import read_json;"
        "from harness.runs.record import write_failure; from harness.runs.spec import RunSpec;"
        "from harness.runs.states import FailureKind; runs = Path(sys.argv[1]);"
        "spec = RunSpec.from_json(read_json(runs / sys.argv[2] / 'spec.json'));"
        "write_failure(runs, spec, FailureKind.ERROR, 'message')"
    )
    assert one.call("-c", code, shared, keys[-1], kind="").returncode == 0
    assert (shared / keys[-1] / FAILURE).owner() == one.name
    done = two.call("retry", "--runs", shared)
    assert done.returncode == 0, done.stderr
    assert "1 runs done now, 0 failed" in done.stderr
    again = one.call(*command(shared))
    assert "0 runs done now, 3 were done before, 0 failed" in again.stderr


def test_a_process_that_the_user_cannot_see_keeps_its_lease(users, place):
    folder = place / "held"
    folder.mkdir()
    folder.chmod(0o2777)
    code = (
        "import sys; from pathlib import Path; from harness.core.lease import try_acquire;"
        "print(try_acquire(Path(sys.argv[1])))"
    )
    with try_acquire(folder):
        for hide in (False, True):
            done = users[1].call("-c", code, folder, kind="", hide_processes=hide)
            assert done.stdout == "None\n", done.stderr
    assert "Lease object" in users[1].call("-c", code, folder, kind="").stdout


def copy_for(user, runs, target, mode):
    """A copy of a runs folder as it would be if a user had made it with other permissions."""
    shutil.copytree(runs, target)
    for path in [target, *target.rglob("*")]:
        shutil.chown(path, user.name, GROUP)
        path.chmod(mode if path.is_dir() else mode & 0o666)
    return target


@pytest.fixture(scope="module")
def readable(users, shared, place):
    """What `umask 022` makes of a shared folder: others of the group read it and no more."""
    runs = copy_for(users[0], shared, place / "readable", 0o755)
    runs.chmod(0o2775)
    return runs


def test_a_folder_that_is_not_as_shared_as_it_looks(users, readable):
    keys = keys_of(readable)
    before = results(readable, keys)
    done = users[1].call(*command(readable, "--seeds", "0,2"), umask="022")
    assert done.returncode == 3 and "Traceback" not in done.stderr
    assert f"warning: {readable} is shared, but what is written there now" in done.stderr
    assert "Mend it with: umask 002" in done.stderr
    # Nothing of the other user's was replaced, and no run of another seed was begun.
    assert results(readable, keys) == before
    closed = readable / "synthetic" / "none"
    assert f"not trained: {readable}/synthetic/" in done.stderr
    assert f"cannot be written (Permission denied; {closed}" in done.stderr
    assert f"belongs to {users[0].name}" in done.stderr
    assert "0 runs done now, 3 were done before, 0 failed, 2 with unusable" in done.stderr
    assert "KD" in done.stdout  # the tables, though no report can be written


READING = [
    ("status",),
    ("failures",),
    ("plan", "--study", tiny_grid.STUDY, "--methods", "kd"),
    ("trace", "comparison-synthetic:KD:mAP"),
    ("diff", "1", "2"),
    ("score", "1"),
    ("measure-consistency", "1"),
]


@pytest.mark.parametrize("words", READING, ids=[words[0] for words in READING])
def test_reading_needs_no_writing(users, readable, words):
    done = users[1].call(*words, "--runs", readable)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr and done.stdout


def test_a_cache_that_cannot_be_written_is_done_without(users, readable):
    shutil.rmtree(readable / "cache")
    readable.chmod(0o755)
    done = users[1].call("score", "1", "--runs", readable)
    readable.chmod(0o2775)
    assert done.returncode == 0, done.stderr
    assert "Images are decoded on the fly instead." in done.stderr


@pytest.mark.parametrize(
    "words", [("report",), ("export-embeddings", "1"), ("compare-rankings", "1", "2")]
)
def test_what_is_to_be_written_goes_elsewhere(users, readable, place, words):
    refused = users[1].call(*words, "--runs", readable)
    assert require_one_sentence(refused).endswith("Write it elsewhere with --out DIR.")
    out = place / words[0]
    out.mkdir()
    shutil.chown(out, users[1].name)
    done = users[1].call(*words, "--runs", readable, "--out", out)
    assert done.returncode == 0, done.stderr
    assert any(out.iterdir())


def test_a_private_folder_is_named_with_its_owner(users, shared, place):
    runs = copy_for(users[0], shared, place / "private", 0o700)
    for words in (command(runs), ("status", "--runs", runs), ("report", "--runs", runs)):
        sentence = require_one_sentence(users[1].call(*words))
        assert f"{runs} belongs to {users[0].name}" in sentence


def test_private_runs_in_a_shared_folder_are_named_and_left_alone(users, shared, place):
    """What `umask 077` makes of a shared folder; their images are readable here."""
    runs = copy_for(users[0], shared, place / "mixed", 0o755)
    runs.chmod(0o2775)
    for path in (runs / "synthetic").rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    keys = keys_of(runs)
    before = results(runs, keys)
    done = users[1].call(*command(runs))
    assert done.returncode == 3 and "Traceback" not in done.stderr
    assert "0 runs done now, 0 were done before" in done.stderr
    assert f"not trained: {runs / keys[0]}" in done.stderr
    assert f"belongs to {users[0].name}" in done.stderr
    assert results(runs, keys) == before
    status = users[1].call("status", "--runs", runs)
    assert status.returncode == 3 and "Traceback" not in status.stderr


def test_the_second_user_is_not_locked_out_by_a_living_process_of_the_first(users, shared):
    """The first user's process holds the runs; the second waits and then finds them done."""
    one, two = users
    arguments = command(shared, "--seeds", "3")
    first = one.start(*arguments)
    second = two.start(*arguments)
    done = [process.communicate(timeout=250)[1] for process in (first, second)]
    assert first.returncode == second.returncode == 0, done
    counts = sorted(int(errors.split(" runs done now")[0].split()[-1]) for errors in done)
    assert sum(counts) == 2, done  # the teacher of seed 0 was done before
    records = [
        json.loads((shared / key / RECORD).read_text()) for key in keys_of(shared, seeds="3")
    ]
    assert all(record["result"]["steps"] == 8 for record in records)
