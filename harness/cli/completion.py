"""Complete names in the shell: methods, datasets, studies, runs.

Nothing here imports torch, so that completion answers at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import typer

from harness.core.errors import KDReIDError
from harness.runs.lookup import list_run_keys, short_id
from harness.runs.spec import HEADS, PRECISIONS
from harness.runs.states import RunState


def _configs(kind: str) -> Callable[[], list[str]]:
    """Return a function that lists the configurations of a kind by name."""

    def names() -> list[str]:
        from harness.core.yaml import config_names

        return config_names(kind)

    return names


def _methods() -> list[str]:
    from harness.plugins.lookup import known_methods

    return ["all", *known_methods()]


def _complete(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """Return a completion of the last name in a comma-separated list."""

    def complete(incomplete: str) -> list[str]:
        before, comma, word = incomplete.rpartition(",")
        return [f"{before}{comma}{name}" for name in names() if name.startswith(word)]

    return complete


def runs(context: typer.Context, incomplete: str) -> list[str]:
    """Complete the short id or the key of a run below `--runs`."""
    try:
        keys = list_run_keys(Path(context.params.get("runs") or "runs"))
    except KDReIDError:
        return []
    return [name for name in [*map(short_id, keys), *keys] if name.startswith(incomplete)]


methods = _complete(_methods)
datasets = _complete(_configs("dataset"))
studies = _complete(_configs("study"))
clusters = _complete(_configs("cluster"))
heads = _complete(lambda: HEADS)
precisions = _complete(lambda: PRECISIONS)
states = _complete(lambda: RunState)
option_sections = _complete(lambda: ["recipe", *_methods()[1:]])
