"""Check, start and describe methods: `kdreid check-method`, `new-method` and `options`."""

from __future__ import annotations

import inspect
import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from harness.cli import completion
from harness.cli.options import Json
from harness.cli.terminal import echo, echo_table
from harness.cli.weights import print_sources, print_weights, weight_rows
from harness.core.errors import ExitCode, UsageError, did_you_mean
from harness.runs.spec import Recipe

if TYPE_CHECKING:
    from harness.testing import CheckResult
    from methods import Method

RECIPE = "recipe"


def check_method(
    name: Annotated[
        str,
        typer.Argument(
            metavar="METHOD",
            help="Name of a method, package.module:Class, or file.py.",
            autocompletion=completion.methods,
        ),
    ],
    train: Annotated[bool, typer.Option(help="Also train with it, for half a minute.")] = True,
) -> None:
    """Check a method against the contract; exit code 1 if a check fails."""
    raise typer.Exit(run_method_checks(name, train=train))


def new_method(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name in lower case, such as my_method.")
    ],
    folder: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write to.")] = Path(),
) -> None:
    """Write a working method and its test, as a start for your own."""
    from harness.testing.scaffold import write_method

    for path in write_method(name, folder):
        echo(path)
    echo(f"Next: kdreid check-method {folder / name}.py")


def options(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="recipe|METHOD",
            help="recipe, or the name of a method.",
            show_default="the default weight of every method, and whose it is",
            autocompletion=completion.option_sections,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List what --set can change: name, default, meaning and the papers' values."""
    if name is None:
        weights = weight_rows()
        if as_json:
            echo(json.dumps(weights, indent=1))
        else:
            print_weights(weights)
        return
    rows = _recipe_rows() if name == RECIPE else _method_rows(name)
    if as_json:
        echo(json.dumps(rows, indent=1))
    else:
        _print_table(name, rows)
        if name != RECIPE and ":" not in name:
            print_sources(name)


def run_method_checks(given: str, *, train: bool = True) -> int:
    """Run every check of a method, print the results and return the exit code.

    Args:
        given: Name of the method, its import path, or the path of its file.
        train: Also train with it on generated images.

    Raises:
        UsageError: No method has this name, or its file cannot be imported.
    """
    from harness.plugins import canonical_name, import_method_file, resolve_method
    from harness.testing import check_loss
    from harness.testing.training_checks import check_training
    from results.tables.latex import unprintable_in_latex

    name = import_method_file(Path(given)) if given.endswith(".py") else canonical_name(given)
    method, problems = resolve_method(name), 0
    if unprintable := unprintable_in_latex(method.label):
        codes = ", ".join(f"{one} ([U+{ord(one):04X}])" for one in unprintable)
        echo(f"note: pdflatex cannot print all of the label; LaTeX tables have codes for {codes}")
    for variant in method.variants:
        echo(f"{method.label}, variant {variant}")
        problems += sum(map(_print_check, check_loss(method, variant)))
        _print_extra_parameters(method, variant)
    if train and problems:
        echo("training: skipped, because the loss alone fails")
    elif train:
        echo(f"{method.label} in training, on generated images")
        with tempfile.TemporaryDirectory() as folder:
            problems += sum(map(_print_check, check_training(name, Path(folder))))
    echo(f"{given}: {problems} checks failed" if problems else f"{given}: conforms")
    return ExitCode.FAILED if problems else ExitCode.DONE


def _print_check(result: CheckResult) -> bool:
    """Print the result of a check; return whether it failed."""
    echo(f"  {'FAIL' if result.problem else 'ok  '} {result.check}")
    if result.problem:
        echo(f"       {result.problem}")
    return bool(result.problem)


def _print_extra_parameters(method: type[Method], variant: str) -> None:
    from methods import Widths, create

    teacher = Widths(maps=(256, 512, 1024, 2048), embedding=2048, identities=702)
    student = Widths(maps=(64, 128, 256, 512), embedding=512, identities=702)
    parameters = create(method, student, teacher, {"variant": variant}).parameters()
    count = sum(p.numel() for p in parameters if p.requires_grad)
    echo(f"       {count:,} extra parameters train with a ResNet-18 under a ResNet-101")


def _recipe_rows() -> list[dict[str, Any]]:
    """Describe every field of a recipe, with the values that papers state."""
    from results.published import load_published

    papers: dict[str, dict[str, dict[str, Any]]] = {}  # field -> paper -> dataset -> value
    for paper in load_published().papers:
        for dataset, protocol in paper.protocols.items():
            for field, value in protocol.recipe.items():
                papers.setdefault(field, {}).setdefault(paper.name, {})[dataset] = value
    return [
        {
            "name": field.name,
            "default": field.default,
            "meaning": field.metadata["help"],
            "unit": field.metadata["unit"],
            "aliases": field.metadata["aliases"],
            "papers": papers.get(field.name, {}),
        }
        for field in fields(Recipe)
    ]


def _method_rows(name: str) -> list[dict[str, Any]]:
    """Describe every option of a method, with its value in each variant.

    Raises:
        UsageError: No method has this name.
    """
    from harness.plugins.lookup import canonical_name, known_methods, resolve_method
    from methods import defaults
    from methods import options as method_options

    if ":" not in name and name not in known_methods():
        known = [RECIPE, *known_methods()]
        hint = did_you_mean(name, known)
        raise UsageError(f"No method is called {name!r}.{hint} A class of yours is MODULE:CLASS.")
    method = resolve_method(canonical_name(name))
    variants = {variant: defaults(method, variant) for variant in method.variants}
    documented = _documented_arguments(method)
    rows = []
    for option in method_options(method).values():
        values = {name: usual.get(option.name, name) for name, usual in variants.items()}
        default = option.default
        if default is None:
            default = values[str(method_options(method)["variant"].default)]
        rows.append(
            {
                "name": option.name,
                "type": option.type.__name__,
                "default": default,
                "meaning": documented.get(option.name, ""),
                "variants": values,
            }
        )
    return rows


def _documented_arguments(method: type[Method]) -> dict[str, str]:
    """Return the `Args:` entries of a method's docstring and of its base classes, by name."""
    arguments: dict[str, str] = {}
    for kind in reversed(method.__mro__):
        if not kind.__module__.startswith("torch"):
            _, _, section = inspect.cleandoc(kind.__doc__ or "").partition("\nArgs:\n")
            for entry in re.findall(r"^    (\w+): ((?:.|\n(?=     ))*)", section, re.MULTILINE):
                arguments[entry[0]] = " ".join(entry[1].split())
    return arguments


def _print_table(name: str, rows: Sequence[dict[str, Any]]) -> None:
    """Print rows as a table as wide as the terminal."""
    columns = {"name": [row["name"] for row in rows]}
    columns["default"] = [_to_text(row["default"]) for row in rows]
    if name == RECIPE:
        columns["papers"] = [_describe_papers(row["papers"]) for row in rows]
        columns["meaning"] = [_describe_field(row) for row in rows]
    else:
        variants = rows[0]["variants"]
        for variant in variants:  # a published reading, whose values these are
            columns[f"variant {variant}"] = [_to_text(row["variants"][variant]) for row in rows]
        columns["meaning"] = [row["meaning"] for row in rows]
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for cells in zip(*columns.values(), strict=True):
        table.add_row(*map(escape, cells))
    echo_table(table)
    echo(f"Change them with --set {name}.NAME=VALUE.")


def _describe_field(row: dict[str, Any]) -> str:
    """Return a field's meaning with its unit and its aliases."""
    unit = f" ({row['unit']})" if row["unit"] else ""
    aliases = f"; also {', '.join(row['aliases'])}" if row["aliases"] else ""
    return f"{row['meaning']}{unit}{aliases}"


def _to_text(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _describe_papers(papers: dict[str, dict[str, Any]]) -> str:
    """Return each paper's values, with datasets where they differ: `pdrd 150, veri776 120`."""
    texts = []
    for paper, values in papers.items():
        usual, *_ = values.values()
        others = [f"{d} {_to_text(value)}" for d, value in values.items() if value != usual]
        texts.append(f"{paper} {', '.join([_to_text(usual), *others])}")
    return "; ".join(texts)
