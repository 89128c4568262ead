"""Write the report of a runs folder: all tables, a page for the browser, and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from harness.core.errors import UnwritableFileError
from harness.core.files import atomic_write
from harness.runs.layout import FIGURES, REPORT
from harness.runs.report_folder import report_file, report_folder
from results.collect import gather_runs
from results.configurations import DEFAULT_CHOICE, TableChoice
from results.page.details import ReproduceCallback
from results.page.figures import embed_figures
from results.page.report_page import report_page
from results.published import load_published
from results.tables import formats
from results.tables.ablation import ablation_tables
from results.tables.comparison import comparison_tables
from results.tables.summary import summary_tables
from results.tables.table import Table
from results.tables.variants import variant_tables
from results.tables.vrkd import network_tables

ALL_TABLES = "tables.md"
NOTES = "notes.md"  # all footnotes, each once
DOCUMENT = "tables.tex"  # inputs the .tex files of all tables
PAGE = "index.html"
RUNS = "runs.csv"  # one line per run
TABLE_FILES = ("comparison-*", "ablation*", "variants-*", "vrkd-*", "summary*")
INTERNAL_COLUMNS = [  # of the frame, not in RUNS
    "student_setting",
    "fields",
    "teachers",
    "teacher_images",
    "teacher_setting",
    "own_teachers",
    "evaluations",
    "spreads",
    "data",
    "data_flags",
    "origin",
    "order",
    "folder",
    "teacher_weights",
    "other_teacher",
]


@dataclass(frozen=True, slots=True)
class Report:
    """Return value of `write_report`."""

    tables: tuple[Table, ...]
    text: str  # all tables for a terminal
    problems: tuple[str, ...]  # one sentence each
    files: tuple[Path, ...]
    figures: tuple[Path, ...] = ()
    absent: tuple[str, ...] = ()  # figures that could not be drawn, with what each needs
    refused: tuple[str, ...] = ()  # of `problems`, those about runs that are not in the tables
    write_error: UnwritableFileError | None = None  # the files are missing because of it


def write_report(
    runs: Path,
    target: Path | None = None,
    reproduce: ReproduceCallback | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    figures: bool = False,
    choice: TableChoice = DEFAULT_CHOICE,
) -> Report:
    """Write each table as .md, .tex and .csv, all of them as a page, and a line for each run.

    Every file is replaced atomically. Files of tables and figures of an earlier report are not
    removed but are listed among the problems. If the folder cannot be written, the result contains
    the tables and the error.

    Args:
        runs: The runs folder.
        target: Folder of the report; by default `<runs>/report`.
        reproduce: Returns the commands that repeat the runs of a cell, for the page.
        labels: Labels of the known methods in the order of tables; see `collect_runs`.
        figures: Whether to draw all figures as well.
        choice: What the tables compare.
    """
    collected = gather_runs(runs, labels)
    frame, refused = collected.frame, collected.refused
    problems = [*refused, *collected.notes, *_describe_failed_runs(frame)]
    tables = all_tables(frame, choice)
    if not tables:
        text = f"No run below {runs} is done yet, so there is nothing to report.\n"
        return Report((), text, tuple(problems), (), refused=refused)
    text = "\n".join(formats.to_terminal(table) for table in tables)
    try:
        folder = report_folder(runs, target)
        contents = _table_contents(tables, frame)
        problems += _describe_earlier_tables(folder, contents)
        _write_files(folder, contents)  # before figures, which may take long or fail
        drawn, absent = _draw_figures(frame, folder, runs, problems) if figures else ((), ())
        embedded = embed_figures(folder / FIGURES, drawn, problems)
        page = {PAGE: report_page(tables, frame, runs, target, embedded, problems, reproduce)}
        _write_files(folder, page)
    except UnwritableFileError as error:
        return Report(tuple(tables), text, tuple(problems), (), refused=refused, write_error=error)
    files = tuple(folder / name for name in (*contents, *page))
    return Report(tuple(tables), text, tuple(problems), files, drawn, absent, refused)


def _write_files(folder: Path, contents: Mapping[str, str]) -> None:
    for name, content in contents.items():
        atomic_write(report_file(folder, name), content.encode())


def _describe_earlier_tables(folder: Path, contents: Mapping[str, str]) -> list[str]:
    return [
        f"{path} is from an earlier report; this one has no such table."
        for pattern in TABLE_FILES
        for path in sorted(folder.glob(pattern))
        if path.name not in contents
    ]


def all_tables(frame: pd.DataFrame, choice: TableChoice = DEFAULT_CHOICE) -> list[Table]:
    """Return the tables in the order of a report.

    That is the leaderboard over datasets, comparisons by dataset, variants, ablations, and tables
    of networks.

    Args:
        frame: All rows of `collect_runs`.
        choice: What is compared.
    """
    published = load_published()
    datasets = sorted(set(frame["dataset"]))
    return [
        *summary_tables(frame, choice),
        *(t for name in datasets for t in comparison_tables(frame, name, published, choice)),
        *(table for name in datasets for table in variant_tables(frame, name, choice)),
        *ablation_tables(frame, published, choice),
        *network_tables(frame, published),
    ]


def _describe_failed_runs(frame: pd.DataFrame) -> list[str]:
    """Return the kind of each failure and the first line of its message."""
    failed = frame[frame["status"] == "failed"]
    columns = (failed["key"], failed["failure"], failed["message"])
    lines = []
    for key, kind, message in zip(*columns, strict=True):
        first_line = next(iter(str(message).splitlines()), "")
        lines.append(f"{key}: failed ({kind}). {first_line}".rstrip())
    return lines


def _table_contents(tables: Sequence[Table], frame: pd.DataFrame) -> dict[str, str]:
    """Return the content of every file of tables and runs by name."""
    contents = {
        ALL_TABLES: "\n".join(formats.to_markdown(table) for table in tables),
        NOTES: formats.notes_document(tables),
        DOCUMENT: formats.latex_document([table.name for table in tables]),
    }
    for table in tables:
        contents[f"{table.name}.md"] = formats.to_markdown(table)
        contents[f"{table.name}.tex"] = formats.to_latex(table)
        contents[f"{table.name}.csv"] = formats.to_csv(table)
    contents[RUNS] = frame.drop(columns=INTERNAL_COLUMNS).to_csv(index=False)
    return contents


def _draw_figures(
    frame: pd.DataFrame, folder: Path, runs: Path, problems: list[str]
) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Draw all figures; return their files and what the missing ones need."""
    try:
        from results.figures.all import draw_all  # takes a second to import
    except Exception as error:  # of matplotlib, its settings or its other libraries
        return (), (f"No figure can be drawn ({type(error).__name__}: {error}).",)
    drawn = draw_all(frame, folder, runs / REPORT)
    problems += [f"{path} is from an earlier report and was not redrawn." for path in drawn.stale]
    return drawn.files, drawn.missing
