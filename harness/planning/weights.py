"""Find the ImageNet weights that the runs of a plan start from, and check that they fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.errors import ErrorCollector, SetupError, UsageError
from harness.models import NETWORKS
from harness.models.pretrained import find_weights, is_published, weights_digest
from harness.planning.names import require_network
from harness.planning.overrides import ResolvedSettings
from harness.planning.request import ResolvedRequest
from harness.runs.spec import RunSpec

MISSING_DIGEST = "missing"  # in place of the digest of weights that are not on this machine


@dataclass
class InitialWeights:
    """Files of initial weights by network, and the networks whose file is missing.

    Attributes:
        given: Files that the user names, by network. A file named for a network is used for those
            that start from the same published weights, too, unless they have one of their own.
        files: Files by network.
        missing: Error messages by network.
        random: Networks that are planned and start from random weights.
    """

    given: Mapping[str, Path] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    random: set[str] = field(default_factory=set)

    def add(self, request: ResolvedRequest, settings: ResolvedSettings) -> None:
        """Find the weights of a request's networks whose recipes start from ImageNet.

        Args:
            request: The request on one dataset; networks that could not be resolved are empty.
            settings: Its recipes.
        """
        recipes = [(request.student, settings.recipe)]
        if request.distilled and not request.teacher_runs:  # those are trained already
            recipes += [(network, settings.teacher_recipe) for network in request.teachers]
        for network, recipe in recipes:
            published = NETWORKS[network].pretrained if network in NETWORKS else None
            if recipe.pretrained != "imagenet" or not published:
                self.random.add(network)
            elif network not in self.files:
                try:
                    self.files[network] = find_given_weights(network, published, self.given)
                except SetupError as error:
                    self.missing[network] = str(error)

    def check(self, errors: ErrorCollector) -> None:
        """Check that every given file is used and exists, and that every file fits its network.

        Args:
            errors: Receives a UsageError for each file that no run starts from, and a SetupError
                for each that is missing or does not fit.
        """
        starting = {*self.files, *self.missing}
        if starting or self.random:  # otherwise the request has other problems
            with errors.collect():
                _require_used(self.given, starting, self.random)
        for network, message in list(self.missing.items()):
            if not self.given.keys().isdisjoint(names_of_weights(network)):
                del self.missing[network]  # a file that is named has to be there
                with errors.collect():
                    raise SetupError(message)
        for network, path in self.files.items():
            if is_published(path, names_of_weights(network)[-1]):
                continue  # it fits; to read it would import torch
            from harness.models import check_pretrained

            with errors.collect():
                check_pretrained(network, path)

    def digests(self) -> dict[str, str]:
        """Return the digests of the files by network; `MISSING_DIGEST` where there is no file."""
        digests = {network: weights_digest(path) for network, path in self.files.items()}
        return dict.fromkeys(self.missing, MISSING_DIGEST) | digests


def names_of_weights(network: str) -> tuple[str, ...]:
    """Return the names under which a network's file may be given, its own first."""
    published = NETWORKS[network].pretrained
    return tuple(dict.fromkeys(name for name in (network, published) if name))


def find_given_weights(network: str, published: str, given: Mapping[str, Path]) -> Path:
    """Return the file of initial weights of a network.

    Args:
        network: The network.
        published: Name of the network whose published weights it starts from.
        given: Files that the user names, by network.

    Raises:
        SetupError: The file does not exist.
    """
    for name in (network, published):
        if name in given:
            return find_weights(name, given)
    return find_weights(published, {})


def require_used_weights(given: Mapping[str, Path], specs: Iterable[RunSpec]) -> None:
    """Check that some runs start from every file that the user names.

    Raises:
        UsageError: No run starts from a file.
    """
    starting = {spec.network: spec.weights != "none" for spec in specs}
    _require_used(
        given,
        {network for network, is_pretrained in starting.items() if is_pretrained},
        {network for network, is_pretrained in starting.items() if not is_pretrained},
    )


def _require_used(given: Mapping[str, Path], starting: set[str], random: set[str]) -> None:
    """Check given files by network.

    Args:
        given: The files.
        starting: Networks of runs that start from published weights.
        random: Networks of runs that start from random ones.

    Raises:
        UsageError: No run starts from a file.
    """
    used = {name for network in starting for name in names_of_weights(network)}
    problems = []
    for name, path in given.items():
        if name in used:
            continue
        reason = f"no run of this plan starts from the weights of {name}"
        if name in random:
            reason = f"{name} starts from random weights here (recipe.pretrained=none)"
            if NETWORKS[name].pretrained is None:
                reason = f"no weights are published for {name}, which starts from random ones"
        others = f"; those that start from weights are {', '.join(sorted(starting))}"
        problems.append(
            f"--weights {name}={path}: {reason}{others if starting else ''}. Leave the option out."
        )
    if problems:
        raise UsageError(*problems)


def parse_pretrained(texts: Sequence[str]) -> dict[str, Path]:
    """Parse `NETWORK=FILE` texts into files by network.

    Raises:
        UsageError: Some are not of that form or name no network, or a network has two files.
    """
    errors = ErrorCollector()
    files: dict[str, Path] = {}
    for text in texts:
        with errors.collect():
            network, equals, path = text.partition("=")
            if not equals or not path:
                raise UsageError(f"--weights takes NETWORK=FILE, given {text!r}.")
            if files.setdefault(require_network(network), Path(path)) != Path(path):
                raise UsageError(
                    f"--weights names two files for {network}: {files[network]} and {path}."
                )
    errors.raise_if_any()
    return files
