"""The verbs of `kdreid` that measure for figures; each imports late."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any

import torch
import typer

from harness.analysis.rescoring import ScoringOptions, _score
from harness.cli.run import DataRoot, Device, Quiet, Runs, Workers
from harness.core.files import read_json
from harness.core.session import RunContext
from harness.evaluation.scoring import RANKS, tie_warnings
from harness.planning.reopen import open_own
from harness.runs.lookup import find_run
from harness.runs.record import RECORD


def consistency(
    words: Annotated[list[str] | None, typer.Argument(metavar="[RUN]...", help="Or all.")] = None,
    runs: Runs = Path("runs"),
    data_root: DataRoot = None,
    device: Device = "auto",
    workers: Workers = 2,
    quiet: Quiet = False,
) -> None:
    """How far students rank otherwise than their teachers (PDRD's Fig. 3), beside each run."""
    from harness.analysis.consistency import measure_consistency
    from harness.cli.printing import session

    found = measure_consistency(words or (), session(runs, device, workers, quiet=quiet), data_root)
    for key, line in found:
        typer.echo(f"{key}: {line}")
    typer.echo(f"Next: kdreid report --runs {runs}")


def embed(
    words: Annotated[list[str], typer.Argument(metavar="RUN...", help="Keys or parts of digests.")],
    runs: Runs = Path("runs"),
    data_root: DataRoot = None,
    device: Device = "auto",
    workers: Workers = 2,
    quiet: Quiet = False,
) -> None:
    """Write finished runs' embeddings of the test images beside them; report draws their t-SNE."""
    from harness.analysis.embeddings import export_embeddings
    from harness.cli.printing import session

    for path in export_embeddings(words, session(runs, device, workers, quiet=quiet), data_root):
        typer.echo(path)
    typer.echo(f"Next: kdreid report --runs {runs}")


def bench_extract(
    network: Annotated[str, typer.Option(help="Networks or teams; ratios are to the first.")] = (
        "resnet18,densenet121,resnet50,resnet18-directional,resnet101"
    ),
    batch: Annotated[str, typer.Option(help="Images at a time.")] = "1,8,32,128",
    size: Annotated[str, typer.Option(help="Of the images, height x width.")] = "256x256",
    head: Annotated[str, typer.Option(help="bnneck, fc256 or classblock.")] = "fc256",
    repeats: Annotated[int, typer.Option(min=1)] = 5,
    runs: Runs = Path("runs"),
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Feature-extraction time against batch size (VRKD's Fig. 5); report draws it."""
    from harness.cli.bench import chosen_numbers, show_extraction
    from harness.cli.printing import session
    from harness.core.errors import UsageError, did_you_mean
    from harness.runs.spec import HEADS

    if head not in HEADS:
        raise UsageError(f"No head is called {head!r}.{did_you_mean(head, HEADS)}")
    sides = chosen_numbers(size.replace("x", " "), "--size", "256x256")
    if len(sides) != 2:
        raise UsageError(f"--size takes height x width such as 256x256; given {size!r}.")
    names = list(dict.fromkeys(network.replace(",", " ").split()))
    batches = chosen_numbers(batch, "--batch", "1,8,32")
    show_extraction(
        names, batches, (sides[0], sides[1]), head, repeats, session(runs, device, 0, quiet=quiet)
    )


def ranked(
    first: Annotated[str, typer.Argument(help="A run's key, or part of its digest.")],
    second: Annotated[str, typer.Argument(help="The run to set beside it.")],
    queries: Annotated[int, typer.Option(min=1, help="How many to show.")] = 4,
    runs: Runs = Path("runs"),
    data_root: DataRoot = None,
    workers: Workers = 2,
    quiet: Quiet = False,
) -> None:
    """Draw the queries on which two runs differ most, with what each run found."""
    from harness.analysis.ranked_lists import show_ranked
    from harness.cli.printing import session

    found = session(runs, "cpu", workers, quiet=quiet)
    for path in show_ranked((first, second), queries, found, data_root):
        typer.echo(path)


def bench_cost(
    words: Annotated[list[str] | None, typer.Argument(metavar="[RUN]...", help="Or all.")] = None,
    steps: Annotated[int, typer.Option(min=1, help="Timed of each run, in three turns.")] = 12,
    runs: Runs = Path("runs"),
    data_root: DataRoot = None,
    device: Device = "auto",
    workers: Workers = 2,
    quiet: Quiet = False,
) -> None:
    """Time a few training steps of every student alone; report draws mAP against it."""
    from harness.cli.bench import show_cost
    from harness.cli.printing import session

    show_cost(words or (), steps, session(runs, device, workers, quiet=quiet), data_root)


def rescore_runs(
    words: Sequence[str],
    rules: ScoringOptions,
    context: RunContext,
    root: Path | None,
    *,
    as_json: bool,
) -> None:
    """Score the named runs by `rules`, print the numbers and change nothing.

    Raises:
        UsageError: a word names no run or several.
        SetupError: a run is not done, its files or its data are not there, or memory is short.
    """
    specs = list(dict.fromkeys(find_run(context.runs, word) for word in words))
    rows = []
    for spec in specs:
        if context.device.type == "cpu" and spec.threads:
            torch.set_num_threads(spec.threads)  # as when it was scored: the same last bits
        data = open_own(spec, root, context)
        recorded = (read_json(context.runs / spec.key / RECORD) or {})["result"]["evaluations"]
        for name, draws in _score(spec, data, rules, context).items():
            rows.append(
                {
                    "key": spec.key,
                    "evaluation": name,
                    "rules": str(rules),
                    "scores": draws,
                    "recorded": recorded[name],
                }
            )
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
    else:
        _print(rows, rules)


def _print(rows: Sequence[dict[str, Any]], rules: ScoringOptions) -> None:
    """Every run's scores, what its record has beneath, each the mean over the draws."""
    typer.echo(f"Outside the tables, no record changes: {rules}.")
    names = ["mAP", *(f"R{rank}" for rank in RANKS), "mINP"]
    for row in rows:
        count = len(row["scores"])
        draws = f", mean of {count} draws" if count > 1 else ""
        typer.echo(f"{row['key']} ({row['evaluation']}{draws})")
        typer.echo(f"  {'':<16}" + "".join(f"{name:>8}" for name in names))
        for title, several in (("so scored", row["scores"]), ("in its record", row["recorded"])):
            means = [fmean(_numbers(draw)[name] for draw in several) for name in names]
            typer.echo(f"  {title:<16}" + "".join(f"{100 * mean:>8.2f}" for mean in means))
        for note in tie_warnings(row["key"], {row["evaluation"]: row["scores"]}):
            typer.echo(f"  {note}")


def _numbers(draw: dict[str, Any]) -> dict[str, float]:
    ranks = {f"R{rank}": draw["cmc"][str(rank)] for rank in RANKS}
    return {"mAP": draw["mAP"], **ranks, "mINP": draw["mINP"]}
