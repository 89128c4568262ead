from statistics import stdev

import pytest

from results.collect import collect_runs
from results.configurations import TableChoice
from results.published import load_published
from results.tables.comparison import comparison_tables
from tests.support.records import (
    PAPER,
    cells,
    done,
    failed,
    spec,
    study,
    teacher_spec,
)

PUBLISHED = load_published()
VEHICLE = {"epochs": 120, "height": 256, "width": 256, "identities": 16}


def compare(runs, dataset="synthetic", labels=None):
    return comparison_tables(collect_runs(runs, labels)[0], dataset, PUBLISHED)


def labels_of(table):
    return [row[0].text for row in table.rows]


def only(tables):
    (table,) = tables
    return table


def test_means_spreads_and_gains_by_hand(tmp_path):
    """PDRD 50, 51, 55 against 40, 42, 44 of the plain student: gains 10, 9, 11."""
    study(tmp_path)
    table = only(compare(tmp_path))
    assert cells(table, "PDRD") == {
        "Method": "PDRD",
        "Teacher": "resnet101",
        "Student": "resnet18",
        "mAP": f"52.00 ± {stdev([50, 51, 55]):.2f}",
        "R1": "72.00 ± 2.65",
        "Gain in mAP": "+10.00 [7.52, 12.48]*",  # t of 2 degrees 4.3027, sd 1, sqrt(3)
        "Group": "a",
        "Seeds": "3",
        "Reference": "2019 ICCV",
    }
    assert stdev([50, 51, 55]) == pytest.approx(2.6458, abs=1e-4)
    student, teacher = cells(table, "Student"), cells(table, "Teacher")
    assert (student["mAP"], student["Seeds"], student["Gain in mAP"]) == ("42.00 ± 2.00", "3", "")
    assert (teacher["Student"], teacher["mAP"], teacher["Seeds"]) == ("resnet101", "60.00", "1")
    assert any("± is the standard deviation" in note for note in table.caption)
    assert not any("One seed" in note for note in table.caption)


def test_rows_are_in_the_order_of_the_labels_and_other_methods_follow_by_name(tmp_path):
    teacher = study(tmp_path)
    for method in ("zeta", "kd", "alpha", "sp"):
        done(tmp_path, spec(method, 0, [teacher]), 0.4)
    known = {"sp": "Not in the record", "pdrd": "PDRD", "none": "Student", "kd": "KD"}
    first = ["Teacher", "Student"]
    assert labels_of(only(compare(tmp_path, labels=known))) == [
        *first,
        *("SP", "PDRD", "KD", "ALPHA", "ZETA"),
    ]
    assert labels_of(only(compare(tmp_path))) == [*first, "ALPHA", "KD", "PDRD", "SP", "ZETA"]


def test_only_methods_that_ran_have_rows(tmp_path):
    study(tmp_path)
    table = only(compare(tmp_path, labels={"fitnet": "FitNet", "pdrd": "PDRD"}))
    assert labels_of(table) == ["Teacher", "Student", "PDRD"]
    assert not any(note.startswith("-:") for note in table.caption)


def test_rows_that_only_a_paper_has_are_not_printed(tmp_path):
    teacher = study(tmp_path, dataset="veri776", recipe=VEHICLE)
    done(tmp_path, spec("sp", 0, [teacher], dataset="veri776", recipe=VEHICLE), 0.4)
    table = only(compare(tmp_path, "veri776"))
    assert labels_of(table) == ["Teacher", "Student", "PDRD", "SP"]
    assert cells(table, "SP")["Published mAP"] == "75.27"


def test_a_plain_student_that_did_not_run_has_its_published_row(tmp_path):
    teacher = done(tmp_path, teacher_spec(dataset="veri776", recipe=VEHICLE), 0.6)
    done(tmp_path, spec("sp", 0, [teacher], dataset="veri776", recipe=VEHICLE), 0.4)
    table = only(compare(tmp_path, "veri776"))
    row = cells(table, "Student")
    assert (row["mAP"], row["Published mAP"], row["Seeds"]) == ("-", "73.84", "-")
    assert "-: no run provides this number." in table.caption


def test_missing_seeds_are_counted(tmp_path):
    teacher = study(tmp_path)
    for seed in (0, 2):
        done(tmp_path, spec("sp", seed, [teacher]), 0.41)
    row = cells(only(compare(tmp_path)), "SP")
    assert row["Seeds"] == "2 of 3"
    assert row["mAP"] == "41.00 ± 0.00"
    gain = row["Gain in mAP"]  # (41 - 40 + 41 - 44) / 2: paired, not 41 - 42
    assert gain.startswith("-1.00 [") and row["Group"] == "b"


def test_gain_counts_the_pairs_if_not_all_seeds_have_one(tmp_path):
    teacher = done(tmp_path, teacher_spec(), 0.6)
    done(tmp_path, spec(seed=0), 0.4)
    for seed in (0, 1):
        done(tmp_path, spec("sp", seed, [teacher]), 0.45 + 0.1 * seed)
    assert cells(only(compare(tmp_path)), "SP")["Gain in mAP"] == "+5.00 (1 of 2)"
    assert cells(only(compare(tmp_path)), "Student")["Seeds"] == "1 of 2"


def test_failed_runs_have_the_kind_of_failure(tmp_path):
    teacher = study(tmp_path)
    failed(tmp_path, spec("sp", 0, [teacher]))
    done(tmp_path, spec("ft", 0, [teacher]), 0.41)
    failed(tmp_path, spec("ft", 1, [teacher]), "memory")
    table = only(compare(tmp_path, labels={"sp": "SP"}))  # a failure has no label
    row = cells(table, "SP")
    assert row["mAP"] == row["R1"] == row["Group"] == "failed: diverged"
    assert row["Seeds"] == "0 of 3" and row["Gain in mAP"] == "-"
    assert cells(table, "FT")["Seeds"] == "1 of 3, failed: memory"
    assert cells(table, "FT")["mAP"] == "41.00"


def test_a_failed_or_absent_teacher(tmp_path):
    teacher = failed(tmp_path, teacher_spec(), "node")
    done(tmp_path, spec("sp", 0, [teacher]), 0.41)
    assert cells(only(compare(tmp_path)), "Teacher")["mAP"] == "failed: node"
    (tmp_path / teacher["key"] / "failure.json").unlink()
    row = cells(only(compare(tmp_path)), "Teacher")
    assert (row["mAP"], row["Student"]) == ("-", "resnet101")


def test_several_teachers_have_a_row_each(tmp_path):
    teachers = [
        done(tmp_path, teacher_spec(), 0.6),
        done(tmp_path, spec(network="densenet121"), 0.7),
    ]
    done(tmp_path, spec("vrkd", 0, teachers), 0.5)
    table = only(compare(tmp_path))
    assert cells(table, "Teacher 1")["mAP"] == "60.00"
    assert cells(table, "Teacher 2")["mAP"] == "70.00"
    assert cells(table, "VRKD")["Teacher"] == "resnet101 + densenet121"


def test_options_are_in_the_label(tmp_path):
    teacher = study(tmp_path)
    done(tmp_path, spec("ft", 0, [teacher], options={"steps": 4}), 0.45)
    labels = labels_of(only(compare(tmp_path)))
    assert "FT (steps=4)" in labels and "FT" not in labels


def test_other_code_is_no_further_seed(tmp_path):
    teacher = study(tmp_path)
    for seed, source in enumerate(("aaaaaaaaaaaa", "bbbbbbbbbbbb", "bbbbbbbbbbbb")):
        done(tmp_path, spec("sp", seed, [teacher], source=source), 0.4 + 0.1 * seed)
    table = only(compare(tmp_path))
    assert labels_of(table) == ["Teacher", "Student", "PDRD", "SP (code bbbbbbbb/1)"]
    assert cells(table, "SP (code bbbbbbbb/1)")["Seeds"] == "2 of 3"


def test_of_several_plain_students_one_is_the_reference(tmp_path):
    study(tmp_path)
    done(tmp_path, spec(seed=0, source="older"), 0.3)
    table = only(compare(tmp_path))
    assert cells(table, "PDRD")["Gain in mAP"] == "+10.00 [7.52, 12.48]*"
    assert any("gains are measured from the row in the table" in note for note in table.footnotes)


def test_two_groups_have_two_tables(tmp_path):
    study(tmp_path)
    study(tmp_path, seeds=(0,), recipe={"epochs": 9}, device="cuda")
    tables = compare(tmp_path)
    assert len(tables) == 2 and len({table.name for table in tables}) == 2
    assert "epochs 3" in tables[0].title and "device cpu" in tables[0].title
    assert "epochs 9" in tables[1].title and "device cuda" in tables[1].title
    assert "height" not in tables[0].title
    assert cells(tables[0], "PDRD")["Seeds"] == "3"
    assert cells(tables[1], "PDRD")["mAP"] == "50.00"


def test_devices_are_never_mixed(tmp_path):
    teacher = study(tmp_path, seeds=(0,))
    done(tmp_path, spec("pdrd", 1, [teacher], device="cuda"), 0.9)
    tables = compare(tmp_path)
    assert [cells(table, "PDRD")["mAP"] for table in tables] == ["50.00", "90.00"]
    assert cells(tables[0], "Student")["mAP"] == "40.00"
    assert "Student" not in labels_of(tables[1])


def test_the_plain_student_joins_every_teacher(tmp_path):
    study(tmp_path, seeds=(0,))
    other = done(tmp_path, spec(network="resnet50"), 0.7)
    done(tmp_path, spec("pdrd", 0, [other]), 0.45)
    tables = {cells(table, "PDRD")["Teacher"]: table for table in compare(tmp_path)}
    assert set(tables) == {"resnet101", "resnet50"}
    assert all(cells(table, "Student")["mAP"] == "40.00" for table in tables.values())
    assert cells(tables["resnet50"], "PDRD")["Gain in mAP"] == "+5.00"  # one seed: no interval
    assert cells(tables["resnet50"], "Teacher")["mAP"] == "70.00"
    assert "teacher resnet50" in tables["resnet50"].title


def test_teachers_of_one_network_are_distinguished_by_run(tmp_path):
    for seed in (0, 1):
        teacher = done(tmp_path, teacher_spec(seed=seed), 0.6)
        done(tmp_path, spec("sp", 0, [teacher]), 0.4)
    titles = [table.title for table in compare(tmp_path)]
    assert any("teacher resnet101 seed0-" in title for title in titles)
    assert any("teacher resnet101 seed1-" in title for title in titles)


def test_a_plain_student_alone_has_a_table(tmp_path):
    done(tmp_path, spec(), 0.4)
    table = only(compare(tmp_path))
    assert labels_of(table) == ["Student"] and cells(table, "Student")["mAP"] == "40.00"


def test_no_table_without_a_record(tmp_path):
    failed(tmp_path, spec("sp", 0, [teacher_spec()]))
    assert compare(tmp_path) == []
    assert compare(tmp_path, "msmt17") == []


def test_published_numbers_are_next_to_ours(tmp_path):
    study(tmp_path, dataset="veri776", recipe=VEHICLE)
    table = only(compare(tmp_path, "veri776"))
    row = cells(table, "PDRD")
    assert (row["Published mAP"], row["Published R1"]) == ("77.60", "95.23")
    notes = " ".join(table.footnotes)
    assert "SP row equals" in notes and "of Table 1" in notes
    assert cells(table, "Student")["Published mAP"] == "73.84"
    assert cells(table, "Teacher")["Published R1"] == "95.77"
    assert "do not state: version of the dataset" in notes and "number of runs" in notes


def test_another_protocol_has_a_footnote(tmp_path):
    study(tmp_path, dataset="market1501", recipe={"epochs": 3})
    notes = only(compare(tmp_path, "market1501")).footnotes
    (note,) = [note for note in notes if "not comparable" in note]
    assert "epochs 3 instead of 150" in note and "height 64 instead of 256" in note
    assert "identities" not in note


def test_published_numbers_are_of_their_networks_only(tmp_path):
    teacher = done(tmp_path, teacher_spec(dataset="market1501"), 0.6)
    done(tmp_path, spec("sp", 0, [teacher], dataset="market1501", network="resnet34"), 0.5)
    assert "Published mAP" not in only(compare(tmp_path, "market1501")).columns


def test_paper_of_a_record_gives_the_reference(tmp_path):
    teacher = done(tmp_path, teacher_spec(), 0.6)
    done(tmp_path, spec("mine", 0, [teacher]), 0.5, label="Mine", paper=PAPER)
    assert cells(only(compare(tmp_path)), "Mine")["Reference"] == "2019 ICCV"


def test_teachers_of_each_seed_are_one_setting(tmp_path):
    """`--teacher-seed same`: means over seeds whose teachers differ, of the teachers, too."""
    for seed in range(3):
        teacher = done(tmp_path, teacher_spec(seed=seed), 0.6 + 0.01 * seed)
        done(tmp_path, spec(seed=seed), 0.4 + 0.001 * seed)
        for method, gain in (("sp", 0.1), ("at", 0.05)):
            made = spec(method, seed, [teacher])
            done(tmp_path, made, 0.4 + gain + 0.002 * seed)
    table = only(compare(tmp_path))
    assert cells(table, "Teacher")["mAP"] == "61.00 ± 1.00"
    assert cells(table, "SP")["mAP"] == "50.20 ± 0.20" and cells(table, "SP")["Seeds"] == "3"
    assert cells(table, "SP")["Gain in mAP"].endswith("*")
    assert any("Every seed has a teacher of its own" in note for note in table.footnotes)


def test_one_teacher_of_three_seeds_stays_apart_from_teachers_of_each_seed(tmp_path):
    """The run with seed 0 of both and teacher 0 belongs to both settings."""
    teachers = [done(tmp_path, teacher_spec(seed=seed), 0.6) for seed in range(2)]
    for seed in range(2):
        done(tmp_path, spec(seed=seed), 0.4)
        done(tmp_path, spec("sp", seed, [teachers[0]]), 0.5)
    done(tmp_path, spec("sp", 1, [teachers[1]]), 0.7)
    tables = compare(tmp_path)
    shown = {table.title.partition("teacher ")[2]: cells(table, "SP")["mAP"] for table in tables}
    assert sorted(shown.values()) == ["50.00 ± 0.00", "60.00 ± 14.14"]
    assert any("resnet101 of each seed" in title for title in shown)


def test_another_reference(tmp_path):
    teacher = study(tmp_path)
    for seed in range(3):
        done(tmp_path, spec("at", seed, [teacher]), 0.46 + 0.001 * seed)
    frame, _ = collect_runs(tmp_path)
    (table,) = comparison_tables(frame, "synthetic", PUBLISHED, TableChoice(against="pdrd"))
    assert cells(table, "PDRD")["Gain in mAP"] == ""
    assert cells(table, "Student")["Gain in mAP"].startswith("-10.00 [")
    assert any("over PDRD" in note for note in table.caption)
