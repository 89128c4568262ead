"""Groups of comparable runs."""

from results.collect import collect_runs
from results.comparable import comparison_groups, merge_data_flags
from tests.support.records import done, draw, failed, record, spec, study, teacher_spec, write


def groups_of(runs, dataset="synthetic"):
    return comparison_groups(collect_runs(runs)[0], dataset)


def test_a_group_has_its_students_and_their_teacher(tmp_path):
    teacher = study(tmp_path)
    (group,) = groups_of(tmp_path)
    assert (group.network, group.teacher) == ("resnet18", "resnet101")
    assert group.teachers == ((teacher["key"], "resnet101"),)
    assert len(group.students) == 6 and group.teacher_runs["key"].tolist() == [teacher["key"]]
    assert len(group.done) == 7
    assert (group.evaluations, group.score_columns) == (("test",), ("mAP", "R1"))
    assert group.distinguishing_fields == ()
    assert group.describe().startswith("network resnet18, head bnneck, weights none, epochs 3")


def test_the_largest_group_is_first_and_their_differences_are_named(tmp_path):
    study(tmp_path, seeds=(0,), recipe={"epochs": 9})
    study(tmp_path)
    first, second = groups_of(tmp_path)
    assert (len(first.students), len(second.students)) == (6, 2)
    assert first.distinguishing_fields[0] == "epochs 3"
    assert second.distinguishing_fields[0] == "epochs 9"
    assert first.distinguishing_fields[1].startswith("teacher resnet101 seed0-")


def test_failed_runs_alone_are_not_a_group(tmp_path):
    failed(tmp_path, spec("sp", 0, [teacher_spec()]))
    assert groups_of(tmp_path) == []


def test_a_finished_teacher_makes_a_group_of_failed_students(tmp_path):
    teacher = done(tmp_path, teacher_spec(), 0.6)
    failed(tmp_path, spec("sp", 0, [teacher]))
    (group,) = groups_of(tmp_path)
    assert group.done["key"].tolist() == [teacher["key"]]


def test_runs_that_only_serve_as_teachers_are_not_a_group(tmp_path):
    teacher = done(tmp_path, teacher_spec(), 0.6)
    assert [group.network for group in groups_of(tmp_path)] == ["resnet101"]
    done(tmp_path, spec("sp", 0, [teacher]), 0.5)
    assert [group.network for group in groups_of(tmp_path)] == ["resnet18"]


def test_scores_of_several_evaluations_have_columns_of_their_own(tmp_path):
    evaluations = {"test1600": [draw(0.4)], "test800": [draw(0.5)]}
    write(tmp_path, record(spec(), result={"steps": 1, "evaluations": evaluations}))
    (group,) = groups_of(tmp_path)
    assert group.evaluations == ("test800", "test1600")
    assert group.score_columns == ("test800 mAP", "test800 R1", "test1600 mAP", "test1600 R1")


def test_flags_of_several_runs_are_merged_in_one_order(tmp_path):
    done(tmp_path, spec(), 0.5, data_flags=["partial"])
    done(tmp_path, spec(seed=1), 0.5, data_flags=["generated"])
    assert merge_data_flags(collect_runs(tmp_path)[0]) == ("generated", "partial")
