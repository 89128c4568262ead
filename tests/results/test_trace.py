import pytest

from harness.runs.reader import load_run
from results.collect import collect_runs
from results.report import all_tables
from results.tables.cells import Cell
from results.tables.table import Table
from results.trace import run_facts, trace_cell
from tests.support.records import done, done_with_facts, spec, study


@pytest.fixture
def made(tmp_path):
    """A function that finds a cell of these runs' tables by its name, and the rows of the runs."""
    teacher = study(tmp_path)
    drawn = ["Generated data: drawn."]
    done(tmp_path, spec("ft", 0, [teacher], options={"steps": 2}), 0.5, label="FT", notes=drawn)
    done(tmp_path, spec("ft", 0, [teacher], options={"steps": 3}), 0.5, label="FT")
    done(tmp_path, spec("my.module:Mine", 0, [teacher]), 0.5, label="my.module:Mine")
    frame, _ = collect_runs(tmp_path)
    tables = all_tables(frame)
    return lambda name: trace_cell(name, tables, frame), frame


def keys(frame, method, network="resnet18"):
    return tuple(frame["key"][(frame["method"] == method) & (frame["network"] == network)])


@pytest.mark.parametrize("name", ["PDRD:mAP", "pdrd:map", "pdrd:mAP (generated)", "PDRD : R1 "])
def test_a_cell_by_label_or_method_in_any_case(made, name):
    find, frame = made
    traced = find(f"comparison-synthetic:{name}")
    assert traced.runs == keys(frame, "pdrd") and len(traced.runs) == 3
    assert traced.row == "PDRD" and traced.column in ("mAP (generated)", "R1 (generated)")
    assert "±" in traced.text and "seed 0" in traced.detail


def test_every_cell_of_every_table_is_found_by_its_name(made):
    find, frame = made
    tables, count = all_tables(frame), 0
    for table in tables:
        for row in table.rows:
            assert find(f"{table.name}:{row[0].text}").runs == row[0].runs
            for column, cell in zip(table.columns, row, strict=True):
                traced = find(f"{table.name}:{row[0].text}:{column}")
                assert (traced.text, traced.runs) == (cell.text, cell.runs)
                count += bool(cell.runs)
    assert count > 30


def test_a_row_without_column_and_names_with_colons(made):
    find, frame = made
    assert find("comparison-synthetic:student").runs == keys(frame, "none")
    assert find("comparison-synthetic:none").runs == keys(frame, "none")
    assert find("comparison-synthetic:teacher").runs == keys(frame, "none", "resnet101")
    assert find("comparison-synthetic:my.module:Mine").runs == keys(frame, "my.module:Mine")
    assert find("comparison-synthetic:my.module:mine:R1").runs == keys(frame, "my.module:Mine")


def test_a_gain_is_of_both_methods(made):
    find, frame = made
    gained = next(name for name in all_tables(frame)[0].columns if name.startswith("Gain"))
    assert set(find(f"comparison-synthetic:PDRD:{gained}").runs) == {
        *keys(frame, "pdrd"),
        *keys(frame, "none"),
    }


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("PDRD", "'PDRD' is not the name of a cell. Give table, row and column, as in comparison-"),
        ("comparison-synthetc:PDRD:mAP", "No table .* Did you mean 'comparison-synthetic'"),
        ("comparison-synthetic:PDDR:mAP", "No row of comparison-synthetic .* Did you mean 'PDRD'"),
        ("comparison-synthetic:PDRD:mPA", "No column of comparison-synthetic .* Did you mean 'mAP"),
        (
            "variants-synthetic:ft:mAP",
            "'ft' is ambiguous: 2 match, 'FT .steps=2.', 'FT .steps=3.'",
        ),
        ("variants-synthetic:FT (steps=4):mAP", "Did you mean 'FT .steps=.*' or 'FT .steps"),
        ("comparison-synthetic:", "is not the name of a cell"),
    ],
)
def test_a_wrong_name_is_a_sentence_with_the_nearest(made, name, words):
    with pytest.raises(LookupError, match=words):
        made[0](name)


def test_rows_of_tables_of_another_shape(tmp_path):
    """A first cell without runs: the row's are those of its cells; the method is not needed."""
    study(tmp_path, seeds=(0,))
    frame, _ = collect_runs(tmp_path)
    one, two, _ = frame["key"]
    row = (Cell("Market"), Cell("1", (one,)), Cell("2", (two, one)))
    table = Table("summary", "Ranks", ("Dataset", "A (x)", "A (y)"), (row,), ())
    assert trace_cell("summary:market", [table], frame).runs == (one, two)
    assert trace_cell("summary:market:a (y)", [table], frame).runs == (two, one)
    with pytest.raises(LookupError, match="'A' is ambiguous: 2 match"):
        trace_cell("summary:market:A", [table], frame)


def test_the_facts_of_a_run(tmp_path):
    finished = "2026-01-01T00:00:00+00:00"
    made = done_with_facts(tmp_path, 3.5, cuda=None, data="/images", finished=finished)
    traced = run_facts(load_run(tmp_path, made["key"]))
    assert (
        traced | {"seed": 1, "status": "done", "commit": "abc", "dirty": True, "patch": "77"}
        == traced
    )
    assert traced["versions"] == {"torch": "2.15.0"} and traced["training_seconds"] == 3.5
    assert traced["teachers"] == [{"key": made["teachers"][0]["key"], "weights": "fe"}]
    assert (traced["fingerprint"], traced["data"], traced["host"]) == ("9f12", "/images", "node1")
    assert traced["scores"]["test"]["mAP"] == 50 and traced["notes"] == ["One."]
    assert traced["device"] is None and traced["command"] is None
