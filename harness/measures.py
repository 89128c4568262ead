"""What `kdreid networks` and `kdreid bench` print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import typer

from harness.bench import consistency, npdrk
from harness.bench_evaluate import SIZES, Size, evaluation
from harness.errors import UsageError, nearest
from harness.networks import NETWORKS, build
from harness.networks.counting import count
from harness.networks.printed import VRKD_TABLE_1


def show_networks(identities: int) -> None:
    """One line a network and input size; what VRKD prints stands beside it."""
    typer.echo(
        f"{'network':<24}{'head':<10}{'stride':>7}{'input':>10}{'parameters':>13}"
        f"{'MACs':>10}{'with rest':>11}   printed by VRKD"
    )
    ours = [
        (name, *(("own", 1, 256, 256) if known.head else ("bnneck", 1, 256, 128)), "")
        for name, known in NETWORKS.items()
    ]
    theirs = [
        (row.network, "fc256", row.last_stride, row.size, row.size, str(row))
        for row in VRKD_TABLE_1
    ]
    for name, head, stride, height, width, printed in [*ours, *theirs]:
        counts = count(build(name, head, identities, last_stride=stride), height, width)
        typer.echo(
            f"{name:<24}{head:<10}{stride:>7}{f'{height}x{width}':>10}"
            f"{counts.parameters / 1e6:>11.2f} M{counts.macs / 1e9:>8.2f} G"
            f"{counts.macs_with_rest / 1e9:>9.2f} G   {printed}".rstrip()
        )
    typer.echo(
        f"For {identities} identities. MACs: convolutions and linear layers; with rest: also batch "
        "normalisation\n(2 an element), ReLU and pooling (1), as VRKD's numbers count. Its numbers "
        "for last stride 2\nare those of stride 1. SDC-CNN is a reconstruction from its numbers."
    )


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
