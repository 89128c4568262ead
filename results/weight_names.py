"""Names of initial weights, which records know by the digests of their files."""

from __future__ import annotations

# The first eight digits of the SHA-256 of torchvision's files IMAGENET1K_V1, as in their names.
TORCHVISION_V1 = {
    "resnet18": "f37072fd",
    "resnet34": "b627a593",
    "resnet50": "0676ba61",
    "resnet101": "63fe2227",
    "densenet121": "a639ec97",
}
IMAGENET = "ImageNet (torchvision V1)"


def describe_weights(digest: str) -> str:
    """Return whose initial weights these are; the digest of a file that is not known.

    Args:
        digest: As in a run's spec: the beginning of the file's SHA-256, or "none".
    """
    return IMAGENET if digest.startswith(tuple(TORCHVISION_V1.values())) else digest
