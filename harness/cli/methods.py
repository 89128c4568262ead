"""`kdreid check-method`: the conformance kit on one method, told line by line."""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path

import typer

from harness.core.errors import ExitCode, UsageError
from harness.plugins.lookup import canonical_name, methods_in, resolve_method
from harness.testing import CheckResult, run_checks
from harness.testing import loss_checks as losses
from harness.testing import training_checks as training
from methods import Method, Widths, create

WIDE = Widths(maps=(256, 512, 1024, 2048), embedding=2048, identities=702)
NARROW = Widths(maps=(64, 128, 256, 512), embedding=512, identities=702)


def check_method(given: str, *, train: bool = True) -> int:
    """Make every check and say how it went; the exit code.

    Raises:
        UsageError: there is no such method.
    """
    name = _from_file(Path(given)) if given.endswith(".py") else canonical_name(given)
    kind, problems = resolve_method(name), 0
    for variant in kind.variants:
        typer.echo(f"{kind.label}, variant {variant}")
        for finding in run_checks(losses.checks(kind, variant)):
            problems += _tell(finding)
        _tell_parameters(kind, variant)
    if train and problems:
        typer.echo("in training: left out, as the loss alone fails already")
    elif train:
        typer.echo(f"{kind.label} in training, on generated images")
        with tempfile.TemporaryDirectory() as folder:
            for finding in run_checks(training.checks(name, Path(folder))):
                problems += _tell(finding)
    typer.echo(f"{given}: {problems} problems" if problems else f"{given}: conforms")
    return ExitCode.FAILED if problems else ExitCode.DONE


def _tell(finding: CheckResult) -> int:
    typer.echo(f"  {'FAIL' if finding.problem else 'ok  '} {finding.check}")
    if finding.problem:
        typer.echo(f"       {finding.problem}")
    return bool(finding.problem)


def _tell_parameters(kind: type[Method], variant: str) -> None:
    method = create(kind, NARROW, WIDE, {"variant": variant})
    trained = sum(p.numel() for p in method.parameters() if p.requires_grad)
    typer.echo(f"       {trained:,} extra parameters train with a ResNet-18 under a ResNet-101")


def _from_file(path: Path) -> str:
    """The import path of the one method that a file defines."""
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    sys.path.insert(0, str(path.resolve().parent))
    try:
        module = importlib.import_module(path.stem)
    except Exception as error:
        raise UsageError(f"{path} cannot be imported ({type(error).__name__}: {error}).") from error
    found = methods_in(module)
    if len(found) != 1:
        raise UsageError(
            f"{path} defines {len(found)} methods; say which: {path.stem}:CLASS, from its folder."
        )
    return f"{module.__name__}:{found[0]}"
