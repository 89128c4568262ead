"""What one run is: everything that changes its numbers, and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

TRAINING_VERSION = 1  # raise it by hand when a change of the code moves trained numbers
SCORING_VERSION = 1  # raise it when a change moves scores of the same weights: re-scores only

PRECISIONS = ("fp32", "bf16", "fp16")
HEADS = ("bnneck", "fc256", "classblock")

Option = float | int | str | bool

_BESIDE = ("key", "training_version")  # what `RunSpec.as_json` adds to the fields

_WORDS: dict[str, tuple[str | int, ...]] = {
    "pretrained": ("imagenet", "none"),
    "precision": PRECISIONS,
    "schedule": ("cosine", "steps"),
    "sampling": ("identities", "images"),
    "last_stride": (1, 2),
    "stem": ("3x3", "2x2"),
    "distillation_batches": ("shared", "separate"),
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained; one per dataset, shared by all methods.

    The defaults are PDRD's for person datasets (section 4.2). Times are in epochs, sizes in pixels.

    Raises:
        ValueError: a field is outside what it can mean.
    """

    epochs: int = 150
    warmup_epochs: float = 10
    hold_until: float = 60  # the cosine starts here
    lr: float = 2e-2  # after the warm-up
    warmup_factor: float = 0.1
    final_lr: float = 1e-7
    momentum: float = 0.9
    weight_decay: float = 5e-4
    identities: int = 16  # P per batch
    images_each: int = 6  # K per identity
    height: int = 256
    width: int = 128
    label_smoothing: float = 0.1
    margin: float = 0.3
    triplet_weight: float = 1.0
    flip: float = 0.5
    pad: int = 10
    erase: float = 0.5
    pretrained: str = "imagenet"  # or "none": from scratch
    precision: str = "fp32"
    schedule: str = "cosine"  # or "steps": the rate times `decay` at each of `milestones`
    milestones: tuple[float, ...] = ()
    decay: float = 0.1
    sampling: str = "identities"  # P x K; or "images": `batch` images drawn at random
    batch: int = 256
    last_stride: int = 1  # of ResNets and DenseNets; 2 as published
    stem: str = "3x3"  # their max pooling; "2x2" as in PDRD's authors' later code
    distillation_batches: str = "shared"  # or "separate": a second stream for the methods' losses

    def __post_init__(self) -> None:
        positive = ("epochs", "lr", "identities", "images_each", "height", "width", "batch")
        for name in positive:
            self._require(name, getattr(self, name) > 0, "above 0")
        for name in ("flip", "erase", "label_smoothing"):
            self._require(name, 0 <= getattr(self, name) <= 1, "between 0 and 1")
        not_negative = ("warmup_epochs", "final_lr", "momentum", "weight_decay", "pad", "margin")
        for name in (*not_negative, "triplet_weight", "warmup_factor", "decay"):
            self._require(name, getattr(self, name) >= 0, "0 or more")
        if self.schedule == "cosine":
            ordered = self.warmup_epochs <= self.hold_until < self.epochs
            self._require(
                "hold_until", ordered, "between warmup_epochs and epochs (and below epochs)"
            )
        for name, allowed in _WORDS.items():
            said = " or ".join(map(str, allowed))
            self._require(name, getattr(self, name) in allowed, said)
        rising = list(self.milestones) == sorted(self.milestones)
        self._require("milestones", rising, "epochs in rising order")
        if self.sampling == "images":
            self._require("triplet_weight", self.triplet_weight == 0, "0 with sampling: images")
        elif self.triplet_weight:
            pairs = self.identities > 1 and self.images_each > 1
            self._require(
                "images_each", pairs, "2 or more (and identities too) with a triplet loss"
            )

    def _require(self, name: str, holds: bool, allowed: str) -> None:
        if not holds:
            raise ValueError(f"recipe.{name} is {getattr(self, name)}; it must be {allowed}.")


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One training of one network; a teacher is itself a run, and so part of the key."""

    dataset: str
    method: str
    network: str
    teachers: tuple[RunSpec, ...]
    seed: int
    recipe: Recipe
    options: tuple[tuple[str, Option], ...] = ()  # only what differs from the defaults, sorted
    head: str = "bnneck"
    fingerprint: str = ""  # of the data
    weights: str = "none"  # digest of the initial weights
    source: str = ""  # digest of the method's syntax tree
    device: str = "cpu"  # its type
    threads: int = 0  # of a CPU run; 0 elsewhere

    @property
    def key(self) -> str:
        """Folder of this run: readable first, then a digest of every field."""
        content = json.dumps([TRAINING_VERSION, asdict(self)], sort_keys=True).encode()
        digest = hashlib.sha256(content).hexdigest()[:8]
        pair = "-".join((*self._teachers(), self.network))
        return f"{self.dataset}/{self.method_folder}/{pair}/seed{self.seed}-{digest}"

    @property
    def method_folder(self) -> str:
        """The method's name as one part of a path: an import path has colons."""
        return self.method.replace(":", "-").replace("/", "-")

    def _teachers(self) -> tuple[str, ...]:
        """The teacher's network; of several their number and kind: `4xresnet18`."""
        names = [teacher.network for teacher in self.teachers]
        if len(names) < 2:
            return tuple(names)
        return (f"{len(names)}x{names[0].partition('-')[0]}",)

    @property
    def name(self) -> str:
        """Short form for messages: what it is, without the digest."""
        return self.key.rsplit("-", 1)[0]

    def as_json(self) -> dict[str, Any]:
        """The fields as JSON values, with the key of this run and of every teacher beside them."""
        plain = asdict(self)
        plain["options"] = dict(self.options)
        plain["teachers"] = [teacher.as_json() for teacher in self.teachers]
        return {**plain, "key": self.key, "training_version": TRAINING_VERSION}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> RunSpec:
        """The run that `as_json` told of.

        Raises:
            ValueError: another version of this program told it: fields or the key differ.
        """
        told = {name: value for name, value in content.items() if name not in _BESIDE}
        try:
            recipe = dict(told["recipe"])
            spec = cls(
                **told
                | {
                    "teachers": tuple(cls.from_json(teacher) for teacher in told["teachers"]),
                    "recipe": Recipe(**recipe | {"milestones": tuple(recipe["milestones"])}),
                    "options": tuple(sorted(told["options"].items())),
                }
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"its fields are not those of this version ({error})") from error
        if spec.key != content.get("key"):
            raise ValueError(f"this version would call it {spec.key}")
        return spec
