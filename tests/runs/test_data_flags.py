import pytest

from harness.runs.data_flags import DataFlag, data_flags
from harness.runs.reader import load_run
from tests.support.records import done, spec

PARTIAL = "Partial data: train has 12 images where 12,936 are expected."
GENERATED = "Generated data: drawn images in this dataset's layout, no photographs."


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        ([], ()),
        (["partial"], (DataFlag.PARTIAL,)),
        (["partial", "generated"], (DataFlag.GENERATED, DataFlag.PARTIAL)),
    ],
)
def test_the_field_decides_whatever_the_notes_say(words, flags):
    assert data_flags({"data_flags": words, "notes": [PARTIAL, GENERATED]}) == flags
    assert data_flags({"data_flags": words}) == flags


@pytest.mark.parametrize(
    ("notes", "flags"),
    [
        (None, ()),
        ([], ()),
        (["Gallery: 3 files."], ()),
        (["Not Partial data: anything."], ()),
        ([PARTIAL], (DataFlag.PARTIAL,)),
        (["Gallery: 3 files.", PARTIAL, GENERATED], (DataFlag.GENERATED, DataFlag.PARTIAL)),
    ],
)
def test_older_records_are_recognised_by_their_notes(notes, flags):
    assert data_flags({"notes": notes}) == flags


@pytest.mark.parametrize("words", ["partial", None, ["other"], [["partial"]], {"partial": True}])
def test_other_values_are_refused(words):
    with pytest.raises(ValueError, match="its data_flags are .*; known are generated, partial"):
        data_flags({"data_flags": words, "notes": [PARTIAL]})


def test_a_stored_run_has_the_flags_of_its_record(tmp_path):
    new = done(tmp_path, spec("sp"), 0.5, data_flags=["partial"])
    old = done(tmp_path, spec("at"), 0.5, notes=[GENERATED])
    assert load_run(tmp_path, new["key"]).data_flags == (DataFlag.PARTIAL,)
    assert load_run(tmp_path, old["key"]).data_flags == (DataFlag.GENERATED,)
    wrong = done(tmp_path, spec("ft"), 0.5, data_flags=["other"])
    with pytest.raises(ValueError, match="cannot be read as a run: its data_flags are"):
        load_run(tmp_path, wrong["key"])
