"""One table as Markdown, LaTeX or terminal text; the layout is pandas' and tabulate's.

The best group of a table is bold and the next one underlined where the format has such letters.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence

import pandas as pd
from tabulate import tabulate

from results.tables.cells import Cell
from results.tables.splitting import count_lines, paginate, split_columns
from results.tables.table import Table

TEXT_COLUMNS = ("Method", "Teacher", "Student", "Network", "Reference")
WIDTH = 100  # of terminal text
TERMINAL_WIDTH = 180  # of tables there
LATEX_WIDTH = (86.0, 1.5)  # an article's lines at \scriptsize and a gap, in characters
LATEX_HEIGHT = 540.0  # points of an article's page
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
        "≠": r"$\neq$",
    }
)


def to_markdown(table: Table) -> str:
    """A heading, a pipe table and a list of footnotes."""
    cells = _map(table, lambda cell: _emphasis(cell).format(_piped(cell.text)))
    cells.columns = pd.Index([_piped(column) for column in table.columns])
    body = cells.to_markdown(index=False, disable_numparse=True, colalign=_sides(table))
    notes = "\n".join(f"- {note}" for note in table.footnotes)
    return f"## {table.title}\n\n{body}\n\n{notes}\n"


def to_latex(table: Table) -> str:
    """`table` environments that need nothing but booktabs, as many as an article's pages ask for.

    A table too wide for the text is cut into parts below each other, each with the first column.
    """
    parts = split_columns(table, *LATEX_WIDTH)
    made = []
    for page in paginate(_heights(table, len(parts)), LATEX_HEIGHT):
        title, label, again = table.title, f"\\label{{tab:{table.name}}}\n", ""
        if page.start:
            title, label, again = f"{title}, continued", "", "\\addtocounter{table}{-1}\n"
        body = "".join(
            f"{_tabular(parts[number])}\\par\\medskip\n"
            if number < len(parts)
            else _note(table.footnotes[number - len(parts)])
            for number in page
        )
        made.append(
            "\\begin{table}\n\\centering\n\\scriptsize\n\\setlength{\\tabcolsep}{3pt}\n"
            f"{again}\\caption{{{escape_latex(title)}}}\n{label}{body}\\end{{table}}\n"
        )
    return "\n".join(made)


def latex_document(names: Sequence[str]) -> str:
    """A LaTeX document of the tables whose files lie beside it, each on pages of its own."""
    body = "".join(f"\\input{{{name}}}\n\\clearpage\n" for name in names)
    head = "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n"
    return f"{head}{body}\\end{{document}}\n"


def _heights(table: Table, parts: int) -> list[float]:
    """Points that the parts and then the footnotes take on an article's page."""
    heights = [8.2 * len(table.rows) + 30.0 for _ in range(parts)]
    heights[0] += 14.0 * count_lines(table.title, 75) + 10.0
    return heights + [8.5 * count_lines(note, 88) + 1.0 for note in table.footnotes]


def _note(text: str) -> str:
    return f"\\parbox{{\\linewidth}}{{{escape_latex(text)}}}\\par\n"


def to_terminal(table: Table) -> str:
    """Plain text, footnotes wrapped; a very wide table in parts below each other."""
    body = "\n\n".join(_plain(part) for part in split_columns(table, TERMINAL_WIDTH, 2))
    notes = "\n".join(
        textwrap.fill(note, WIDTH, initial_indent="* ", subsequent_indent="  ")
        for note in table.footnotes
    )
    return f"{table.title}\n\n{body}\n\n{notes}\n"


def _tabular(table: Table) -> str:
    cells = _map(table, lambda cell: _latex_emphasis(cell).format(escape_latex(cell.text)))
    cells.columns = pd.Index([escape_latex(column) for column in table.columns])
    layout = "".join(side[0] for side in _sides(table))
    return str(cells.to_latex(index=False, escape=False, column_format=layout))


def _plain(table: Table) -> str:
    return str(
        tabulate(
            [[cell.text for cell in row] for row in table.rows],
            headers=list(table.columns),
            tablefmt="simple",
            disable_numparse=True,
            colalign=_sides(table),
        )
    )


def text_frame(table: Table) -> pd.DataFrame:
    """The cells as a DataFrame of text."""
    return _map(table, lambda cell: cell.text)


def escape_latex(text: str) -> str:
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
