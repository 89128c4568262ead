"""Default weights of the methods, and whose they are, for `kdreid options`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.markup import escape
from rich.table import Table

from harness.cli.terminal import echo, echo_table

UNTUNED = "No method's weight was tuned here."


def weight_rows() -> list[dict[str, Any]]:
    """Return every built-in method's default weight in each variant, with whose it is.

    A method whose weights have no entry in `methods.weights` has no row.
    """
    from methods import EXTRA_METHODS, METHODS, options
    from methods.weights import WEIGHT_SOURCES

    return [
        {
            "name": name,
            "label": method.label,
            "variant": variant,
            "default": variant == options(method)["variant"].default,
            **asdict(source),
        }
        for name, method in (METHODS | EXTRA_METHODS).items()
        for variant, source in WEIGHT_SOURCES.get(name, {}).items()
    ]


def print_weights(rows: Sequence[dict[str, Any]]) -> None:
    """Print default weights as a table as wide as the terminal."""
    table = Table(
        "method",
        "variant",
        "weight",
        "whose",
        "printed",
        box=None,
        header_style="bold",
        pad_edge=False,
    )
    for row in rows:
        cells = (row["name"], row["variant"], f"{row['weight']:,g}", row["whose"], row["printed"])
        table.add_row(*map(escape, cells))
    echo_table(table)
    echo(f"{UNTUNED} All options of one: kdreid options METHOD, or recipe.")


def print_sources(name: str) -> None:
    """Print whose a built-in method's default weights are."""
    for row in (row for row in weight_rows() if row["name"] == name):
        weight = f"Weight {row['weight']:,g} (variant {row['variant']})"
        echo(f"{weight}: {row['whose']}, {row['printed']}.")
    echo(UNTUNED)
