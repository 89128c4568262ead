"""Render the fields of configuration classes and the options of methods as Markdown tables."""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from harness.execution.cluster.failure_causes import Cause, FailureCause
from methods import Method, defaults, options


def render_fields(kind: type) -> str:
    """Return a table of a dataclass's or pydantic model's fields: type, default, meaning with unit.

    Raises:
        ValueError: a field has no documented meaning.
    """
    rows = _model_rows(kind) if issubclass(kind, BaseModel) else _dataclass_rows(kind)
    table = ["| Field | Type | Default | Meaning |", "|---|---|---|---|"]
    for name, hint, default, meaning in rows:
        if not meaning:
            raise ValueError(f"{kind.__name__}.{name} has no description.")
        cells = (f"`{name}`", type_name(hint), default, _cell(meaning))
        table.append(f"| {' | '.join(cells)} |")
    return "\n".join(table)


def render_methods(methods: Mapping[str, type[Method]]) -> str:
    """Return a table of methods: label, name, paper and default weight by variant."""
    table = ["| Method | `--methods` | Paper | Default weight |", "|---|---|---|---|"]
    for name, method in methods.items():
        variant = str(options(method)["variant"].default)
        weights = {one: defaults(method, one)["weight"] for one in method.variants}
        text = f"{weights[variant]:,g}"
        text += "".join(
            f"; `{one}`: {weight:,g}"
            for one, weight in weights.items()
            if weight != weights[variant]
        )
        table.append(f"| {method.label} | `{name}` | {_paper(method.paper)} | {text} |")
    return "\n".join(table)


def render_weights(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return a table of default weights, with whose they are and where they are printed."""
    table = ["| Method | Variant | Weight | Whose | Printed |", "|---|---|---|---|---|"]
    for row in rows:
        default = " (default)" if row["default"] else ""
        cells = (
            row["label"],
            f"`{row['variant']}`{default}",
            f"{row['weight']:,g}",
            row["whose"],
            _cell(row["printed"]),
        )
        table.append(f"| {' | '.join(cells)} |")
    return "\n".join(table)


def render_recipe(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return a table of a recipe's fields, with the values that papers state."""
    table = ["| Field | Default | Papers | Meaning |", "|---|---|---|---|"]
    for row in rows:
        papers = "; ".join(_paper_values(*item) for item in row["papers"].items())
        unit = f" ({row['unit']})" if row["unit"] else ""
        meaning = f"{row['meaning']}{unit}{_also(row['aliases'])}"
        cells = (f"`{row['name']}`", _default(row["default"]), papers, _cell(meaning))
        table.append(f"| {' | '.join(cells)} |")
    return "\n".join(table)


def _paper_values(paper: str, values: Mapping[str, Any]) -> str:
    """Return the values that a paper states: one, or one for each dataset."""
    datasets: dict[str, list[str]] = {}
    for dataset, value in values.items():
        datasets.setdefault(_default(value), []).append(dataset)
    if len(datasets) == 1:
        return f"{paper.upper()}: {next(iter(datasets))}"
    parts = [f"{value} ({', '.join(names)})" for value, names in datasets.items()]
    return f"{paper.upper()}: {', '.join(parts)}"


def render_options(rows_of: Mapping[str, Iterable[Mapping[str, Any]]]) -> str:
    """Return a table of every option of every method, with its default in each variant."""
    table = ["| Option | Default | Meaning |", "|---|---|---|"]
    for method, rows in rows_of.items():
        for row in rows:
            default = _by_variant(row["variants"]) if row["name"] != "variant" else row["default"]
            cells = (f"`{method}.{row['name']}`", default, _cell(row["meaning"]))
            table.append(f"| {' | '.join(cells)} |")
    return "\n".join(table)


def render_causes(causes: Mapping[FailureCause, Cause]) -> str:
    """Return a table of the causes of failures with what to do about each."""
    placeholders = {"command": "retry it", "runs": "the runs folder", "half": "N", "slower": "RATE"}
    rows = [
        (f"`{name}`", cause.description, cause.fix.format_map(placeholders))
        for name, cause in causes.items()
    ]
    table = ["| Cause | Meaning | What to do |", "|---|---|---|"]
    return "\n".join([*table, *(f"| {' | '.join(map(_cell, cells))} |" for cells in rows)])


def type_name(hint: Any) -> str:
    """Return the name of a type as a configuration file's author would write it."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(type_name(one) for one in inner if one is not types.NoneType)
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in inner)
    if origin in (list, tuple):
        return f"list of {type_name(inner[0])}"
    if origin is dict:
        return f"mapping to {type_name(inner[1])}"
    return _NAMES.get(hint, getattr(hint, "__name__", str(hint)))


_NAMES = {int: "whole number", float: "number", str: "text", bool: "true or false"}


def _dataclass_rows(kind: type) -> list[tuple[str, Any, str, str]]:
    hints = get_type_hints(kind)
    rows = []
    for field in dataclasses.fields(kind):
        about = field.metadata
        unit = f" ({about['unit']})" if about.get("unit") else ""
        meaning = f"{about.get('help', '')}{unit}{_also(about.get('aliases', ()))}"
        rows.append((field.name, hints[field.name], _default(field.default), meaning))
    return rows


def _model_rows(kind: type[BaseModel]) -> list[tuple[str, Any, str, str]]:
    hints = get_type_hints(kind)
    aliases: Mapping[str, str] = getattr(kind, "aliases", {})
    rows = []
    for name, field in kind.model_fields.items():
        default = "" if field.default_factory else _default(field.default)
        others = [alias for alias, target in aliases.items() if target == name]
        meaning = f"{(field.description or '').removesuffix('.')}{_also(others)}"
        rows.append((name, hints[name], default, meaning))
    return rows


def _also(aliases: Iterable[str]) -> str:
    """Return the end of a meaning that names a field's other names."""
    names = ", ".join(f"`{alias}`" for alias in aliases)
    return f"; also called {names}" if names else ""


def _default(value: object) -> str:
    if value is None or value == "" or repr(value) == "PydanticUndefined":
        return ""
    if value in ((), []):
        return "`[]`"
    return f"`{value}`"


def _by_variant(values: dict[str, object]) -> str:
    if len(set(values.values())) == 1:
        return f"`{next(iter(values.values()))}`"
    return ", ".join(f"`{value}` (`{variant}`)" for variant, value in values.items())


def _paper(paper: Any) -> str:
    if paper is None:
        return ""
    return f"[{paper.authors}, {paper.venue} {paper.year}]({paper.url})"


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")
