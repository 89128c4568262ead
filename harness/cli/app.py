"""The `kdreid` command; a verb imports what it needs when it is called, so `--help` is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import evaluation as measuring
from harness.cli import runs as verbs
from harness.cli.run import DataRoot, Device, Json, Partial, Quiet, Runs, Workers, run
from harness.cli.serve import serve

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Compare knowledge-distillation methods for object re-identification.",
)
app.command(name="run")(run)
app.command(name="plan", help="Show what `run` with the same options would do.")(run)
for verb in (
    verbs.status,
    verbs.logs,
    verbs.failures,
    verbs.retry,
    verbs.cancel,
    verbs.doctor,
    verbs.fetch_weights,
    verbs.diff,
    verbs.trace,
    measuring.consistency,
    measuring.embed,
    measuring.ranked,
):
    app.command()(verb)

data = typer.Typer(
    no_args_is_help=True, help="Check, decode ahead and draw datasets; none is ever downloaded."
)
app.add_typer(data, name="data")
bench = typer.Typer(no_args_is_help=True, help="Measurements, ours and the obvious way in one run.")
app.add_typer(bench, name="bench")
bench.command(name="extract")(measuring.bench_extract)
bench.command(name="cost")(measuring.bench_cost)


@app.command()
def report(
    runs: Runs = Path("runs"),
    figures: Annotated[bool, typer.Option(help="Draw all figures that the runs allow.")] = True,
) -> None:
    """All records as tables (terminal, Markdown, LaTeX, CSV), figures (PNG, PDF) and one page."""
    from harness.cli.printing import show_report

    show_report(runs, figures=figures)


@app.command(name="list")
def list_names(as_json: Json = False) -> None:
    """The methods, datasets, networks, heads and studies by name."""
    from harness.cli.printing import show_names

    show_names(as_json=as_json)


@app.command()
def score(
    words: Annotated[list[str], typer.Argument(metavar="RUN...", help="Keys or parts of digests.")],
    runs: Runs = Path("runs"),
    data_root: DataRoot = None,
    metric: Annotated[str, typer.Option(help="cosine or euclidean.")] = "cosine",
    ties: Annotated[str, typer.Option(help="pessimistic or optimistic.")] = "pessimistic",
    flip: Annotated[bool, typer.Option("--flip", help="Average with mirror images.")] = False,
    rerank: Annotated[bool, typer.Option("--rerank", help="k-reciprocal re-ranking.")] = False,
    k1: Annotated[int, typer.Option(help="Neighbours, for --rerank.")] = 20,
    k2: Annotated[int, typer.Option(help="Neighbours of the query expansion.")] = 6,
    original: Annotated[float, typer.Option("--lambda", help="The old distance's share.")] = 0.3,
    device: Device = "auto",
    workers: Workers = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Every draw's scores as JSON.")] = False,
    quiet: Quiet = False,
) -> None:
    """Score finished runs by other rules than the tables'; no record changes."""
    from harness.analysis.rescoring import ScoringOptions
    from harness.cli.evaluation import rescore_runs
    from harness.core.devices import find_device
    from harness.core.errors import UsageError
    from harness.core.progress import Reporter
    from harness.core.session import RunContext
    from harness.core.signals import StopRequest
    from harness.evaluation.reranking import RerankingOptions

    try:
        reranking = RerankingOptions(k1, k2, original) if rerank else None
    except ValueError as error:
        raise UsageError(str(error)) from error
    rules = ScoringOptions(metric, ties, flip, reranking)
    context = RunContext(
        runs, find_device(device), StopRequest(), Reporter(quiet=quiet), {}, workers
    )
    rescore_runs(words, rules, context, data_root, as_json=as_json)


@bench.command(name="consistency")
def bench_consistency(
    queries: Annotated[int, typer.Option(min=1)] = 3368,
    gallery: Annotated[int, typer.Option(min=2)] = 19732,
) -> None:
    """PDRD's ranking consistency (Eq. 2), by default at Market-1501's size."""
    from harness.cli.bench import show_consistency

    show_consistency(queries, gallery)


@bench.command(name="evaluate")
def bench_evaluate(
    size: Annotated[str, typer.Option(help="market1501, msmt17 or both.")] = "both",
    width: Annotated[str, typer.Option(help="Widths of the features.")] = "512,2048",
    repeats: Annotated[int, typer.Option(min=1)] = 3,
    threads: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Scoring against the bare product of the same features: time and peak memory."""
    from harness.cli.bench import chosen_numbers, chosen_sizes, show_evaluate

    widths = chosen_numbers(width, "--width", "512,2048")
    show_evaluate(chosen_sizes(size), widths, repeats, threads)


@app.command()
def networks(
    identities: Annotated[int, typer.Option(min=1, help="Classes of the classifier.")] = 576,
) -> None:
    """Parameters and operations of every network, beside what VRKD's Table 1 prints."""
    from harness.cli.networks import show_networks

    show_networks(identities)


@app.command()
def check_method(
    name: Annotated[str, typer.Argument(help="A method's name, package.module:Class or file.py.")],
    train: Annotated[bool, typer.Option(help="Also train with it (half a minute).")] = True,
) -> None:
    """Check a method against the contract; exit code 1 if it breaks it."""
    from harness.cli.methods import check_method as check

    raise typer.Exit(check(name, train=train))


@app.command()
def new_method(
    name: Annotated[str, typer.Argument(help="In small letters, as my_method.")],
    folder: Annotated[Path, typer.Option(help="Where to write it and its test.")] = Path(),
) -> None:
    """Write a method that works, and its test, to start yours from."""
    from harness.testing.scaffold import write_method

    for path in write_method(name, folder):
        typer.echo(path)
    typer.echo(f"Next: kdreid check-method {folder / name}.py")


@bench.command()
def npdrk(
    images: Annotated[str, typer.Option(help="Batch sizes.")] = "96,256,512",
    repeats: Annotated[int, typer.Option(min=1)] = 5,
    threads: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """PDRD's loss by anchors against the broadcast: time and peak memory."""
    from harness.cli.bench import show_npdrk

    show_npdrk([int(word) for word in images.split(",")], repeats, threads)


@bench.command(name="loader")
def bench_loader(
    dataset: Annotated[str, typer.Option(help="Source sizes of these; all five if empty.")] = "",
    images: Annotated[int, typer.Option(min=8)] = 96,
    rounds: Annotated[int, typer.Option(min=1)] = 5,
) -> None:
    """Loading and augmenting from the pixel cache against Pillow and torchvision."""
    from harness.cli.bench import show_loader

    show_loader(dataset.replace(",", " ").split(), images, rounds)


@bench.command(name="gather")
def bench_gather(
    records: Annotated[int, typer.Option(min=1)] = 10_000,
    repeats: Annotated[int, typer.Option(min=1)] = 3,
) -> None:
    """Gathering the records of many runs against merely parsing them."""
    from harness.cli.bench import show_gather

    show_gather(records, repeats)


@data.command()
def make(
    target: Annotated[Path, typer.Argument(help="Folder to write; with --like the data root.")],
    assignments: Annotated[
        list[str] | None, typer.Option("--set", help="kind=vehicles, seed=3, train_identities=200")
    ] = None,
    like: Annotated[
        str | None, typer.Option(help="market1501, dukemtmc, msmt17, veri776 or vehicleid.")
    ] = None,
    images: Annotated[
        str | None,
        typer.Option(
            metavar="N|full",
            help="With --like: as many as the dataset has, or N (12 or more) in its proportions.",
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Draw images of made-up people or vehicles, in the layout of a real dataset."""
    from harness.cli.data_making import draw
    from harness.core.progress import Reporter

    typer.echo(draw(target, assignments or (), workers, like, images, Reporter()))


@data.command(name="check")
def check_data(
    dataset: Annotated[str, typer.Option(help="A real dataset's name.")],
    data_root: DataRoot = None,
    deep: Annotated[bool, typer.Option("--deep", help="Decode every image.")] = False,
    workers: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Found against expected, subset by subset; exit code 3 if the copy is not whole."""
    from harness.cli.data_checking import check_data as check

    raise typer.Exit(check(dataset, data_root, deep=deep, workers=workers))


@data.command(name="cache")
def cache_data(
    dataset: Annotated[str, typer.Option(help="A dataset's name.")],
    data_root: DataRoot = None,
    size: Annotated[str | None, typer.Option(help="As 256x128; usually the recipe's.")] = None,
    runs: Runs = Path("runs"),
    workers: Annotated[int, typer.Option(min=1)] = 2,
    allow_partial: Partial = False,
) -> None:
    """Decode all images ahead of the runs, which then share them."""
    from harness.cli.data_caching import cache_data as cache

    cache(dataset, data_root, runs, size, workers, allow_partial=allow_partial)


@data.command()
def sheet(
    source: Annotated[Path, typer.Argument(help="A folder in Market-1501's layout.")],
    target: Annotated[Path, typer.Argument(help="The PNG to write.")],
) -> None:
    """A contact sheet: identities as rows, their images camera by camera."""
    from harness.data.synthetic.generator import contact_sheet

    contact_sheet(source, target)
    typer.echo(target)


def main() -> None:
    """Entry point of `kdreid`."""
    serve(app)
