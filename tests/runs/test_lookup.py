"""Short names for runs."""

import pytest

from harness.core.errors import UsageError
from harness.runs.lookup import list_run_keys, resolve_runs, short_id
from tests.support import run_folders


def test_row_short_id_key_start_and_group_name_the_same_run(tmp_path):
    first, second = sorted((run_folders.waiting(tmp_path, 1), run_folders.waiting(tmp_path, 2)))
    run_folders.submitted(tmp_path, [(None, [second])], group="20260101-000000-abcd")
    assert list_run_keys(tmp_path) == [first, second]
    for words in (["2"], [short_id(second)], [second], [second[:-4]], [f"{second}/"]):
        assert resolve_runs(words, tmp_path) == [second], words
    assert resolve_runs(["20260101-000000-abcd"], tmp_path) == [second]
    assert resolve_runs(["2,1", "2"], tmp_path) == [second, first]


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("3", "There is no row 3: .* holds 2 runs"),
        ("0", "There is no row 0"),
        ("synthetic/", "may mean 2 runs"),
        ("zzz", "No run is called 'zzz'.*kdreid status"),
    ],
)
def test_what_fits_none_or_several_is_refused(tmp_path, word, words):
    run_folders.waiting(tmp_path, 1), run_folders.waiting(tmp_path, 2)
    with pytest.raises(UsageError, match=words):
        resolve_runs([word], tmp_path)


def test_an_id_of_eight_digits_is_no_row(tmp_path):
    folder = tmp_path / "d" / "none" / "n" / "seed0-12345678"
    folder.mkdir(parents=True)
    (folder / "spec.json").write_text("{}")
    assert resolve_runs(["12345678"], tmp_path) == ["d/none/n/seed0-12345678"]
