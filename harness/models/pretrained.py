"""ImageNet weights of torchvision: find them on disk, download them on request, read them.

Training never downloads weights: compute nodes often have no internet, and a run that silently
started from random weights instead would be wrong.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import SetupError

if TYPE_CHECKING:
    from torch import Tensor

    from harness.models.reid import Backbone

# Torchvision's files by network, its first release, IMAGENET1K_V1, from which the papers start. A
# name ends with the beginning of the content's SHA-256.
FILES = {
    "resnet18": "resnet18-f37072fd.pth",
    "resnet34": "resnet34-b627a593.pth",
    "resnet50": "resnet50-0676ba61.pth",
    "resnet101": "resnet101-63fe2227.pth",
    "densenet121": "densenet121-a639ec97.pth",
}
SERVER = "https://download.pytorch.org/models/"
WRAPPERS = ("state_dict", "model_state_dict", "model")  # entries that hold the state dictionary
MODULE = "module."  # prefix of names that torch's DataParallel adds
HEAD_BYTES = 512  # of a file that cannot be read, to tell what it is
TORCH_STARTS = (b"PK", b"\x80")  # how torch's files begin: zip archives, and pickles before them
REFUSED_PICKLES = ("TorchScript", "Unsupported global", "Unsupported class")  # torch's words
_PAGE = "is a web page, not a weights file. Download the file behind it."
FOREIGN_FILES = {  # by their first bytes, in lower case
    b"<!doctype": _PAGE,
    b"<html": _PAGE,
    b"<?xml": _PAGE,
    b"version https://git-lfs": "is a pointer of Git LFS. Fetch the file with git lfs pull.",
}
PICKLED = (
    "holds pickled Python objects, such as a whole model, and no state dictionary; no code of a "
    "file is executed here. Write the weights alone where it comes from: "
    "torch.save(model.state_dict(), FILE)."
)


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
    import torch

    path, url = torchvision_cache_path(network), SERVER + FILES[network]
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


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dictionary onto the CPU without executing code that the file may hold.

    A dictionary inside another, as training programs write it (`state_dict`, `model`), and the
    prefix `module.` of networks that were trained on several devices are seen through.

    Raises:
        SetupError: The file cannot be read, or does not hold a state dictionary.
    """
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise SetupError(_describe_unreadable(path, error)) from error
    if not isinstance(state, Mapping):
        raise SetupError(f"{path} holds a {type(state).__name__}, not a state dictionary.")
    while (inner := next((state[key] for key in WRAPPERS if key in state), None)) is not None:
        if not isinstance(inner, Mapping):
            break
        state = inner
    others = [str(name) for name, value in state.items() if not isinstance(value, torch.Tensor)]
    if others or not state:
        listed = f"entries that are no tensors ({', '.join(others[:3])})" if others else "nothing"
        raise SetupError(f"{path} is not a state dictionary: it holds {listed}.")
    is_wrapped = all(str(name).startswith(MODULE) for name in state)
    return {str(name).removeprefix(MODULE if is_wrapped else ""): v for name, v in state.items()}


def check_weights(path: Path, network: str, backbone: Backbone) -> dict[str, Tensor]:
    """Read a file with published weights and compare it with the network that starts from it.

    Args:
        path: The file.
        network: Name of the network, for messages.
        backbone: Its backbone, which may be on the meta device; not changed.

    Returns:
        The state dictionary as `Backbone.load_pretrained` takes it.

    Raises:
        SetupError: The file cannot be read, does not fit, or holds a value that is not finite.
    """
    state = read_weights(path)
    given, expected = backbone.rename_published(state), backbone.state_dict()
    missing = [n for n in expected if n not in given and not n.endswith("num_batches_tracked")]
    unknown = [name for name in given if name not in expected]
    reshaped = [n for n in given if n in expected and given[n].shape != expected[n].shape]
    if missing or unknown or reshaped:
        raise SetupError(
            f"{path} does not fit {network}: {len(missing)} of {len(expected)} tensors are missing"
            f"{_example(missing)}, {len(reshaped)} have another shape{_example(reshaped)} and "
            f"{len(unknown)} are unknown{_example(unknown)}. Name torchvision's file of this "
            f"network with --weights {network}=FILE."
        )
    for name, value in given.items():
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise SetupError(
                f"{path} holds values in {name} that are not finite (NaN or infinite), so no "
                f"training can start from it. Name an intact file with --weights {network}=FILE."
            )
    return state


def _example(names: Sequence[str]) -> str:
    return f" ({names[0]}{', ...' if len(names) > 1 else ''})" if names else ""


def _describe_unreadable(path: Path, error: Exception) -> str:
    """Return why a file is no weights file; torch's own words would mislead."""
    if isinstance(error, OSError) and error.strerror:
        return f"{path} cannot be read ({error.strerror})."
    with path.open("rb") as file:
        start = file.read(HEAD_BYTES)
    text = start.lstrip().lower()
    if not start:
        what = "is empty. Copy or download it again."
    elif start.startswith(TORCH_STARTS):
        is_intact = any(words in str(error) for words in REFUSED_PICKLES)
        what = PICKLED if is_intact else "is incomplete or damaged. Copy or download it again."
    else:
        what = next(
            (described for known, described in FOREIGN_FILES.items() if text.startswith(known)),
            "is not a weights file of torch.",
        )
    return f"{path} {what}"


def torchvision_cache_path(network: str) -> Path:
    """Return the path of a network's weights in torchvision's cache, whether it exists or not."""
    return _hub_folder() / "checkpoints" / FILES[network]


def is_published(path: Path, network: str) -> bool:
    """Return whether a file has the content of torchvision's, by the digest in that one's name."""
    return weights_digest(path).startswith(Path(FILES[network]).stem.rpartition("-")[2])


def _hub_folder() -> Path:
    """Return `torch.hub.get_dir()`, by its own rule where torch is not imported."""
    if "torch" in sys.modules:
        import torch

        return Path(torch.hub.get_dir())
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(os.environ.get("TORCH_HOME", f"{cache}/torch")).expanduser() / "hub"
