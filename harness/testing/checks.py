"""Run checks by name and collect their results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check."""

    check: str  # what was checked
    problem: str = ""  # empty if the check was passed


def run_checks(checks: Mapping[str, Callable[[], str]]) -> Iterator[CheckResult]:
    """Make one check after the other and yield their results.

    Args:
        checks: By what they check. A check returns the problem, or "" if there is none; an
            exception that it raises is a problem, too.
    """
    for name, check in checks.items():
        try:
            yield CheckResult(name, check())
        except Exception as error:
            yield CheckResult(name, f"{type(error).__name__}: {error}")
