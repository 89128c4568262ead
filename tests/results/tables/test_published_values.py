from math import sqrt
from statistics import mean, stdev

import pytest
from scipy import stats

from results.collect import collect_runs
from results.published import Protocol, load_published
from results.tables.ablation import ablation_tables
from results.tables.comparison import comparison_tables
from results.tables.published_values import protocol_differences, unstated_fields
from tests.support.records import (
    cells,
    done,
    draw,
    failed,
    record,
    spec,
    teacher_spec,
    whole_cells,
    write,
)

PUBLISHED = load_published()
PDRD = PUBLISHED.papers[0]
VEHICLE = PDRD.protocols["veri776"]
RECIPE = {name: value for name, value in VEHICLE.recipe.items() if name != "sampling"}
DATA = {"train_images": 37778, "train_identities": 576}


def vehicles(runs, accuracies, method="pdrd", queries=1678, notes=(), **fields):
    """A teacher and, by seed, students whose protocol is the paper's but for `fields`."""
    recipe = RECIPE | fields.pop("recipe", {})
    shared = {"dataset": "veri776", "recipe": recipe, **fields}
    teacher = teacher_spec(**shared)
    made = [(teacher, 0.80)]
    made += [(spec(method, seed, [teacher], **shared), a) for seed, a in enumerate(accuracies)]
    for one, accuracy in made:
        scores = draw(accuracy) | {"queries": queries}
        write(runs, record(one, scores, data=DATA, notes=notes))
    return teacher


def only(runs, dataset="veri776"):
    (table,) = comparison_tables(collect_runs(runs)[0], dataset, PUBLISHED)
    return table


@pytest.mark.parametrize(
    ("accuracies", "verdict"),
    [((0.770, 0.776, 0.779), "in"), ((0.70, 0.701, 0.702), "out"), ((0.70,), "n=1")],
)
def test_a_difference_has_the_interval_of_one_further_run(tmp_path, accuracies, verdict):
    vehicles(tmp_path, accuracies)
    values = [100 * accuracy for accuracy in accuracies]
    row = whole_cells(only(tmp_path), "PDRD")
    cell = row["Difference mAP"]
    assert cell.text == f"{mean(values) - 77.60:+.2f} {verdict}"
    assert cell.value == pytest.approx(mean(values) - 77.60)
    assert cell.runs == row["mAP"].runs
    if len(values) > 1:
        count = len(values)
        reach = stats.t.ppf(0.975, count - 1) * stdev(values) * sqrt(1 + 1 / count)
        low, high = mean(values) - reach, mean(values) + reach
        assert (low <= 77.60 <= high) == (verdict == "in")
        assert f"{low:.2f} to {high:.2f}" in cell.detail
    else:
        assert "no interval" in cell.detail


def test_equal_protocols_have_no_other_footnote(tmp_path):
    vehicles(tmp_path, (0.77, 0.78))
    table = only(tmp_path)
    notes = " ".join(table.footnotes)
    assert "Published: Xie et al. 2024, Table 5." in notes
    assert "not comparable" not in notes and "prediction interval" in notes
    assert "do not state: version of the dataset, re-ranking" in notes


def test_unequal_protocols_are_counted_in_the_cell_and_listed_below(tmp_path):
    vehicles(tmp_path, (0.77, 0.78), queries=100, recipe={"epochs": 100})
    table = only(tmp_path)
    cell = whole_cells(table, "PDRD")["Difference mAP"]
    assert cell.text == "-0.10 in ≠2"
    for text in (cell.detail, " ".join(table.footnotes)):
        assert "epochs 100 instead of 120; queries 100 instead of 1678" in text


def test_nothing_has_no_minus_sign(tmp_path):
    vehicles(tmp_path, (0.77599999,))
    assert cells(only(tmp_path), "PDRD")["Difference mAP"] == "+0.00 n=1"


def test_one_unequal_field(tmp_path):
    vehicles(tmp_path, (0.50,), recipe={"last_stride": 2})
    assert cells(only(tmp_path), "PDRD")["Difference mAP"] == "-27.60 n=1 ≠1"


@pytest.mark.parametrize(
    ("note", "mark"),
    [("Partial data: 9 of 90 images.", "partial"), ("Generated data: drawn.", "generated")],
)
def test_no_difference_on_data_that_is_not_whole(tmp_path, note, mark):
    vehicles(tmp_path, (0.77, 0.78), notes=[note])
    row = whole_cells(only(tmp_path), "PDRD")
    assert row["Difference mAP"].text == row["Difference R1"].text == f"{mark} data"
    assert row["Difference mAP"].value is None and row["Difference mAP"].runs
    assert row["Published mAP"].text == "77.60"


def test_a_failed_run_has_no_difference(tmp_path):
    vehicles(tmp_path, (0.77,))
    teacher = teacher_spec(dataset="veri776", recipe=RECIPE)
    failed(tmp_path, spec("sp", 0, [teacher], dataset="veri776", recipe=RECIPE))
    row = cells(only(tmp_path), "sp")
    shown = [row[name] for name in ("Published mAP", "Difference mAP", "Difference R1")]
    assert shown == ["75.27", "-", "-"]


def test_teacher_and_student_are_compared_with_table_1(tmp_path):
    vehicles(tmp_path, (0.77,))
    teacher = cells(only(tmp_path), "Teacher")
    assert (teacher["Published mAP"], teacher["Difference mAP"]) == ("80.20", "-0.20 n=1")
    assert cells(only(tmp_path), "Student")["Published R1"] == "94.40"


def test_a_teacher_of_another_recipe_has_a_footnote(tmp_path):
    teacher = teacher_spec(dataset="veri776", recipe=RECIPE | {"epochs": 60})
    student = spec("pdrd", 0, [teacher], dataset="veri776", recipe=RECIPE)
    for made in (teacher, student):
        write(tmp_path, record(made, draw(0.8) | {"queries": 1678}))
    table = only(tmp_path)
    assert any(
        "teacher's protocol" in n and "epochs 60 instead of 120" in n for n in table.footnotes
    )
    assert "≠1" in cells(table, "Teacher")["Difference mAP"]
    assert "≠" not in cells(table, "PDRD")["Difference mAP"]


def test_the_ablation_has_the_same_columns(tmp_path):
    vehicles(tmp_path, (0.77, 0.78))
    (table,) = ablation_tables(collect_runs(tmp_path)[0], PUBLISHED)
    row = cells(table, "Student + L_npdrk")
    assert row["VeRi published mAP"] == "77.60"
    assert row["VeRi difference mAP"] == "-0.10 in"
    assert sum("prediction interval" in note for note in table.footnotes) == 1


def protocol(**fields):
    stated = dict.fromkeys(("version", "train_images", "train_identities", "metric", "reranking"))
    tests = {"queries": {}, "gallery": {}, "draws": {}, "cameras": None, "checkpoint": None}
    return Protocol(**stated | tests | {"recipe": {}} | fields)


def one_run(runs, made, *draws, **fields):
    write(runs, record(made, *(draws or [draw(0.5)]), **fields))
    return collect_runs(runs)[0]


def test_what_a_paper_does_not_state_is_no_difference(tmp_path):
    frame = one_run(tmp_path, spec())
    assert protocol_differences(frame, protocol()) == ()
    assert protocol_differences(frame, None) == ()
    assert protocol_differences(frame.iloc[:0], protocol(recipe={"epochs": 9})) == ()
    assert protocol_differences(frame, protocol(recipe={"unknown_then": 9})) == ()


@pytest.mark.parametrize(
    ("stated", "difference"),
    [
        ({"recipe": {"epochs": 3, "lr": 0.5}}, "lr 0.02 instead of 0.5"),
        ({"recipe": {"milestones": (5, 10)}}, "milestones 7 instead of 5, 10"),
        ({"recipe": {"batch": 95}}, "batch 96 instead of 95"),
        ({"metric": "euclidean"}, "metric cosine instead of euclidean"),
        ({"reranking": True}, "re-ranking no instead of yes"),
        ({"train_images": 12}, "training images 37778 instead of 12"),
        ({"queries": {"test": 99}}, "queries 100 instead of 99"),
        ({"draws": {"test": 10}}, "draws 1 instead of 10"),
    ],
)
def test_each_field_is_compared(tmp_path, stated, difference):
    recipe = {"lr": 0.02, "milestones": [7], "sampling": "identities", "images_each": 6, "batch": 1}
    frame = one_run(tmp_path, spec(recipe=recipe), data=DATA)
    assert protocol_differences(frame, protocol(**stated)) == (difference,)


def test_equal_values_of_any_type_are_equal(tmp_path):
    frame = one_run(tmp_path, spec(recipe={"milestones": [60, 90], "lr": 2e-2}), data=DATA)
    same = {"milestones": (60, 90), "lr": 0.02, "epochs": 3}
    stated = {"recipe": same, "train_images": 37746, "misprints": {"train_images": 37778}}
    assert protocol_differences(frame, protocol(**stated, metric="cosine", reranking=False)) == ()


def test_a_row_can_state_fields_of_its_own(tmp_path):
    frame = one_run(tmp_path, spec())
    both = protocol(recipe={"height": 64, "epochs": 3})
    assert protocol_differences(frame, both, {"height": 128}) == ("height 64 instead of 128",)


def test_tests_are_compared_by_name(tmp_path):
    evaluations = {"test800": [draw(0.5)] * 2, "test1600": [draw(0.4)] * 2}
    frame = one_run(tmp_path, spec(), result={"steps": 1, "evaluations": evaluations})
    stated = protocol(queries={"test800": 100, "test1600": 99}, draws={"test800": 10})
    assert protocol_differences(frame, stated) == (
        "queries of test1600 100 instead of 99",
        "draws of test800 2 instead of 10",
    )


def test_what_is_not_stated_is_listed():
    missing = unstated_fields(PDRD, "msmt17")
    assert missing[0] == "version of the dataset" and missing[-1].startswith("number of runs")
    assert "metric" not in missing and "cameras of the matches" in missing


def test_older_records_without_counts_are_compared_in_the_rest(tmp_path):
    done(tmp_path, spec(recipe={"epochs": 4}), 0.5)
    stated = protocol(train_images=5, recipe={"epochs": 3})
    assert protocol_differences(collect_runs(tmp_path)[0], stated) == ("epochs 4 instead of 3",)
