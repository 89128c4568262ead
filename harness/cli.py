"""The `kdreid` command; a verb imports what it needs when it is called, so `--help` is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness import verbs
from harness.run import DataRoot, Json, Partial, Runs, run
from harness.serve import serve

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Compare knowledge-distillation methods for object re-identification.",
)
app.command(name="run")(run)
app.command(name="plan", help="Show what `run` with the same options would do.")(run)
for verb in (
    verbs.status, verbs.logs, verbs.failures, verbs.retry, verbs.cancel, verbs.doctor,
    verbs.fetch_weights,
):  # fmt: skip
    app.command()(verb)

data = typer.Typer(no_args_is_help=True, help="Generated images.")
app.add_typer(data, name="data")
bench = typer.Typer(no_args_is_help=True, help="Measurements, ours and the obvious way in one run.")
app.add_typer(bench, name="bench")


@app.command()
def report(runs: Runs = Path("runs")) -> None:
    """Gather all records into tables: on the terminal, as Markdown, LaTeX and CSV."""
    from harness.show import show_report

    show_report(runs)


@app.command(name="list")
def list_names(as_json: Json = False) -> None:
    """The methods, datasets, networks, heads and studies by name."""
    from harness.show import show_names

    show_names(as_json=as_json)


@bench.command(name="consistency")
def bench_consistency(
    queries: Annotated[int, typer.Option(min=1)] = 3368,
    gallery: Annotated[int, typer.Option(min=2)] = 19732,
) -> None:
    """PDRD's ranking consistency (Eq. 2), by default at Market-1501's size."""
    from harness.measures import show_consistency

    show_consistency(queries, gallery)


@app.command()
def networks(
    identities: Annotated[int, typer.Option(min=1, help="Classes of the classifier.")] = 576,
) -> None:
    """Parameters and operations of every network, beside what VRKD's Table 1 prints."""
    from harness.measures import show_networks

    show_networks(identities)


@app.command()
def check_method(
    name: Annotated[str, typer.Argument(help="A method's name, package.module:Class or file.py.")],
    train: Annotated[bool, typer.Option(help="Also train with it (half a minute).")] = True,
) -> None:
    """Check a method against the contract; exit code 1 if it breaks it."""
    from harness.checking import check_method as check

    raise typer.Exit(check(name, train=train))


@app.command()
def new_method(
    name: Annotated[str, typer.Argument(help="In small letters, as my_method.")],
    folder: Annotated[Path, typer.Option(help="Where to write it and its test.")] = Path(),
) -> None:
    """Write a method that works, and its test, to start yours from."""
    from harness.template import write

    for path in write(name, folder):
        typer.echo(path)
    typer.echo(f"Next: kdreid check-method {folder / name}.py")


@bench.command()
def npdrk(
    images: Annotated[str, typer.Option(help="Batch sizes.")] = "96,256,512",
    repeats: Annotated[int, typer.Option(min=1)] = 5,
    threads: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """PDRD's loss by anchors against the broadcast: time and peak memory."""
    from harness.measures import show_npdrk

    show_npdrk([int(word) for word in images.split(",")], repeats, threads)


@bench.command(name="loader")
def bench_loader(
    dataset: Annotated[str, typer.Option(help="Source sizes of these; all five if empty.")] = "",
    images: Annotated[int, typer.Option(min=8)] = 96,
    rounds: Annotated[int, typer.Option(min=1)] = 5,
) -> None:
    """Loading and augmenting from the pixel cache against Pillow and torchvision."""
    from harness.measures import show_loader

    show_loader(dataset.replace(",", " ").split(), images, rounds)


@data.command()
def make(
    target: Annotated[Path, typer.Argument(help="Folder to write; with --like the data root.")],
    assignments: Annotated[
        list[str] | None, typer.Option("--set", help="kind=vehicles, seed=3, train_identities=200")
    ] = None,
    like: Annotated[
        str | None, typer.Option(help="market1501, dukemtmc, msmt17, veri776 or vehicleid.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Draw images of made-up people or vehicles, in the layout of a real dataset."""
    from harness.opening import draw

    typer.echo(draw(target, assignments or (), workers, like))


@data.command(name="check")
def check_data(
    dataset: Annotated[str, typer.Option(help="A real dataset's name.")],
    data_root: DataRoot = None,
    deep: Annotated[bool, typer.Option("--deep", help="Decode every image.")] = False,
    workers: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Found against expected, subset by subset; exit code 3 if the copy is not whole."""
    from harness.checking_data import check_data as check

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
    from harness.caching import cache_data as cache

    cache(dataset, data_root, runs, size, workers, allow_partial=allow_partial)


@data.command()
def sheet(
    source: Annotated[Path, typer.Argument(help="A folder in Market-1501's layout.")],
    target: Annotated[Path, typer.Argument(help="The PNG to write.")],
) -> None:
    """A contact sheet: identities as rows, their images camera by camera."""
    from harness.data.synthetic import contact_sheet

    contact_sheet(source, target)
    typer.echo(target)


def main() -> None:
    """Entry point of `kdreid`."""
    serve(app)
