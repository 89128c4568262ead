"""ImageNet weights: found on disk, never downloaded behind the user's back.

Compute nodes often have no internet, and a run that silently started from scratch would be wrong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torchvision.models import get_model_weights

from harness.core.errors import SetupError


def find_weights(network: str, given: Mapping[str, Path]) -> Path:
    """The file with `network`'s ImageNet weights: as given, else in torchvision's cache.

    Raises:
        SetupError: there is none; the message names the ways out.
    """
    if network in given:
        if given[network].is_file():
            return given[network]
        raise SetupError(
            f"The weights given for {network}, {given[network]}, do not exist. Correct --weights "
            f"{network}=FILE, or train from scratch with --set recipe.pretrained=none."
        )
    path = torchvision_cache_path(network)
    if path.is_file():
        return path
    raise SetupError(
        f"No ImageNet weights for {network}: torchvision's file {path.name} is not in "
        f"{path.parent}. Get it with kdreid fetch-weights {network} on a machine with internet and "
        f"the same disk, put it there, or name a file with --weights {network}=FILE; or train from "
        "scratch with --set recipe.pretrained=none."
    )


def download_weights(network: str) -> Path:
    """Download `network`'s ImageNet weights to where training looks for them, if not there.

    Raises:
        SetupError: they cannot be fetched, or are not what their name promises.
    """
    path, url = torchvision_cache_path(network), _url(network)
    if path.is_file():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(
            url, str(path), hash_prefix=path.stem.rpartition("-")[2], progress=False
        )
    except (OSError, RuntimeError) as error:
        raise SetupError(
            f"{url} cannot be fetched ({error}). Fetch it elsewhere and put it into {path.parent}, "
            f"or name the file with --weights {network}=FILE."
        ) from error
    return path


def weights_digest(path: Path) -> str:
    """sha256 of the file, shortened: what a run's key knows of its initial weights."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def read_weights(path: Path) -> dict[str, Any]:
    """The state dictionary in `path`, read without executing anything that is stored in it.

    Raises:
        SetupError: the file holds something else.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise SetupError(f"{path} is not a file of weights ({error}).") from error
    if not isinstance(state, dict):
        raise SetupError(f"{path} holds a {type(state).__name__}, not a state dictionary.")
    return state


def torchvision_cache_path(network: str) -> Path:
    """Where torchvision keeps its first release of the weights, the one the papers start from."""
    return Path(torch.hub.get_dir()) / "checkpoints" / _url(network).rpartition("/")[2]


def _url(network: str) -> str:
    return str(get_model_weights(network)["IMAGENET1K_V1"].url)
