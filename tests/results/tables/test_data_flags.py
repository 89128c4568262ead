"""Flags of partial and generated data next to the numbers, in every format."""

import pytest

from harness.runs.data_flags import DataFlag
from results.collect import collect_runs
from results.comparable import comparison_groups
from results.published import load_published
from results.report import write_report
from results.tables.ablation import ablation_tables
from results.tables.comparison import comparison_tables
from tests.support.records import cells, done, spec, study, teacher_spec

PARTIAL = "Partial data: train has 12 images where 12,936 are expected."
GENERATED = "Generated data: drawn images in this dataset's layout, no photographs."
FORMS = ("md", "tex", "csv")


def noted(runs, notes, dataset="market1501", record=None, **fields):
    """One teacher, student and distilled student whose records carry `notes`, and more."""
    content = {"notes": notes, **(record or {})}
    teacher = done(runs, teacher_spec(dataset=dataset, **fields), 0.6, **content)
    done(runs, spec(dataset=dataset, **fields), 0.4, **content)
    done(runs, spec("pdrd", 0, [teacher], dataset=dataset, **fields), 0.5, **content)


def test_new_records_are_flagged_by_their_field_whatever_their_notes(tmp_path):
    noted(tmp_path, ["Half of it."], record={"data_flags": ["partial"]})
    noted(tmp_path, [PARTIAL], "dukemtmc", record={"data_flags": []})
    frame, _ = collect_runs(tmp_path)
    (group,) = comparison_groups(frame, "market1501")
    assert group.data_flags == (DataFlag.PARTIAL,) and group.data_note == "partial"
    (group,) = comparison_groups(frame, "dukemtmc")
    assert group.data_flags == () and group.data_note == ""


def test_old_and_new_records_share_a_group(tmp_path):
    noted(tmp_path, [GENERATED])
    teacher = teacher_spec(dataset="market1501")
    made = spec("sp", 0, [teacher], dataset="market1501")
    done(tmp_path, made, 0.5, notes=[PARTIAL], data_flags=["partial", "generated"])
    (group,) = comparison_groups(collect_runs(tmp_path)[0], "market1501")
    assert len(group.students) == 3 and group.data_note == "generated, partial"


@pytest.mark.parametrize(
    ("notes", "words"),
    [
        ([PARTIAL], "partial"),
        ([GENERATED], "generated"),
        (["Gallery: 3 files.", GENERATED, PARTIAL], "generated, partial"),
    ],
)
def test_title_and_columns_say_what_the_data_is(tmp_path, notes, words):
    noted(tmp_path, notes)
    (table,) = comparison_tables(collect_runs(tmp_path)[0], "market1501", load_published())
    assert table.title == f"Distillation methods on Market-1501 ({words} data)"
    scores = (f"mAP ({words})", f"R1 ({words})", f"Gain in mAP ({words})")
    assert table.columns[3:6] == scores
    assert cells(table, "PDRD")[f"Gain in mAP ({words})"].startswith("+10.00")
    assert notes[-1] in table.footnotes


def test_whole_data_is_not_marked(tmp_path):
    noted(tmp_path, ["Gallery: 3 files; 1 named -1 (junk) was dropped: partial counts are usual."])
    (table,) = comparison_tables(collect_runs(tmp_path)[0], "market1501", load_published())
    assert table.title == "Distillation methods on Market-1501"
    assert table.columns[3:6] == ("mAP", "R1", "Gain in mAP")


def test_every_format_says_partial_beside_the_scores(tmp_path):
    noted(tmp_path, [PARTIAL], dataset="dukemtmc")
    text = write_report(tmp_path).text
    for name in ("ablation", "comparison-dukemtmc"):
        for form in FORMS:
            written = (tmp_path / "report" / f"{name}.{form}").read_text()
            assert "mAP (partial)" in written and "R1 (partial)" in written
            assert form == "csv" or "(partial data)" in written.splitlines()[4 * (form == "tex")]
    assert text.count("(partial data)\n") == 2


def test_partial_and_whole_runs_never_share_a_table(tmp_path):
    study(tmp_path, seeds=(0, 1), dataset="market1501")
    noted(tmp_path, [PARTIAL], fingerprint="0bad")
    frame, _ = collect_runs(tmp_path)
    first, second = comparison_groups(frame, "market1501")
    assert (first.data_note, second.data_note) == ("", "partial")
    assert not set(first.students["key"]) & set(second.students["key"])
    whole, partial = comparison_tables(frame, "market1501", load_published())
    assert "partial" not in whole.title and "data 9f12" in whole.title
    words = "Distillation methods on Market-1501 (partial data; data 0bad; "
    assert partial.title.startswith(words)
    assert cells(whole, "PDRD")["Seeds"] == "2"
    assert cells(partial, "PDRD")["Seeds"] == "1"


def test_side_by_side_only_the_partial_dataset_is_marked(tmp_path):
    study(tmp_path, dataset="dukemtmc")
    noted(tmp_path, [PARTIAL], dataset="veri776")
    (table,) = ablation_tables(collect_runs(tmp_path)[0], load_published())
    assert table.title == "Ablation of PDRD's loss (VeRi: partial data)"
    assert table.columns[3:6] == ("Duke mAP", "Duke R1", "Duke group")
    assert {"VeRi mAP (partial)", "VeRi R1 (partial)", "VeRi published mAP"} <= set(table.columns)
    row = cells(table, "Student + L_npdrk")
    assert row["VeRi mAP (partial)"] == "50.00" and "VeRi group" not in row
    assert row["Duke group"] == "a"
    assert "Partial data: nothing is tested." in table.caption


def test_a_partial_teacher_marks_its_students(tmp_path):
    teacher = done(tmp_path, teacher_spec(dataset="market1501"), 0.6, notes=[PARTIAL])
    done(tmp_path, spec("sp", 0, [teacher], dataset="market1501"), 0.5)
    (table,) = comparison_tables(collect_runs(tmp_path)[0], "market1501", load_published())
    assert "partial data" in table.title
