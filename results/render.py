"""One table as Markdown, LaTeX or terminal text; the layout is pandas' and tabulate's.

The best group of a table is bold and the next one underlined where the format has such letters.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pandas as pd
from tabulate import tabulate

from results.cells import Cell
from results.tables import Table

TEXT_COLUMNS = ("Method", "Teacher", "Student", "Reference")
WIDTH = 100  # of terminal text
LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "&": r"\&",
        "#": r"\#",
        "%": r"\%",
        "_": r"\_",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "[": "{[}",  # not an argument of the line break before it
        "]": "{]}",
        "*": "{*}",
        "±": r"$\pm$",
    }
)


def markdown(table: Table) -> str:
    """A heading, a pipe table and a list of footnotes."""
    cells = _map(table, lambda cell: _emphasis(cell).format(_piped(cell.text)))
    cells.columns = pd.Index([_piped(column) for column in table.columns])
    body = cells.to_markdown(index=False, disable_numparse=True, colalign=_sides(table))
    notes = "\n".join(f"- {note}" for note in table.footnotes)
    return f"## {table.title}\n\n{body}\n\n{notes}\n"


def latex(table: Table) -> str:
    """A `table` environment that needs nothing but booktabs."""
    cells = _map(table, lambda cell: _latex_emphasis(cell).format(escape(cell.text)))
    cells.columns = pd.Index([escape(column) for column in table.columns])
    layout = "".join(side[0] for side in _sides(table))
    body = cells.to_latex(index=False, escape=False, column_format=layout)
    notes = "\\\\\n".join(escape(note) for note in table.footnotes)
    return (
        "\\begin{table}\n\\centering\n\\footnotesize\n\\setlength{\\tabcolsep}{3pt}\n"
        f"\\caption{{{escape(table.title)}}}\n\\label{{tab:{table.name}}}\n{body}"
        f"\\par\\medskip\n\\parbox{{\\linewidth}}{{\\scriptsize {notes}}}\n\\end{{table}}\n"
    )


def terminal(table: Table) -> str:
    """Plain text, footnotes wrapped."""
    body = tabulate(
        [[cell.text for cell in row] for row in table.rows],
        headers=list(table.columns),
        tablefmt="simple",
        disable_numparse=True,
        colalign=_sides(table),
    )
    notes = "\n".join(
        textwrap.fill(note, WIDTH, initial_indent="* ", subsequent_indent="  ")
        for note in table.footnotes
    )
    return f"{table.title}\n\n{body}\n\n{notes}\n"


def frame(table: Table) -> pd.DataFrame:
    """The cells as a DataFrame of text."""
    return _map(table, lambda cell: cell.text)


def escape(text: str) -> str:
    """Text that LaTeX prints as it is."""
    return text.translate(LATEX)


def _map(table: Table, shown: Callable[[Cell], str]) -> pd.DataFrame:
    rows = [[shown(cell) for cell in row] for row in table.rows]
    return pd.DataFrame(rows, columns=list(table.columns), dtype=object)


def _piped(text: str) -> str:
    return text.replace("|", r"\|")


def _emphasis(cell: Cell) -> str:
    return {"best": "**{}**", "second": "<u>{}</u>"}.get(cell.group, "{}")


def _latex_emphasis(cell: Cell) -> str:
    return {"best": r"\textbf{{{}}}", "second": r"\underline{{{}}}"}.get(cell.group, "{}")


def _sides(table: Table) -> list[str]:
    return ["left" if column in TEXT_COLUMNS else "right" for column in table.columns]
