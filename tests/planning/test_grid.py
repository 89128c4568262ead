from dataclasses import replace

import pytest

from harness.core.errors import UsageError
from harness.planning.grid import expand_runs, pack_cohorts
from harness.planning.names import (
    expand_names,
    require_network,
    resolve_methods,
    teacher_networks,
)
from harness.planning.overrides import resolve_settings
from harness.planning.request import ResolvedRequest
from harness.planning.schema import load_dataset, load_study
from methods import METHODS

SETTINGS = resolve_settings([load_dataset("synthetic")], [])
REQUEST = ResolvedRequest(
    dataset="synthetic",
    methods=resolve_methods(["all"]),
    teachers=("resnet101",),
    student="resnet18",
    head="bnneck",
    seeds=(0, 1),
    device="cpu",
    threads=2,
)


def method_names(names, excluded=()):
    return tuple(method.name for method in resolve_methods(names, excluded))


def planned(request=REQUEST, settings=SETTINGS, pack=16):
    return pack_cohorts(expand_runs(request, settings, "data", {}), pack)


def test_all_means_every_compared_method_in_the_order_of_tables():
    assert method_names(["all"]) == tuple(METHODS)


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
        require_network("resnet81")
    with pytest.raises(UsageError, match="No thing is called 'c'"):
        expand_names(["c"], ["a"], ["a"], "thing")


def test_teachers_come_first_and_one_teacher_serves_all_seeds():
    (teacher,), *rest = planned()
    assert (teacher.network, teacher.seed, teacher.teachers) == ("resnet101", 0, ())
    assert teacher.recipe.epochs == 4
    assert [len(cohort) for cohort in rest] == [len(METHODS) + 1] * 2
    assert all(spec.teachers in ((), (teacher,)) for cohort in rest for spec in cohort)
    assert [spec.method for spec in rest[0]] == ["none", *METHODS]


def test_a_teacher_per_seed_on_request():
    plan = planned(replace(REQUEST, teacher_seed=None))
    assert [cohort[0].seed for cohort in plan[:2]] == [0, 1]


def test_pack_cuts_and_never_mixes_streams():
    request = replace(REQUEST, methods=resolve_methods(["at,ft,sp,rkd,pkt,kdpe,csd"]))
    plan = planned(request, pack=3)
    assert [len(cohort) for cohort in plan] == [1, 3, 3, 2, 3, 3, 2]  # with the plain student
    for cohort in plan:
        assert len({(spec.seed, spec.recipe) for spec in cohort}) == 1
    assert {spec.key for cohort in plan for spec in cohort} == {
        spec.key for cohort in planned(request, pack=1) for spec in cohort
    }


def test_packing_is_not_part_of_a_run():
    assert {s.key for c in planned(pack=1) for s in c} == {
        s.key for c in planned(pack=16) for s in c
    }


def test_a_plain_student_is_a_run_without_a_teacher():
    plan = planned(replace(REQUEST, methods=resolve_methods(["none"])))
    assert [[spec.method for spec in cohort] for cohort in plan] == [["none"], ["none"]]


def test_a_student_like_its_teacher_is_trained_once():
    request = replace(REQUEST, student="resnet101", methods=resolve_methods(["kd"]), seeds=(0,))
    same = replace(SETTINGS, recipe=SETTINGS.teacher_recipe)
    assert [len(cohort) for cohort in planned(request, same)] == [1, 1]


def test_assignments_override_files_and_are_part_of_the_key():
    changed = resolve_settings(
        [load_dataset("synthetic")], ["recipe.epochs=3", "pdrd.weight=1", "ft.steps=9"]
    )
    assert (changed.recipe.epochs, changed.teacher_recipe.epochs) == (3, 4)
    assert changed.options == {"ft": {"steps": 9}, "pdrd": {"weight": 1.0}}
    keys = [{s.key for c in planned(settings=value) for s in c} for value in (SETTINGS, changed)]
    assert len(keys[0] & keys[1]) == 1  # the teacher


@pytest.mark.parametrize(
    "assignments",
    [
        ["pdrd.weight=2"],
        ["sp.weight=3000"],
        ["sp.variant=original"],
        ["rkd.distance_weight=1", "rkd.angle_weight=2"],
    ],
)
def test_a_stated_default_is_no_change(assignments):
    same = resolve_settings([load_dataset("synthetic")], assignments)
    assert planned(settings=same) == planned()


def test_a_variant_brings_its_own_defaults():
    changed = resolve_settings([], ["sp.variant=pdrd", "sp.weight=1000", "rkd.variant=pdrd"])
    assert changed.options == {"sp": {"variant": "pdrd"}, "rkd": {"variant": "pdrd"}}
    changed = resolve_settings([], ["sp.variant=pdrd", "sp.weight=3000"])
    assert changed.options == {"sp": {"variant": "pdrd", "weight": 3000.0}}


def test_milestones_can_be_assigned():
    changed = resolve_settings([], ["recipe.schedule=steps", "recipe.milestones=60, 90,110"])
    assert changed.recipe.milestones == (60.0, 90.0, 110.0)


def test_a_team_makes_one_teacher_of_several_runs():
    request = replace(
        REQUEST,
        teachers=teacher_networks("resnet18-directional"),
        methods=resolve_methods(["vrkd"]),
        seeds=(0,),
    )
    teachers, students = planned(request)
    assert [spec.network for spec in teachers] == [
        f"resnet18-{kind}" for kind in ("hap", "vap", "dap", "aap")
    ]
    assert {spec.head for spec in teachers} == {"own"}
    assert students[-1].teachers == teachers
    assert students[-1].key.startswith("synthetic/vrkd/4xresnet18-resnet18/seed0-")
    with pytest.raises(UsageError, match="'resnet18-direct'. Did you mean 'resnet18-directional'"):
        teacher_networks("resnet18-direct")


def test_the_study_of_pdrds_tables_takes_its_variants():
    settings = resolve_settings([load_dataset("market1501"), load_study("pdrd-tables")], [])
    variants = {name: values.get("variant") for name, values in settings.options.items()}
    assert variants == dict.fromkeys(("fitnet", "cckd", "sp", "rkd", "pkt"), "pdrd") | {"csd": None}


def test_the_study_of_vrkd_is_as_its_paper_says():
    recipe = resolve_settings([load_dataset("veri776"), load_study("vrkd")], []).recipe
    assert (recipe.schedule, recipe.milestones, recipe.lr) == ("steps", (60, 90, 110), 0.02)
    assert (recipe.sampling, recipe.batch, recipe.triplet_weight) == ("images", 256, 0)


@pytest.mark.parametrize(
    ("assignment", "pattern"),
    [
        ("recipe.epoch=3", "recipe has no 'epoch'. Did you mean 'epochs'"),
        ("recipe.epochs=three", "recipe.epochs takes a whole number, given 'three'"),
        ("recipe.epochs", "is not SECTION.NAME=VALUE"),
        ("epochs=3", "is not SECTION.NAME=VALUE"),
        ("pdrdd.weight=1", "nothing is called 'pdrdd'. Did you mean 'pdrd'"),
        ("pdrd.wieght=1", "pdrd has no option 'wieght'. Did you mean 'weight'"),
        ("pdrd.weight=heavy", "pdrd.weight takes a number, given 'heavy'"),
        ("pdrd.activation=tanh", "mish"),
        ("sp.variant=pdr", "sp has no variant 'pdr'. Offered: original, pdrd"),
        ("fitnet.stage=7", "fitnet has no stage 7"),
        ("recipe.milestones=60,ten", "recipe.milestones takes numbers such as 60,90,110"),
        ("recipe.milestones=60,30", "recipe.milestones is .* it must be epochs in rising order"),
        ("recipe.schedule=stairs", "recipe.schedule is stairs; it must be cosine or steps"),
        ("recipe.last_stride=3", "recipe.last_stride is 3; it must be 1 or 2"),
        ("recipe.sampling=images", "recipe.triplet_weight is .* it must be 0 with sampling"),
        ("recipe.flip=2", "recipe.flip is 2.0; it must be between 0 and 1"),
        ("data.kind=cats", "kind"),
    ],
)
def test_bad_assignments_are_refused(assignment, pattern):
    with pytest.raises(UsageError, match=pattern):
        resolve_settings([load_dataset("synthetic")], [assignment])
