"""Check methods for a teacher whose images have another size than its students'.

Methods that compare pooled features, embeddings or logits are indifferent to it, and those that
compare maps may pool the larger one. The built-in methods do; others are tried on random outputs.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import lru_cache

import torch
from torch import Tensor

from harness.core.errors import UsageError
from harness.core.seeding import seeded_rng
from harness.models import build_network
from harness.planning.overrides import ResolvedSettings
from harness.planning.request import ResolvedMethod, ResolvedRequest
from harness.planning.schema import Options
from harness.runs.spec import Recipe
from methods import EXTRA_METHODS, METHODS, Outputs, Widths, create

IDENTITIES, IMAGES_EACH = 4, 2  # of the random batch
Size = tuple[int, int]


def require_methods_for_sizes(request: ResolvedRequest, settings: ResolvedSettings) -> None:
    """Check that every method can compare a student with a teacher of another input size.

    Args:
        request: The request on one dataset, with all names resolved.
        settings: Its recipes and options.

    Raises:
        UsageError: Some methods compare maps of equal size only.
    """
    ours, theirs = settings.recipe, settings.teacher_recipe
    tried = [method for method in request.distilled if method.name not in METHODS | EXTRA_METHODS]
    is_resolved = request.head and request.student and len(request.teachers) == 1
    if ours.size == theirs.size or not (tried and is_resolved):  # an ensemble has no maps
        return
    network, teacher = (request.student, request.head), (request.teachers[0], request.head)
    student = _outputs(*network, ours, ours.size)
    if student is None:
        return
    refused = [
        method.name
        for method in tried
        if _loss_is_defined(
            method, settings.options, student, _outputs(*teacher, theirs, ours.size)
        )
        and not _loss_is_defined(
            method, settings.options, student, _outputs(*teacher, theirs, theirs.size)
        )
    ]
    if refused:
        raise UsageError(
            f"{', '.join(refused)}: this method compares maps of equal size, but the teacher's "
            f"images are {_describe(theirs.size)} and the students' {_describe(ours.size)}. Leave "
            "out teacher_recipe.height and teacher_recipe.width, or bring the maps to one size "
            "with methods.relations.match_sizes, as the built-in methods do."
        )


def _describe(size: Size) -> str:
    return f"{size[0]}x{size[1]}"


@lru_cache
def _map_shapes(
    network: str, head: str, size: Size, last_stride: int, stem: str
) -> tuple[Widths, tuple[Size, ...]] | None:
    """Return the widths and the map sizes of a network for one image; None if it refuses it.

    The network is built on the meta device: nothing is computed.
    """
    with torch.device("meta"):
        model = build_network(network, head, IDENTITIES, last_stride=last_stride, stem=stem)
    with torch.no_grad():
        try:
            outputs = model.eval()(torch.zeros(1, 3, *size, device="meta"))
        except ValueError:  # directional pooling, of another size
            return None
    return model.widths, tuple((m.shape[2], m.shape[3]) for m in outputs.maps)


def _outputs(network: str, head: str, recipe: Recipe, size: Size) -> Outputs | None:
    """Return random outputs of a network for a batch of images of a size."""
    shapes = _map_shapes(network, head, size, recipe.last_stride, recipe.stem)
    if shapes is None:
        return None
    widths, sizes = shapes
    images = IDENTITIES * IMAGES_EACH
    with seeded_rng("outputs", network, *size):
        raw = [torch.randn(images, c, *s) for c, s in zip(widths.maps, sizes, strict=True)]
        maps = tuple(one.relu() for one in raw)
        embedding = torch.randn(images, widths.embedding)
        logits = torch.randn(images, widths.identities)
    return Outputs(maps, raw[-1], maps[-1].mean((2, 3)), embedding, logits)


def _loss_is_defined(
    method: ResolvedMethod,
    chosen: Mapping[str, Options],
    student: Outputs,
    teacher: Outputs | None,
) -> bool:
    """Return whether a method computes a finite loss without complaint."""
    if teacher is None:
        return False
    try:
        with warnings.catch_warnings(), seeded_rng("loss", method.name):
            warnings.simplefilter("error", UserWarning)  # torch's, if it broadcasts maps
            loss = create(
                method.about.load(),
                _widths(student),
                _widths(teacher),
                chosen.get(method.section, {}),
            )
            loss.prepare(lambda: [teacher], torch.Generator())
            value: Tensor = loss(student, teacher, _labels())
        return bool(value.isfinite().all())
    except Exception:  # whatever a user's code raises
        return False


def _widths(outputs: Outputs) -> Widths:
    return Widths(
        tuple(maps.shape[1] for maps in outputs.maps),
        outputs.embedding.shape[1],
        outputs.logits.shape[1],
    )


def _labels() -> Tensor:
    return torch.arange(IDENTITIES).repeat_interleave(IMAGES_EACH)
