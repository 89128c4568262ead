"""Benchmarks against a naive baseline: `kdreid bench`, which `--help` does not list."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import completion, options
from harness.cli.arguments import MAX_SHOWN
from harness.core.errors import UsageError, did_you_mean
from harness.core.name_lists import split_names
from harness.runs.number_rules import MAX_THREADS

if TYPE_CHECKING:
    from harness.benchmarks.evaluation import TestSetSize

bench = typer.Typer(no_args_is_help=True)

MAX_SIZE = 1_000_000  # of what is timed; larger ones fit no memory
Repeats = Annotated[
    int, typer.Option(min=1, max=1000, metavar="N", help="Repetitions of each timing.")
]
Threads = Annotated[int, typer.Option(min=1, max=MAX_THREADS, metavar="N", help="CPU threads.")]


@bench.command()
def consistency(
    queries: Annotated[
        int, typer.Option(min=1, max=MAX_SIZE, metavar="N", help="Number of queries.")
    ] = 3368,
    gallery: Annotated[
        int, typer.Option(min=2, max=MAX_SIZE, metavar="N", help="Number of gallery images.")
    ] = 19732,
) -> None:
    """Time PDRD's ranking consistency (Eq. 2), by default at the size of Market-1501."""
    from harness.cli.bench_printing import print_consistency

    print_consistency(queries, gallery)


@bench.command()
def evaluate(
    size: Annotated[
        str, typer.Option(metavar="NAME", help="Test set: market1501, msmt17 or both.")
    ] = "both",
    width: Annotated[
        str, typer.Option(metavar="N,...", help="Dimensions of the features.")
    ] = "512,2048",
    repeats: Repeats = 3,
    threads: Threads = 2,
) -> None:
    """Compare scoring with the bare matrix product of the same features: time and memory."""
    from harness.cli.bench_printing import print_evaluation

    widths = parse_numbers(width, "--width", "512,2048")
    print_evaluation(parse_sizes(size), widths, repeats, threads)


@bench.command()
def npdrk(
    images: Annotated[str, typer.Option(metavar="N,...", help="Batch sizes.")] = "96,256,512",
    repeats: Repeats = 5,
    threads: Threads = 2,
) -> None:
    """Compare PDRD's loss, L_npdrk, by anchors with broadcasting: time and peak memory."""
    from harness.cli.bench_printing import print_pdrd_loss

    print_pdrd_loss(parse_numbers(images, "--images", "96,256"), repeats, threads)


@bench.command()
def loader(
    datasets: Annotated[
        str,
        typer.Option(
            "--datasets",
            "--dataset",
            metavar="NAMES",
            help="Datasets whose file sizes are used, comma-separated.",
            show_default="all five",
            autocompletion=completion.datasets,
        ),
    ] = "",
    images: Annotated[
        int, typer.Option(min=8, max=MAX_SIZE, metavar="N", help="Images per pass.")
    ] = 96,
    rounds: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="Passes.")] = 5,
) -> None:
    """Compare loading from the pixel cache with Pillow and torchvision: images per second."""
    from harness.cli.bench_printing import print_loader

    print_loader(split_names([datasets]), images, rounds)


@bench.command()
def gather(
    records: Annotated[
        int, typer.Option(min=1, max=MAX_SIZE, metavar="N", help="Number of records.")
    ] = 10_000,
    repeats: Repeats = 3,
) -> None:
    """Compare collecting the records of many runs with only parsing them."""
    from harness.cli.bench_printing import print_collecting

    print_collecting(records, repeats)


@bench.command("tests")
def simulate_tests(
    tables: Annotated[
        int, typer.Option(min=1, max=MAX_SIZE, metavar="N", help="Tables of each kind.")
    ] = 1000,
    seeds: Annotated[str, typer.Option(metavar="N,...", help="Numbers of seeds.")] = "1,2,3,5,10",
    rows: Annotated[str, typer.Option(metavar="N,...", help="Numbers of rows.")] = "2,3,13",
) -> None:
    """Simulate how often tables call equal rows different, and find differences of 1 to 3 mAP."""
    from harness.cli.bench_printing import print_tests

    counts = parse_numbers(seeds, "--seeds", "1,3,5")
    print_tests(tables, counts, parse_numbers(rows, "--rows", "3,13"))


@bench.command()
def extract(
    networks: Annotated[
        str,
        typer.Option(
            "--networks",
            "--network",
            metavar="NAMES",
            help="Networks or ensembles; ratios are to the first.",
        ),
    ] = "resnet18,densenet121,resnet50,resnet18-directional,resnet101",
    batch: Annotated[str, typer.Option(metavar="N,...", help="Batch sizes.")] = "1,8,32,128",
    size: Annotated[
        str, typer.Option(metavar="HEIGHTxWIDTH", help="Size of the images in pixels.")
    ] = "256x256",
    head: Annotated[
        str,
        typer.Option(
            metavar="HEAD",
            help="bnneck, fc256 or classblock.",
            autocompletion=completion.heads,
        ),
    ] = "fc256",
    repeats: Repeats = 5,
    runs: options.Runs = Path("runs"),
    device: options.Device = "auto",
    quiet: options.Quiet = False,
) -> None:
    """Time feature extraction by batch size (VRKD's Fig. 5); `report` draws it."""
    from harness.cli.bench_printing import print_extraction
    from harness.planning.names import require_head

    print_extraction(
        list(dict.fromkeys(split_names([networks]))),
        parse_numbers(batch, "--batch", "1,8,32"),
        options.parse_size(size),
        require_head(head),
        repeats,
        options.make_context(runs, device, workers=0, quiet=quiet),
    )


@bench.command()
def cost(
    handles: Annotated[
        options.Names, options.run_argument("one seed of each finished student")
    ] = None,
    steps: Annotated[
        int,
        typer.Option(
            min=1, max=MAX_SIZE, metavar="N", help="Timed steps of each run, in three turns."
        ),
    ] = 12,
    runs: options.Runs = Path("runs"),
    data_root: options.DataRoot = None,
    device: options.Device = "auto",
    workers: options.Workers = 2,
    quiet: options.Quiet = False,
) -> None:
    """Time training steps of each student alone; `report` draws mAP against them."""
    from harness.cli.bench_printing import print_cost

    context = options.make_context(runs, device, workers, quiet=quiet)
    print_cost(handles or (), steps, context, data_root)


def parse_numbers(text: str, option: str, example: str) -> list[int]:
    """Parse positive whole numbers up to a million, separated by commas.

    Raises:
        UsageError: The text contains anything else, or nothing.
    """
    words = split_names([text])
    are_numbers = all(re.fullmatch(r"[0-9]{1,7}", word) for word in words)
    numbers = [int(word) for word in words] if are_numbers else []
    if not numbers or not all(0 < number <= MAX_SIZE for number in numbers):
        raise UsageError(
            f"{option} takes whole numbers such as {example}, up to {MAX_SIZE:,}; given "
            f"{text[:MAX_SHOWN]!r}."
        )
    return numbers


def parse_sizes(name: str) -> dict[str, TestSetSize]:
    """Return the test set sizes that `--size` names: one of them, or `both`.

    Raises:
        UsageError: It names neither.
    """
    from harness.benchmarks.evaluation import TEST_SET_SIZES

    if name != "both" and name not in TEST_SET_SIZES:
        known = did_you_mean(name, [*TEST_SET_SIZES, "both"])
        raise UsageError(f"No test set is called {name!r}.{known}")
    return TEST_SET_SIZES if name == "both" else {name: TEST_SET_SIZES[name]}
