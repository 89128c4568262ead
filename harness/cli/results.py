"""Trace and compare results: `kdreid trace` and `diff`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import options
from harness.cli.printing import method_labels, print_refused
from harness.cli.terminal import echo, echo_line
from harness.core.errors import SetupError, UsageError
from harness.core.installation import DISTRIBUTION
from harness.runs.lookup import require_runs_folder, resolve_runs
from harness.runs.reader import StoredRun, load_run

if TYPE_CHECKING:
    from harness.planning.reproduce import Reproduction
    from results.compare_runs import CurveComparison, RunDiff, ScoreDifference
    from results.trace import TracedCell

DIGEST_LENGTH = 12  # printed hexadecimal digits
ABSENT = {"config": "not set", "teacher": "none", "result": "none"}  # else: not recorded
MAX_WIDTH = 46  # of one value
SEEDS_REMARK = (
    "Two single runs do not show the variation between seeds: other seeds could reverse such a "
    "difference. Tables over several seeds test that, too."
)


def trace(
    cell: Annotated[
        str, typer.Argument(metavar="CELL", help="TABLE:ROW:COLUMN: comparison-msmt17:PDRD:mAP.")
    ],
    methods: options.OutsideMethods = None,
    runs: options.Runs = Path("runs"),
    as_json: options.Json = False,
) -> None:
    """Show the runs behind a cell of the report, and the command that reproduces them."""
    trust(methods)
    print_trace(cell, runs, as_json=as_json)


def diff(
    first: Annotated[str, options.run_argument(metavar="A")],
    second: Annotated[str, options.run_argument(metavar="B")],
    runs: options.Runs = Path("runs"),
    other_runs: Annotated[
        Path | None,
        typer.Option(
            "--other-runs",
            "--other",
            metavar="DIR",
            readable=False,
            help="Runs folder of B.",
            show_default="that of A",
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Show how two runs differ, and whether their mAP differs significantly."""
    print_diff((first, second), runs, other_runs, as_json=as_json)


def trust(methods: Sequence[str] | None) -> None:
    """Import the methods of another origin that the user names, so that runs of them are known.

    Raises:
        UsageError: There is no such method.
    """
    if methods:
        from harness.planning.names import resolve_methods

        resolve_methods(methods)


def print_trace(cell: str, runs: Path, *, as_json: bool) -> None:
    """Print the runs behind a cell of the tables that `report` would write now.

    Raises:
        UsageError: The tables have no such cell.
        SetupError: The runs folder does not exist, or no run is done.
    """
    from harness.planning.reproduce import reproduce
    from results.collect import gather_runs
    from results.report import all_tables
    from results.trace import run_facts, trace_cell

    require_runs_folder(runs)
    collected = gather_runs(runs, method_labels())
    frame = collected.frame
    print_refused(collected.refused)
    tables = all_tables(frame)
    if not tables:
        raise SetupError(f"No run under {runs} is done yet, so there is no table to trace.")
    try:
        traced = trace_cell(cell, tables, frame)
    except LookupError as error:
        raise UsageError(str(error.args[0])) from error
    try:
        stored = [load_run(runs, key) for key in traced.runs]
    except ValueError as error:
        raise SetupError(f"{error}.") from error
    reproduction = reproduce(stored, runs)
    facts = [run_facts(run) for run in stored]
    if as_json:
        content = {**asdict(traced), "runs": facts, "reproduce": asdict(reproduction)}
        echo(json.dumps(content, indent=1))
        return
    for line in _trace_lines(traced, facts, reproduction):
        echo_line(line)


def _trace_lines(
    traced: TracedCell, facts: Sequence[dict[str, Any]], reproduction: Reproduction
) -> Iterator[str]:
    yield f"{traced.table}: {traced.title}"
    yield f"{traced.row}, {traced.column}: {traced.text}" if traced.column else traced.row
    if traced.detail:
        yield traced.detail
    if not facts:
        yield "This cell comes from no run."
        return
    for run in facts:
        yield from _run_lines(run)
    yield "To reproduce these runs:"
    yield from (f"  {command}" for command in reproduction.commands)
    if reproduction.exact:
        yield "  With the present code this plans the same keys."
    yield from (f"  note: {remark}" for remark in reproduction.remarks)


def _run_lines(run: dict[str, Any]) -> Iterator[str]:
    scores = "; ".join(
        f"{name} " + ", ".join(f"{score} {value:.2f}" for score, value in several.items())
        for name, several in run["scores"].items()
    )
    yield f"{run['key']}"
    yield f"  seed {run['seed']}: {scores or run['failure'] or run['status']}"
    yield f"  code: {_describe_code(run)}; method {_shorten_digest(run['source'])}"
    yield f"  versions: {', '.join(f'{name} {value}' for name, value in run['versions'].items())}"
    folder = f" in {run['data']}" if run["data"] else ""
    yield f"  data: {run['dataset']} {run['fingerprint']}{folder}"
    for teacher in run["teachers"]:
        yield f"  teacher: {teacher['key']}, weights {_shorten_digest(teacher['weights'])}"
    seconds = run["training_seconds"]
    time = f", {seconds:.0f} s in its training steps" if isinstance(seconds, int | float) else ""
    finished = run["finished"] or "time not recorded"
    yield f"  trained: {finished} on {run['host']}, {run['device']}{time}"
    yield from (f"  note: {note}" for note in run["notes"])


def _describe_code(run: dict[str, Any]) -> str:
    """Return the commit and what was edited, or the version of an installation."""
    if run["checkout"] is False:
        version = run["versions"].get(DISTRIBUTION, "of an unknown version")
        return f"{DISTRIBUTION} {version}, not from a checkout"
    edited = "" if not run["dirty"] else f", edited ({_shorten_digest(run['patch'])})"
    return f"commit {_shorten_digest(run['commit'])}{edited}"


def _shorten_digest(text: str | None) -> str:
    return text[:DIGEST_LENGTH] if text else "not recorded"


def print_diff(
    handles: tuple[str, str], runs: Path, other_runs: Path | None, *, as_json: bool
) -> None:
    """Print how two runs differ; the second may be in another runs folder.

    Raises:
        UsageError: A handle names no run or several, or both name one run.
        SetupError: A runs folder does not exist, or a run cannot be read.
    """
    from results.compare_runs import diff_runs

    first = load_one_run(handles[0], runs)
    second = load_one_run(handles[1], runs if other_runs is None else other_runs)
    if first.folder.resolve() == second.folder.resolve():
        raise UsageError(f"Both are {first.key}. Name two runs: kdreid diff A B --runs {runs}")
    differences = diff_runs(first, second)
    if as_json:
        echo(json.dumps(_diff_as_json(differences), indent=1))
        return
    for line in _diff_lines(differences):
        echo_line(line)


def load_one_run(handle: str, runs: Path) -> StoredRun:
    """Read the one run that a handle names.

    Raises:
        UsageError: The handle names no run, or several.
        SetupError: The runs folder does not exist, or the run cannot be read.
    """
    keys = resolve_runs([handle], runs)
    if len(keys) != 1:
        raise UsageError(f"{handle!r} names {len(keys)} runs; name one, as kdreid status shows it.")
    try:
        return load_run(runs, keys[0])
    except ValueError as error:
        raise SetupError(f"{error}.") from error


def _diff_as_json(differences: RunDiff) -> dict[str, Any]:
    content = asdict(differences)
    for verdict, fields in zip(differences.verdicts, content["verdicts"], strict=True):
        fields["more_than_noise"] = verdict.is_significant
    return content


def _diff_lines(differences: RunDiff) -> Iterator[str]:
    yield f"A  {differences.first}"
    yield f"B  {differences.second}"
    for section, fields in differences.sections.items():
        if not fields:
            yield f"{section}: the same"
            continue
        yield section
        absent = ABSENT.get(section, "not recorded")
        rows = [
            (one.name, *(_shorten(value, absent) for value in (one.first, one.second)))
            for one in fields
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(2)]
        for name, first, second in rows:
            yield f"  {name:<{widths[0]}}  {first:<{widths[1]}}  {second}"
    yield "training"
    yield from (f"  {line}" for line in _curve_lines(differences.courses))
    for verdict in differences.verdicts:
        yield _score_line(verdict)
    if differences.verdicts:
        yield SEEDS_REMARK
    else:
        yield "The runs have no evaluation in common, so their mAP cannot be compared."


def _curve_lines(curves: CurveComparison) -> Iterator[str]:
    if curves.problem:
        yield f"not compared: {curves.problem}"
    elif not curves.partings:
        yield f"equal at all {curves.steps} steps that both curves contain"
    for number, divergence in enumerate(curves.partings):
        since = ""
        if not number and curves.last_equal is not None:
            since = f" (equal up to step {curves.last_equal} of {curves.steps} common steps)"
        values = f"{divergence.first:.6g}, {divergence.second:.6g}"
        yield f"{divergence.column} differs from step {divergence.step}: {values}{since}"


def _score_line(score: ScoreDifference) -> str:
    if score.mean is None:
        return f"{score.evaluation}: the mAP is not compared: {score.problem}."
    size, side = abs(score.mean), "above" if score.mean > 0 else "below"
    text = f"{score.evaluation}: the mAP of A is "
    text += f"{size:.2f} points {side} B's" if score.mean else "that of B"
    if score.interval is None:
        return f"{text}; not tested: {score.problem}."
    low, high = score.interval
    return (
        f"{text}, 95 % interval {low:+.2f} to {high:+.2f} (paired, {score.queries:,} queries of "
        f"{score.identities:,} identities): "
        f"{'more than' if score.is_significant else 'within'} the noise between queries."
    )


def _shorten(value: object, absent: str) -> str:
    if value is None:
        return absent
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= MAX_WIDTH else f"{text[: MAX_WIDTH - 3]}..."
