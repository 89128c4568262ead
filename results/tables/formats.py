"""Tables as Markdown, LaTeX, CSV or terminal text.

The best score is bold and the second underlined where the format has such letters; a dagger follows
scores that cannot be told from the best. Below a table stands its caption; footnotes have a file of
their own, once for all tables of a report.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence

import pandas as pd
from tabulate import tabulate

from results.tables.cells import Cell
from results.tables.latex import escape_latex, escape_numbers
from results.tables.significance import DAGGER, EMPHASIS_NOTE
from results.tables.splitting import count_lines, paginate, split_columns
from results.tables.table import Table

TEXT_COLUMNS = ("Method", "Teacher", "Student", "Network", "Reference")  # left-aligned
TERMINAL_WIDTH = 180  # of tables, in characters
FOOTNOTE_WIDTH = 100  # in a terminal, in characters
# An article's text width at \scriptsize and the gap between columns, in characters.
LATEX_WIDTH, LATEX_GAP = 86.0, 1.5
LATEX_HEIGHT = 540.0  # of an article's page, in points


def to_markdown(table: Table) -> str:
    """Return a heading, a pipe table and the caption's sentences as a list."""
    emphasis = {"best": "**{}**", "second": "<ins>{}</ins>"}  # GitHub strips <u>
    cells = _map_cells(table, lambda cell: _emphasise(cell, emphasis, _escape_pipes))
    cells.columns = pd.Index([_escape_pipes(column) for column in table.columns])
    body = cells.to_markdown(index=False, disable_numparse=True, colalign=_alignments(table))
    notes = "\n".join(f"- {note}" for note in table.caption)
    return f"## {table.title}\n\n{body}\n\n{notes}\n"


def notes_document(tables: Sequence[Table]) -> str:
    """Return the footnotes of all tables as Markdown, each once with the tables that it is of."""
    names: dict[str, list[str]] = {}
    for table in tables:
        for note in table.footnotes:
            names.setdefault(note, []).append(table.name)
    groups: dict[tuple[str, ...], list[str]] = {}
    for note, of_tables in names.items():
        groups.setdefault(tuple(of_tables), []).append(note)
    parts = []
    for together, notes in groups.items():
        heading = "All tables" if len(together) == len(tables) > 1 else ", ".join(together)
        lines = "\n".join(f"- {note}" for note in notes)
        parts.append(f"## {heading}\n\n{lines}\n")
    return "# Notes\n\n" + "\n".join(parts)


def to_latex(table: Table) -> str:
    """Return as many `table` environments as an article's pages need; they require booktabs only.

    A table that is wider than the text is split into parts, one below the other, each with the
    first column.
    """
    parts = split_columns(table, LATEX_WIDTH, LATEX_GAP)
    environments = []
    for page in paginate(_estimate_heights(table, len(parts)), LATEX_HEIGHT):
        title, label, counter = table.title, f"\\label{{tab:{table.name}}}\n", ""
        if page.start:
            # A continued table keeps its number.
            title, label, counter = f"{title}, continued", "", "\\addtocounter{table}{-1}\n"
        body = "".join(
            f"{_to_tabular(parts[number])}\\par\\medskip\n"
            if number < len(parts)
            else _to_parbox(table.caption[number - len(parts)])
            for number in page
        )
        environments.append(
            "\\begin{table}\n\\centering\n\\scriptsize\n\\setlength{\\tabcolsep}{3pt}\n"
            f"{counter}\\caption{{{escape_latex(title)}}}\n{label}{body}\\end{{table}}\n"
        )
    return "\n".join(environments)


def latex_document(names: Sequence[str]) -> str:
    """Return a LaTeX document that inputs the tables of these file names, each on its own pages."""
    body = "".join(f"\\input{{{name}}}\n\\clearpage\n" for name in names)
    head = "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n"
    return f"{head}{body}\\end{{document}}\n"


def to_terminal(table: Table) -> str:
    """Return plain text with wrapped footnotes; a wide table is split into parts."""
    parts = split_columns(table, TERMINAL_WIDTH, gap=2)
    body = "\n\n".join(
        tabulate(
            [[_plain(cell) for cell in row] for row in part.rows],
            headers=list(part.columns),
            tablefmt="simple",
            disable_numparse=True,
            colalign=_alignments(part),
        )
        for part in parts
    )
    notes = "\n".join(
        textwrap.fill(note, FOOTNOTE_WIDTH, initial_indent="* ", subsequent_indent="  ")
        for note in table.caption
        if note != EMPHASIS_NOTE
    )
    return f"{table.title}\n\n{body}\n\n{notes}\n"


def to_csv(table: Table) -> str:
    """Return the texts of the cells as CSV, without title and notes."""
    return str(_map_cells(table, lambda cell: cell.text).to_csv(index=False))


def _estimate_heights(table: Table, parts: int) -> list[float]:
    """Return the heights of a table's parts, then of its notes, on an article's page in points.

    Rows take 8.2 points, lines of the title 14.0, lines of a note 8.5.
    """
    heights = [8.2 * len(table.rows) + 30.0 for _ in range(parts)]
    heights[0] += 14.0 * count_lines(table.title, 75) + 10.0
    return heights + [8.5 * count_lines(note, 88) + 1.0 for note in table.caption]


def _to_parbox(footnote: str) -> str:
    return f"\\parbox{{\\linewidth}}{{{escape_latex(footnote)}}}\\par\n"


def _to_tabular(table: Table) -> str:
    emphasis = {"best": r"\textbf{{{}}}", "second": r"\underline{{{}}}"}
    cells = _map_cells(table, lambda cell: _emphasise(cell, emphasis, escape_numbers))
    cells.columns = pd.Index([escape_latex(column) for column in table.columns])
    column_format = "".join(side[0] for side in _alignments(table))
    return str(cells.to_latex(index=False, escape=False, column_format=column_format))


def _emphasise(cell: Cell, emphasis: dict[str, str], escape: Callable[[str], str]) -> str:
    """Return the text of a cell with its mark."""
    text = emphasis.get(cell.mark.place, "{}").format(escape(cell.text))
    return f"{text}{escape(DAGGER)}" if cell.mark.is_tied else text


def _plain(cell: Cell) -> str:
    return f"{cell.text}{DAGGER}" if cell.mark.is_tied else cell.text


def _map_cells(table: Table, function: Callable[[Cell], str]) -> pd.DataFrame:
    rows = [[function(cell) for cell in row] for row in table.rows]
    return pd.DataFrame(rows, columns=list(table.columns), dtype=object)


def _escape_pipes(text: str) -> str:
    return text.replace("|", r"\|")


def _alignments(table: Table) -> list[str]:
    return ["left" if column in TEXT_COLUMNS else "right" for column in table.columns]
