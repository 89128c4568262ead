"""Records, bookkeeping and arrays at random: read as what they are, or refused with a reason."""

import io
import json
import zipfile

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import FileError
from harness.core.lease import inspect_lease, try_acquire
from harness.runs.arrays import read_arrays
from harness.runs.folder_state import inspect_run_folder
from harness.runs.groups import read_run_submission, read_submission
from harness.runs.layout import FAILURE, GROUP, GROUPS, JOB, PROGRESS, RECORD
from harness.runs.lookup import list_run_keys
from harness.runs.reader import load_curve, load_run
from harness.runs.submissions import iter_submissions, last_submission, log_files
from tests.support import records
from tests.support.random_values import NUMBERS, TEXTS, paths, put

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(TEXTS)
    | st.sampled_from(NUMBERS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=10,
)


def write_changed(path, content, places, value):
    """Write JSON with another value at one of its places."""
    changed = json.loads(json.dumps(content))
    every = sorted(paths(changed), key=str)
    put(changed, every[places % len(every)], value)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(changed))
    return changed


@given(place=st.integers(0, 10_000), value=values, name=st.sampled_from([RECORD, FAILURE]))
def test_records(tmp_path_factory, place, value, name):
    runs = tmp_path_factory.mktemp("runs", numbered=True)
    made = records.spec("kd", 0, [records.teacher_spec()])
    folder = records.write(runs, records.record(made, records.draw(0.5)))
    whole = load_run(runs, made["key"])
    content = json.loads((folder / RECORD).read_text())
    (folder / RECORD).unlink()
    changed = write_changed(folder / name, content, place, value)
    try:
        run = load_run(runs, made["key"])
    except ValueError as error:
        assert str(folder) in str(error)
    else:
        assert run.key == made["key"] and run.spec["key"] == made["key"]
        assert changed["spec"] == run.spec and run.teachers == whole.teachers
    inspect_run_folder(folder)


@given(
    place=st.integers(0, 1000),
    value=values,
    name=st.sampled_from([JOB, GROUP, "lease", PROGRESS, FAILURE]),
)
def test_bookkeeping(tmp_path_factory, place, value, name):
    runs = tmp_path_factory.mktemp("runs", numbered=True)
    key = records.failed(runs, records.spec("kd"))["key"]
    group = "20260101-000000-abcd"
    job = {"number": 1, "runs": [key], "after": [], "job": "12", "array": "a", "index": 0}
    contents = {
        JOB: {"group": group, "number": 1, "job": "12", "cluster": "c", "submitted": 1.0},
        GROUP: {"name": group, "cluster": "c", "kind": "slurm", "created": 1.0, "jobs": [job]},
        "lease": {"token": "t", "machine": "m", "host": "h", "process": 4, "since": 1.0},
        PROGRESS: {"step": 1, "steps": 2, "time": 3.0},
        FAILURE: {"kind": "error", "message": "m", "time": 1.0, "attempt": 1},
    }
    for file, content in contents.items():
        folder = runs / GROUPS / group if file == GROUP else runs / key
        write_changed(
            folder / file,
            content,
            place if file == name else 0,
            value if file == name else next(iter(content.values())),
        )
    for read in (
        lambda: read_run_submission(runs, key),
        lambda: read_submission(runs, group),
        lambda: last_submission(runs, key),
    ):
        try:
            read()
        except FileError as error:
            assert error.path.name in (JOB, GROUP)
    assert isinstance(list(iter_submissions(runs)), list) and isinstance(log_files(runs, key), list)
    inspect_lease(runs / key)
    inspect_run_folder(runs / key)
    list_run_keys(runs)
    if lease := try_acquire(runs / key):
        lease.release()


@given(
    changes=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=4),
    cut=st.integers(0, 400),
    header=st.none() | st.text(max_size=40),
)
def test_arrays(tmp_path_factory, changes, cut, header):
    path, stream = tmp_path_factory.getbasetemp() / "any.npz", io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in ("test.0.query", "test.0.camera"):
            array = io.BytesIO()
            np.save(array, np.arange(40))
            content = array.getvalue()
            if header is not None:
                content = (
                    content[:10] + header.encode("utf-8", "replace") + content[10 + len(header) :]
                )
            archive.writestr(f"{name}.npy", content)
    content = bytearray(stream.getvalue())
    for place, byte in changes:
        content[place % len(content)] = byte
    path.write_bytes(content[: len(content) - cut] if cut < 100 else content)
    try:
        arrays = read_arrays(path, ("query", "camera"))
    except ValueError as error:
        assert "any.npz" in str(error)
    else:
        assert all(array.nbytes < 10_000 for array in arrays.values())


@given(
    text=st.binary(max_size=100)
    | st.text(alphabet="step,loss\n0123456789.\"'nainf-", max_size=80).map(str.encode)
)
def test_curves(tmp_path_factory, text):
    folder = tmp_path_factory.getbasetemp()
    (folder / "curve.csv").write_bytes(text)
    try:
        assert isinstance(load_curve(folder), dict)
    except ValueError as error:
        assert "curve.csv" in str(error)
