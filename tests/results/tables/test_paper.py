"""The paper's table: methods by datasets, for a column of a paper."""

import csv
import io
import shutil
from dataclasses import replace
from functools import cache
from statistics import stdev

import pytest

from harness.core.errors import UsageError
from results.collect import collect_runs
from results.configurations import TableChoice
from results.published import load_published
from results.report import write_paper_table
from results.tables.comparison import comparison_tables
from results.tables.formats import to_markdown
from results.tables.paper import make_paper_table, paper_csv
from results.tables.paper_choice import PaperChoice, parse_choice, resolve_names
from results.tables.paper_latex import choose_layout, describe_scaling, paper_latex
from results.tables.paper_parts import format_gain
from tests.support.latex import needs_latex
from tests.support.made_grid import LABELS, METHODS, drop, write_grid
from tests.support.records import cells, done, failed, spec, study, teacher_spec, whole_cells
from tests.support.two_columns import (
    CLASSES,
    COLUMN_WIDTHS,
    IEEETRAN,
    column_width,
    has_ieeetran,
    log_of,
    overfull_boxes,
)
from tests.support.vehicleid_records import scored

COLUMNS = ("mAP", "gain")
EVERYTHING = ("mAP", "R1", "R5", "R10", "mINP", "gain")


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    runs = tmp_path_factory.mktemp("grid")
    return runs, write_grid(runs)


@pytest.fixture(scope="module")
def frame(grid):
    return collect_runs(grid[0], LABELS)[0]


@pytest.fixture(scope="module")
def made_once(frame):
    """The table of a choice, made once for all styles."""

    @cache
    def make(choice):
        return make_paper_table(frame, choice, labels=LABELS)

    return lambda choice: make(replace(choice, style="ieee"))


def table_of(runs, choice=None, labels=None, **fields):
    frame = collect_runs(runs, labels)[0]
    paper = resolve_names(parse_choice(PaperChoice(**fields)), frame, labels or {})
    return make_paper_table(frame, paper, choice or TableChoice(), labels, runs)


def test_means_and_gains_by_hand(tmp_path):
    """PDRD 50, 51, 55 against 40, 42, 44 of the plain student."""
    study(tmp_path, dataset="msmt17")
    made = table_of(tmp_path, columns=("mAP", "gain"), with_spread=True)
    assert cells(made.table, "PDRD") == {
        "Method": "PDRD",
        "MSMT17 mAP": f"52.0 ± {stdev([50, 51, 55]):.1f}",
        "MSMT17 Gain": "+10.0*",
    }
    assert cells(made.table, "Student")["MSMT17 Gain"] == ""
    assert cells(made.table, "Teacher")["MSMT17 mAP"] == "60.0"
    assert made.table.title == (
        "Distillation from ResNet-101 to ResNet-18: mAP and gain in mAP over the student (%), "
        "mean ± standard deviation of three seeds"
    )
    assert made.frames == 2 and made.problems == ()
    whole = table_of(tmp_path, digits=0)
    assert cells(whole.table, "PDRD")["MSMT17 mAP"] == "52"


def test_marks_and_stars_are_those_of_each_datasets_comparison(frame):
    made = make_paper_table(frame, PaperChoice(columns=("mAP", "R1", "gain")))
    seen = set()
    for dataset, name in (("market1501", "Market-1501"), ("veri776", "VeRi-776")):
        (compared,) = comparison_tables(frame, dataset, load_published())
        for row in compared.rows:
            ours = whole_cells(made.table, row[0].text)
            theirs = whole_cells(compared, row[0].text)
            for score in ("mAP", "R1"):
                assert ours[f"{name} {score}"].mark == theirs[score].mark
                seen.add(theirs[score].mark)
            star = theirs["Gain in mAP"].text.endswith("*")
            assert ours[f"{name} Gain"].text.endswith("*") == star
    assert len(seen) > 3


def test_a_choice_of_methods_keeps_every_verdict_and_its_order(frame):
    every = make_paper_table(frame, PaperChoice(columns=COLUMNS))
    some = make_paper_table(frame, PaperChoice(methods=("pkt", "at", "fitnet"), columns=COLUMNS))
    labels = [row[0].text for row in some.table.rows]
    assert labels == ["Teacher", "Student", "PKT", "AT", "FitNet"]
    for label in labels:
        ours, theirs = cells(some.table, label), cells(every.table, label)
        assert [ours[f"{n} Gain"] for n in ("MSMT17", "DukeMTMC")] == [
            theirs[f"{n} Gain"] for n in ("MSMT17", "DukeMTMC")
        ]
    # Without PDRD, PKT has the best mean on Market-1501.
    assert whole_cells(some.table, "PKT")["Market-1501 mAP"].mark.place == "best"
    assert whole_cells(every.table, "PKT")["Market-1501 mAP"].mark.place == "second"


def test_gains_over_another_method(frame):
    choice = TableChoice(against="pdrd")
    made = make_paper_table(frame, PaperChoice(columns=("gain",), digits=2), choice)
    assert cells(made.table, "PDRD")["MSMT17 Gain"] == ""
    assert cells(made.table, "Student")["MSMT17 Gain"].startswith("-7.8")
    assert "over PDRD" in made.table.title
    assert any("significant difference from PDRD" in note for note in made.table.caption)


def test_datasets_in_the_order_given_and_columns_of_each(frame):
    made = make_paper_table(frame, PaperChoice(datasets=("veri776", "msmt17"), columns=EVERYTHING))
    assert [block.heading for block in made.blocks] == ["VeRi-776", "MSMT17"]
    assert made.blocks[0].columns == ("mAP", "R1", "R5", "R10", "mINP", "Gain")
    assert len(made.table.columns) == 13
    assert all(len(row) == 13 for row in made.table.rows)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(-0.004, 2, "0.00"), (0.04, 1, "0.0"), (-0.04, 1, "0.0"), (-0.06, 1, "-0.1"), (7, 0, "+7")],
)
def test_zero_has_no_sign(value, digits, text):
    assert format_gain(value, digits) == text


def test_minus_signs_are_real_in_latex(frame):
    choice = PaperChoice(columns=("gain",))
    text = paper_latex(make_paper_table(frame, choice), choice)
    assert "$-$0." in text and " -0" not in text
    assert "-0.0" not in text.replace("$-$", "")


def test_what_is_missing_stands_as_a_dash_and_the_command_is_named(tmp_path):
    teacher = study(tmp_path, dataset="msmt17")
    done(tmp_path, spec("sp", 0, [teacher], dataset="msmt17"), 0.45)
    failed(tmp_path, spec("at", 0, [teacher], dataset="msmt17"))
    made = table_of(
        tmp_path,
        labels={"kd": "KD", "at": "AT"},
        methods=("kd,sp,at",),
        datasets=("msmt17,veri776",),
    )
    assert cells(made.table, "KD")["MSMT17 mAP"] == "-"
    assert cells(made.table, "AT")["MSMT17 R1"] == "-"
    assert cells(made.table, "SP") == {
        "Method": "SP",
        **{"MSMT17 mAP": "45.0", "MSMT17 R1": "65.0", "VeRi-776 mAP": "-", "VeRi-776 R1": "-"},
    }
    here, there = made.problems
    assert here == (
        "MSMT17 lacks KD (no run), SP (1 of 3 seeds), AT (failed: diverged); with the settings of "
        f"the other rows: kdreid run --runs {tmp_path} --dataset msmt17 --methods kd,sp,at "
        "--teacher resnet101 --student resnet18 --seeds 0,1,2"
    )
    assert there.startswith("VeRi-776 lacks Student (no run), KD (no run)")
    assert "1 of 3 seeds: SP on MSMT17." in made.table.caption
    choice = PaperChoice()
    assert "KD & -- & -- & -- & -- \\\\" in paper_latex(made, choice)
    assert list(csv.DictReader(io.StringIO(paper_csv(made, choice))))[2]["MSMT17 mAP"] == ""


def test_only_rows_that_ran_or_were_asked_for(tmp_path):
    teacher = done(tmp_path, teacher_spec(), 0.6)
    done(tmp_path, spec("sp", 0, [teacher]), 0.45)
    made = table_of(tmp_path, labels={"none": "Student", "fitnet": "FitNet", "sp": "SP"})
    assert [row[0].text for row in made.table.rows] == ["Teacher", "SP"]
    assert made.blocks[0].heading == "Generated"
    assert "Generated images rank no method." in made.table.caption


def test_one_seed_marks_nothing_and_a_lost_seed_keeps_its_row(tmp_path):
    made = write_grid(tmp_path, datasets=("veri776",), seeds=(0,), methods=METHODS[-3:])
    one = table_of(tmp_path)
    assert one.table.title.endswith("(%), one seed")
    assert not any(cell.mark.place for row in one.table.rows for cell in row)
    assert one.table.caption == () and len(made) == 4


def test_a_row_with_fewer_seeds_is_named(tmp_path):
    made = write_grid(tmp_path, datasets=("veri776",), methods=METHODS[-3:])
    drop(tmp_path, made["veri776", "pdrd", 1])
    table = table_of(tmp_path).table
    assert table.caption[-1] == "2 of 3 seeds: PDRD on VeRi-776."
    assert whole_cells(table, "PDRD")["VeRi-776 mAP"].mark.place == "best"


def test_other_networks_and_settings_are_not_mixed_in(tmp_path):
    for dataset in ("msmt17", "market1501"):
        study(tmp_path, dataset=dataset)
    teacher = done(tmp_path, teacher_spec(dataset="market1501", threads=4), 0.7)
    other = spec("pdrd", 0, [teacher], dataset="market1501", threads=4)
    done(tmp_path, other, 0.9, label="PDRD")
    made = table_of(tmp_path)
    assert cells(made.table, "PDRD")["Market-1501 mAP"] == "52.0"
    (problem,) = made.problems
    assert problem.startswith("Not in the paper's table: 1 runs on market1501 with other settings")
    assert "threads 4" in problem


def test_every_evaluation_of_vehicleid_has_columns(tmp_path):
    teacher = scored(tmp_path, spec(network="resnet101", dataset="vehicleid"), 0.8)
    for seed in (0, 1):
        scored(tmp_path, spec(seed=seed, dataset="vehicleid"), 0.6 + 0.02 * seed, label="Student")
        scored(tmp_path, spec("sp", seed, [teacher], dataset="vehicleid"), 0.7 + 0.04 * seed)
    made = table_of(tmp_path, columns=("mAP", "gain"), digits=2)
    assert [block.heading for block in made.blocks] == [
        f"VehicleID {name}" for name in ("test800", "test1600", "test2400")
    ]
    row = cells(made.table, "SP")
    assert row["VehicleID test800 mAP"] == "72.00" and row["VehicleID test2400 mAP"] == "62.00"
    assert row["VehicleID test1600 Gain"].startswith("+11.00")


def test_csv_has_numbers(frame):
    choice = PaperChoice(columns=("mAP", "gain"), with_spread=True)
    rows = list(csv.DictReader(io.StringIO(paper_csv(make_paper_table(frame, choice), choice))))
    assert float(rows[-1]["MSMT17 mAP"]) > 47 and float(rows[-1]["MSMT17 mAP sd"]) < 1.5
    assert float(rows[-1]["MSMT17 Gain"]) > 7 and rows[0]["MSMT17 Gain"] == ""


def test_markdown_has_marks_and_notes_can_be_left_out(frame, made_once):
    text = to_markdown(made_once(PaperChoice()).table)
    assert "**85.5**" in text and "<ins>" in text and "†" in text
    assert "- Bold: best, underlined: second" in text
    bare = PaperChoice(with_notes=False)
    made = make_paper_table(frame, bare)
    assert made.table.caption == ()
    assert "Bold" not in paper_latex(made, bare)


FITTING = {
    "usual": {},
    "two digits": {"digits": 2, "columns": ("mAP", "R1")},
    "gains": {"columns": ("mAP", "gain")},
    "deviations": {"columns": ("mAP",), "with_spread": True},
    "subscripts": {"columns": ("mAP", "R1"), "with_spread": True},
    "scaled": {"columns": EVERYTHING},
    "wide": {"columns": ("mAP", "R1", "gain"), "is_wide": True, "with_spread": True},
    "one": {"datasets": ("msmt17",), "columns": EVERYTHING},
}


@needs_latex
@pytest.mark.parametrize("style", CLASSES)
@pytest.mark.parametrize("case", FITTING)
def test_it_fits_a_column(made_once, tmp_path, style, case):
    choice = PaperChoice(style=style, **FITTING[case])
    made = made_once(choice)
    log = log_of(tmp_path, paper_latex(made, choice), CLASSES[style])
    assert overfull_boxes(log) == []
    assert column_width(log) == pytest.approx(COLUMN_WIDTHS[style], abs=0.5)
    if case in ("usual", "gains", "deviations", "one"):
        assert choose_layout(made, choice).scale == 1


@needs_latex
@pytest.mark.skipif(not has_ieeetran(), reason="no IEEEtran here")
@pytest.mark.parametrize("case", FITTING)
def test_it_fits_the_class_of_ieee(made_once, tmp_path, case):
    choice = PaperChoice(style="ieee", **FITTING[case])
    made = made_once(choice)
    log = log_of(tmp_path, paper_latex(made, choice), IEEETRAN)
    assert overfull_boxes(log) == [] and column_width(log) == pytest.approx(252, abs=0.5)


@needs_latex
def test_a_table_that_is_not_scaled_but_too_wide_would_be_seen(made_once, tmp_path):
    """The check of the boxes finds what the layout avoids."""
    wide = PaperChoice(style="plain", columns=EVERYTHING, is_wide=True)
    text = paper_latex(made_once(wide), replace(wide, style="ieee"))
    text = text.replace("table*", "table").replace("\\resizebox{\\textwidth}{!}", "{}")
    assert overfull_boxes(log_of(tmp_path, text, CLASSES["cvpr"]))


def test_a_scaled_table_says_so(made_once):
    choice = PaperChoice(columns=EVERYTHING)
    made = made_once(choice)
    (sentence,) = describe_scaling(made, choice)
    assert "--wide" in sentence and "\\resizebox{\\columnwidth}" in paper_latex(made, choice)
    usual = PaperChoice()
    assert list(describe_scaling(made_once(usual), usual)) == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"columns": ("map", "Gaim")}, "no column is called 'Gaim'. Did you mean 'gain'?"),
        ({"style": "iee"}, "no style is called 'iee'. Did you mean 'ieee'?"),
        ({"digits": 7}, "--digits is a number from 0 to 3"),
        ({"methods": ("pdr",)}, "no method is called 'pdr'. Did you mean 'pdrd'?"),
        ({"datasets": ("market",)}, "no dataset is called 'market'. Did you mean 'market1501'?"),
    ],
)
def test_unknown_words_are_named_with_the_nearest(tmp_path, fields, message):
    study(tmp_path)
    with pytest.raises(UsageError) as raised:
        write_paper_table(tmp_path, None, PaperChoice(**fields))
    assert message in str(raised.value)
    assert not (tmp_path / "report").exists()


def test_globs_and_all_mean_what_ran(frame):
    choice = resolve_names(PaperChoice(methods=("*kd", "all"), datasets=("m*",)), frame, LABELS)
    assert choice.methods[:4] == ("cckd", "rkd", "vrkd", "at")
    assert sorted(choice.methods) == sorted(METHODS)
    assert choice.datasets == ("market1501", "msmt17")


def test_files_are_written_and_no_others_touched(grid, tmp_path):
    runs = grid[0]
    made = write_paper_table(runs, tmp_path / "out", PaperChoice(), labels=LABELS)
    names = {"paper.tex", "paper.md", "paper.csv"}
    assert {path.name for path in made.files} == names
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    assert "Market-1501 mAP" in made.text and made.problems == () and made.write_error is None
    shutil.rmtree(tmp_path / "out")
    assert write_paper_table(runs, tmp_path / "out", PaperChoice(), labels=LABELS) == made
