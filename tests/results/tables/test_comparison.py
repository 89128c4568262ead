from statistics import stdev

import pytest

from results.collect import collect_runs
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
        "Gain in mAP": "+10.00 [7.52, 12.48]",  # t of 2 degrees 4.3027, sd 1, sqrt(3)
        "Group": "a",
        "Seeds": "3",
        "Reference": "2019 ICCV",
    }
    assert stdev([50, 51, 55]) == pytest.approx(2.6458, abs=1e-4)
    student, teacher = cells(table, "Student"), cells(table, "Teacher")
    assert (student["mAP"], student["Seeds"], student["Gain in mAP"]) == ("42.00 ± 2.00", "3", "")
    assert (teacher["Student"], teacher["mAP"], teacher["Seeds"]) == ("resnet101", "60.00", "1")
    assert any("± is the standard deviation" in note for note in table.footnotes)
    assert not any("one seed" in note for note in table.footnotes)


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
    assert not any(note.startswith("-:") for note in table.footnotes)


def test_published_rows_follow_those_that_ran(tmp_path):
    teacher = study(tmp_path, dataset="veri776", recipe=VEHICLE)
    done(tmp_path, spec("sp", 0, [teacher], dataset="veri776", recipe=VEHICLE), 0.4)
    table = only(compare(tmp_path, "veri776"))
    own, published = labels_of(table)[:4], labels_of(table)[4:]
    assert own == ["Teacher", "Student", "PDRD", "SP"]
    printed = [row.label for row in PUBLISHED.papers[0].tables[4].rows]
    assert published == [label for label in printed if label not in own]
    row = cells(table, "FitNet")
    assert (row["Teacher"], row["Student"], row["Published mAP"]) == (
        *("resnet101", "resnet18"),
        "74.17",
    )
    assert [row[name] for name in ("mAP", "R1", "Gain in mAP", "Group", "Seeds")] == ["-"] * 5
    assert "-: no run provides this number." in table.footnotes


def test_missing_seeds_are_counted(tmp_path):
    teacher = study(tmp_path)
    for seed in (0, 2):
        done(tmp_path, spec("sp", seed, [teacher]), 0.41)
    row = cells(only(compare(tmp_path)), "SP")
    assert row["Seeds"] == row["Group"] == "2/3 seeds"
    assert row["mAP"] == "41.00 ± 0.00"
    assert row["Gain in mAP"] == "-1.00"  # (41 - 40 + 41 - 44) / 2: paired, not 41 - 42


def test_gain_counts_the_pairs_if_not_all_seeds_have_one(tmp_path):
    teacher = done(tmp_path, teacher_spec(), 0.6)
    done(tmp_path, spec(seed=0), 0.4)
    for seed in (0, 1):
        done(tmp_path, spec("sp", seed, [teacher]), 0.45 + 0.1 * seed)
    assert cells(only(compare(tmp_path)), "SP")["Gain in mAP"] == "+5.00 (1 of 2)"
    assert cells(only(compare(tmp_path)), "Student")["Group"] == "1/2 seeds"


def test_failed_runs_have_the_kind_of_failure(tmp_path):
    teacher = study(tmp_path)
    failed(tmp_path, spec("sp", 0, [teacher]))
    done(tmp_path, spec("ft", 0, [teacher]), 0.41)
    failed(tmp_path, spec("ft", 1, [teacher]), "memory")
    table = only(compare(tmp_path, labels={"sp": "SP"}))  # a failure has no label
    row = cells(table, "SP")
    assert row["mAP"] == row["R1"] == row["Group"] == "failed: diverged"
    assert row["Seeds"] == "0/3 seeds" and row["Gain in mAP"] == "-"
    assert cells(table, "FT")["Seeds"] == "1/3 seeds, failed: memory"
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


def test_options_have_their_own_row_and_label(tmp_path):
    teacher = study(tmp_path)
    done(tmp_path, spec("ft", 0, [teacher]), 0.40, label="FT")
    done(tmp_path, spec("ft", 0, [teacher], options={"steps": 4}), 0.45, label="FT")
    table = only(compare(tmp_path))
    labels = labels_of(table)
    assert labels[labels.index("FT") + 1] == "FT (steps=4)"
    assert cells(table, "FT")["mAP"] == "40.00"
    assert cells(table, "FT (steps=4)")["mAP"] == "45.00"


def test_only_options_that_ran_have_a_row(tmp_path):
    teacher = study(tmp_path)
    done(tmp_path, spec("ft", 0, [teacher], options={"steps": 4}), 0.45)
    labels = labels_of(only(compare(tmp_path)))
    assert "FT (steps=4)" in labels and "FT" not in labels


def test_other_code_is_no_further_seed(tmp_path):
    teacher = study(tmp_path)
    for seed, source in enumerate(("aaaaaaaaaaaa", "bbbbbbbbbbbb")):
        done(tmp_path, spec("sp", seed, [teacher], source=source), 0.4 + 0.1 * seed)
    table = only(compare(tmp_path))
    assert cells(table, "SP (code aaaaaaaa/1)")["mAP"] == "40.00"
    assert cells(table, "SP (code bbbbbbbb/1)")["Seeds"] == "1/3 seeds"


def test_gains_need_one_kind_of_plain_student(tmp_path):
    study(tmp_path)
    done(tmp_path, spec(seed=0, source="older"), 0.3)
    table = only(compare(tmp_path))
    assert cells(table, "PDRD")["Gain in mAP"] == "-"
    assert any("no gain is given" in note for note in table.footnotes)


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
    assert cells(tables["resnet50"], "PDRD")["Gain in mAP"] == "+5.00 [5.00, 5.00]"
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
    assert cells(table, "FitNet")["Published mAP"] == "74.17"
    assert cells(table, "FitNet")["Reference"] == "2015 ICLR"
    umts = cells(table, "UMTS")
    assert (umts["Student"], umts["mAP"], umts["Published mAP"]) == ("resnet50", "-", "75.90")
    notes = " ".join(table.footnotes)
    assert "SP row equals" in notes and "of Table 1" in notes
    assert cells(table, "Student")["Published mAP"] == "73.84"
    assert cells(table, "Teacher")["Published R1"] == "95.77"
    assert umts["Difference mAP"] == "-"
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
