"""Write the report of a runs folder: all tables, a page for the browser, and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from harness.core.errors import UnwritableFileError
from harness.core.files import atomic_write
from harness.runs.layout import FIGURES, REPORT
from harness.runs.report_folder import report_file, report_folder
from results.collect import gather_runs
from results.configurations import DEFAULT_CHOICE, TableChoice
from results.data_files import data_files
from results.page.details import ReproduceCallback
from results.page.figures import embed_figures
from results.page.report_page import report_page
from results.published import Published, load_published
from results.study_options import fit_options
from results.tables import formats
from results.tables.ablation import ablation_tables
from results.tables.comparison import comparison_tables
from results.tables.paper import make_paper_table, paper_csv
from results.tables.paper_choice import PaperChoice, parse_choice, require_method, resolve_names
from results.tables.paper_latex import describe_scaling, paper_latex
from results.tables.summary import summary_tables
from results.tables.table import Table
from results.tables.variants import variant_tables
from results.tables.vrkd import network_tables

ALL_TABLES = "tables.md"
NOTES = "notes.md"  # all footnotes, each once
NOTHING = "No run below {runs} is done yet, so there is nothing to report.\n"
DOCUMENT = "tables.tex"  # inputs the .tex files of all tables
PAGE = "index.html"
TABLE_FILES = ("comparison-*", "ablation*", "variants-*", "vrkd-*", "summary*")


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
    choice, published = choose_rows(choice, frame, labels or {}, problems), load_published()
    tables = all_tables(frame, choice, published)
    if not tables:
        return Report((), NOTHING.format(runs=runs), tuple(problems), (), refused=refused)
    text = "\n".join(formats.to_terminal(table) for table in tables)
    try:
        folder = report_folder(runs, target)
        contents = _table_contents(tables) | data_files(frame, published, choice)
        problems += _describe_earlier_tables(folder, contents)
        _write_files(folder, contents)  # before figures, which may take long or fail
        drawn, absent = (
            _draw_figures(frame, folder, runs, choice, problems) if figures else ((), ())
        )
        embedded = embed_figures(folder / FIGURES, drawn, problems)
        page = {PAGE: report_page(tables, frame, runs, target, embedded, problems, reproduce)}
        _write_files(folder, page)
    except UnwritableFileError as error:
        return Report(tuple(tables), text, tuple(problems), (), refused=refused, write_error=error)
    files = tuple(folder / name for name in (*contents, *page))
    return Report(tuple(tables), text, tuple(problems), files, drawn, absent, refused)


def write_paper_table(
    runs: Path,
    target: Path | None,
    paper: PaperChoice,
    *,
    labels: Mapping[str, str] | None = None,
    choice: TableChoice = DEFAULT_CHOICE,
) -> Report:
    """Write a paper's table as .md, .tex and .csv; other files of a report are not touched.

    Args:
        runs: The runs folder.
        target: Folder of the report; by default `<runs>/report`.
        paper: What it shows.
        labels: Labels of the known methods in the order of tables.
        choice: Which configuration of a method counts, and what gains are measured from.

    Raises:
        UsageError: A method, dataset or column is unknown.
    """
    paper = parse_choice(paper)
    collected = gather_runs(runs, labels)
    frame, refused = collected.frame, collected.refused
    problems = [*refused, *collected.notes]
    paper = resolve_names(paper, frame, labels or {})
    choice = choose_rows(choice, frame, labels or {}, problems)
    made = make_paper_table(frame, paper, choice, labels, runs)
    if not made.blocks or not made.table.rows:
        return Report((), NOTHING.format(runs=runs), tuple(problems), (), refused=refused)
    problems += [*made.problems, *describe_scaling(made, paper)]
    text = formats.to_terminal(made.table)
    contents = {
        f"{made.table.name}.tex": paper_latex(made, paper),
        f"{made.table.name}.md": formats.to_markdown(made.table),
        f"{made.table.name}.csv": paper_csv(made, paper),
    }
    try:
        folder = report_folder(runs, target)
        _write_files(folder, contents)
    except UnwritableFileError as error:
        return Report((made.table,), text, tuple(problems), (), refused=refused, write_error=error)
    files = tuple(folder / name for name in contents)
    return Report((made.table,), text, tuple(problems), files, refused=refused)


def choose_rows(
    choice: TableChoice, frame: pd.DataFrame, labels: Mapping[str, str], problems: list[str]
) -> TableChoice:
    """Return a choice with the names of this program and the configurations that ran.

    Args:
        choice: As typed, with the options of a study.
        frame: All rows of `collect_runs`.
        labels: Labels of the known methods.
        problems: Gets a sentence if nothing can be measured from the reference.

    Raises:
        UsageError: The reference is no method.
    """
    if choice.against != DEFAULT_CHOICE.against:
        choice = replace(choice, against=require_method(choice.against, frame, labels))
        done = frame[(frame["method"] == choice.against) & (frame["status"] == "done")]
        if done.empty:
            problems.append(
                f"No run of {choice.against} is done, so no gain is measured from it. Run it with "
                f"kdreid run --methods {choice.against}."
            )
    return fit_options(choice, frame)


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


def all_tables(
    frame: pd.DataFrame,
    choice: TableChoice = DEFAULT_CHOICE,
    published: Published | None = None,
) -> list[Table]:
    """Return the tables in the order of a report.

    That is the leaderboard over datasets, comparisons by dataset, variants, ablations, and tables
    of networks.

    Args:
        frame: All rows of `collect_runs`.
        choice: What is compared.
        published: The papers' numbers; by default those of this program.
    """
    published = published or load_published()
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


def _table_contents(tables: Sequence[Table]) -> dict[str, str]:
    """Return the content of every file of tables by name."""
    contents = {
        ALL_TABLES: "\n".join(formats.to_markdown(table) for table in tables),
        NOTES: formats.notes_document(tables),
        DOCUMENT: formats.latex_document([table.name for table in tables]),
    }
    for table in tables:
        contents[f"{table.name}.md"] = formats.to_markdown(table)
        contents[f"{table.name}.tex"] = formats.to_latex(table)
        contents[f"{table.name}.csv"] = formats.to_csv(table)
    return contents


def _draw_figures(
    frame: pd.DataFrame, folder: Path, runs: Path, choice: TableChoice, problems: list[str]
) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Draw all figures; return their files and what the missing ones need."""
    try:
        from results.figures.all import draw_all  # takes a second to import
    except Exception as error:  # of matplotlib, its settings or its other libraries
        return (), (f"No figure can be drawn ({type(error).__name__}: {error}).",)
    drawn = draw_all(frame, folder, runs / REPORT, choice)
    problems += [f"{path} is from an earlier report and was not redrawn." for path in drawn.stale]
    return drawn.files, drawn.missing
