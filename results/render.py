"""One table as Markdown, LaTeX or terminal text; the layout is pandas' and tabulate's."""

from __future__ import annotations

import textwrap

import pandas as pd
from tabulate import tabulate

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
    cells = frame(table).map(lambda cell: cell.replace("|", r"\|"))
    cells.columns = pd.Index([column.replace("|", r"\|") for column in table.columns])
    body = cells.to_markdown(index=False, disable_numparse=True, colalign=_sides(table))
    notes = "\n".join(f"- {note}" for note in table.footnotes)
    return f"## {table.title}\n\n{body}\n\n{notes}\n"


def latex(table: Table) -> str:
    """A `table` environment that needs nothing but booktabs."""
    cells = frame(table).map(escape)
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
        list(table.rows),
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
    return pd.DataFrame(list(table.rows), columns=list(table.columns), dtype=object)


def escape(text: str) -> str:
    """Text that LaTeX prints as it is."""
    return text.translate(LATEX)


def _sides(table: Table) -> list[str]:
    return ["left" if column in TEXT_COLUMNS else "right" for column in table.columns]
