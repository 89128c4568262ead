"""Try the options of methods: whether a method accepts them, only its code knows.

Trying them imports the method, and with it torch. Options that a run of the same code has were
tried when that run was planned.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import FileError, UsageError
from harness.core.files import read_json
from harness.planning.schema import Options
from harness.plugins.code_search import is_built_in
from harness.plugins.digest import described_digest
from harness.runs.layout import SPEC
from methods import MethodDescription


def try_options(method: MethodDescription, values: Options) -> None:
    """Make a method with options.

    Args:
        method: The method.
        values: Its options; the others have their defaults.

    Raises:
        UsageError: The method refuses the values.
    """
    from methods import Widths, create

    narrow = Widths(maps=(8, 8, 8, 8), embedding=8, identities=2)  # it is not trained
    try:  # now, not when the run starts
        create(method.load(), narrow, narrow, values)
    except ValueError as error:
        raise UsageError(str(error)) from error
    except (ArithmeticError, MemoryError, RuntimeError, TypeError) as error:
        given = ", ".join(f"{name}={value}" for name, value in values.items())
        raise UsageError(f"{method.name} cannot be made with {given}: {error}.") from error


def accept_options(method: MethodDescription, values: Options) -> None:
    """Accept any options, as those of runs that were planned before."""


@dataclass(frozen=True, slots=True)
class TriedOptions:
    """The options of the runs in a folder, which need not be tried again."""

    runs: Path

    def check(self, method: MethodDescription, values: Options) -> None:
        """Try options, unless a run of the same code has them.

        Raises:
            UsageError: The method refuses the values.
        """
        if not (is_built_in(method.module) and (not values or self._are_stored(method, values))):
            try_options(method, values)

    def _are_stored(self, method: MethodDescription, values: Options) -> bool:
        """Return whether a run of a built-in method's present code has these options."""
        source = described_digest(method)
        for path in self.runs.glob(f"*/{method.name}/*/*/{SPEC}"):
            with suppress(FileError):  # named by whoever needs the run
                spec = read_json(path) or {}
                if (spec.get("source"), spec.get("options")) == (source, dict(values)):
                    return True
        return False
