"""A finished run is trained again beside its result; no kill loses either of the two."""

import json
import os
import signal
import subprocess
import sys

import pytest

from harness.core.errors import UnwritableFileError
from harness.core.installation import HOME
from harness.runs import replacement
from harness.runs.replacement import (
    begin_replacement,
    complete_replacement,
    has_replacement,
    output_folder,
)
from harness.runs.scan import scan_runs
from tests.support.records import done, spec
from tests.support.unprivileged import as_nobody, open_to_all

NAMES = ("record.json", "model.pt", "per_query.npz", "curve.csv")
DERIVED = ("embeddings.npz", "consistency.json", "prepared/ft.pt")

KILLED = """
import os, signal, sys
from pathlib import Path
from harness.runs.replacement import complete_replacement

moves, rename = int(sys.argv[2]), Path.rename

def counted(self, target):
    global moves
    if moves == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    moves -= 1
    return rename(self, target)

Path.rename = counted
complete_replacement(Path(sys.argv[1]))
"""


@pytest.fixture(name="run")
def a_finished_run_trained_again(tmp_path):
    write(tmp_path, NAMES + DERIVED, "old")
    begin_replacement(tmp_path, {"torch": "2"})
    write(tmp_path / "again", NAMES, "new")
    return tmp_path


def write(folder, names, text):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps({"of": text}))


def found(folder):
    """What every file below a folder is of."""
    return {
        str(path.relative_to(folder)): json.loads(path.read_text()).get("of")
        for path in folder.rglob("*")
        if path.is_file()
    }


AFTER = dict.fromkeys(NAMES, "new") | {f"replaced/1/{n}": "old" for n in NAMES + DERIVED}


def test_the_new_result_takes_the_place_of_the_former_one(run):
    assert has_replacement(run)
    complete_replacement(run)
    assert found(run) == AFTER and not has_replacement(run)


def test_every_former_result_is_kept(run):
    complete_replacement(run)
    begin_replacement(run, {"torch": "3"})
    write(run / "again", NAMES, "newer")
    complete_replacement(run)
    second = {f"replaced/2/{name}": "new" for name in NAMES}
    assert found(run) == AFTER | dict.fromkeys(NAMES, "newer") | second


@pytest.mark.parametrize("moves", range(14))
def test_a_kill_at_any_move_loses_nothing(run, moves):
    command = [sys.executable, "-c", KILLED, str(run), str(moves)]
    environment = os.environ | {"PYTHONPATH": str(HOME)}
    code = subprocess.run(command, env=environment, check=False).returncode
    assert code in (0, -signal.SIGKILL)
    between = found(run)
    if "record.json" in between:  # what a reader takes for the result is of one origin
        assert len({between[name] for name in NAMES}) == 1
    if code:
        assert has_replacement(run)
        complete_replacement(run)
    assert found(run) == AFTER


def test_a_checkpoint_goes_on_only_with_what_made_it(tmp_path):
    begin_replacement(tmp_path, {"torch": "2"})
    (tmp_path / "again" / "checkpoint.pt").write_text("")
    begin_replacement(tmp_path, {"torch": "2"})
    assert (tmp_path / "again" / "checkpoint.pt").exists()
    begin_replacement(tmp_path, {"torch": "3"})
    assert [path.name for path in (tmp_path / "again").iterdir()] == [replacement.ORIGIN]
    (tmp_path / "again" / replacement.ORIGIN).write_text("{")
    (tmp_path / "again" / "checkpoint.pt").write_text("")
    begin_replacement(tmp_path, {"torch": "3"})
    assert not (tmp_path / "again" / "checkpoint.pt").exists()


def test_only_runs_that_are_trained_again_write_elsewhere(tmp_path):
    assert output_folder(tmp_path, "a/b", {"a/b"}) == tmp_path / "a" / "b" / "again"
    assert output_folder(tmp_path, "a/b", {"a/c"}) == tmp_path / "a" / "b"


def test_a_folder_that_cannot_be_written_is_named(run):
    open_to_all(run)
    with as_nobody(), pytest.raises(UnwritableFileError, match=str(run)):
        complete_replacement(run)
    assert has_replacement(run)


def test_other_results_of_a_run_are_no_runs_of_their_own(tmp_path):
    made = done(tmp_path, spec(), 0.5)
    for name in ("again", "replaced/1"):
        write(tmp_path / made["key"] / name, NAMES, "other")
    problems = []
    assert [content["key"] for _, content in scan_runs(tmp_path, problems)] == [made["key"]]
    assert problems == []
