"""What the read-only verbs print: plans, status, names. Nothing here imports torch by itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from harness.core.errors import SetupError, UsageError, did_you_mean
from harness.execution.cluster.status import ENDED, STATES, exit_code, status
from harness.planning.estimate import Estimate, estimate, read_timings, sum_estimates
from harness.runs.lookup import resolve_runs
from harness.runs.record import local_state

if TYPE_CHECKING:
    from harness.core.session import RunContext
    from harness.data.datasets import Dataset
    from harness.planning.plan import Plan
    from harness.runs.reader import StoredRun
    from harness.runs.spec import Recipe
    from results.page.details import ReproduceCallback


def show_plan(plan: Plan, *, as_json: bool) -> None:
    """Cohort by cohort, each run with its state; then the counts and the next command."""
    rows: list[dict[str, Any]] = [
        {"cohort": number, "key": spec.key, "state": local_state(plan.runs / spec.key)}
        for number, cohort in enumerate(plan.cohorts, 1)
        for spec in cohort
    ]
    done = [row["key"] for row in rows if row["state"] == "done"]
    times = _times(plan, done)
    if as_json:
        known = [row | {"cohort_seconds": times[row["cohort"] - 1].seconds} for row in rows]
        typer.echo(json.dumps(known, indent=1))
        return
    for number, cohort in enumerate(plan.cohorts, 1):
        first = cohort[0].recipe
        size = f"{first.height}x{first.width}, {first.epochs} epochs, {first.precision}"
        typer.echo(
            f"cohort {number}: {len(cohort)} runs, one data stream, {size}, on {cohort[0].device}"
        )
        typer.echo(f"  {_epoch(plan.datasets[cohort[0].dataset], first)}")
        if times[number - 1].seconds != 0:
            typer.echo(f"  {times[number - 1].words(_kind(plan))}")
        for row in (row for row in rows if row["cohort"] == number):
            typer.echo(f"  {row['state']:<12} {row['key']}")
    counts = Counter(str(row["state"]) for row in rows)
    if len(done) < len(rows):
        typer.echo(f"In all {sum_estimates(times).words(_kind(plan))}.")
    typer.echo(f"{len(rows)} runs: {_tally(counts)}. Nothing was started.")


def _times(plan: Plan, done: Sequence[str]) -> list[Estimate]:
    """How long each cohort will take by earlier records."""
    from harness.data.batches import make_sampler

    known = read_timings(plan.runs)
    steps = [
        cohort[0].recipe.epochs
        * make_sampler(plan.datasets[cohort[0].dataset], cohort[0].recipe, "").batches_per_epoch
        for cohort in plan.cohorts
    ]
    return [
        estimate(cohort, count, known, done=done)
        for cohort, count in zip(plan.cohorts, steps, strict=True)
    ]


def _kind(plan: Plan) -> str:
    return "GPU" if plan.device.type == "cuda" else "CPU"


def _epoch(dataset: Dataset, recipe: Recipe) -> str:
    """How long an epoch is: it differs between samplers, so it has to be said."""
    from harness.data.batches import make_sampler

    batches = make_sampler(dataset, recipe, "").batches_per_epoch
    size, shape = recipe.batch, f"{recipe.batch} images"
    if recipe.sampling == "identities":
        size = recipe.identities * recipe.images_each
        shape = f"{recipe.identities} identities x {recipe.images_each} images"
    return (
        f"an epoch is {batches:,} batches of {shape}: {batches * size:,} of "
        f"{len(dataset.train):,} training images; {recipe.epochs * batches:,} steps in all"
    )


def show_status(runs: Path, words: Sequence[str], state: str | None, *, as_json: bool) -> int:
    """One line a run, from disk and queue; the exit code that scripts can poll."""
    if state is not None and state not in STATES:
        raise UsageError(f"No state is called {state!r}.{did_you_mean(state, STATES)}")
    found = status(runs)
    chosen = set(resolve_runs(words, runs)) if words else None
    rows = [row for row in found.rows if chosen is None or row.key in chosen]
    shown = [row for row in rows if state in (None, row.state)]
    if as_json:
        typer.echo(json.dumps([row.as_json() for row in shown], indent=1))
    else:
        for row in shown:
            line = f"{row.number:>4} {row.id} {row.state:<12} {row.key}  {row.detail}"
            typer.echo(line.rstrip())
        typer.echo(f"{len(rows)} runs: {_tally(Counter(row.state for row in rows))}")
    for problem in found.problems:
        typer.echo(f"note: {problem}", err=True)
    if not as_json and any(row.state in ENDED for row in rows):
        typer.echo(f"Why, and what to do: kdreid failures --runs {runs}")
    return exit_code(rows)


def show_report(runs: Path, *, figures: bool = False) -> None:
    """Write and print all tables, say what could not go into them, and where the files are.

    With `figures` draw them, too, and say of each that could not be drawn what it needs.
    """
    from results.report import report

    if not runs.is_dir():
        raise SetupError(f"There is no runs folder {runs}. Name one with --runs DIR.")
    written = report(runs, again=_again(runs), figures=figures)
    typer.echo(written.text)
    for problem in written.problems:
        typer.echo(f"note: {problem}", err=True)
    if written.files:
        kinds = ", ".join(sorted({path.suffix for path in written.files}))
        typer.echo(f"Tables ({kinds}): {written.files[0].parent}/")
    for line in written.absent:
        typer.echo(line)
    if written.figures:
        count = sum(path.suffix == ".png" for path in written.figures)
        typer.echo(f"Figures ({count}; .png, .pdf, .csv): {written.figures[0].parent}/")
    if written.files:
        page = next(path for path in written.files if path.suffix == ".html")
        typer.echo(f"For a browser: {page}")


def _again(runs: Path) -> ReproduceCallback:
    """What tells the page how to make runs of this folder again."""

    def again(members: Sequence[StoredRun]) -> tuple[Sequence[str], Sequence[str]]:
        from harness.planning.reproduce import reproduce

        found = reproduce(members, runs, look=False)
        return found.commands, found.remarks

    return again


def session(runs: Path, device: str, workers: int, *, quiet: bool) -> RunContext:
    """What verbs need that look at finished networks.

    Raises:
        SetupError: the device is not there.
        UsageError: there is no such device.
    """
    from harness.core.devices import find_device
    from harness.core.progress import Reporter
    from harness.core.session import RunContext
    from harness.core.signals import StopRequest

    return RunContext(runs, find_device(device), StopRequest(), Reporter(quiet=quiet), {}, workers)


def show_names(*, as_json: bool) -> None:
    """Everything that can be asked for by name."""
    from harness.core.yaml import config_names
    from harness.models import ENSEMBLES, NETWORKS
    from harness.plugins.lookup import entry_point_methods
    from harness.runs.spec import HEADS
    from methods import EXTRAS, METHODS

    known = {
        "methods": list(METHODS),
        "further methods (not in `all`)": list(EXTRAS),
        "methods of installed packages": list(entry_point_methods()),
        "datasets": config_names("dataset"),
        "networks": list(NETWORKS),
        "teachers of several networks": list(ENSEMBLES),
        "heads": list(HEADS),
        "studies": config_names("study"),
    }
    if as_json:
        typer.echo(json.dumps(known, indent=1))
        return
    for kind, words in known.items():
        typer.echo(f"{kind}: {', '.join(words)}")


def _tally(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {state}" for state, count in counts.items()) or "none"
