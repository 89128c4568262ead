"""The report: all tables that the runs on disk allow, as files and as text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from results import render
from results.ablation import ablation
from results.files import write
from results.gather import gather
from results.published import load_published
from results.summary import summary
from results.tables import Table, comparison
from results.vrkd_tables import network_tables

INDEX = "tables.md"  # all tables of this report
RUNS = "runs.csv"  # one line per run
INTERNAL = ["student_setting", "fields", "teachers", "evaluations", "spreads", "data", "folder"]


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one call of `report`."""

    tables: tuple[Table, ...]
    text: str  # for a terminal
    problems: tuple[str, ...]
    files: tuple[Path, ...]
    figures: tuple[Path, ...] = ()
    absent: tuple[str, ...] = ()  # figures that could not be drawn, and what each needs


def report(runs: Path, target: Path | None = None, *, figures: bool = False) -> Report:
    """Write all tables into `target`, by default `<runs>/report`, each as .md, .tex and .csv.

    With `figures` all figures, too. Every file is replaced atomically. Files of tables and figures
    that no longer exist are left, and named among the problems.
    """
    frame, problems = gather(runs)
    failed = frame[frame["status"] == "failed"]
    for key, kind, message in zip(failed["key"], failed["failure"], failed["message"], strict=True):
        first = next(iter(str(message).splitlines()), "")
        problems.append(f"{key}: failed ({kind}). {first}".rstrip())
    tables = _tables(frame)
    if not tables:
        text = f"No run under {runs} is done yet, so there is nothing to report.\n"
        return Report((), text, tuple(problems), ())
    folder = runs / "report" if target is None else target
    contents = {INDEX: "\n".join(render.markdown(table) for table in tables)}
    for table in tables:
        contents[f"{table.name}.md"] = render.markdown(table)
        contents[f"{table.name}.tex"] = render.latex(table)
        contents[f"{table.name}.csv"] = render.frame(table).to_csv(index=False)
    contents[RUNS] = frame.drop(columns=INTERNAL).to_csv(index=False)
    for name, content in contents.items():
        write(folder / name, content.encode())
    problems += [
        f"{path}: of an earlier report; this one has no such table."
        for pattern in ("comparison-*", "ablation*", "vrkd-*", "summary*")
        for path in sorted(folder.glob(pattern))
        if path.name not in contents
    ]
    text = "\n".join(render.terminal(table) for table in tables)
    files = tuple(folder / name for name in contents)
    if not figures:
        return Report(tuple(tables), text, tuple(problems), files)
    from results.figures.draw import draw  # takes a second to import

    drawn = draw(frame, folder)
    problems += [f"{path}: of an earlier report; it was not drawn anew." for path in drawn.earlier]
    return Report(tuple(tables), text, tuple(problems), files, drawn.files, drawn.absent)


def _tables(frame: pd.DataFrame) -> list[Table]:
    """Ablations, comparisons by dataset, tables of networks, what holds over datasets."""
    published = load_published()
    datasets = sorted(set(frame["dataset"]))
    compared = [table for name in datasets for table in comparison(frame, name, published)]
    networks = network_tables(frame, published)
    return [*ablation(frame, published), *compared, *networks, *summary(frame)]
