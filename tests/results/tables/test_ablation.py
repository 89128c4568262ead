from itertools import combinations

from results.collect import collect_runs
from results.comparable import comparison_groups
from results.configurations import compared_rows
from results.published import load_published
from results.tables.ablation import ablation_tables
from results.tables.significance import group_tests
from tests.support.records import cells, done, failed, spec, study, teacher_spec, texts, whole_cells

PERSON = {"epochs": 150, "height": 256, "width": 128, "identities": 16}
VEHICLE = {"epochs": 120, "height": 256, "width": 256, "identities": 16}


def ablate(runs):
    return ablation_tables(collect_runs(runs)[0], load_published())


def only(tables):
    (table,) = tables
    return table


def test_ablation_puts_both_datasets_side_by_side(tmp_path):
    for dataset, recipe in (("dukemtmc", PERSON), ("veri776", VEHICLE)):
        study(tmp_path, dataset=dataset, recipe=recipe)
    table = only(ablate(tmp_path))
    assert table.name == "ablation"
    outside = ("published mAP", "published R1", "difference mAP", "difference R1")
    parts = ("mAP", "R1", "group", "seeds", *outside)
    named = [f"{name} {part}" for name in ("Duke", "VeRi") for part in parts]
    assert list(table.columns) == ["Method", "Teacher", "Student", *named]
    labels = ["Teacher", "Student", *(f"Student + L_{p}" for p in ("pairwise", "pdrk", "npdrk"))]
    assert [row[0].text for row in table.rows] == labels
    first = ("", "resnet101", "60.00", "80.00", "", "1", "78.45", "88.82")
    assert texts(table.rows[0])[1:9] == first
    assert texts(table.rows[1])[1:3] == ("", "resnet18")
    assert cells(table, "Student + L_pdrk")["VeRi published mAP"] == "76.88"
    assert cells(table, "Student + L_pdrk")["VeRi mAP"] == "-"
    row = cells(table, "Student + L_npdrk")
    assert row["Duke mAP"] == "52.00 ± 2.65" and row["Duke published mAP"] == "74.85"
    assert any("75.63" in note for note in table.footnotes)


def test_a_part_that_ran_on_one_dataset_only(tmp_path):
    for dataset, recipe in (("dukemtmc", PERSON), ("veri776", VEHICLE)):
        teacher = study(tmp_path, dataset=dataset, recipe=recipe)
    done(tmp_path, spec("pdrk", 0, [teacher], dataset="veri776", recipe=VEHICLE), 0.3)
    row = cells(only(ablate(tmp_path)), "Student + L_pdrk")
    assert row["VeRi mAP"] == "30.00" and row["Duke mAP"] == "-"


def test_equal_rows_have_the_verdicts_of_the_comparison(tmp_path):
    """AT is only in the comparison, and its noise and pairs count in both tables."""
    teacher = study(tmp_path, dataset="dukemtmc", recipe=PERSON)
    for seed in range(3):
        for method, mean in (("at", 0.46), ("pairwise", 0.44), ("pdrk", 0.45)):
            made = spec(method, seed, [teacher], dataset="dukemtmc", recipe=PERSON)
            done(tmp_path, made, mean + 0.02 * (seed == 1) * (method == "at"))
    (group,) = comparison_groups(collect_runs(tmp_path)[0], "dukemtmc")
    whole = group_tests(group, compared_rows(group))[0]
    table = only(ablate(tmp_path))
    rows = {"Student": "none", "Student + L_pdrk": "pdrk", "Student + L_npdrk": "pdrd"}
    letters = {method: set(cells(table, label)["Duke group"]) for label, method in rows.items()}
    by_method = {row[0]: row for row in whole.compared}
    for first, second in combinations(rows.values(), 2):
        differ = whole.verdict(by_method[first], by_method[second]) != 0
        assert differ == (not letters[first] & letters[second])


def test_ablation_of_several_settings_is_several_tables(tmp_path):
    study(tmp_path, dataset="dukemtmc", recipe=PERSON)
    study(tmp_path, dataset="dukemtmc", recipe=VEHICLE)
    tables = ablate(tmp_path)
    assert len({table.name for table in tables}) == 2
    assert all("width" in table.title for table in tables)


def test_no_ablation_without_one_of_its_losses(tmp_path):
    teacher = done(tmp_path, teacher_spec(dataset="dukemtmc"), 0.6)
    done(tmp_path, spec("sp", 0, [teacher], dataset="dukemtmc"), 0.5)
    assert ablate(tmp_path) == []


def test_no_ablation_of_failures_alone(tmp_path):
    failed(tmp_path, spec("pdrd", 0, [teacher_spec(dataset="dukemtmc")], dataset="dukemtmc"))
    assert ablate(tmp_path) == []


def test_a_row_has_the_runs_of_both_datasets(tmp_path):
    for dataset, recipe in (("dukemtmc", PERSON), ("veri776", VEHICLE)):
        study(tmp_path, dataset=dataset, recipe=recipe)
    row = whole_cells(only(ablate(tmp_path)), "Student + L_npdrk")
    assert len(row["Method"].runs) == 6
    assert {key.partition("/")[0] for key in row["VeRi mAP"].runs} == {"veri776"}
