"""Specification of a run: everything that changes its numbers, and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from harness.core.fields import documented_field
from harness.runs.number_rules import number_rules

TRAINING_VERSION = 1  # to be raised with a change of the code that moves trained numbers
SCORING_VERSION = 1  # to be raised with one that moves scores of the same weights: re-scores only

PRECISIONS = ("fp32", "bf16", "fp16")
HEADS = ("bnneck", "fc256", "classblock")
OWN_HEAD = "own"  # in place of one of them, of a network that brings its head

Option = float | int | str | bool

_DERIVED = ("key", "training_version")  # entries that `RunSpec.as_json` adds to the fields

_WORDS: dict[str, tuple[str | int, ...]] = {
    "pretrained": ("imagenet", "none"),
    "precision": PRECISIONS,
    "schedule": ("cosine", "steps"),
    "sampling": ("identities", "images"),
    "last_stride": (1, 2),
    "stem": ("3x3", "2x2"),
    "distillation_batches": ("shared", "separate"),
    "erase_value": ("zero", "imagenet-mean"),
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """Training recipe of a network; one per dataset, shared by all methods.

    The defaults are PDRD's for person datasets (section 4.2). Times are in epochs, sizes in pixels.

    Raises:
        ValueError: Fields have values that are not allowed; the message names all of them.
    """

    epochs: int = documented_field(150, "Length of the training", "epochs")
    warmup_epochs: float = documented_field(
        10, "Length of the linear warm-up of the learning rate", "epochs"
    )
    hold_until: float = documented_field(
        60,
        "End of the constant learning rate; with schedule: cosine the decay starts here",
        "epochs",
        aliases=("decay_start_epoch",),
    )
    lr: float = documented_field(2e-2, "Learning rate after the warm-up")
    warmup_factor: float = documented_field(0.1, "Share of lr at which the warm-up starts")
    final_lr: float = documented_field(
        1e-7, "Learning rate at the end of the cosine", aliases=("min_lr", "eta_min")
    )
    momentum: float = documented_field(0.9, "Momentum of SGD")
    weight_decay: float = documented_field(5e-4, "Weight decay (L2 penalty) of SGD")
    identities: int = documented_field(
        16, "P: identities in a batch, with sampling: identities", aliases=("num_identities",)
    )
    images_each: int = documented_field(
        6, "K: images of each identity in a batch", aliases=("num_instances",)
    )
    height: int = documented_field(256, "Height of the network's input", "pixels")
    width: int = documented_field(128, "Width of the network's input", "pixels")
    label_smoothing: float = documented_field(
        0.1, "Label smoothing of the cross-entropy, from 0 to 1"
    )
    margin: float = documented_field(0.3, "Margin of the triplet loss", aliases=("triplet_margin",))
    triplet_weight: float = documented_field(1.0, "Weight of the triplet loss; 0 trains without it")
    flip: float = documented_field(0.5, "Probability of a horizontal flip", aliases=("flip_prob",))
    pad: int = documented_field(
        10, "Black border added on each side before the random crop", "pixels", aliases=("padding",)
    )
    erase: float = documented_field(
        0.5, "Probability of random erasing", aliases=("random_erasing_prob",)
    )
    pretrained: str = documented_field(
        "imagenet", "Initial weights: imagenet, or none for random ones"
    )
    precision: str = documented_field(
        "fp32", "Arithmetic of the network: fp32, or bf16 or fp16 autocast"
    )
    schedule: str = documented_field(
        "cosine",
        "Decay of the learning rate: cosine from hold_until, or steps at milestones",
        values={"multistep": "steps"},
    )
    milestones: tuple[float, ...] = documented_field(
        (), "Times at which schedule: steps multiplies the learning rate by decay", "epochs"
    )
    decay: float = documented_field(
        0.1, "Factor of the learning rate at each milestone", aliases=("gamma",)
    )
    sampling: str = documented_field(
        "identities",
        "Batches: identities (P x K), or images (batch images drawn at random)",
        values={"shuffle": "images"},
    )
    batch: int = documented_field(
        256, "Images in a batch, with sampling: images", aliases=("batch_size",)
    )
    last_stride: int = documented_field(
        1, "Stride of a ResNet's or DenseNet's last stage; 2 as published"
    )
    stem: str = documented_field(
        "3x3",
        "Max pooling of a ResNet's or DenseNet's stem: 3x3, or 2x2 as in the later code of PDRD's "
        "authors",
    )
    distillation_batches: str = documented_field(
        "shared", "Batches of the methods' losses: shared, or separate for a second stream"
    )

    erase_value: str = documented_field(
        "zero",
        "Normalised value of an erased box: zero, the mean colour, or imagenet-mean (0.485, 0.456, "
        "0.406) as in the later code of PDRD's authors",
    )

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the network's input."""
        return self.height, self.width

    def __post_init__(self) -> None:
        problems = [
            f"recipe.{name} is {getattr(self, name)}; it must be {allowed}."
            for name, is_met, allowed in self._rules()
            if not is_met
        ]
        if problems:
            raise ValueError(" ".join(problems))

    def _rules(self) -> Iterator[tuple[str, bool, str]]:
        """Yield a field, whether its value is allowed, and what is allowed, for each rule."""
        positive = ("epochs", "lr", "identities", "images_each", "height", "width", "batch")
        for name in positive:
            yield name, getattr(self, name) > 0, "above 0"
        yield from number_rules(asdict(self))
        for name in ("flip", "erase", "label_smoothing"):
            yield name, 0 <= getattr(self, name) <= 1, "between 0 and 1"
        not_negative = ("warmup_epochs", "final_lr", "momentum", "weight_decay", "pad", "margin")
        for name in (*not_negative, "triplet_weight", "warmup_factor", "decay"):
            yield name, getattr(self, name) >= 0, "0 or more"
        if self.schedule == "cosine":
            fits = self.warmup_epochs <= self.hold_until < self.epochs
            bounds = (
                f"warmup_epochs ({self.warmup_epochs:g}) or more and below epochs ({self.epochs})"
            )
            yield "hold_until", fits, bounds
        for name, choices in _WORDS.items():
            yield name, getattr(self, name) in choices, " or ".join(map(str, choices))
        is_rising = list(self.milestones) == sorted(self.milestones)
        yield "milestones", is_rising, "epochs in rising order"
        if self.sampling == "images":
            yield "triplet_weight", self.triplet_weight == 0, "0 with sampling: images"
        elif self.triplet_weight:
            has_pairs = self.identities > 1 and self.images_each > 1
            yield "images_each", has_pairs, "2 or more (and identities too) with a triplet loss"


# Fields of recipes that 0.2.0 did not know, with their defaults, at which they are left out of keys
# and JSON, as an empty architecture is: so its runs keep their keys.
_LATER_FIELDS = {f.name: f.default for f in fields(Recipe) if f.name in ("erase_value",)}


def _plain_values(spec: RunSpec) -> dict[str, Any]:
    """Return all fields as plain values, without the later ones that have their default."""
    plain = asdict(spec)
    _leave_out_defaults(plain)
    return plain


def _leave_out_defaults(run: dict[str, Any]) -> None:
    if not run["architecture"]:
        del run["architecture"]
    for name, default in _LATER_FIELDS.items():
        if run["recipe"][name] == default:
            del run["recipe"][name]
    for teacher in run["teachers"]:
        _leave_out_defaults(teacher)


@dataclass(frozen=True, slots=True)
class RunSpec:
    """Specification of one training of one network.

    A teacher is itself a run, so that its specification is part of its students' keys.

    Attributes:
        dataset: Name of the dataset.
        method: Name of the method, or `module:Class`; `none` without a teacher.
        network: Name of the trained network.
        teachers: The teacher; several runs for an ensemble, none for a teacher or a plain student.
        seed: Seed of initial weights, batches and augmentation.
        recipe: How the network is trained.
        options: Options of the method that differ from their defaults, sorted by name.
        head: Head of the network, one of `HEADS`.
        fingerprint: Digest of the dataset's files and labels.
        weights: Digest of the initial weights; `none` for random ones.
        source: Digest of the method's syntax tree.
        device: Type of the device: `cpu` or `cuda`.
        threads: Torch's threads of a run on the CPU, whose numbers depend on them; else 0.
        architecture: Digest of the network's code if it does not compute any more what it did in
            the first version; empty otherwise, and then no part of the key and of files.
    """

    dataset: str
    method: str
    network: str
    teachers: tuple[RunSpec, ...]
    seed: int
    recipe: Recipe
    options: tuple[tuple[str, Option], ...] = ()
    head: str = "bnneck"
    fingerprint: str = ""
    weights: str = "none"
    source: str = ""
    device: str = "cpu"
    threads: int = 0
    architecture: str = ""

    @property
    def key(self) -> str:
        """Folder of the run below the runs folder: readable parts, then a digest of every field."""
        content: list[Any] = [TRAINING_VERSION, _plain_values(self)]
        if self.teacher_size is not None:  # 0.2.0 showed such a teacher images of another size
            content.append("images at the teacher's size")
        digest = hashlib.sha256(
            json.dumps(content, sort_keys=True, allow_nan=False).encode()
        ).hexdigest()[:8]
        pair = "-".join((*self._teacher_names(), self.network))
        return f"{self.dataset}/{self.method_folder}/{pair}/seed{self.seed}-{digest}"

    @property
    def teacher_size(self) -> tuple[int, int] | None:
        """Height and width of the teacher's input if they are not those of the student's."""
        sizes = [teacher.recipe.size for teacher in self.teachers]
        return next((size for size in sizes if size != self.recipe.size), None)

    @property
    def method_folder(self) -> str:
        """Name of the method as one part of a path: an import path contains colons."""
        return self.method.replace(":", "-").replace("/", "-")

    def _teacher_names(self) -> tuple[str, ...]:
        """Return the teacher's network; of an ensemble the number and kind: `4xresnet18`."""
        names = [teacher.network for teacher in self.teachers]
        if len(names) < 2:
            return tuple(names)
        return (f"{len(names)}x{names[0].partition('-')[0]}",)

    @property
    def name(self) -> str:
        """Key without its digest, for messages."""
        return self.key.rsplit("-", 1)[0]

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON values, with the key of this run and of every teacher."""
        plain = _plain_values(self)
        plain["options"] = dict(self.options)
        plain["teachers"] = [teacher.as_json() for teacher in self.teachers]
        return {**plain, "key": self.key, "training_version": TRAINING_VERSION}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> RunSpec:
        """Return the run that `as_json` described.

        Raises:
            ValueError: Another version of this program wrote it, so that fields or the key differ.
        """
        values = {name: value for name, value in content.items() if name not in _DERIVED}
        try:
            recipe = dict(values["recipe"])
            values["recipe"] = Recipe(**recipe | {"milestones": tuple(recipe["milestones"])})
            values["teachers"] = tuple(cls.from_json(teacher) for teacher in values["teachers"])
            values["options"] = tuple(sorted(values["options"].items()))
            spec = cls(**values)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"its fields are not those of this version ({error})") from error
        if spec.key != content.get("key"):
            raise ValueError(f"its key in this version is {spec.key}")
        return spec
