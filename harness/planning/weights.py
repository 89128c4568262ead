"""Find the ImageNet weights that the runs of a plan start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.errors import ErrorCollector, SetupError, UsageError
from harness.models import NETWORKS
from harness.models.pretrained import find_weights, weights_digest
from harness.planning.names import require_network
from harness.planning.overrides import ResolvedSettings
from harness.planning.request import ResolvedRequest

MISSING_DIGEST = "missing"  # in place of the digest of weights that are not on this machine


@dataclass
class InitialWeights:
    """Files of initial weights by network, and the networks whose file is missing."""

    files: dict[str, Path] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)  # error messages

    def add(
        self,
        request: ResolvedRequest,
        settings: ResolvedSettings,
        given: Mapping[str, Path],
    ) -> None:
        """Find the weights of a request's networks whose recipes start from ImageNet.

        Args:
            request: The request on one dataset; networks that could not be resolved are empty.
            settings: Its recipes.
            given: Files by network that take precedence over torchvision's cache.
        """
        recipes = [(request.student, settings.recipe)]
        if request.distilled and not request.teacher_runs:  # those are trained already
            recipes += [(network, settings.teacher_recipe) for network in request.teachers]
        for network, recipe in recipes:
            published = NETWORKS[network].pretrained if network in NETWORKS else None
            if recipe.pretrained == "imagenet" and published and network not in self.files:
                try:
                    self.files[network] = find_weights(published, given)
                except SetupError as error:
                    self.missing[network] = str(error)

    def digests(self) -> dict[str, str]:
        """Return the digests of the files by network; `MISSING_DIGEST` where there is no file."""
        digests = {network: weights_digest(path) for network, path in self.files.items()}
        return dict.fromkeys(self.missing, MISSING_DIGEST) | digests


def parse_pretrained(texts: Sequence[str]) -> dict[str, Path]:
    """Parse `NETWORK=FILE` texts into files by network.

    Raises:
        UsageError: Some are not of that form, or name no network.
    """
    errors = ErrorCollector()
    files = {}
    for text in texts:
        with errors.collect():
            network, equals, path = text.partition("=")
            if not equals:
                raise UsageError(f"--weights takes NETWORK=FILE, given {text!r}.")
            files[require_network(network)] = Path(path)
    errors.raise_if_any()
    return files
