"""Print the benchmarks of `kdreid bench`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.analysis.extraction_time import measure_extraction_time, save_extraction_times
from harness.analysis.training_cost import measure_training_cost
from harness.benchmarks.collecting import time_collecting
from harness.benchmarks.evaluation import TestSetSize, time_evaluation
from harness.benchmarks.loader import IMAGE_SOURCES, measure_throughput
from harness.benchmarks.paired_tests import (
    QUERY_ERROR,
    SEED_NOISE,
    USUAL_NOISE,
    SimulatedTable,
    simulate,
)
from harness.benchmarks.pdrd_loss import TURNS, measure_pdrd_loss
from harness.benchmarks.ranking_consistency import time_consistency
from harness.cli.terminal import echo
from harness.core.devices import device_name
from harness.core.errors import UsageError, did_you_mean
from harness.core.session import RunContext
from harness.runs.layout import REPORT, TRAINING_COST


def print_pdrd_loss(batches: Sequence[int], repeats: int, threads: int) -> None:
    """Print time and memory of both implementations of PDRD's loss, and their ratio."""
    echo(
        f"forward and backward of PDRD's loss, float32, {threads} threads, median of {TURNS} turns"
    )
    for images in batches:
        costs = measure_pdrd_loss(images, repeats, threads)
        for name, cost in costs.items():
            echo(
                f"  {images:>4} images  {name:<11}{cost.seconds * 1e3:>9.1f} ms"
                f"{cost.mebibytes:>9.0f} MiB at most"
            )
        slow, quick = costs["broadcast"], costs["by anchors"]
        echo(
            f"  {images:>4} images  by anchors takes {quick.seconds / slow.seconds:.2f} of the time"
            f" and {quick.mebibytes / max(slow.mebibytes, 1e-9):.2f} of the memory"
        )


def print_consistency(queries: int, gallery: int) -> None:
    """Print the time of ranking consistency, next to the comparison of all pairs."""
    timing = time_consistency(queries, gallery)
    echo(f"L_rank of {queries:,} queries in a gallery of {gallery:,}, time per query")
    echo(
        f"  Kendall's tau  {timing.seconds * 1e3:>9.1f} ms, {timing.seconds * queries:.0f} s in all"
    )
    echo(f"  all pairs      {timing.baseline_seconds * 1e3:>9.1f} ms, {timing.ratio:.0f}x as long")


def print_tests(tables: int, seeds: Sequence[int], rows: Sequence[int]) -> None:
    """Print the false alarms and the power of three procedures, as tables in Markdown."""
    echo(
        f"{tables:,} tables each; a difference of two rows has a standard error over queries of "
        f"{QUERY_ERROR} mAP. Percent."
    )
    echo("\nTables with any significant pair, all rows being equal\n")
    echo("| Noise of seeds (mAP) | Rows | Seeds | pooled | pooled, against one | own | Welch |")
    echo("|---|---|---|---|---|---|---|")
    for name, noise in SEED_NOISE.items():
        for count in rows:
            for number in seeds:
                rates = simulate(SimulatedTable(number, noise(count)), tables)
                shares = (rates.tables["pooled"], rates.against_tables)
                others = (rates.tables["own"], rates.tables["welch"])
                _print_shares(f"| {name} | {count} | {number} |", (*shares, *others))
    echo(f"\nSignificant pairs of a row and {max(rows) - 1} that differ from it, equal noise\n")
    echo("| Difference (mAP) | Seeds | pooled | pooled, against one | own | Welch |")
    echo("|---|---|---|---|---|---|")
    for gain in (1.0, 2.0, 3.0):
        for number in seeds:
            equal = SEED_NOISE[USUAL_NOISE](max(rows))
            rates = simulate(SimulatedTable(number, equal, gain), tables)
            shares = (rates.pairs["pooled"], rates.against)
            others = (rates.pairs["own"], rates.pairs["welch"])
            _print_shares(f"| {gain:g} | {number} |", (*shares, *others))


def _print_shares(head: str, shares: Sequence[float]) -> None:
    echo(f"{head} {' | '.join(f'{100 * share:.1f}' for share in shares)} |")


def print_collecting(records: int, repeats: int) -> None:
    """Print the time to collect records, and to only parse the same files."""
    timing = time_collecting(records, repeats)
    echo(f"{timing.records:,} records, {timing.megabytes:.0f} MB, median of {repeats}, in turns")
    echo(f"  collecting  {timing.collecting_seconds:>8.2f} s")
    echo(
        f"  json.loads  {timing.parsing_seconds:>8.2f} s; "
        f"collecting takes {timing.ratio:.2f}x as long"
    )


def print_loader(names: Sequence[str], images: int, rounds: int) -> None:
    """Print images per second on one core at each dataset's file size, from cache and from files.

    Raises:
        UsageError: A name is not that of a dataset with photographs.
    """
    if unknown := [name for name in names if name not in IMAGE_SOURCES]:
        raise UsageError(
            f"No dataset is called {unknown[0]!r}.{did_you_mean(unknown[0], IMAGE_SOURCES)}"
        )
    echo("images per second on one core, files in memory; fill: the pass that fills the cache")
    echo(f"  {'files':<22}{'input':>9}{'baseline':>9}{'cached':>9}{'ratio':>8}{'fill':>9}")
    for name in names or IMAGE_SOURCES:
        source = IMAGE_SOURCES[name]
        speed = measure_throughput(source, images, rounds)
        files, size = f"{name} {source.height}x{source.width}", "x".join(map(str, source.size))
        echo(
            f"  {files:<22}{size:>9}{speed.baseline:>9.0f}{speed.cached:>9.0f}{speed.ratio:>7.1f}x"
            f"{speed.filling:>9.0f}"
        )


def print_evaluation(
    sizes: Mapping[str, TestSetSize], widths: Sequence[int], repeats: int, threads: int
) -> None:
    """Print time and memory of scoring, next to the bare matrix product of the same features."""
    echo(
        f"scoring and the bare product in turns, float32, {threads} threads, {repeats} times, "
        "small products more often"
    )
    echo(
        f"  {'queries x gallery':<34}{'d':>5}{'mAP':>6}{'product':>10}{'scoring':>10}"
        f"{'ratio':>7}{'least':>7}{'most':>6}{'memory':>9}"
    )
    for name, size in sizes.items():
        for width in widths:
            for separation in size.separations:
                timing = time_evaluation(size, width, separation, repeats, threads)
                echo(
                    f"  {name:<15}{size.queries:>7,} x {size.rows:<9,}{width:>5}"
                    f"{timing.mean_average_precision:>6.2f}{timing.product_seconds:>8.2f} s"
                    f"{timing.seconds:>8.2f} s{timing.ratio:>7.2f}{timing.least_ratio:>7.2f}"
                    f"{timing.greatest_ratio:>6.2f}{timing.megabytes:>6.0f} MB"
                )
    echo("Medians. Ratio: time of scoring over that of the product before it; least, most:")
    echo("of all turns. Memory: peak above that of the features. Features: a centre for each")
    echo("identity, with noise.")


def print_extraction(
    names: Sequence[str],
    batches: Sequence[int],
    size: tuple[int, int],
    head: str,
    repeats: int,
    context: RunContext,
) -> None:
    """Print time per image of every network and batch size, and its ratio to the first network."""
    rows = measure_extraction_time(
        names,
        batches,
        size,
        head,
        repeats=repeats,
        device=context.device,
        reporter=context.reporter,
    )
    where = f"{device_name(context.device)}, {size[0]}x{size[1]}, float32, median of {repeats}"
    echo(f"feature extraction, milliseconds per image, in turns on {where}")
    echo(f"  {'network':<24}" + "".join(f"{batch:>10}" for batch in batches))
    seconds = {(row["network"], row["batch"]): row["seconds"] for row in rows}
    for name in names:
        times = (f"{seconds[name, batch] * 1e3:>10.2f}" for batch in batches)
        echo(f"  {name:<24}" + "".join(times))
    for name in names[1:]:
        shares = (f"{seconds[names[0], b] / seconds[name, b]:>10.0%}" for b in batches)
        echo(f"  {names[0]} / {name}".ljust(26) + "".join(shares))
    echo(f"Saved in {save_extraction_times(context.runs, rows, size, head, context.device)}")


def print_cost(handles: Sequence[str], steps: int, context: RunContext, root: Path | None) -> None:
    """Print the time of a training step of every student, trained alone."""
    rows = measure_training_cost(handles, steps, context, root)
    echo(f"time of a training step, each run alone, on {device_name(context.device)}")
    for row in sorted(rows, key=lambda row: float(row["seconds"])):
        echo(
            f"  {row['key']:<64}{row['seconds'] * 1e3:>9.1f} ms "
            f"({row['least'] * 1e3:.1f} to {row['most'] * 1e3:.1f}, {row['counted']} steps)"
        )
    echo(f"Saved in {context.runs / REPORT / TRAINING_COST}")
