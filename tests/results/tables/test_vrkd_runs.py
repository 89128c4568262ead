"""Runs that belong to a row of VRKD's tables."""

import pytest

from results.collect import collect_runs
from results.comparable import comparison_groups
from results.tables.vrkd_runs import (
    differences_of_test,
    match_paper_row,
    runs_with_test,
    score_cell_of_test,
    size_cells,
    training_command,
)
from tests.support.records import failed, spec
from tests.support.vehicle_records import VRKD, fields, put, teachers

ROLE = VRKD.networks[2]
MODELS = VRKD.networks[0]


def row(table, **named):
    (match,) = [
        r for r in table.rows if all(getattr(r, name) == value for name, value in named.items())
    ]
    return match


RESNET = row(ROLE, network="resnet18", method="vrkd")
STUDENT = row(ROLE, network="resnet18", method="none")


def matched(runs, published=RESNET, table=ROLE, dataset="veri776"):
    frame, problems = collect_runs(runs)
    assert problems == []
    return match_paper_row(
        comparison_groups(frame, dataset), published, table, VRKD.protocols[dataset]
    )


def distilled(runs, seed=0, scores=(0.74, 0.92), network="resnet18", **options):
    shared = fields(**options)
    return put(
        runs, spec("vrkd", seed, teachers(runs, **shared), network=network, **shared), *scores
    )


def test_a_row_finds_its_network_size_and_tricks(tmp_path):
    distilled(tmp_path)
    match = matched(tmp_path)
    assert [len(table_row.done) for table_row in match.rows] == [1]
    assert match.group.network == "resnet18" and match.other_groups == 0


@pytest.mark.parametrize(
    "options",
    [
        {"size": 512},
        {"last_stride": 1},
        {"label_smoothing": 0},
        {"triplet_weight": 1, "sampling": "identities"},
        {"network": "resnet50"},
    ],
)
def test_runs_of_another_size_or_trick_are_not_its_own(tmp_path, options):
    distilled(tmp_path, **options)
    assert matched(tmp_path) is None


def test_small_networks_have_no_last_stride_to_compare(tmp_path):
    distilled(tmp_path, network="cnn5", size=128, last_stride=1)
    published = row(ROLE, network="cnn5", method="vrkd")
    assert published.last_stride == 2 and matched(tmp_path, published) is not None


def test_other_teachers_do_not_count(tmp_path):
    shared = fields()
    one = put(tmp_path, spec(network="resnet101", **shared), 0.8, 0.9)
    put(tmp_path, spec("vrkd", 0, [one], **shared), 0.7, 0.8)
    assert matched(tmp_path) is None


def test_plain_students_need_no_teacher(tmp_path):
    put(tmp_path, spec(**fields()), 0.68, 0.92)
    assert matched(tmp_path, STUDENT).rows[0].method == "none"
    assert matched(tmp_path) is None


def test_the_nearest_protocol_is_taken_and_the_rest_counted(tmp_path):
    distilled(tmp_path, scores=(0.5, 0.6), epochs=10)
    distilled(tmp_path, scores=(0.74, 0.92))
    match = matched(tmp_path)
    assert match.rows[0].done["mAP"].tolist() == [0.74]
    assert match.other_groups == 1
    assert match.differences == ("last_stride of the teachers 2 instead of 1",)


def test_finished_runs_go_before_failed_ones_of_the_papers_protocol(tmp_path):
    shared = fields()
    failed(tmp_path, spec("vrkd", 0, teachers(tmp_path, **shared), **shared))
    distilled(tmp_path, scores=(0.5, 0.6), epochs=10)
    match = matched(tmp_path)
    assert match.rows[0].done["mAP"].tolist() == [0.5]
    assert "epochs 10 instead of 120" in match.differences


def test_fields_that_the_paper_states_for_all_rows_are_compared(tmp_path):
    shared = fields(pretrained="none") | {"head": "bnneck"}
    put(tmp_path, spec(**shared), 0.6, 0.7)
    differences = matched(tmp_path, STUDENT).differences
    assert differences == ("head bnneck instead of fc256", "pretrained none instead of imagenet")


def test_tests_of_vehicleid_have_columns_of_their_own(tmp_path):
    distilled(tmp_path, scores=(0.87, 0.83, 0.80), dataset="vehicleid")
    table_row = matched(tmp_path, dataset="vehicleid").rows[0]
    assert score_cell_of_test(table_row, "vehicleid test1600", "mAP").text == "83.00"
    assert score_cell_of_test(table_row, "vehicleid test2400", "R1").text == "70.00"
    assert runs_with_test(table_row, "vehicleid test800")[1] == "test800 "
    assert score_cell_of_test(table_row, "veri776", "mAP").text == "-"


def test_a_failure_is_printed_for_every_test(tmp_path):
    shared = fields("vehicleid")
    made = teachers(tmp_path, **shared)
    failed(tmp_path, spec("vrkd", 0, made, **shared))
    table_row = matched(tmp_path, dataset="vehicleid").rows[0]
    assert score_cell_of_test(table_row, "vehicleid test800", "mAP").text == "failed: diverged"


def test_queries_of_other_tests_are_no_difference_of_this_one():
    differences = (
        "epochs 1 instead of 2",
        "queries of test800 5 instead of 6",
        "draws of test1600 1 instead of 2",
    )
    assert differences_of_test(differences, "vehicleid test800") == differences[:2]
    assert differences_of_test(differences, "vehicleid test1600") == (
        differences[0],
        differences[2],
    )


def test_sizes_are_the_records_and_a_dash_without(tmp_path):
    put(tmp_path, spec(**fields()), 0.6, 0.7, counts=None)
    put(tmp_path, spec(seed=1, **fields()), 0.6, 0.7, counts=(1_006_400, 413_000_000))
    frame = collect_runs(tmp_path)[0]
    parameters, operations = size_cells(frame)
    assert (parameters.text, operations.text) == ("1.01", "0.41")
    assert parameters.runs == (frame["key"].iloc[1],)
    assert [cell.text for cell in size_cells(frame.iloc[:1])] == ["-", "-"]


def test_the_command_trains_the_row():
    plain = row(MODELS, network="cnn5", label_smoothing=False)
    assert training_command(plain, "vehicleid") == (
        "kdreid run --study vrkd --dataset vehicleid --student cnn5 --set recipe.height=128 "
        "--set recipe.width=128 --set recipe.label_smoothing=0"
    )
    assert training_command(RESNET, "veri776").endswith(
        "--student resnet18 --set recipe.last_stride=2 --set teacher_recipe.last_stride=1"
    )
    wide = row(MODELS, network="resnet18", size=512, last_stride=1)
    assert "last_stride" not in training_command(
        wide, "veri776"
    ) and "height=512" in training_command(wide, "veri776")


@pytest.mark.parametrize("published", [r for t in VRKD.networks for r in t.rows if not r.cited])
@pytest.mark.parametrize("dataset", ["veri776", "vehicleid"])
def test_the_command_trains_by_the_papers_protocol(tmp_path, published, dataset):
    """Its options make runs that the row finds, and that differ in data alone."""
    from dataclasses import asdict

    from harness.planning.overrides import resolve_settings
    from harness.planning.schema import load_dataset, load_study

    assignments = training_command(published, dataset).split(" --set ")[1:]
    settled = resolve_settings([load_dataset(dataset), load_study("vrkd")], assignments)
    made = {}
    for name in ("recipe", "teacher_recipe"):
        recipe = asdict(getattr(settled, name))
        made[name] = {"dataset": dataset, "head": load_study("vrkd").head, "recipe": recipe}
    table = next(t for t in VRKD.networks if published in t.rows)
    teacher_runs = (
        teachers(tmp_path, **made["teacher_recipe"]) if published.method != "none" else []
    )
    scores = (0.9, 0.8, 0.7) if dataset == "vehicleid" else (0.7, 0.9)
    student = spec(published.method, 0, teacher_runs, network=published.network, **made["recipe"])
    put(tmp_path, student, *scores)
    match = matched(tmp_path, published, table, dataset)
    assert all(differences.startswith("queries of") for differences in match.differences), (
        match.differences
    )


def test_teachers_of_last_stride_1_are_the_papers(tmp_path):
    shared = fields()
    teacher_runs = teachers(tmp_path, **fields(last_stride=1))
    put(tmp_path, spec("vrkd", 0, teacher_runs, **shared), 0.7, 0.9)
    assert matched(tmp_path).differences == ()
