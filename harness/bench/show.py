"""What `kdreid bench` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import typer

from harness.bench.consistency import consistency
from harness.bench.gathering import gathering
from harness.bench.loader import SOURCES, measure_loader
from harness.bench.npdrk import npdrk
from harness.bench.scoring import SIZES, Size, evaluation
from harness.errors import UsageError, nearest


def show_npdrk(batches: list[int], repeats: int, threads: int) -> None:
    """Both ways of computing PDRD's loss side by side, with their ratio."""
    typer.echo(f"forward and backward of PDRD's loss, float32, {threads} threads, median of 3 runs")
    for images in batches:
        ways = npdrk(images, repeats, threads)
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
    found = gathering(records, repeats)
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
        raise UsageError(f"No source is called {unknown[0]!r}.{nearest(unknown[0], SOURCES)}")
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
    sizes: Mapping[str, Size], widths: Sequence[int], repeats: int, threads: int
) -> None:
    """Scoring against the bare product of the same features, well retrieving and nearly random."""
    typer.echo(
        f"scoring and the bare product in turns, float32, {threads} threads, {repeats} times"
    )
    typer.echo(
        f"  {'queries x gallery':<34}{'d':>5}{'mAP':>6}{'product':>10}{'scoring':>10}"
        f"{'of least':>10}{'median':>8}{'memory':>10}"
    )
    for name, size in sizes.items():
        for width in widths:
            for separation in size.separations:
                found = evaluation(size, width, separation, repeats, threads)
                typer.echo(
                    f"  {name:<15}{size.queries:>7,} x {size.rows:<9,}{width:>5}"
                    f"{found.mean_average_precision:>6.2f}{found.product_seconds:>8.2f} s"
                    f"{found.seconds:>8.2f} s{found.seconds / found.product_seconds:>10.2f}"
                    f"{found.ratio:>8.2f}{found.megabytes:>7.0f} MB"
                )
    typer.echo("of least, median: scoring's time as a multiple of the product's. Memory: above the")
    typer.echo("features, at most. Features: a centre for every identity, with noise.")


def chosen_widths(text: str) -> list[int]:
    """Widths as in `512,2048`.

    Raises:
        UsageError: they are no whole numbers from 1.
    """
    words = text.replace(",", " ").split()
    if not words or not all(word.isdigit() and int(word) for word in words):
        raise UsageError(f"--width takes whole numbers such as 512,2048; given {text!r}.")
    return [int(word) for word in words]


def chosen_sizes(word: str) -> dict[str, Size]:
    """The sizes that `word` means: one by its name, or `both`.

    Raises:
        UsageError: it is neither.
    """
    if word != "both" and word not in SIZES:
        raise UsageError(f"--size is {word!r}.{nearest(word, [*SIZES, 'both'])}")
    return SIZES if word == "both" else {word: SIZES[word]}
