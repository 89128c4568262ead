from dataclasses import replace

import pytest

from harness.config import load_dataset
from harness.errors import UsageError
from harness.plan import Request, choose, cohorts, method_names, network_name, runs, settle
from methods import METHODS

SETTINGS = settle([load_dataset("synthetic")], [])
REQUEST = Request("synthetic", (*METHODS,), "resnet101", "resnet18", (0, 1), "bnneck", "cpu", 2)


def planned(request=REQUEST, settings=SETTINGS, pack=16):
    return cohorts(runs(request, settings, "data", {}), pack)


def test_all_means_the_twelve_in_table_order():
    assert method_names(["all"]) == tuple(METHODS)
    assert len(METHODS) == 12


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (["sp,pdrd"], ("sp", "pdrd")),
        (["sp pdrd", "at"], ("sp", "pdrd", "at")),
        (["pdr*"], ("pdrd", "pdrk")),
    ],
)
def test_names_by_comma_space_and_glob(asked, expected):
    assert method_names(asked) == expected


def test_exclusion():
    assert method_names(["all"], ["ft,vid"]) == tuple(m for m in METHODS if m not in ("ft", "vid"))


def test_unknown_names_suggest_the_nearest():
    with pytest.raises(UsageError, match="No method is called 'prdd'. Did you mean 'pdrd'"):
        method_names(["prdd"])
    with pytest.raises(
        UsageError, match="No network is called 'resnet81'. Did you mean 'resnet18'"
    ):
        network_name("resnet81")
    with pytest.raises(UsageError, match="No thing is called 'c'"):
        choose(["c"], ["a"], ["a"], "thing")


def test_teachers_come_first_and_one_teacher_serves_all_seeds():
    (teacher,), *rest = planned()
    assert (teacher.network, teacher.seed, teacher.teachers) == ("resnet101", 0, ())
    assert teacher.recipe.epochs == 4
    assert [len(cohort) for cohort in rest] == [13, 13]
    assert all(spec.teachers in ((), (teacher,)) for cohort in rest for spec in cohort)
    assert [spec.method for spec in rest[0]] == ["none", *METHODS]


def test_a_teacher_per_seed_on_request():
    plan = planned(replace(REQUEST, teacher_seed="same"))
    assert [cohort[0].seed for cohort in plan[:2]] == [0, 1]


def test_pack_cuts_and_never_mixes_streams():
    plan = planned(pack=5)
    assert [len(cohort) for cohort in plan] == [1, 5, 5, 3, 5, 5, 3]
    for cohort in plan:
        assert len({(spec.seed, spec.recipe) for spec in cohort}) == 1
    assert {spec.key for cohort in plan for spec in cohort} == {
        spec.key for cohort in planned(pack=1) for spec in cohort
    }


def test_packing_is_not_part_of_a_run():
    assert {s.key for c in planned(pack=1) for s in c} == {
        s.key for c in planned(pack=16) for s in c
    }


def test_a_plain_student_is_a_run_without_a_teacher():
    plan = planned(replace(REQUEST, methods=("none",)))
    assert [[spec.method for spec in cohort] for cohort in plan] == [["none"], ["none"]]


def test_a_student_like_its_teacher_is_trained_once():
    request = replace(REQUEST, student="resnet101", methods=("kd",), seeds=(0,))
    same = replace(SETTINGS, recipe=SETTINGS.teacher_recipe)
    assert [len(cohort) for cohort in planned(request, same)] == [1, 1]


def test_assignments_override_files_and_are_part_of_the_key():
    changed = settle(
        [load_dataset("synthetic")], ["recipe.epochs=3", "pdrd.weight=1", "ft.steps=9"]
    )
    assert (changed.recipe.epochs, changed.teacher_recipe.epochs) == (3, 4)
    assert changed.options == {"ft": {"steps": 9}, "pdrd": {"weight": 1.0}}
    keys = [{s.key for c in planned(settings=value) for s in c} for value in (SETTINGS, changed)]
    assert len(keys[0] & keys[1]) == 1  # the teacher


def test_a_stated_default_is_no_change():
    same = settle([load_dataset("synthetic")], ["pdrd.weight=2"])
    assert planned(settings=same) == planned()


@pytest.mark.parametrize(
    ("assignment", "pattern"),
    [
        ("recipe.epoch=3", "recipe has no 'epoch'. Did you mean 'epochs'"),
        ("recipe.epochs=three", "recipe.epochs takes int, given 'three'"),
        ("recipe.epochs", "is not SECTION.NAME=VALUE"),
        ("epochs=3", "is not SECTION.NAME=VALUE"),
        ("pdrdd.weight=1", "nothing is called 'pdrdd'. Did you mean 'pdrd'"),
        ("pdrd.wieght=1", "pdrd has no option 'wieght'. Did you mean 'weight'"),
        ("pdrd.weight=heavy", "pdrd.weight takes float, given 'heavy'"),
        ("pdrd.activation=tanh", "mish"),
        ("sp.variant=pdrd", "sp has no variant 'pdrd' in this version"),
        ("csd.variant=original", "csd has no variant 'original' in this version"),
        ("recipe.flip=2", "recipe.flip is 2.0; it must be between 0 and 1"),
        ("data.kind=cats", "kind"),
    ],
)
def test_bad_assignments_are_refused(assignment, pattern):
    with pytest.raises(UsageError, match=pattern):
        settle([load_dataset("synthetic")], [assignment])
