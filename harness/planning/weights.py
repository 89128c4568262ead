"""Find the ImageNet weights that a plan starts from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.core.errors import UsageError
from harness.models import NETWORKS
from harness.models.pretrained import find_weights
from harness.planning.grid import ResolvedRequest
from harness.planning.names import network_name, teacher_names
from harness.planning.overrides import ResolvedSettings


def initial_weights(
    request: ResolvedRequest, settings: ResolvedSettings, given: Sequence[str]
) -> dict[str, Path]:
    """ImageNet weights of the networks that the recipes want to start from them."""
    files = parse_weights(given)
    wanted = {request.student: settings.recipe}
    if any(method != "none" for method in request.methods):
        wanted = dict.fromkeys(teacher_names(request.teacher), settings.teacher_recipe) | wanted
    found = {}
    for network, recipe in wanted.items():
        published = NETWORKS[network].pretrained  # None: always from scratch
        if recipe.pretrained == "imagenet" and published:
            found[network] = find_weights(published, files)
    return found


def parse_weights(given: Sequence[str]) -> dict[str, Path]:
    """Files by network from NETWORK=FILE.

    Raises:
        UsageError: it is not of that form, or no network is called so.
    """
    files = {}
    for text in given:
        network, equals, path = text.partition("=")
        if not equals:
            raise UsageError(f"--weights takes NETWORK=FILE, given {text!r}.")
        files[network_name(network)] = Path(path)
    return files
