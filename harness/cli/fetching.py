"""`kdreid fetch-weights`: before the runs, on a machine with internet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.core.errors import UsageError
from harness.models import NETWORKS
from harness.models.pretrained import download_weights
from harness.planning.names import network_name


def fetch(names: Sequence[str]) -> Iterator[Path]:
    """The files of these networks' ImageNet weights, each when it is there; no name means all.

    Raises:
        UsageError: no network is called so, or nobody published weights of it.
        SetupError: they cannot be fetched.
    """
    words = [word for text in names for word in text.replace(",", " ").split()]
    wanted = {name: NETWORKS[network_name(name)].pretrained for name in words or NETWORKS}
    for name in words:
        if wanted[name] is None:
            raise UsageError(f"{name} has no ImageNet weights: it always starts from scratch.")
    for published in dict.fromkeys(filter(None, wanted.values())):
        yield download_weights(published)
