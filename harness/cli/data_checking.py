"""`kdreid data check`: one copy of a dataset, told subset by subset."""

from __future__ import annotations

from pathlib import Path

import typer

from harness.core.errors import ExitCode, UsageError
from harness.core.progress import Reporter
from harness.data.completeness import (
    count_subsets,
    describe_missing,
    find_unreadable,
    require_scorable,
)
from harness.planning.datasets import SYNTHETIC, find_dataset
from harness.planning.schema import load_dataset

SHOWN = 20  # unreadable images that are named


def check_data(name: str, root: Path | None, *, deep: bool, workers: int) -> int:
    """Print what was found beside what is expected; the exit code.

    Raises:
        SetupError: the dataset is not there or cannot be read.
        UsageError: there is no such dataset, or it is the generated one.
    """
    file = load_dataset(name)
    if file.loader == SYNTHETIC:
        raise UsageError(f"{name} is drawn by this program: there is nothing to check.")
    dataset = find_dataset(name, file, root)
    typer.echo(f"{name} in {dataset.root}")
    found = count_subsets(dataset, file.expected)
    typer.echo(f"  {'subset':<18}{'':<12}{'found':>10}{'expected':>20}")
    for count in found:
        wanted = " or ".join(f"{number:,}" for number in count.expected) or "-"
        mark = "" if count.ok else "  <- differs"
        typer.echo(f"  {count.subset:<18}{count.what:<12}{count.found:>10,}{wanted:>20}{mark}")
    for sentence in describe_missing(dataset):
        typer.echo(f"  {sentence}")
    for note in dataset.notes:
        typer.echo(f"  {note}")
    typer.echo(f"  fingerprint {dataset.fingerprint}")
    problems: list[str] = []
    if deep:
        with Reporter().task("decoding") as progress:
            problems = list(find_unreadable(dataset, workers, lambda n, of: progress(n, of, "")))
        for problem in problems[:SHOWN]:
            typer.echo(f"  unreadable: {problem}")
        typer.echo(f"  {len(problems)} unreadable images")
    require_scorable(dataset)
    whole = all(count.ok for count in found) and not problems and not dataset.missing_files
    typer.echo(f"{name}: {'whole' if whole else 'not whole; --allow-partial uses it as it is'}")
    return ExitCode.DONE if whole else ExitCode.ENVIRONMENT
