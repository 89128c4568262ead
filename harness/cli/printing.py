"""Print what several commands print: errors, reports, counts of states."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from harness.cli.arguments import require_plain_words
from harness.cli.terminal import drop_unwritten_output, echo, echo_line
from harness.core.errors import ExitCode, KDReIDError
from harness.core.file_errors import explain
from harness.core.files import WRITE_ERRORS
from harness.core.installation import ensure_own_packages
from harness.runs.lookup import require_runs_folder

if TYPE_CHECKING:
    from harness.runs.reader import StoredRun
    from results.configurations import TableChoice
    from results.page.details import ReproduceCallback
    from results.report import Report
    from results.tables.paper_choice import PaperChoice


def run_application(application: typer.Typer) -> None:
    """Run an application on the process's arguments and exit; print a known error as text."""
    try:
        ensure_own_packages()
        require_plain_words(sys.argv[1:])
        application()
    except KDReIDError as error:
        _end(str(error), error.exit_code)
    except OSError as error:
        # Whatever reads or writes without words of its own: a full disk, a closed folder.
        if error.filename is not None and error.errno is not None:
            reason, step = explain(Path(os.fsdecode(error.filename)), error)
            _end(f"{os.fsdecode(error.filename)}: {reason}; {step}.", ExitCode.ENVIRONMENT)
        if error.errno not in WRITE_ERRORS:
            raise
        # Libraries write to the outputs and to temporary files, whose errors name no file.
        _end(
            f"The output or a temporary file cannot be written ({error.strerror}): free space on "
            "its disk, then repeat the command.",
            ExitCode.ENVIRONMENT,
        )
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)


def _end(sentence: str, code: int) -> NoReturn:
    """Print why a command ends, if standard error takes it, and exit."""
    with suppress(OSError):
        echo(f"kdreid: {sentence}", err=True)
    drop_unwritten_output()
    sys.exit(code)


def print_report(
    runs: Path,
    target: Path | None = None,
    *,
    figures: bool = False,
    choice: TableChoice | None = None,
) -> tuple[str, ...]:
    """Write all tables and print them, what they could not include, and where the files are.

    Args:
        runs: The runs folder.
        target: Folder of the report; by default `<runs>/report`.
        figures: Also draw every figure, and print what each missing one needs.
        choice: What the tables compare; by default every method with its defaults.

    Returns:
        One sentence about each run that is not in the tables because its files cannot be trusted.

    Raises:
        SetupError: The runs folder does not exist.
        UsageError: The reference of `choice` is no method.
        UnwritableFileError: The report cannot be written; its tables were printed.
    """
    from results.configurations import DEFAULT_CHOICE
    from results.report import write_report

    require_runs_folder(runs)
    written = write_report(
        runs,
        target,
        _reproduce_callback(runs),
        labels=method_labels(),
        figures=figures,
        choice=choice or DEFAULT_CHOICE,
    )
    _print_tables(written)
    if written.files:
        kinds = ", ".join(sorted({path.suffix for path in written.files}))
        echo(f"Tables ({kinds}): {written.files[0].parent}/")
    for line in written.absent:
        echo_line(line)
    if written.figures:
        count = sum(path.suffix == ".png" for path in written.figures)
        echo(f"Figures ({count}; .png, .pdf, .csv): {written.figures[0].parent}/")
    if written.files:
        page = next(path for path in written.files if path.suffix == ".html")
        echo(f"For a browser: {page}")
    if written.write_error is not None:
        raise written.write_error
    return written.refused


def print_paper_table(
    runs: Path, target: Path | None, paper: PaperChoice, choice: TableChoice
) -> tuple[str, ...]:
    """Write and print a paper's table.

    Args:
        runs: The runs folder.
        target: Folder of the report; by default `<runs>/report`.
        paper: What the table shows.
        choice: Which configurations count, and what gains are measured from.

    Returns:
        As `print_report`.

    Raises:
        SetupError: The runs folder does not exist.
        UsageError: A method, dataset, column or style is unknown.
        UnwritableFileError: The table cannot be written; it was printed.
    """
    from results.report import write_paper_table

    require_runs_folder(runs)
    written = write_paper_table(runs, target, paper, labels=method_labels(), choice=choice)
    _print_tables(written)
    for path in written.files:
        echo(f"Written: {path}")
    if written.write_error is not None:
        raise written.write_error
    return written.refused


def _print_tables(written: Report) -> None:
    """Print tables and what they could not include."""
    echo(written.text)
    print_refused(written.refused)
    for problem in written.problems:
        if problem not in written.refused:
            echo_line(f"note: {problem}", err=True)


def print_refused(refused: Sequence[str]) -> None:
    """Print what is not in the tables because it cannot be read or trusted, and why."""
    if refused:
        echo("Not in the tables, because files cannot be read or do not agree:", err=True)
    for sentence in refused:
        echo_line(f"  {sentence}", err=True)


def method_labels() -> dict[str, str]:
    """Return the label of every built-in method, in the order in which tables list them."""
    from methods import EXTRA_METHODS, METHODS

    described = (METHODS | EXTRA_METHODS).descriptions()
    return {name: method.label for name, method in described.items()}


def _reproduce_callback(runs: Path) -> ReproduceCallback:
    """Return the callback with which the report's page gets the commands of its runs."""

    def commands(members: Sequence[StoredRun]) -> tuple[Sequence[str], Sequence[str]]:
        from harness.planning.reproduce import reproduce

        reproduction = reproduce(members, runs, check_data=False)
        return reproduction.commands, reproduction.remarks

    return commands


def count_runs(count: int) -> str:
    """Return a number of runs as text: `1 run`, `2 runs`."""
    return f"{count} run{'' if count == 1 else 's'}"


def count_states(states: Iterable[str]) -> str:
    """Return how many runs there are, and how many in each state: `4 runs: 3 done, 1 failed`."""
    counts = Counter(map(str, states))
    by_state = ", ".join(f"{count} {state}" for state, count in counts.items())
    return f"{count_runs(counts.total())}: {by_state or 'none'}"


def format_bytes(size: float) -> str:
    """Return a size on a disk in the largest unit of which there is one: `12.3 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
