"""Knowledge-distillation methods for re-identification, in the order of the tables.

A method's file is imported when its class is looked up. Whoever needs names, labels or options only
does not wait for torch: `METHODS.describe(name)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from methods.description import MethodDescription
from methods.options import Option, build, defaults, did_you_mean, options
from methods.registry import Registry

if TYPE_CHECKING:
    from methods.base import Method, Outputs, Paper, Widths

__all__ = [
    "EXTRAS",
    "EXTRA_METHODS",
    "METHODS",
    "Method",
    "MethodDescription",
    "Option",
    "Outputs",
    "Paper",
    "Widths",
    "create",
    "defaults",
    "find",
    "options",
]

# The class of each method, in the file of its name.
METHODS = Registry(
    {
        "fitnet": "FitNet",
        "at": "AT",
        "ft": "FT",
        "cckd": "CCKD",
        "sp": "SP",
        "vid": "VID",
        "rkd": "RKD",
        "pkt": "PKT",
        "kdpe": "KDPE",
        "csd": "CSD",
        "vrkd": "VRKD",
        "pdrd": "PDRD",
    }
)
EXTRA_METHODS = Registry(
    {"none": "NoDistillation", "pairwise": "Pairwise", "pdrk": "PDRK", "kd": "KD"}
)
EXTRAS = EXTRA_METHODS  # its former name

_OF_BASE = ("Method", "Outputs", "Paper", "Widths")  # imported when needed, as they need torch


def __getattr__(name: str) -> Any:
    if name not in _OF_BASE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("methods.base"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def find(name: str) -> type[Method]:
    """Return the class of a built-in method.

    Raises:
        ValueError: No method has this name; the message suggests the nearest and lists all.
    """
    methods = METHODS | EXTRA_METHODS
    if name not in methods:
        raise ValueError(f"No method is called {name!r}.{did_you_mean(name, methods)}")
    return methods[name]


def create(
    method: str | type[Method], student: Widths, teacher: Widths, given: Mapping[str, object]
) -> Method:
    """Build a method.

    Args:
        method: Its name, or its class.
        student: Channels of the student's outputs.
        teacher: Channels of the teacher's outputs.
        given: Values of options by name; the others have their defaults.

    Raises:
        ValueError: The method or an option is unknown, or an option's value is not allowed.
    """
    kind = find(method) if isinstance(method, str) else method
    return build(kind, student, teacher, given)
