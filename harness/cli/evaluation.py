"""The verbs of `kdreid` that measure for figures; each imports late."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.run import DataRoot, Device, Quiet, Runs, Workers


def consistency(
    words: Annotated[list[str] | None, typer.Argument(metavar="[RUN]...", help="Or all.")] = None,
    runs: Runs = Path("runs"),
    data_root: DataRoot = None,
    device: Device = "auto",
    workers: Workers = 2,
    quiet: Quiet = False,
) -> None:
    """How far students rank otherwise than their teachers (PDRD's Fig. 3), beside each run."""
    from harness.analysis.embeddings import measure_consistency
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
    from harness.analysis.embeddings import export
    from harness.cli.printing import session

    for path in export(words, session(runs, device, workers, quiet=quiet), data_root):
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
    from harness.core.errors import UsageError, nearest
    from harness.runs.spec import HEADS

    if head not in HEADS:
        raise UsageError(f"No head is called {head!r}.{nearest(head, HEADS)}")
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
