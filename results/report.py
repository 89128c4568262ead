"""The report: all tables that the runs on disk allow, as files and as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from results.collect import collect_runs
from results.files import write
from results.page.build import render_page
from results.page.details import ReproduceCallback, number_runs, provenance_data
from results.page.figures import embedded_figures
from results.published import load_published
from results.tables import formats as render
from results.tables.ablation import ablation_tables
from results.tables.comparison import comparison_tables
from results.tables.summary import summary_tables
from results.tables.table import Table
from results.tables.vrkd import network_tables

INDEX = "tables.md"  # all tables of this report
DOCUMENT = "tables.tex"  # the same as a document that takes in their files
PAGE = "index.html"  # all of it, for a browser
FIGURES = "figures"  # folder of pictures, beside the page
RUNS = "runs.csv"  # one line per run
INTERNAL = ["student_setting", "fields", "teachers", "evaluations", "spreads", "data", "folder"]


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one call of `write_report`."""

    tables: tuple[Table, ...]
    text: str  # for a terminal
    problems: tuple[str, ...]
    files: tuple[Path, ...]
    figures: tuple[Path, ...] = ()
    absent: tuple[str, ...] = ()  # figures that could not be drawn, and what each needs


def write_report(
    runs: Path,
    target: Path | None = None,
    again: ReproduceCallback | None = None,
    *,
    figures: bool = False,
) -> Report:
    """Write all tables into `target`, by default `<runs>/report`, each as .md, .tex and .csv.

    With `figures` all figures, too. The page, `index.html`, holds all of them; `again` tells it how
    to make runs again. Every file is replaced atomically. Files of tables and figures that no
    longer exist are left, and named among the problems.
    """
    frame, problems = collect_runs(runs)
    failed = frame[frame["status"] == "failed"]
    for key, kind, message in zip(failed["key"], failed["failure"], failed["message"], strict=True):
        first = next(iter(str(message).splitlines()), "")
        problems.append(f"{key}: failed ({kind}). {first}".rstrip())
    tables = all_tables(frame)
    if not tables:
        text = f"No run under {runs} is done yet, so there is nothing to report.\n"
        return Report((), text, tuple(problems), ())
    folder = runs / "report" if target is None else target
    contents = _contents(tables, frame)
    problems += [
        f"{path}: of an earlier report; this one has no such table."
        for pattern in ("comparison-*", "ablation*", "vrkd-*", "summary*")
        for path in sorted(folder.glob(pattern))
        if path.name not in contents
    ]
    drawn, absent = _draw(frame, folder, problems) if figures else ((), ())
    shown = embedded_figures(folder / FIGURES, drawn, problems)
    numbers = number_runs(tables)
    contents[PAGE] = render_page(
        tables, numbers, provenance_data(tables, runs, numbers, again), shown, problems
    )
    for name, content in contents.items():
        write(folder / name, content.encode())
    text = "\n".join(render.to_terminal(table) for table in tables)
    files = tuple(folder / name for name in contents)
    return Report(tuple(tables), text, tuple(problems), files, drawn, absent)


def _contents(tables: Sequence[Table], frame: pd.DataFrame) -> dict[str, str]:
    """The files of all tables by name."""
    contents = {
        INDEX: "\n".join(render.to_markdown(table) for table in tables),
        DOCUMENT: render.latex_document([table.name for table in tables]),
    }
    for table in tables:
        contents[f"{table.name}.md"] = render.to_markdown(table)
        contents[f"{table.name}.tex"] = render.to_latex(table)
        contents[f"{table.name}.csv"] = render.text_frame(table).to_csv(index=False)
    contents[RUNS] = frame.drop(columns=INTERNAL).to_csv(index=False)
    return contents


def _draw(
    frame: pd.DataFrame, folder: Path, problems: list[str]
) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Draw all figures: their files, and what the absent ones need."""
    from results.figures.all import draw_all  # takes a second to import

    drawn = draw_all(frame, folder)
    problems += [f"{path}: of an earlier report; it was not drawn anew." for path in drawn.earlier]
    return drawn.files, drawn.absent


def all_tables(frame: pd.DataFrame) -> list[Table]:
    """Ablations, comparisons by dataset, tables of networks, what holds over datasets."""
    published = load_published()
    datasets = sorted(set(frame["dataset"]))
    compared = [table for name in datasets for table in comparison_tables(frame, name, published)]
    networks = network_tables(frame, published)
    return [*ablation_tables(frame, published), *compared, *networks, *summary_tables(frame)]
