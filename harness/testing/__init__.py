"""The conformance kit: what every method must do, checked in about a minute on a CPU.

`losses` looks at the loss alone, on made-up outputs; `training` trains with it on generated images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check that was made: what of, and what was wrong, if anything."""

    check: str
    problem: str = ""


def run_checks(checks: dict[str, Callable[[], str]]) -> Iterator[CheckResult]:
    """Make one check after the other; a check answers with what is wrong, or with nothing."""
    for name, check in checks.items():
        try:
            yield CheckResult(name, check())
        except Exception as error:  # whatever a foreign method raises is a finding
            yield CheckResult(name, f"{type(error).__name__}: {error}")
