"""Footnotes of tables about the runs in them."""

from harness.runs.stored_spec import recorded_keys
from results.collect import collect_runs
from results.published import load_published
from results.tables.comparison import comparison_tables
from tests.support.records import cells, done, draw, record, spec, study, teacher_spec, write


def only_table(runs):
    (table,) = comparison_tables(collect_runs(runs)[0], "synthetic", load_published())
    return table


def test_one_seed_is_said_below_the_table(tmp_path):
    study(tmp_path, seeds=(0,))
    table = only_table(tmp_path)
    assert cells(table, "PDRD")["mAP"] == "50.00"
    assert any("One seed: nothing is tested" in note for note in table.caption)


def test_generated_images_have_a_footnote_on_their_limits(tmp_path):
    study(tmp_path)
    table = only_table(tmp_path)
    assert "Published mAP" not in table.columns
    (note,) = [note for note in table.footnotes if "They cannot rank methods" in note]
    for part in ("pipeline works", "raw pixels", "under about 3 points of mAP", "weight was tuned"):
        assert part in note
    assert "undertrained" in note and "not a finding" in note
    assert any("rank no method" in text for text in table.caption)


def test_notes_of_records_are_printed_once(tmp_path):
    teacher = done(tmp_path, teacher_spec(), 0.6)
    for seed in (0, 1):
        done(tmp_path, spec("sp", seed, [teacher]), 0.5, notes=["Images were few."])
    notes = only_table(tmp_path).footnotes
    assert notes.count("Images were few.") == 1


def test_several_scoring_protocols_have_a_footnote(tmp_path):
    teacher = done(tmp_path, teacher_spec(), 0.6)
    done(tmp_path, spec("sp", 0, [teacher]), 0.5, scoring_version=2)
    assert any("protocols (1, 2)" in note for note in only_table(tmp_path).footnotes)


def test_several_draws_have_a_footnote(tmp_path):
    write(tmp_path, record(spec(), draw(0.4), draw(0.6)))
    table = only_table(tmp_path)
    assert cells(table, "Student")["mAP"] == "50.00"
    assert any("mean of 2 draws" in note for note in table.footnotes)


def test_a_teacher_of_another_size_has_a_footnote(tmp_path):
    teacher = spec(network="resnet101", recipe={"height": 128, "width": 64})
    done(tmp_path, teacher, 0.6)
    done(tmp_path, spec("sp", 0, [teacher]), 0.5)
    notes = only_table(tmp_path).caption
    assert notes.count("Images: 128x64 of the teacher, 64x32 of its students.") == 1


def test_a_teacher_that_saw_its_students_images_is_said_to_have(tmp_path):
    """Runs of version 0.2.0, whose keys do not say that the teacher has images of its own."""
    teacher = spec(network="resnet101", recipe={"height": 128, "width": 64})
    done(tmp_path, teacher, 0.6)
    student = spec("sp", 0, [teacher])
    done(tmp_path, student | {"key": recorded_keys(student)[1]}, 0.5)
    (note,) = [note for note in only_table(tmp_path).caption if note.startswith("Images")]
    assert note.startswith("Images: the teacher was trained at 128x64, but taught with its stud")
