"""ImageNet weights of torchvision: find them on disk, download them on request, read them.

Training never downloads weights: compute nodes often have no internet, and a run that silently
started from random weights instead would be wrong.
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
    """Return the file with the ImageNet weights of a network.

    Args:
        network: Torchvision's name of the network.
        given: Files by network that take precedence over torchvision's cache.

    Raises:
        SetupError: The file does not exist; the message lists the possible remedies.
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
        f"{path.parent}. Run kdreid fetch-weights {network} on a machine with internet access and "
        f"the same disk, copy the file there, or name a file with --weights {network}=FILE. To "
        "train from scratch, use --set recipe.pretrained=none."
    )


def download_weights(network: str) -> Path:
    """Download the ImageNet weights of a network into torchvision's cache, unless they are there.

    Args:
        network: Torchvision's name of the network.

    Raises:
        SetupError: The download failed, or the file does not have the digest in its name.
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
            f"{url} cannot be downloaded ({error}). Download it elsewhere and copy it to "
            f"{path.parent}, or name the file with --weights {network}=FILE."
        ) from error
    return path


def weights_digest(path: Path) -> str:
    """Return the first 16 hexadecimal digits of a file's SHA-256.

    The digest is part of the key of every run that starts from the file.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def read_weights(path: Path) -> dict[str, Any]:
    """Read a state dictionary onto the CPU without executing code that the file may hold.

    Raises:
        SetupError: The file cannot be read, or does not hold a state dictionary.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise SetupError(f"{path} is not a weights file ({error}).") from error
    if not isinstance(state, dict):
        raise SetupError(f"{path} holds a {type(state).__name__}, not a state dictionary.")
    return state


def torchvision_cache_path(network: str) -> Path:
    """Return the path of a network's weights in torchvision's cache, whether it exists or not.

    The weights are torchvision's first release, IMAGENET1K_V1, from which the papers start.
    """
    return Path(torch.hub.get_dir()) / "checkpoints" / _url(network).rpartition("/")[2]


def _url(network: str) -> str:
    return str(get_model_weights(network)["IMAGENET1K_V1"].url)
