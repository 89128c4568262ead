"""Footnotes of VRKD's tables."""

from results.collect import collect_runs
from results.published import load_published
from results.tables.vrkd import network_tables
from tests.support.records import spec
from tests.support.vehicle_records import fields, pair, put, teachers


def table_called(runs, name):
    tables = network_tables(collect_runs(runs)[0], load_published())
    (table,) = [table for table in tables if table.name == name]
    return table


def footnotes(runs, name):
    return table_called(runs, name).footnotes


def test_rows_without_runs_are_named_with_a_command(tmp_path):
    pair(tmp_path)
    notes = footnotes(tmp_path, "vrkd-models")
    (missing,) = [note for note in notes if note.startswith("Missing on veri776")]
    assert "VRKD 1, VRKD 2, VRKD 3" in missing and "VRKD 7" not in missing
    assert "kdreid run --study vrkd --dataset veri776 --student cnn5" in missing


def test_differences_of_protocol_are_listed_with_their_rows(tmp_path):
    put(tmp_path, spec(**fields(epochs=10)), 0.6, 0.7)
    notes = footnotes(tmp_path, "vrkd-role")
    assert "ResNet-18 on veri776: epochs 10 instead of 120." in notes
    assert any("2021 do not state for veri776: version of the dataset" in note for note in notes)


def test_other_groups_that_match_a_row_are_counted(tmp_path):
    put(tmp_path, spec(**fields()), 0.6, 0.7)
    for number, epochs in enumerate((10, 11), 1):
        put(tmp_path, spec(**fields(epochs=epochs)), 0.6, 0.7)
        words = ("1 other group", "2 other groups")[number - 1]
        expected = f"ResNet-18 on veri776: {words} of our runs also match and are not shown."
        assert expected in footnotes(tmp_path, "vrkd-role")


def test_notes_of_each_kind_of_table(tmp_path):
    pair(tmp_path)
    notes = [table_called(tmp_path, name).footnotes for name in ("vrkd-models", "vrkd-role")]
    assert notes[0][0].startswith("VRKD 1 to 9 are the paper's own rows")
    models, role = (table_called(tmp_path, name).caption for name in ("vrkd-models", "vrkd-role"))
    assert models[0] == role[0] == "LS=1: last stride 1. LSR: label smoothing. TRI: triplet loss."
    assert "Gain: points above the undistilled student of the same seed and settings." in role
    assert not any(note.startswith("Gain:") for note in models)
    assert all(len(set(texts)) == len(texts) for texts in (*notes, models, role))


def test_students_that_other_weights_taught_are_named(tmp_path):
    shared = fields()
    taught = teachers(tmp_path, **fields(last_stride=1))
    put(tmp_path, spec("vrkd", 0, taught, **shared), 0.7, 0.9, teachers=["ab", "ab", "ab", "cd"])
    notes = footnotes(tmp_path, "vrkd-role")
    assert any(note.startswith("Taught by other weights") and "VRKD" in note for note in notes)
