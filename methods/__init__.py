"""Knowledge-distillation methods for re-identification, in the order of the tables."""

from __future__ import annotations

from collections.abc import Mapping

from methods.at import AT
from methods.base import Method, Outputs, Paper, Widths
from methods.cckd import CCKD
from methods.csd import CSD
from methods.fitnet import FitNet
from methods.ft import FT
from methods.kd import KD
from methods.kdpe import KDPE
from methods.none import NoDistillation
from methods.options import Option, build, defaults, did_you_mean, options
from methods.pairwise import Pairwise
from methods.pdrd import PDRD
from methods.pdrk import PDRK
from methods.pkt import PKT
from methods.rkd import RKD
from methods.sp import SP
from methods.vid import VID
from methods.vrkd import VRKD

__all__ = [
    "EXTRAS",
    "EXTRA_METHODS",
    "METHODS",
    "Method",
    "Option",
    "Outputs",
    "Paper",
    "Widths",
    "create",
    "defaults",
    "find",
    "options",
]

METHODS: dict[str, type[Method]] = {
    method.name: method
    for method in (FitNet, AT, FT, CCKD, SP, VID, RKD, PKT, KDPE, CSD, VRKD, PDRD)
}
EXTRA_METHODS: dict[str, type[Method]] = {
    method.name: method for method in (NoDistillation, Pairwise, PDRK, KD)
}
EXTRAS = EXTRA_METHODS  # its former name


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
