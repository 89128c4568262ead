"""The command `kdreid`, with its commands by panel of `--help`.

A command imports what it needs when it is called, so that `--help` and completion do not wait for
torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from harness.cli import evaluation, methods, report, results, run, runs, setup
from harness.cli.bench import bench
from harness.cli.data import data
from harness.cli.printing import run_application
from harness.cli.terminal import echo
from harness.core.installation import installed_version

PANELS: dict[str, dict[str, Callable[..., Any]]] = {
    "Experiments": {"run": run.run, "plan": run.run, "retry": run.retry, "cancel": run.cancel},
    "Runs": {
        "status": runs.status,
        "logs": runs.logs,
        "failures": runs.failures,
        "clean": runs.clean,
    },
    "Results": {"report": report.report, "trace": results.trace, "diff": results.diff},
    "Evaluation": {
        "score": evaluation.score,
        "measure-consistency": evaluation.measure_consistency,
        "export-embeddings": evaluation.export_embeddings,
        "compare-rankings": evaluation.compare_rankings,
    },
    "Data": {},
    "Methods": {
        "check-method": methods.check_method,
        "new-method": methods.new_method,
        "options": methods.options,
    },
    "Setup": {"doctor": setup.doctor, "fetch-weights": setup.fetch_weights},
}
HELP = {
    "plan": "Show what `run` with the same options would do.",
    "data": "Generate, check and decode datasets; real datasets are never downloaded.",
    "bench": "Benchmarks against a naive baseline.",
}
OLD_NAMES: dict[str, Callable[..., Any]] = {  # still work, and are not in --help
    "consistency": evaluation.measure_consistency,
    "embed": evaluation.export_embeddings,
    "ranked": evaluation.compare_rankings,
    "networks": setup.list_networks,
}


class PanelGroup(TyperGroup):
    """A group that lists its commands in the order of their panels."""

    def list_commands(self, ctx: Any) -> list[str]:
        panels = list(PANELS)

        def position(name: str) -> int:
            panel = getattr(self.commands[name], "rich_help_panel", None)
            return panels.index(panel) if panel in panels else len(panels)

        return sorted(super().list_commands(ctx), key=position)


app = typer.Typer(cls=PanelGroup, no_args_is_help=True, pretty_exceptions_enable=False)
for panel, commands in PANELS.items():
    for name, command in commands.items():
        app.command(name=name, help=HELP.get(name), rich_help_panel=panel)(command)
for name, command in OLD_NAMES.items():
    app.command(name=name, hidden=True)(command)
app.add_typer(data, name="data", help=HELP["data"], rich_help_panel="Data")
app.add_typer(setup.names, name="list", rich_help_panel="Setup")
app.add_typer(bench, name="bench", help=HELP["bench"], hidden=True)


def _print_version(is_given: bool) -> None:
    if is_given:
        echo(f"kdreid {installed_version() or '(a copy of the source that is not installed)'}")
        raise typer.Exit


@app.callback()
def kdreid(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Compare knowledge-distillation methods for object re-identification."""


def main() -> None:
    """Run `kdreid` on the process's arguments, and exit."""
    run_application(app)
