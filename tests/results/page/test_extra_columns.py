import json

from results.collect import collect_runs
from results.page.extra_columns import extra_columns, read_latency
from results.report import all_tables
from tests.support.records import RECIPE, done, spec, study
from tests.support.vehicleid_records import scored

OPERATIONS = {"parameters": 11_180_000, "macs_with_rest": 2_400_000_000}


def columns_of(runs, name, seconds=None, latency=None):
    """Texts of a table's further columns by heading and by row."""
    frame, _ = collect_runs(runs)
    tables = all_tables(frame)
    (table,) = [table for table in tables if table.name == name]
    columns = extra_columns(tables, frame, seconds or {}, latency)[name]
    labels = [row[0].text for row in table.rows]
    return {
        one.heading: dict(zip(labels, [cell.text for cell in one.cells], strict=True))
        for one in columns
    }


def test_scores_are_means_over_seeds_and_flags_are_named(tmp_path):
    teacher = study(tmp_path)
    for seed, score in enumerate((0.4, 0.5)):
        done(tmp_path, spec("sp", seed, [teacher]), score, data_flags=["partial"])
    columns = columns_of(tmp_path, "comparison-synthetic")
    assert list(columns) == ["R5 (partial)", "R10 (partial)", "mINP (partial)"]
    assert columns["mINP (partial)"]["SP"] == "22.50 ± 3.54"
    assert columns["R5 (partial)"]["SP"] == "65.00 ± 7.07"


def test_sizes_and_hours_are_those_of_the_rows_runs(tmp_path):
    teacher = study(tmp_path)
    keys = []
    for seed in (0, 1):
        made = done(tmp_path, spec("sp", seed, [teacher]), 0.5, operations=OPERATIONS)
        keys.append(made["key"])
    columns = columns_of(
        tmp_path, "comparison-synthetic", dict(zip(keys, (3600.0, 7200.0), strict=True))
    )
    assert columns["Parameters (M)"]["SP"] == "11.18" and columns["MACs (G)"]["SP"] == "2.40"
    assert columns["Training hours"]["SP"] == "1.5" and columns["Training hours"]["PDRD"] == "-"


def measured(runs, size, content=None):
    """The file of `kdreid bench extract`, as it is read."""
    folder = runs / "report" / "measured"
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        {"network": "resnet18", "batch": batch, "seconds": seconds, "least": 0, "most": 1}
        for batch, seconds in ((32, 0.001), (1, 0.004))
    ]
    made = {"rows": rows, "size": size, "environment": {"device_name": "GPU"}}
    (folder / "extraction.json").write_text(content or json.dumps(made))
    return read_latency(runs / "report")


def test_latency_is_shown_where_it_was_measured_at_the_size_of_the_row(tmp_path):
    study(tmp_path)
    assert read_latency(tmp_path / "report") is None
    size = [RECIPE["height"], RECIPE["width"]]
    columns = columns_of(tmp_path, "comparison-synthetic", latency=measured(tmp_path, size))
    assert columns["Latency (ms)"]["PDRD"] == "4.00"
    assert columns["Latency (ms)"]["Teacher"] == "-"  # its network was not timed
    other = measured(tmp_path, [256, 128])
    assert "Latency (ms)" not in columns_of(tmp_path, "comparison-synthetic", latency=other)
    assert measured(tmp_path, size, "{}") is None and measured(tmp_path, size, "[") is None


def test_rows_of_several_datasets_have_costs_and_no_scores(tmp_path):
    for dataset in ("market1501", "msmt17"):
        teacher = study(tmp_path, dataset=dataset)
        for seed in range(3):
            made = spec("sp", seed, [teacher], dataset=dataset)
            done(tmp_path, made, 0.5, operations=OPERATIONS)
    assert list(columns_of(tmp_path, "summary")) == ["Parameters (M)", "MACs (G)"]


def test_every_evaluation_has_its_own_scores(tmp_path):
    teacher = spec(network="resnet101", dataset="vehicleid")
    scored(tmp_path, teacher, 0.7)
    scored(tmp_path, spec("pdrd", 0, [teacher], dataset="vehicleid"), 0.6)
    columns = columns_of(tmp_path, "comparison-vehicleid")
    assert {"Test800 R5", "Test800 mINP", "Test1600 R10"} <= set(columns)
    assert not {"R5", "mINP"} & set(columns)
