"""Find options of the command line that nothing in a plan uses, so that none is ignored in silence.

An option that describes something that is not planned is refused. A setting that only has no effect
together with others is noted: it is part of the runs' keys nevertheless.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from harness.core.errors import UsageError
from harness.core.override import Override, parse_override
from harness.models import NETWORKS
from harness.planning.datasets import SYNTHETIC
from harness.planning.overrides import DATA, RECIPE, TEACHER_RECIPE, ResolvedSettings
from harness.planning.request import ResolvedRequest, RunRequest
from harness.planning.schema import DatasetFile, field_aliases
from harness.runs.spec import Recipe
from methods import EXTRA_METHODS, METHODS

# Fields of a recipe that are not read where another field has a value.
_UNREAD: tuple[tuple[str, object, tuple[str, ...]], ...] = (
    ("sampling", "identities", ("batch",)),
    ("sampling", "images", ("identities", "images_each")),
    ("schedule", "cosine", ("milestones", "decay")),
    ("schedule", "steps", ("hold_until", "final_lr")),
    ("triplet_weight", 0, ("margin",)),
)
_OF_TORCHVISION = ("last_stride", "stem")  # fields that other networks do not have


def require_used_options(
    request: RunRequest, resolved: ResolvedRequest, files: Mapping[str, DatasetFile]
) -> None:
    """Check that every option describes something that is planned.

    Args:
        request: As typed, with values that can be parsed.
        resolved: The request with its names resolved.
        files: Files of the requested datasets.

    Raises:
        UsageError: Some options do not.
    """
    overrides = [parse_override(text) for text in request.overrides]
    problems = list(_unused_sections(request, resolved, overrides, files))
    if resolved.methods and not resolved.distilled:
        given = {
            "--teacher": request.teacher,
            "--teacher-seed": request.teacher_seed,
            "--teacher-run": request.teacher_run,
        }
        names = [name for name, value in given.items() if value]
        names += [_text(one) for one in overrides if one.section == TEACHER_RECIPE]
        if names:
            problems.append(
                f"{', '.join(names)}: no planned run has a teacher, since --methods names none "
                f"that needs one. Leave {'it' if len(names) == 1 else 'them'} out, or add a method."
            )
    precisions = [one for one in overrides if (one.section, one.name) == (RECIPE, "precision")]
    if request.precision and any(one.value != request.precision for one in precisions):
        problems.append(
            f"--precision {request.precision} and {_text(precisions[-1])} are one setting. Give "
            "one of them."
        )
    if problems:
        raise UsageError(*problems)


def _unused_sections(
    request: RunRequest,
    resolved: ResolvedRequest,
    overrides: Iterable[Override],
    files: Mapping[str, DatasetFile],
) -> Iterator[str]:
    """Yield a sentence for each setting of a method or of images that are not planned."""
    planned = {method.section for method in resolved.methods}
    known = METHODS | EXTRA_METHODS
    generated = [name for name, file in files.items() if file.loader == SYNTHETIC]
    for one in overrides:
        if planned and one.section in known and one.section not in planned:
            yield (
                f"{_text(one)}: {one.section} is not planned. Add it to --methods, or leave the "
                "setting out."
            )
        elif one.section == DATA and files and not generated:
            yield (
                f"{_text(one)} describes generated images, but {', '.join(files)} is not "
                "generated. Leave it out, or use --dataset synthetic."
            )
        elif one.section == DATA and request.data_root is not None and generated:
            yield (
                f"{_text(one)} describes images to generate, but --data-root names images that "
                "are there. Give one of the two."
            )


def _text(override: Override) -> str:
    return f"--set {override.section}.{override.name}={override.value}"


def describe_unread_settings(
    overrides: Iterable[str], resolved: ResolvedRequest, settings: ResolvedSettings
) -> Iterator[str]:
    """Yield a note for each setting of a recipe that no planned run reads.

    Args:
        overrides: Settings of the command line.
        resolved: The request on one dataset.
        settings: Its settings.
    """
    networks: dict[str, list[str]] = {RECIPE: [resolved.student]}
    recipes: dict[str, list[Recipe]] = {RECIPE: [settings.recipe]}
    if resolved.distilled and not resolved.teacher_runs:
        networks[RECIPE] += networks.setdefault(TEACHER_RECIPE, [*resolved.teachers])
        recipes[RECIPE] += recipes.setdefault(TEACHER_RECIPE, [settings.teacher_recipe])
    aliases = field_aliases(Recipe)
    for text in overrides:
        one = parse_override(text)
        name = aliases.get(one.name, one.name)
        if one.section not in recipes:
            continue
        reasons = [_reason_unread(name, recipe) for recipe in recipes[one.section]]
        if all(reasons):
            yield f"{_text(one)} has no effect with {reasons[0]}"
        elif name == "distillation_batches" and (
            one.section == TEACHER_RECIPE or not resolved.distilled
        ):
            yield f"{_text(one)} has no effect on runs without a teacher"
        elif name in _OF_TORCHVISION:
            known = [NETWORKS[network] for network in networks[one.section] if network in NETWORKS]
            if known and not any(entry.is_adjustable for entry in known):
                names = ", ".join(networks[one.section])
                yield f"{_text(one)} has no effect on {names}: it is for ResNets and DenseNets"


def _reason_unread(name: str, recipe: Recipe) -> str:
    """Return the setting with which a recipe does not read a field; empty if it reads it."""
    for field, value, unread in _UNREAD:
        if name in unread and getattr(recipe, field) == value:
            return f"{RECIPE}.{field}={value}"
    return ""
