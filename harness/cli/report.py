"""Write a report or a paper's table: `kdreid report`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import completion, options, run_options
from harness.cli.printing import print_paper_table, print_report
from harness.cli.results import trust
from harness.core.errors import ExitCode, UsageError, did_you_mean

if TYPE_CHECKING:
    from results.configurations import TableChoice

PAPER = "The paper's table"  # panel of --help
TABLES = ("all", "paper")

Figures = Annotated[bool, typer.Option(help="Draw all figures that the runs allow.")]
Against = Annotated[
    str | None,
    typer.Option(
        metavar="METHOD",
        help="Method that gains are measured from and tested against.",
        show_default="the undistilled student",
        autocompletion=completion.methods,
    ),
]
Methods = Annotated[
    options.Names,
    typer.Option(
        "--methods",
        metavar="NAMES",
        help="Rows of the paper's table, in this order: names or globs. Of methods of another "
        "origin (module:Class), here or in any report, the code may be imported.",
        show_default="all that ran",
        autocompletion=completion.methods,
    ),
]
TableName = Annotated[
    str,
    typer.Option(
        "--table",
        metavar="NAME",
        help="all, or paper: one table of methods by datasets that fits a column.",
        rich_help_panel=PAPER,
    ),
]
Datasets = Annotated[
    options.Names,
    typer.Option(
        "--datasets",
        "--dataset",
        metavar="NAMES",
        help="Its datasets, in this order.",
        show_default="all with runs",
        autocompletion=completion.datasets,
        rich_help_panel=PAPER,
    ),
]
Columns = Annotated[
    options.Names,
    typer.Option(
        "--columns",
        metavar="NAMES",
        help="Some of mAP, R1, R5, R10, mINP and gain.",
        show_default="mAP,R1",
        rich_help_panel=PAPER,
    ),
]
Digits = Annotated[
    int | None,
    typer.Option(
        min=0, max=3, metavar="N", help="Decimals.", show_default="1", rich_help_panel=PAPER
    ),
]
Style = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Class whose column it fits: ieee (252 pt), cvpr (237 pt) or plain (345 pt).",
        show_default="ieee",
        rich_help_panel=PAPER,
    ),
]
Spread = Annotated[
    bool,
    typer.Option("--sd", help="Add the standard deviation over seeds.", rich_help_panel=PAPER),
]
Wide = Annotated[
    bool, typer.Option("--wide", help="Span both columns (table*).", rich_help_panel=PAPER)
]
NoNotes = Annotated[
    bool,
    typer.Option("--no-notes", help="Leave out what explains its marks.", rich_help_panel=PAPER),
]


def report(
    runs: options.Runs = Path("runs"),
    figures: Figures = True,
    against: Against = None,
    study: run_options.Study = None,
    out: options.Out = None,
    methods: Methods = None,
    table: TableName = TABLES[0],
    datasets: Datasets = None,
    columns: Columns = None,
    digits: Digits = None,
    style: Style = None,
    spread: Spread = False,
    wide: Wide = False,
    no_notes: NoNotes = False,
) -> None:
    """Write tables (terminal, Markdown, LaTeX, CSV), data, figures (PNG, PDF) and a web page.

    With --table paper: one table of methods by datasets that fits a column of a paper.
    """
    given = {"--datasets": datasets, "--columns": columns, "--digits": digits, "--style": style}
    given |= {"--sd": spread, "--wide": wide, "--no-notes": no_notes}
    is_paper = _is_paper(table, given)
    trust([name for name in methods or () if ":" in name])
    choice = _choose(against, study)
    with options.offer_out():
        if is_paper:
            from results.tables.paper_choice import PaperChoice

            usual = PaperChoice()
            paper = PaperChoice(
                methods=tuple(methods or ()),
                datasets=tuple(datasets or ()),
                columns=tuple(columns or usual.columns),
                digits=usual.digits if digits is None else digits,
                style=style or usual.style,
                with_spread=spread,
                is_wide=wide,
                with_notes=not no_notes,
            )
            refused = print_paper_table(runs, out, paper, choice)
        else:
            refused = print_report(runs, out, figures=figures, choice=choice)
    raise typer.Exit(ExitCode.ENVIRONMENT if refused else ExitCode.DONE)


def _is_paper(table: str, given: Mapping[str, object]) -> bool:
    """Return whether only the paper's table is wanted.

    Args:
        table: Value of --table.
        given: Values of the options that only this table has.

    Raises:
        UsageError: There is no such table, or an option belongs to the other one.
    """
    if table.casefold() not in TABLES:
        raise UsageError(f"--table: no table is called {table!r}.{did_you_mean(table, TABLES)}")
    is_paper = table.casefold() == "paper"
    names = [name for name, value in given.items() if value not in (None, False)]
    if names and not is_paper:
        raise UsageError(f"{', '.join(names)}: only the paper's table has that. Add --table paper.")
    return is_paper


def _choose(against: str | None, study: str | None) -> TableChoice:
    """Return what is compared: the reference, and the configurations that a study names.

    Raises:
        UsageError: There is no such study, or its file is wrong.
    """
    from results.configurations import DEFAULT_CHOICE, TableChoice
    from results.study_options import load_study_options

    return TableChoice(
        against=against or DEFAULT_CHOICE.against,
        options=load_study_options(study) if study else {},
    )
