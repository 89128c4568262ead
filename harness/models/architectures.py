"""Recognise a change of a network, so that runs before and after it have different keys.

`architectures.json` describes every built-in network: a digest of the code that it is made of, and
what it computes. While the code is the same, nothing is built and torch is not imported. If it has
changed, the network is built and compared: a change of comments, names or form keeps the keys of
its runs, and a change of what it computes becomes part of them.

`python -m harness.models.architectures` compares all networks with the file; with `--write` it
renews the file. A network that has changed keeps its new keys.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.source import normalise_source
from harness.models.registry import NETWORKS, Factory, NetworkEntry

if TYPE_CHECKING:
    from harness.models.reference import Description

TABLE = Path(__file__).with_suffix(".json")
OWN = "own"  # head of networks that bring theirs
STRIDES, STEMS = (1, 2), ("3x3", "2x2")
SIZE, DIRECTIONAL_SIZE = 64, 256  # of the reference images; directional pooling needs larger maps
SHARED_CODE = ("harness.models.reid", "harness.models.building", "harness.core.seeding")

Form = tuple[str, str, int, str]  # network, head, last stride, stem


@lru_cache
def architecture_digest(network: str, head: str, last_stride: int, stem: str) -> str:
    """Return what a run's key contains of a change of its network.

    Args:
        network: Name in `NETWORKS`.
        head: Name in `HEADS`; ignored by networks that have a head of their own.
        last_stride: Stride of the last stage.
        stem: Max pooling of the stem.

    Returns:
        A digest; empty for a network that computes what it did in the first version.
    """
    form = _form(network, head, last_stride, stem)
    source = source_digest(network)
    recorded = _read_table().get(_name(form))
    if recorded is None:
        return source
    if source == recorded["source"] or not _differences(form, recorded):
        return str(recorded["identity"])
    return source


@lru_cache
def source_digest(network: str) -> str:
    """Return a digest of the code that a network is made of, without comments and docstrings."""
    entry = NETWORKS[network]
    files = {_file_of(part) for part in (*SHARED_CODE, *_code(entry))}
    # In an order that does not depend on the folder that they are installed in.
    texts = [normalise_source(file.read_bytes()) or "" for _, file in sorted(files)]
    texts += [_describe_entry(entry)]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def _file_of(part: Any) -> tuple[str, Path]:
    """Return the module and the file of a module's name, a class or a function."""
    if isinstance(part, str):
        spec = find_spec(part)
        return part, Path(str(spec and spec.origin))
    part = inspect.unwrap(part)  # not that of its decorator
    return part.__module__, Path(inspect.getfile(part))


def _code(entry: NetworkEntry) -> Iterator[Any]:
    """Yield the modules or classes of a network's backbone and head."""
    for factory in (entry.backbone, entry.head):
        if isinstance(factory, Factory):
            yield f"{__package__}.{factory.module}"
        elif factory is not None:
            yield factory.func if isinstance(factory, functools.partial) else factory


def _describe_entry(entry: NetworkEntry) -> str:
    """Return the arguments with which the registry makes a network."""
    factories = [
        [one.args, sorted(one.keywords.items())]
        for one in (entry.backbone, entry.head)
        if isinstance(one, functools.partial | Factory)
    ]
    return json.dumps([factories, entry.pretrained], default=list)


def _form(network: str, head: str, last_stride: int, stem: str) -> Form:
    """Return the form of a network without the choices that it does not have."""
    entry = NETWORKS[network]
    head = OWN if entry.head else head
    return (network, head, last_stride, stem) if entry.is_adjustable else (network, head, 1, "3x3")


def _forms() -> Iterator[Form]:
    """Yield every form of every network."""
    from harness.models.reid import HEADS

    for network, entry in NETWORKS.items():
        options = product(STRIDES, STEMS) if entry.is_adjustable else [(1, "3x3")]
        heads = [OWN] if entry.head else list(HEADS)
        for (last_stride, stem), head in product(options, heads):
            yield network, head, last_stride, stem


def _name(form: Form) -> str:
    return "{} {} {} {}".format(*form)


def _describe(form: Form) -> Description:
    from harness.models.building import build_network
    from harness.models.reference import IDENTITIES, describe_network

    network, head, last_stride, stem = form
    built = build_network(network, head, IDENTITIES, last_stride=last_stride, stem=stem)
    return describe_network(built, DIRECTIONAL_SIZE if head == OWN else SIZE)


def _differences(form: Form, recorded: Description) -> list[str]:
    """Build a network, and return in what it differs from an entry of the table."""
    from harness.models.reference import differences

    return differences(_describe(form), recorded)


@lru_cache
def _read_table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(TABLE.read_text())
    return table


def compare_all() -> tuple[dict[str, Any], list[str]]:
    """Build every form of every network and compare it with the table.

    Returns:
        The table as it should be, and a sentence for each difference.
    """
    from harness.models.reference import differences

    recorded, table, problems = _read_table(), {}, []
    for form in _forms():
        name, source, described = _name(form), source_digest(form[0]), _describe(form)
        before = recorded.get(name)
        if before is None:
            table[name] = {"identity": source, "source": source, **_as_entry(form, described)}
            problems.append(f"{name}: not in the table")
            continue
        changed = differences(described, before)
        kept = _as_entry(form, described) if changed else before
        identity = source if changed else before["identity"]
        table[name] = {**kept, "identity": identity, "source": source}
        if changed:
            problems.append(f"{name}: {', '.join(changed)} changed")
        elif source != before["source"]:
            problems.append(f"{name}: other code that computes the same")
    problems += [f"{name}: not a network any more" for name in recorded if name not in table]
    return table, problems


def _format(table: Mapping[str, Any]) -> str:
    """Return the table as JSON, one line for each form."""
    lines = (f"{json.dumps(k)}: {json.dumps(v, sort_keys=True)}" for k, v in table.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _as_entry(form: Form, described: Description) -> Description:
    """Return what the table holds of a form: stride and stem do not change the initial weights."""
    from harness.models.reference import as_record

    entry = as_record(described)
    if form[2:] != (STRIDES[0], STEMS[0]):
        del entry["initial"]
    return entry


def main() -> int:
    """Compare all networks with the table, or renew it; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m harness.models.architectures")
    parser.add_argument("--write", action="store_true", help="renew the table")
    options = parser.parse_args()
    table, problems = compare_all()
    sys.stdout.writelines(f"{problem}\n" for problem in problems)
    if options.write:
        TABLE.write_text(_format(table))
        return 0
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
