"""VRKD's tables from made runs, by hand."""

import pytest

from results.collect import collect_runs
from results.published import load_published
from results.tables.vrkd import network_tables
from tests.support.records import cells, failed, spec, texts, whole_cells
from tests.support.vehicle_records import VRKD, fields, pair, put, teachers

SCORES = [f"{t} {s}" for t in ("VeRi", "Test800", "Test1600", "Test2400") for s in ("mAP", "R1")]


def made(runs):
    return {table.name: table for table in network_tables(collect_runs(runs)[0], load_published())}


def test_no_table_without_a_run_of_its_own(tmp_path):
    assert made(tmp_path) == {}
    put(tmp_path, spec(network="resnet34", **fields()), 0.6, 0.7)
    failed(tmp_path, spec("vrkd", 0, teachers(tmp_path, **fields()), **fields()))
    assert made(tmp_path) == {}


def test_a_plain_student_makes_the_tables_that_have_it(tmp_path):
    put(tmp_path, spec(**fields()), 0.68, 0.92)
    assert list(made(tmp_path)) == ["vrkd-backbones", "vrkd-role"]


def test_every_printed_row_is_there_with_ours_below(tmp_path):
    pair(tmp_path)
    tables = made(tmp_path)
    models = tables["vrkd-models"]
    labels = [row[0].text for row in models.rows]
    assert [label for label in labels if ", " not in label and not label.startswith("VRKD")] == [
        row.label for row in VRKD.networks[0].rows if row.cited
    ]
    assert [label for label in labels if "," not in label and label.startswith("VRKD")] == [
        f"VRKD {number}" for number in range(1, 10)
    ]
    assert [label for label in labels if label.endswith(", ours")] == ["VRKD 7, ours"]
    assert [label for label in labels if label.endswith("difference")] == ["VRKD 7, difference"]
    assert labels.index("VRKD 7, ours") == labels.index("VRKD 7") + 1
    assert list(models.columns) == [
        *("Method", "Network", "Params (M)", "Ops (G)", "Input", "LS=1", "LSR", "TRI", "Seeds"),
        *SCORES,
    ]
    assert all(len(row) == len(models.columns) for row in models.rows)


def test_printed_cells_are_the_papers(tmp_path):
    pair(tmp_path)
    models = made(tmp_path)["vrkd-models"]
    row = cells(models, "VRKD 9")
    assert [row[name] for name in SCORES] == [
        *("76.39", "94.58", "89.22", "83.86", "85.46", "79.72", "83.35", "77.34")
    ]
    assert (row["Params (M)"], row["Ops (G)"], row["Input"]) == ("11.46", "15.97", "512x512")
    assert (row["LS=1"], row["LSR"], row["TRI"]) == ("yes", "yes", "no")
    cited = cells(models, "PAMTRI")
    assert (cited["Network"], cited["LS=1"], cited["TRI"]) == ("DenseNet121", "-", "yes")
    assert (cited["VeRi mAP"], cited["Test800 mAP"], cited["Seeds"]) == ("71.88", "-", "")


def test_our_cells_by_hand(tmp_path):
    pair(tmp_path)
    models = made(tmp_path)["vrkd-models"]
    row = whole_cells(models, "VRKD 7, ours")
    assert (row["VeRi mAP"].text, row["VeRi R1"].text) == ("74.60 ± 0.20", "94.60 ± 0.10")
    assert (row["Network"].text, row["Params (M)"].text, row["Ops (G)"].text) == (
        *("resnet18", "11.46", "3.99"),
    )
    assert (row["Seeds"].text, row["Test800 mAP"].text) == ("3 / -", "-")
    assert len(row["VeRi mAP"].runs) == 3 and row["Seeds"].runs == row["VeRi mAP"].runs
    gap = cells(models, "VRKD 7, difference")
    assert (gap["VeRi mAP"], gap["VeRi R1"]) == ("+0.12 in", "-0.04 in")  # of 74.48 and 94.64
    assert (gap["Test800 mAP"], gap["Network"]) == ("-", "")


def test_the_role_of_distillation_has_gains(tmp_path):
    pair(tmp_path)
    role = made(tmp_path)["vrkd-role"]
    printed, ours = cells(role, "ResNet-18, gain"), whole_cells(role, "ResNet-18, gain of ours")
    assert (printed["VeRi mAP"], printed["Test2400 R1"]) == ("+6.64", "+3.88")
    assert (ours["VeRi mAP"].text, ours["VeRi R1"].text) == ("+6.00 ± 0.00", "+2.00 ± 0.00")
    assert len(ours["VeRi mAP"].runs) == 6 and ours["Test800 mAP"].text == "-"
    assert cells(role, "CNN, gain")["VeRi mAP"] == "+10.04"
    assert "CNN, gain of ours" not in [row[0].text for row in role.rows]
    assert cells(role, "ResNet-18 + VRKD, ours")["Seeds"] == "3 / -"


def test_backbones_are_plain_students(tmp_path):
    pair(tmp_path)
    backbones = made(tmp_path)["vrkd-backbones"]
    assert [row[0].text for row in backbones.rows] == [
        *("DenseNet121", "ResNet-18", "ResNet-18, ours", "ResNet-18, difference", "ResNet-50"),
    ]
    assert cells(backbones, "ResNet-18, ours")["VeRi mAP"] == "68.60 ± 0.20"
    assert cells(backbones, "ResNet-18, difference")["VeRi mAP"] == "+0.57 in"


def test_both_datasets_share_a_row(tmp_path):
    pair(tmp_path)
    shared = fields("vehicleid")
    teacher_runs = teachers(tmp_path, **fields("vehicleid", last_stride=1))
    put(tmp_path, spec("vrkd", 0, teacher_runs, **shared), 0.87, 0.84, 0.81)
    role = made(tmp_path)["vrkd-role"]
    row, gap = cells(role, "ResNet-18 + VRKD, ours"), cells(role, "ResNet-18 + VRKD, difference")
    assert (row["Seeds"], row["VeRi mAP"], row["Test2400 R1"]) == ("3 / 1", "74.60 ± 0.20", "71.00")
    assert (gap["VeRi mAP"], gap["Test800 mAP"]) == ("-0.07 in", "-0.29 n=1 ≠1")
    notes = " ".join(role.footnotes)
    assert "queries of test800 5693 instead of 6532" in notes
    assert "each the mean of 10 draws" in notes


@pytest.mark.parametrize("note", ["Partial data: 1 of 2.", "Generated data: drawn."])
def test_no_difference_on_data_that_is_not_whole(tmp_path, note):
    put(tmp_path, spec(**fields()), 0.68, 0.92, notes=[note])
    role = made(tmp_path)["vrkd-role"]
    mark = note.partition(" ")[0].lower()
    assert cells(role, "ResNet-18, ours")["Seeds"] == f"1 ({mark} data) / -"
    assert cells(role, "ResNet-18, difference")["VeRi mAP"] == f"{mark} data"
    assert note in role.footnotes


def test_options_have_rows_of_their_own(tmp_path):
    pair(tmp_path, seeds=1)
    shared = fields()
    teacher_runs = teachers(tmp_path, **fields(last_stride=1))
    put(tmp_path, spec("vrkd", 0, teacher_runs, options={"temperature": 4}, **shared), 0.7, 0.9)
    models = made(tmp_path)["vrkd-models"]
    assert cells(models, "VRKD 7, ours")["VeRi mAP"] == "74.40"
    assert cells(models, "VRKD 7, ours (temperature=4)")["VeRi mAP"] == "70.00"
    assert cells(models, "VRKD 7, difference (temperature=4)")["VeRi mAP"] == "-4.48 n=1"


def test_failures_and_missing_seeds_are_printed(tmp_path):
    pair(tmp_path, seeds=2)
    shared = fields()
    teacher_runs = teachers(tmp_path, **fields(last_stride=1))
    failed(tmp_path, spec("vrkd", 2, teacher_runs, **shared))
    large = fields(size=512, label_smoothing=0)
    failed(tmp_path, spec("vrkd", 0, teachers(tmp_path, **large), **large))
    models = made(tmp_path)["vrkd-models"]
    assert cells(models, "VRKD 7, ours")["Seeds"] == "2 of 3, failed: diverged / -"
    row = cells(models, "VRKD 6, ours")
    assert (row["VeRi mAP"], row["Params (M)"]) == ("failed: diverged", "-")
    assert "VRKD 6, difference" not in [row[0].text for row in models.rows]


def test_labels_of_our_rows_are_unique(tmp_path):
    pair(tmp_path)
    for table in made(tmp_path).values():
        ours = [texts(row)[0] for row in table.rows if ", " in row[0].text]
        assert len(set(ours)) == len(ours)


def marks(table, label):
    """The columns in which a row is in one of the first two groups."""
    return {name: cell.group for name, cell in whole_cells(table, label).items() if cell.group}


def test_rows_of_different_settings_are_neither_marked_nor_tested(tmp_path):
    pair(tmp_path)  # VRKD 6 points of mAP above the plain student, under every seed
    for table in made(tmp_path).values():
        assert not any(cell.mark.place or cell.mark.is_tied for row in table.rows for cell in row)
        assert any("nothing is tested or marked here" in note for note in table.footnotes)
