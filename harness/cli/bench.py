"""What `kdreid bench` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

from harness.analysis.extraction_time import extraction_time, keep
from harness.analysis.training_cost import FILE as COST
from harness.analysis.training_cost import training_cost
from harness.benchmarks.collecting import time_collecting
from harness.benchmarks.evaluation import SIZES, EvaluationSize, evaluation
from harness.benchmarks.loader import SOURCES, measure_loader
from harness.benchmarks.pdrd_loss import pdrd_loss
from harness.benchmarks.ranking_consistency import consistency
from harness.core.devices import device_name
from harness.core.errors import UsageError, did_you_mean
from harness.core.session import RunContext


def show_npdrk(batches: list[int], repeats: int, threads: int) -> None:
    """Both ways of computing PDRD's loss side by side, with their ratio."""
    typer.echo(f"forward and backward of PDRD's loss, float32, {threads} threads, median of 3 runs")
    for images in batches:
        ways = pdrd_loss(images, repeats, threads)
        for name, found in ways.items():
            typer.echo(
                f"  {images:>4} images  {name:<11}{found.seconds * 1e3:>9.1f} ms"
                f"{found.mebibytes:>9.0f} MiB at most"
            )
        slow, quick = ways["broadcast"], ways["by anchors"]
        typer.echo(
            f"  {images:>4} images  by anchors takes {quick.seconds / slow.seconds:.2f} of the time"
            f" and {quick.mebibytes / max(slow.mebibytes, 1e-9):.2f} of the memory"
        )


def show_consistency(queries: int, gallery: int) -> None:
    """How long ranking consistency takes."""
    seconds = consistency(queries, gallery)
    typer.echo(
        f"L_rank of {queries:,} queries in a gallery of {gallery:,}: {seconds:.0f} s, "
        f"{seconds / queries * 1e3:.1f} ms a query"
    )


def show_gather(records: int, repeats: int) -> None:
    """Gathering records beside the bare parsing of the same files."""
    found = time_collecting(records, repeats)
    typer.echo(
        f"{found.records:,} records, {found.megabytes:.0f} MB, median of {repeats}, in turns"
    )
    typer.echo(f"  gathering   {found.gathering:>8.2f} s")
    typer.echo(
        f"  json.loads  {found.parsing:>8.2f} s, of which gathering takes {found.ratio:.2f}x"
    )


def show_loader(names: list[str], images: int, rounds: int) -> None:
    """Images per second and core at each dataset's source size, both ways.

    Raises:
        UsageError: a name is none of the five datasets.
    """
    if unknown := [name for name in names if name not in SOURCES]:
        raise UsageError(f"No source is called {unknown[0]!r}.{did_you_mean(unknown[0], SOURCES)}")
    typer.echo(
        "images per second on one core, files in memory; once: the pass that fills the cache"
    )
    typer.echo(f"  {'files':<22}{'input':>9}{'usual':>9}{'ours':>9}{'ratio':>8}{'once':>9}")
    for name in names or SOURCES:
        source = SOURCES[name]
        found = measure_loader(source, images, rounds)
        files, size = f"{name} {source.height}x{source.width}", "x".join(map(str, source.size))
        typer.echo(
            f"  {files:<22}{size:>9}{found.usual:>9.0f}{found.ours:>9.0f}{found.ratio:>7.1f}x"
            f"{found.decoding:>9.0f}"
        )


def show_evaluate(
    sizes: Mapping[str, EvaluationSize], widths: Sequence[int], repeats: int, threads: int
) -> None:
    """Scoring against the bare product of the same features, well retrieving and nearly random."""
    typer.echo(
        f"scoring and the bare product in turns, float32, {threads} threads, {repeats} times, "
        "small products more often"
    )
    typer.echo(
        f"  {'queries x gallery':<34}{'d':>5}{'mAP':>6}{'product':>10}{'scoring':>10}"
        f"{'ratio':>7}{'least':>7}{'most':>6}{'memory':>9}"
    )
    for name, size in sizes.items():
        for width in widths:
            for separation in size.separations:
                found = evaluation(size, width, separation, repeats, threads)
                typer.echo(
                    f"  {name:<15}{size.queries:>7,} x {size.rows:<9,}{width:>5}"
                    f"{found.mean_average_precision:>6.2f}{found.product_seconds:>8.2f} s"
                    f"{found.seconds:>8.2f} s{found.ratio:>7.2f}{found.least_ratio:>7.2f}"
                    f"{found.greatest_ratio:>6.2f}{found.megabytes:>6.0f} MB"
                )
    typer.echo("Medians. Ratio: scoring's time as a multiple of the product's before it, with the")
    typer.echo("least and the most of all turns. Memory: above the features, at most. Features: a")
    typer.echo("centre for every identity, with noise.")


def show_extraction(
    names: Sequence[str],
    batches: Sequence[int],
    size: tuple[int, int],
    head: str,
    repeats: int,
    context: RunContext,
) -> None:
    """Time per image of every network and batch size, and the first network's share of each."""
    found = extraction_time(names, batches, size, head, repeats, context.device, context.reporter)
    where = f"{device_name(context.device)}, {size[0]}x{size[1]}, float32, median of {repeats}"
    typer.echo(f"feature extraction, milliseconds an image, in turns on {where}")
    typer.echo(f"  {'network':<24}" + "".join(f"{batch:>10}" for batch in batches))
    seconds = {(row["network"], row["batch"]): row["seconds"] for row in found}
    for name in names:
        times = (f"{seconds[name, batch] * 1e3:>10.2f}" for batch in batches)
        typer.echo(f"  {name:<24}" + "".join(times))
    for name in names[1:]:
        shares = (f"{seconds[names[0], b] / seconds[name, b]:>10.0%}" for b in batches)
        typer.echo(f"  {names[0]} / {name}".ljust(26) + "".join(shares))
    typer.echo(f"Kept in {keep(context.runs, found, size, head, context.device)}")


def show_cost(words: Sequence[str], steps: int, context: RunContext, root: Path | None) -> None:
    """Time of a step of every student, trained alone."""
    rows = training_cost(words, steps, context, root)
    typer.echo(f"a training step, each run alone, on {device_name(context.device)}")
    for row in sorted(rows, key=lambda row: float(row["seconds"])):
        typer.echo(
            f"  {row['key']:<64}{row['seconds'] * 1e3:>9.1f} ms "
            f"({row['least'] * 1e3:.1f} to {row['most'] * 1e3:.1f}, {row['counted']} steps)"
        )
    typer.echo(f"Kept in {context.runs / COST}")


def chosen_numbers(text: str, option: str, example: str) -> list[int]:
    """Numbers as in `512,2048`.

    Raises:
        UsageError: they are no whole numbers from 1.
    """
    words = text.replace(",", " ").split()
    if not words or not all(word.isdigit() and int(word) for word in words):
        raise UsageError(f"{option} takes whole numbers such as {example}; given {text!r}.")
    return [int(word) for word in words]


def chosen_sizes(word: str) -> dict[str, EvaluationSize]:
    """The sizes that `word` means: one by its name, or `both`.

    Raises:
        UsageError: it is neither.
    """
    if word != "both" and word not in SIZES:
        raise UsageError(f"--size is {word!r}.{did_you_mean(word, [*SIZES, 'both'])}")
    return SIZES if word == "both" else {word: SIZES[word]}
