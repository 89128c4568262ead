"""What `kdreid networks` prints."""

from __future__ import annotations

import typer

from harness.cli.printed import VRKD_TABLE_1
from harness.models import NETWORKS, build_network
from harness.models.complexity import measure_complexity


def show_networks(identities: int) -> None:
    """One line a network and input size; what VRKD prints stands beside it."""
    typer.echo(
        f"{'network':<24}{'head':<10}{'stride':>7}{'input':>10}{'parameters':>13}"
        f"{'MACs':>10}{'with rest':>11}   printed by VRKD"
    )
    ours = [
        (name, *(("own", 1, 256, 256) if known.head else ("bnneck", 1, 256, 128)), "")
        for name, known in NETWORKS.items()
    ]
    theirs = [
        (row.network, "fc256", row.last_stride, row.size, row.size, str(row))
        for row in VRKD_TABLE_1
    ]
    for name, head, stride, height, width, printed in [*ours, *theirs]:
        counts = measure_complexity(
            build_network(name, head, identities, last_stride=stride), height, width
        )
        typer.echo(
            f"{name:<24}{head:<10}{stride:>7}{f'{height}x{width}':>10}"
            f"{counts.parameters / 1e6:>11.2f} M{counts.macs / 1e9:>8.2f} G"
            f"{counts.macs_with_rest / 1e9:>9.2f} G   {printed}".rstrip()
        )
    typer.echo(
        f"For {identities} identities. MACs: convolutions and linear layers; with rest: also batch "
        "normalisation\n(2 an element), ReLU and pooling (1), as VRKD's numbers count. Its numbers "
        "for last stride 2\nare those of stride 1. SDC-CNN is a reconstruction from its numbers."
    )
