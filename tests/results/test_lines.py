"""Rows of a table and the runs in them."""

from results.collect import collect_runs
from results.comparable import comparison_groups
from results.lines import (
    BASELINE,
    baseline_row,
    complete_seeds,
    expected_seeds,
    methods_in_order,
    table_rows,
    teacher_rows,
)
from tests.support.records import done, failed, spec, study, teacher_spec


def only_group(runs, labels=None):
    (group,) = comparison_groups(collect_runs(runs, labels)[0], "synthetic")
    return group


def test_methods_are_in_the_order_of_the_labels_after_the_baseline(tmp_path):
    teacher = study(tmp_path)
    for method in ("sp", "other", "at"):
        done(tmp_path, spec(method, 0, [teacher]), 0.5)
    known = {"sp": "SP", "none": "Student", "pdrd": "PDRD", "at": "AT"}
    group = only_group(tmp_path, known)
    assert methods_in_order(group) == ["none", "sp", "pdrd", "at", "other"]


def test_the_baseline_is_listed_even_if_it_did_not_run(tmp_path):
    teacher = done(tmp_path, teacher_spec(), 0.6)
    done(tmp_path, spec("sp", 0, [teacher]), 0.5)
    group = only_group(tmp_path)
    assert methods_in_order(group) == ["none", "sp"]
    (row,) = table_rows(group, *BASELINE)
    assert row.row_id == ("none", "Student") and row.runs.empty and row.keys == ()
    assert baseline_row(group) is None


def test_options_and_code_make_rows_of_their_own(tmp_path):
    teacher = study(tmp_path)
    done(tmp_path, spec("ft", 0, [teacher]), 0.4, label="FT")
    done(tmp_path, spec("ft", 0, [teacher], options={"steps": 4}), 0.4, label="FT")
    done(tmp_path, spec("ft", 0, [teacher], options={"steps": 4}, source="new"), 0.4, label="FT")
    labels = [row.label for row in table_rows(only_group(tmp_path), "ft")]
    assert labels == ["FT", "FT (steps=4, code code of /1)", "FT (steps=4, code new/1)"]


def test_a_row_is_labelled_by_its_first_finished_run(tmp_path):
    teacher = study(tmp_path)
    failed(tmp_path, spec("sp", 0, [teacher]), "memory")
    (row,) = table_rows(only_group(tmp_path), "sp")
    assert row.label == "sp" and row.describe_failures() == "failed: memory"
    done(tmp_path, spec("sp", 1, [teacher]), 0.5, label="Similarity")
    (row,) = table_rows(only_group(tmp_path), "sp")
    assert row.label == "Similarity" and len(row.done) == len(row.failed) == 1
    assert [row.label for row in table_rows(only_group(tmp_path), "sp", "Mine")] == ["Mine"]


def test_a_complete_row_has_the_seeds_of_any_distilled_student(tmp_path):
    done(tmp_path, spec(seed=7), 0.4)
    assert complete_seeds(only_group(tmp_path)) == {7}
    teacher = done(tmp_path, teacher_spec(), 0.6)
    done(tmp_path, spec("sp", 1, [teacher]), 0.5)
    failed(tmp_path, spec("at", 2, [teacher]))
    group = only_group(tmp_path)
    assert complete_seeds(group) == {1, 2} and expected_seeds(group) == 2


def test_two_kinds_of_undistilled_students_are_no_baseline(tmp_path):
    study(tmp_path)
    assert len(baseline_row(only_group(tmp_path)).done) == 3
    done(tmp_path, spec(seed=0, source="older"), 0.3)
    assert baseline_row(only_group(tmp_path)) is None


def test_every_teacher_has_a_row_with_its_network(tmp_path):
    teachers = [done(tmp_path, teacher_spec(), 0.6), spec(network="densenet121")]
    done(tmp_path, spec("vrkd", 0, teachers), 0.5)
    first, second = teacher_rows(only_group(tmp_path))
    assert (first[0].label, first[1], len(first[0].runs)) == ("Teacher 1", "resnet101", 1)
    assert (second[0].label, second[1], len(second[0].runs)) == ("Teacher 2", "densenet121", 0)


def test_without_teachers_there_are_no_rows_of_teachers(tmp_path):
    done(tmp_path, spec(), 0.4)
    assert teacher_rows(only_group(tmp_path)) == []
