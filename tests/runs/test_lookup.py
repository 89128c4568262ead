"""Names of runs on the command line."""

import json

import pytest

from harness.core.errors import SetupError, UnreadableFileError, UsageError
from harness.core.files import read_json, write_json
from harness.runs.layout import RECORD, SPEC
from harness.runs.lookup import (
    finished_runs,
    list_run_keys,
    load_spec,
    require_runs_folder,
    resolve_runs,
    resolve_specs,
    short_id,
)
from tests.support import run_folders
from tests.support.unprivileged import as_nobody

SUBMISSION = "20260101-000000-abcd"


def make_runs(runs, *keys):
    """Make a folder for each key; what its spec holds does not matter to a name."""
    for key in keys:
        write_json(runs / key / SPEC, {})
    return list_run_keys(runs)


@pytest.fixture
def five(tmp_path):
    """Runs whose digests consist of digits, begin with digits or share a beginning."""
    return make_runs(
        tmp_path,
        "a/at/n-m/seed0-12345678",
        "a/ft/n-m/seed0-2abcdef0",
        "a/kd/n-m/seed0-2abcd111",
        "b/kd/n-m/seed0-fade0123",
        "fad/kd/n-m/seed0-00000003",
    )


def test_row_short_id_key_start_and_group_name_the_same_run(tmp_path):
    first, second = sorted((run_folders.waiting(tmp_path, 1), run_folders.waiting(tmp_path, 2)))
    run_folders.submitted(tmp_path, [(None, [second])], group=SUBMISSION)
    assert list_run_keys(tmp_path) == [first, second]
    for words in (["2"], [short_id(second)], [second], [second[:-4]], [f"{second}/"]):
        assert resolve_runs(words, tmp_path) == [second], words
    assert resolve_runs([SUBMISSION], tmp_path) == [second]
    assert resolve_runs(["2,1", "2"], tmp_path) == [second, first]


def test_a_submission_names_all_its_runs_that_still_exist(tmp_path, five):
    run_folders.submitted(tmp_path, [("7", [five[3], five[0]]), ("8", ["gone/a/b/seed0-0"])])
    assert resolve_runs([SUBMISSION], tmp_path) == [five[0], five[3]]


def test_a_submission_whose_runs_were_removed_is_an_error(tmp_path, five):
    run_folders.submitted(tmp_path, [("8", ["gone/a/b/seed0-0"])])
    (tmp_path / "gone/a/b/seed0-0/job.json").unlink()
    with pytest.raises(UsageError, match=f"No run of the submission {SUBMISSION} exists in"):
        resolve_runs([SUBMISSION], tmp_path)


@pytest.mark.parametrize(
    ("word", "row"),
    [
        ("1", 1),
        ("2", 2),  # although two digests begin with 2
        ("0003", 3),  # a number however it is written, also where it begins a digest
        ("12345678", 1),  # 8 digits: a whole digest
        ("00000003", 5),
        ("2abcdef", 2),
        ("2abcd1", 3),
        ("fade", 4),
        ("fad/", 5),
        ("fad/kd", 5),
        ("a/k", 3),
        ("b/kd/n-m/seed0-fade0123/", 4),
    ],
)
def test_a_word_names_one_run(tmp_path, five, word, row):
    assert resolve_runs([word], tmp_path) == [five[row - 1]]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("6", r"There is no row 6: .* contains 5 runs"),
        ("0", "There is no row 0"),
        ("1234567", "There is no row 1234567"),  # 7 digits are a row, not the start of a digest
        ("87654321", "No run is called '87654321'"),
        ("abcd", "No run is called 'abcd'"),  # the middle of two digests
        ("5678", "There is no row 5678"),  # the end of a digest
        ("zzz", "No run is called 'zzz'.*short id.*kdreid status"),
        ("fade0124", "No run is called 'fade0124'. Did you mean 'fade0123'"),
    ],
)
def test_a_word_that_names_no_run_is_an_error(tmp_path, five, word, message):
    with pytest.raises(UsageError, match=message):
        resolve_runs([word], tmp_path)


@pytest.mark.parametrize(
    ("word", "rows"),
    [
        ("2abcd", [2, 3]),
        ("a/", [1, 2, 3]),
        ("fad", [4, 5]),  # the start of a digest and of another run's key
        ("/", [1, 2, 3, 4, 5]),
    ],
)
def test_an_ambiguous_word_is_an_error_that_lists_the_candidates(tmp_path, five, word, rows):
    with pytest.raises(UsageError) as error:
        resolve_runs([word], tmp_path)
    candidates = ", ".join(f"{five[row - 1]} (row {row})" for row in rows)
    assert str(error.value).startswith(f"{word!r} fits {len(rows)} runs: {candidates}.")


def test_a_long_list_of_candidates_is_cut(tmp_path):
    make_runs(tmp_path, *(f"a/b/c/seed{n}-{n:08x}" for n in range(9)))
    with pytest.raises(UsageError, match=r"fits 9 runs: .*row 6\) and 3 more\. Give more"):
        resolve_runs(["a/"], tmp_path)


def test_the_short_id_of_a_copied_run_is_ambiguous(tmp_path):
    make_runs(tmp_path, "a/b/c/seed0-12345678", "a/b/copy/seed0-12345678")
    with pytest.raises(UsageError, match="'12345678' fits 2 runs: .*row 1.*row 2"):
        resolve_runs(["12345678"], tmp_path)
    assert resolve_runs(["a/b/copy/seed0-12345678"], tmp_path) == ["a/b/copy/seed0-12345678"]


def test_without_runs_the_error_names_the_folder(tmp_path):
    with pytest.raises(UsageError, match=f"No run is called 'abc': {tmp_path} contains no runs"):
        resolve_runs(["abc"], tmp_path)
    assert resolve_runs([], tmp_path) == []
    for function in (list_run_keys, finished_runs, lambda runs: resolve_runs(["1"], runs)):
        with pytest.raises(SetupError, match="There is no runs folder"):
            function(tmp_path / "absent")


def test_specs_are_those_of_the_named_rows(tmp_path):
    """`kdreid score 3` once took 3 for a part of a digest and scored another run than row 3."""
    keys = sorted(run_folders.done(tmp_path, seed) for seed in range(12))
    for row, key in enumerate(keys, 1):
        assert [spec.key for spec in resolve_specs([str(row)], tmp_path)] == [key]
    assert [spec.key for spec in resolve_specs(["11", "12"], tmp_path)] == keys[10:]


def test_finished_runs_are_those_with_a_record(tmp_path):
    keys = {run_folders.done(tmp_path, 0), run_folders.done(tmp_path, 1)}
    run_folders.failed(tmp_path, 2), run_folders.waiting(tmp_path, 3)
    assert {spec.key for spec in finished_runs(tmp_path)} == keys


def test_a_run_that_is_not_done_or_of_another_version_has_no_spec(tmp_path):
    key = run_folders.failed(tmp_path)
    with pytest.raises(SetupError, match=rf"{key} is not done \(failed\)"):
        load_spec(tmp_path, key)
    key = run_folders.done(tmp_path, 1)
    record = read_json(tmp_path / key / RECORD)
    record["spec"]["colour"] = 1
    (tmp_path / key / RECORD).write_text(json.dumps(record))
    with pytest.raises(SetupError, match="made by another version of this program: .*'colour'"):
        load_spec(tmp_path, key)


def test_a_private_runs_folder_is_named_with_its_owner(public_path):
    run_folders.done(public_path)
    public_path.chmod(0o700)
    for function in (require_runs_folder, list_run_keys, finished_runs):
        with as_nobody(), pytest.raises(UnreadableFileError, match=f"{public_path} belongs to"):
            function(public_path)


def test_all_finished_runs_are_not_all_but_the_damaged_ones(tmp_path):
    run_folders.done(tmp_path, 1)
    key = run_folders.done(tmp_path, 2)
    (tmp_path / key / RECORD).write_text('{"half":')
    with pytest.raises(SetupError, match=rf"{key}/record\.json is damaged"):
        finished_runs(tmp_path)
