"""Code and versions that made a run's numbers, and in what two of them differ.

A run's key covers its specification and the code of its method. Everything else that makes a
number is recorded here: equal keys with different origins are not the same measurement.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from harness.core.source import normalise_source

# Code by subject: folders and files of this program.
SUBJECTS: dict[str, tuple[str, ...]] = {
    "training": ("harness/training", "harness/core/seeding.py", "harness/core/devices.py"),
    "models": ("harness/models",),
    "data": ("harness/data",),
    "evaluation": ("harness/evaluation",),
    "methods": (
        "methods/base.py",
        "methods/options.py",
        "methods/preparation.py",
        "methods/relations.py",
    ),
}
# Their parts that make no number of a run. What is drawn is part of the data's fingerprint.
NOT_COUNTED = (
    "harness/data/synthetic",
    "harness/evaluation/ranking_consistency.py",
    "harness/models/complexity.py",
    "harness/training/environment.py",
    "harness/training/failures.py",
    "harness/training/progress_file.py",
    "harness/training/recording.py",
)
VERSIONS = {"torch": "torch", "torchvision": "torchvision", "pillow": "Pillow"}  # with their names
ROOT = Path(__file__).parents[2]


@lru_cache
def code_digests() -> dict[str, str]:
    """Return a digest of the syntax trees of each of the `SUBJECTS`.

    They are read once and kept, because files may be edited while a process runs.
    """
    return {subject: _digest(places) for subject, places in SUBJECTS.items()}


def record_origin(record: Mapping[str, Any]) -> dict[str, str]:
    """Return what made a record's numbers, by the names that notes use.

    What was not recorded is left out: older records have no digests of code.
    """
    environment, spec = (_as_object(record.get(name)) for name in ("environment", "spec"))
    parts: dict[str, Any] = dict(code_of_record(record))
    parts |= {label: environment.get(name) for name, label in VERSIONS.items()}
    parts["Python"] = _minor(environment.get("python"))
    is_gpu = spec.get("device") == "cuda"
    parts["device"] = (is_gpu and environment.get("device_name")) or spec.get("device")
    return {name: str(value) for name, value in parts.items() if value}


def code_of_record(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the digests of code in a record by subject: "training code"; empty for older ones."""
    code = _as_object(record.get("code"))
    return {f"{name} code": str(code[name]) for name in SUBJECTS if code.get(name)}


def present_origin() -> dict[str, str]:
    """Return what a run of this process would be made by, except its device."""
    parts = {f"{subject} code": digest for subject, digest in code_digests().items()}
    parts |= {label: _installed(name) for name, label in VERSIONS.items()}
    return {name: value for name, value in parts.items() if value} | {
        "Python": _minor(platform.python_version())
    }


def differences_from_present(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Return in what a record's origin differs from that of this process: "training code".

    A record without digests of code differs in nothing that is known.
    """
    if not record.get("code"):
        return ()
    return differing_names(record_origin(record), present_origin())


def differing_names(one: Mapping[str, str], other: Mapping[str, str]) -> tuple[str, ...]:
    """Return in what two origins differ, as far as both are known: "training code", "torch"."""
    return tuple(name for name in other if name in one and one[name] != other[name])


def describe_differences(names: tuple[str, ...]) -> str:
    """Return the names as "other code (training code differs)"."""
    is_code = [name.endswith(" code") for name in names]
    kinds = [*(["code"] if any(is_code) else ()), *([] if all(is_code) else ["versions"])]
    verb = "differs" if len(names) == 1 else "differ"
    return f"other {' and '.join(kinds)} ({join_names(names)} {verb})"


def join_names(names: tuple[str, ...]) -> str:
    """Return names as a list in a sentence: "training and models code, torch"."""
    subjects = [name.removesuffix(" code") for name in names if name.endswith(" code")]
    others = [name for name in names if not name.endswith(" code")]
    code = " and ".join(filter(None, [", ".join(subjects[:-1]), *subjects[-1:]]))
    return ", ".join([*([f"{code} code"] if code else ()), *others])


def _digest(places: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for name in sorted({name for place in places for name in _list_sources(place)}):
        content = (ROOT / name).read_bytes()
        source = normalise_source(content)
        digest.update(f"{name}\n{source if source is not None else content!r}\n".encode())
    return digest.hexdigest()[:16]


def _list_sources(place: str) -> Iterator[str]:
    """Yield the files that count in a folder, or a file, as paths from `ROOT`."""
    paths = [ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*.py")
    for path in paths:
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(NOT_COUNTED):
            yield name


@lru_cache
def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _minor(python: object) -> str:
    """Return "3.11" of "3.11.7"."""
    return ".".join(str(python or "").split(".")[:2])


def _as_object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
