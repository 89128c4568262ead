"""Evaluate finished runs: `kdreid score`, `measure-consistency` and other commands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any

import typer

from harness.cli import options
from harness.cli.terminal import echo
from harness.core.errors import UsageError

MAX_NEIGHBOURS = 10_000  # no memory holds more of every image
MAX_QUERIES = 100  # of a figure; each is a row


def score(
    handles: Annotated[list[str], options.run_argument()],
    runs: options.Runs = Path("runs"),
    data_root: options.DataRoot = None,
    metric: Annotated[
        str, typer.Option(metavar="METRIC", help="Distance: cosine or euclidean.")
    ] = "cosine",
    ties: Annotated[
        str, typer.Option(metavar="RULE", help="Order of equal distances: pessimistic, optimistic.")
    ] = "pessimistic",
    flip: Annotated[
        bool, typer.Option("--flip", help="Average the features with those of mirrored images.")
    ] = False,
    rerank: Annotated[bool, typer.Option("--rerank", help="Use k-reciprocal re-ranking.")] = False,
    k1: Annotated[
        int, typer.Option(max=MAX_NEIGHBOURS, metavar="N", help="Neighbours of re-ranking.")
    ] = 20,
    k2: Annotated[
        int,
        typer.Option(
            max=MAX_NEIGHBOURS, metavar="N", help="Neighbours of re-ranking's query expansion."
        ),
    ] = 6,
    lambda_: Annotated[
        float,
        typer.Option("--lambda", metavar="SHARE", help="Share of the original distance, 0 to 1."),
    ] = 0.3,
    device: options.Device = "auto",
    workers: options.Workers = 2,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Score finished runs by other rules than those of the tables; no record changes."""
    from harness.analysis.rescoring import ScoringOptions, rescore_runs
    from harness.evaluation.reranking import RerankingOptions

    try:
        reranking = RerankingOptions(k1, k2, lambda_) if rerank else None
    except ValueError as error:
        raise UsageError(str(error)) from error
    rules = ScoringOptions(metric, ties, flip, reranking)
    context = options.make_context(runs, device, workers, quiet=quiet)
    rows = rescore_runs(handles, rules, context, data_root)
    if as_json:
        echo(json.dumps(rows, indent=1))
    else:
        print_scores(rows, str(rules))


def measure_consistency(
    handles: Annotated[options.Names, options.run_argument("all finished students")] = None,
    runs: options.Runs = Path("runs"),
    data_root: options.DataRoot = None,
    device: options.Device = "auto",
    workers: options.Workers = 2,
    quiet: options.Quiet = False,
) -> None:
    """Measure how far students rank differently from their teachers (PDRD's Fig. 3)."""
    from harness.analysis import consistency

    context = options.make_context(runs, device, workers, quiet=quiet)
    for student in consistency.measure_consistency(handles or (), context, data_root):
        if student.skip_reason:
            echo(f"{student.key}: skipped, {student.skip_reason}")
        else:
            echo(f"{student.key}: L_rank {student.l_rank:.1f}, {student.share:.3f} of the maximum")
    echo(f"Next: kdreid report --runs {runs}")


def export_embeddings(
    handles: Annotated[list[str], options.run_argument()],
    runs: options.Runs = Path("runs"),
    data_root: options.DataRoot = None,
    device: options.Device = "auto",
    workers: options.Workers = 2,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Save the embeddings of the test images with each run; `report` draws their t-SNE."""
    from harness.analysis import embeddings

    context = options.make_context(runs, device, workers, quiet=quiet)
    with options.offer_out():
        paths = embeddings.export_embeddings(handles, context, data_root, out)
    for path in paths:
        echo(path)
    if out is None:
        echo(f"Next: kdreid report --runs {runs}")


def compare_rankings(
    first: Annotated[str, options.run_argument(metavar="A")],
    second: Annotated[str, options.run_argument(metavar="B")],
    queries: Annotated[
        int, typer.Option(min=1, max=MAX_QUERIES, metavar="N", help="Number of queries.")
    ] = 4,
    runs: options.Runs = Path("runs"),
    data_root: options.DataRoot = None,
    workers: options.Workers = 2,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Draw the queries on which two runs differ most, with the top ranks of each run."""
    from harness.analysis.ranked_lists import draw_ranked_lists

    context = options.make_context(runs, "cpu", workers, quiet=quiet)
    with options.offer_out():
        paths = draw_ranked_lists((first, second), queries, context, data_root, out)
    for path in paths:
        echo(path)


def print_scores(rows: Sequence[dict[str, Any]], rules: str) -> None:
    """Print the scores of runs above those in their records, each the mean over the draws.

    Args:
        rows: The rows that `harness.analysis.rescoring.rescore_runs` returns.
        rules: The rules of scoring, for the heading.
    """
    from harness.evaluation.scoring import tie_warnings
    from harness.runs.per_query import CMC_RANKS

    names = ["mAP", *(f"R{rank}" for rank in CMC_RANKS), "mINP"]
    echo(f"Not in the tables; no record changes: {rules}.")
    for row in rows:
        count = len(row["scores"])
        draws = f", mean of {count} draws" if count > 1 else ""
        echo(f"{row['key']} ({row['evaluation']}{draws})")
        echo(f"  {'':<16}" + "".join(f"{name:>8}" for name in names))
        for title, scores in (("these rules", row["scores"]), ("its record", row["recorded"])):
            means = [fmean(_score_value(draw, name) for draw in scores) for name in names]
            echo(f"  {title:<16}" + "".join(f"{100 * mean:>8.2f}" for mean in means))
        for warning in tie_warnings(row["key"], {row["evaluation"]: row["scores"]}):
            echo(f"  {warning}")


def _score_value(draw: dict[str, Any], name: str) -> float:
    """Return one score of a draw by its name in a table: mAP, mINP, or R1 and other ranks."""
    return float(draw["cmc"][name[1:]] if name.startswith("R") else draw[name])
