"""Set up a machine: `kdreid doctor`, `fetch-weights` and `list`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from harness.cli import completion, options
from harness.cli.terminal import echo
from harness.core.errors import UsageError
from harness.core.name_lists import split_names

names = typer.Typer(invoke_without_command=True)  # `kdreid list`


def doctor(
    cluster: Annotated[
        str,
        typer.Option(
            metavar="PROFILE",
            help="Profile in configs/cluster, or a path to a YAML file.",
            autocompletion=completion.clusters,
        ),
    ],
    settings: Annotated[
        options.Names,
        typer.Option(
            "--set",
            metavar="cluster.NAME=VALUE",
            help="Change the profile; repeatable: cluster.partition=gpu.",
        ),
    ] = None,
    data_root: options.DataRoot = None,
    wait: Annotated[
        float,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="Seconds to wait for a test job on a compute node; 0 submits none.",
        ),
    ] = 300.0,
    runs: options.Runs = Path("runs"),
    as_json: options.Json = False,
) -> None:
    """Check a cluster from here and from a compute node; exit code 3 if a check fails."""
    from harness.execution.cluster.doctor import DiagnosticRequest, run_diagnostics

    request = DiagnosticRequest(cluster, runs, tuple(settings or ()), data_root, wait)
    raise typer.Exit(run_diagnostics(request, echo, as_json=as_json))


def fetch_weights(
    networks: Annotated[
        options.Names,
        typer.Argument(metavar="[NETWORK]...", help="Networks.", show_default="all"),
    ] = None,
) -> None:
    """Download ImageNet weights; compute nodes often have no internet."""
    for path in download_weights(networks or ()):
        echo(path)


def download_weights(networks: Sequence[str]) -> Iterator[Path]:
    """Download the ImageNet weights of networks, by default of all, and yield their files.

    Raises:
        UsageError: No network has this name, or no weights of it were published.
        SetupError: A download fails.
    """
    from harness.models import NETWORKS, pretrained
    from harness.planning.names import require_network

    words = split_names(networks)
    weights = {name: NETWORKS[require_network(name)].pretrained for name in words or NETWORKS}
    for name in words:
        if weights[name] is None:
            raise UsageError(f"{name} has no ImageNet weights: it always starts from scratch.")
    for published in dict.fromkeys(filter(None, weights.values())):
        yield pretrained.download_weights(published)


@names.callback()
def list_names(context: typer.Context, as_json: options.Json = False) -> None:
    """List the names of methods, datasets, networks, heads and studies."""
    if context.invoked_subcommand is None:
        print_names(as_json=as_json)


@names.command(name="networks")
def list_networks(
    identities: Annotated[
        int, typer.Option(min=1, max=1_000_000, metavar="N", help="Classes of the classifier.")
    ] = 576,
) -> None:
    """List parameters and operations of every network, next to those that VRKD printed."""
    print_networks(identities)


def print_names(*, as_json: bool) -> None:
    """Print every name that the command line accepts, by kind."""
    from harness.core.yaml import config_names
    from harness.models import ENSEMBLES, NETWORKS
    from harness.plugins.lookup import entry_point_methods
    from harness.runs.spec import HEADS
    from methods import EXTRA_METHODS, METHODS

    known = {
        "methods": list(METHODS),
        "further methods (not in `all`)": list(EXTRA_METHODS),
        "methods of installed packages": list(entry_point_methods()),
        "datasets": config_names("dataset"),
        "networks": list(NETWORKS),
        "teachers of several networks": list(ENSEMBLES),
        "heads": list(HEADS),
        "studies": config_names("study"),
    }
    if as_json:
        echo(json.dumps(known, indent=1))
        return
    for kind, words in known.items():
        echo(f"{kind}: {', '.join(words) or 'none'}")


def print_networks(identities: int) -> None:
    """Print the size of every network at its usual input, and at each input that VRKD printed."""
    from harness.models import NETWORKS
    from harness.runs.spec import OWN_HEAD
    from results.published import load_published

    echo(
        f"{'network':<24}{'head':<10}{'stride':>7}{'input':>10}{'parameters':>13}"
        f"{'MACs':>10}{'with rest':>11}   printed by VRKD"
    )
    for name, entry in NETWORKS.items():
        head, height, width = (OWN_HEAD, 256, 256) if entry.head else ("bnneck", 256, 128)
        echo(_network_line(name, head, identities, 1, (height, width)))
    for row in load_published().network_sizes():
        size = (row.size, row.size)
        line = _network_line(str(row.network), "fc256", identities, row.last_stride or 1, size)
        echo(f"{line}   {row.parameters} M, {row.operations} G")
    echo(
        f"For {identities} identities. MACs: convolutions and linear layers; with rest: also batch "
        "normalisation\n(2 per element), ReLU and pooling (1), as VRKD counts. Its numbers for "
        "last stride 2\nare those of stride 1. SDC-CNN is reconstructed from its numbers."
    )


def _network_line(
    name: str, head: str, identities: int, last_stride: int, size: tuple[int, int]
) -> str:
    from harness.models import build_network
    from harness.models.complexity import measure_complexity

    network = build_network(name, head, identities, last_stride=last_stride)
    complexity = measure_complexity(network, *size)
    return (
        f"{name:<24}{head:<10}{last_stride:>7}{'x'.join(map(str, size)):>10}"
        f"{complexity.parameters / 1e6:>11.2f} M{complexity.macs / 1e9:>8.2f} G"
        f"{complexity.macs_with_rest / 1e9:>9.2f} G"
    )
