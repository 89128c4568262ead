"""Results, pairs and runs as data, read as a notebook would."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from pandas.api import types

from results.collect import collect_runs
from results.configurations import TableChoice
from results.data_files import PAIRS, RESULTS, RUNS, data_files
from results.data_lines import METRICS
from results.published import load_published
from results.tables.comparison import comparison_tables
from tests.support import tiny_grid
from tests.support.made_grid import LABELS, METHODS, write_grid
from tests.support.records import cells, done, done_with_facts, failed, spec, study
from tests.support.vehicleid_records import scored

NUMBERS = {
    RESULTS: (
        *("n", "expected_n", "mean", "sd", "gain", "gain_n", "low", "high", "p", "p_holm"),
        *("published", "difference", "parameters", "macs", "train_seconds", "gpu_memory_bytes"),
    ),
    PAIRS: ("seeds", "difference", "error", "df", "low", "high", "p", "p_holm"),
    RUNS: (
        *("seed", "threads", "draws", "queries", *METRICS, "parameters", "macs", "train_images"),
        *("train_seconds", "host_memory_bytes", "gpu_memory_bytes"),
    ),
}
WHOLE = {RESULTS: ("n", "expected_n"), PAIRS: ("seeds",), RUNS: ("seed", "threads", "queries")}


def read(runs, choice=None, labels=None):
    """Every CSV file as pandas reads it without any argument, by name, and the JSON."""
    frame = collect_runs(runs, labels)[0]
    files = data_files(frame, load_published(), choice or TableChoice())
    tables = {name: pd.read_csv(io.StringIO(files[name])) for name in (RESULTS, PAIRS, RUNS)}
    return tables, json.loads(files["results.json"])


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    runs = tmp_path_factory.mktemp("grid")
    write_grid(runs, datasets=("market1501", "veri776"), methods=METHODS[-4:])
    return runs, *read(runs, labels=LABELS)


def one(table, **values):
    """The only line with these values."""
    for name, value in values.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_are_read_as_numbers(grid, name):
    types_of = grid[1][name].dtypes
    for column in NUMBERS[name]:
        assert types.is_numeric_dtype(types_of[column]), column
        assert not types.is_bool_dtype(types_of[column])
    for column in WHOLE[name]:
        assert types.is_integer_dtype(types_of[column]), column
    if name == RESULTS:
        assert types.is_bool_dtype(types_of["star"]) and types.is_bool_dtype(types_of["tied"])
    for column in ("dataset", "method") if name != PAIRS else ("first", "second"):
        assert types.is_string_dtype(types_of[column])


def test_the_documentation_has_every_column(grid):
    page = (tiny_grid.ROOT / "docs/reference/data-files.md").read_text()
    shared, *sections = page.split("## ")[1:]
    for section in sections:
        name, _, text = section.partition("\n")
        for column in grid[1][name].columns:
            assert f"`{column}`" in text or (f"`{column}`" in shared and name != RUNS), column


def test_a_line_for_each_dataset_row_and_metric(grid):
    results = grid[1][RESULTS]
    assert len(results) == 2 * (1 + 1 + 4) * len(METRICS)
    assert not results.duplicated(["dataset", "setting", "label", "evaluation", "metric"]).any()
    assert set(results["role"]) == {"teacher", "student", "method"}
    pairs = grid[1][PAIRS]
    assert len(pairs) == 2 * 2 * (5 * 4 // 2)  # datasets, mAP and R1, five rows
    assert len(grid[1][RUNS]) == 2 * (1 + 5 * 3)


def test_all_scores_are_in_percent(grid):
    tables = grid[1]
    assert tables[RUNS]["mAP"].between(50, 100).all() and tables[RUNS]["mINP"].gt(1).all()
    assert tables[RESULTS]["mean"].between(25, 100).all()
    pdrd = one(tables[RESULTS], dataset="market1501", method="pdrd", metric="mAP")
    assert pdrd["gain"] == pytest.approx(6.3, abs=1.5) and pdrd["published"] == 84.76
    assert pdrd["difference"] == pytest.approx(pdrd["mean"] - 84.76, abs=1e-6)
    assert 0.05 < pdrd["sd"] < 1.5 and pdrd["low"] < pdrd["gain"] < pdrd["high"]


def test_the_numbers_are_those_of_the_tables(grid):
    runs, tables, _ = grid
    frame = collect_runs(runs, LABELS)[0]
    (table,) = comparison_tables(frame, "veri776", load_published())
    for label in ("PDRD", "VRKD", "Student"):
        shown, line = (
            cells(table, label),
            one(tables[RESULTS], dataset="veri776", label=label, metric="mAP"),
        )
        assert shown["mAP"] == f"{line['mean']:.2f} ± {line['sd']:.2f}"
        assert shown["Group"] == line["letter"]
        if label != "Student":
            star = "*" if line["star"] else ""
            gain = f"{line['gain']:+.2f} [{line['low']:.2f}, {line['high']:.2f}]{star}"
            assert shown["Gain in mAP"] == gain
    assert list(tables[RESULTS].query("role == 'student'")["gain"].dropna()) == []


def test_pairs_and_results_agree(grid):
    tables = grid[1]
    place = {"dataset": "market1501", "metric": "R1"}
    pair = one(tables[PAIRS], first="none", second="pdrd", **place)
    line = one(tables[RESULTS], method="pdrd", **place)
    assert line["gain"] == pytest.approx(-pair["difference"])
    assert (line["low"], line["high"]) == pytest.approx((-pair["high"], -pair["low"]))
    assert line["p"] == pytest.approx(pair["p"]) and pair["p"] <= pair["p_holm"]
    assert pair["error"] > 0 and pair["df"] > 2 and pair["seeds"] == 3


def test_json_has_the_same_content(grid):
    _, tables, content = grid
    assert content["unit"] == "percent" and content["format"] == 1
    for name, table in tables.items():
        lines = content[name.partition(".")[0]]
        again = pd.DataFrame(lines)
        assert list(again.columns) == list(table.columns) and len(again) == len(table)
        for column in table.select_dtypes("number"):
            ours = pd.to_numeric(again[column]).to_numpy(float)
            assert np.allclose(ours, table[column].to_numpy(float), equal_nan=True), column
    assert content["results"][0]["gain"] is None and content["results"][0]["star"] is False


def test_one_seed_has_no_deviation_and_no_test(tmp_path):
    study(tmp_path, seeds=(0,))
    tables, content = read(tmp_path)
    line = one(tables[RESULTS], method="pdrd", metric="mAP")
    assert (line["mean"], line["n"], line["gain"]) == (50, 1, 10)
    assert np.isnan([line["sd"], line["low"], line["p"], line["p_holm"]]).all()
    assert not line["star"] and tables[PAIRS].empty and content["pairs"] == []
    assert "error" in tables[PAIRS].columns


def test_variants_have_lines_and_enter_no_family(tmp_path):
    teacher = study(tmp_path)
    plain = read(tmp_path)[0]
    for seed in (0, 1, 2):
        made = spec("pdrd", seed, [teacher], options={"weight": 2.5})
        done(tmp_path, made, 0.53 + 0.01 * seed, label="PDRD")
    tables = read(tmp_path)[0]
    variant = one(tables[RESULTS], options="weight=2.5", metric="mAP")
    assert (variant["role"], variant["mean"], variant["gain"]) == ("variant", 54, 12)
    assert variant["p"] < 0.05 and np.isnan(variant["p_holm"]) and not variant["star"]
    assert len(tables[PAIRS]) == len(plain[PAIRS])
    kept = tables[RESULTS][tables[RESULTS]["role"] != "variant"].reset_index(drop=True)
    pd.testing.assert_frame_equal(
        kept.drop(columns="options"), plain[RESULTS].drop(columns="options")
    )


def test_gains_are_measured_from_the_chosen_reference(tmp_path):
    study(tmp_path)
    results = read(tmp_path, TableChoice(against="pdrd"))[0][RESULTS]
    line = one(results, method="none", role="student", metric="mAP")
    assert (line["against"], line["gain"]) == ("pdrd", -10)


def test_partial_data_have_no_difference_from_the_paper(tmp_path):
    study(tmp_path, dataset="market1501")
    results = read(tmp_path)[0][RESULTS]
    assert one(results, method="pdrd", metric="mAP")["published"] == 84.76
    study(tmp_path / "flagged", dataset="market1501")
    for path in (tmp_path / "flagged").rglob("record.json"):
        content = json.loads(path.read_text())
        path.write_text(json.dumps(content | {"data_flags": ["partial"]}))
    line = one(read(tmp_path / "flagged")[0][RESULTS], method="pdrd", metric="mAP")
    assert line["data_flags"] == "partial" and np.isnan(line["difference"])


def test_evaluations_of_vehicleid_have_lines_of_their_own(tmp_path):
    teacher = scored(tmp_path, spec(network="resnet101", dataset="vehicleid"), 0.8)
    for seed in (0, 1):
        scored(tmp_path, spec(seed=seed, dataset="vehicleid"), 0.6 + 0.02 * seed)
        scored(tmp_path, spec("sp", seed, [teacher], dataset="vehicleid"), 0.7 + 0.04 * seed)
    tables = read(tmp_path)[0]
    means = {
        evaluation: one(tables[RESULTS], method="sp", metric="mAP", evaluation=evaluation)["mean"]
        for evaluation in ("test800", "test1600", "test2400")
    }
    assert means == pytest.approx({"test800": 72, "test1600": 67, "test2400": 62})
    assert tables[RUNS]["test800 mAP"].max() == pytest.approx(80)
    assert tables[RUNS]["test800 mAP sd"].max() > 0.1  # points, not a fraction


def test_a_run_has_machine_date_time_and_notes_in_plain_columns(tmp_path):
    done_with_facts(
        tmp_path, 12.5, finished="2026-11-02T10:00:00+00:00", device_name="H100", host="n1"
    )
    failed(tmp_path, spec("sp", 0))
    runs = read(tmp_path)[0][RUNS]
    line = one(runs, status="done")
    assert (line["commit"], line["host"], line["device_name"]) == ("abc", "n1", "H100")
    assert line["train_seconds"] == 12.5 and line["notes"] == "One."
    assert pd.Timestamp(line["date"]).year == 2026
    other = one(runs, status="failed")
    assert np.isnan([other["mAP"], other["train_seconds"]]).all() and other["failure"] == "diverged"
    assert not any("(" in str(value) or "{" in str(value) for value in line)


@pytest.mark.parametrize("value", ["soon", True, None, [1], float("inf"), {"a": 1}])
def test_a_time_that_is_none_is_missing(tmp_path, value):
    done_with_facts(tmp_path, value)
    assert np.isnan(read(tmp_path)[0][RUNS]["train_seconds"].iloc[0])
