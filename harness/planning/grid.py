"""Expand a resolved request into runs, and pack runs into cohorts, teachers first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.models import NETWORKS
from harness.models.architectures import architecture_digest
from harness.planning.names import BASELINE_METHOD
from harness.planning.overrides import ResolvedSettings
from harness.planning.request import ResolvedMethod, ResolvedRequest
from harness.runs.spec import OWN_HEAD, Recipe, RunSpec

_Stream = tuple[str, str, int, Recipe, str, int]


def expand_runs(
    request: ResolvedRequest,
    settings: ResolvedSettings,
    fingerprint: str,
    weights: Mapping[str, str],
) -> list[RunSpec]:
    """Return every run to plan: teachers unless they are named, plain and distilled students.

    Args:
        request: The request on one dataset.
        settings: Recipes and options on that dataset.
        fingerprint: Of the dataset.
        weights: Digests of the networks' initial weights; a network that starts from random
            weights is absent.
    """

    def make_spec(
        method: ResolvedMethod, network: str, seed: int, recipe: Recipe, *teachers: RunSpec
    ) -> RunSpec:
        return RunSpec(
            dataset=request.dataset,
            method=method.name,
            network=network,
            teachers=teachers,
            seed=seed,
            recipe=recipe,
            options=tuple(sorted(settings.options.get(method.section, {}).items())),
            head=OWN_HEAD if NETWORKS[network].head else request.head,
            fingerprint=fingerprint,
            weights=weights.get(network, "none") if recipe.pretrained != "none" else "none",
            source=method.digest,
            device=request.device,
            threads=request.threads,
            architecture=architecture_of(network, request.head, recipe),
        )

    runs: list[RunSpec] = []
    for seed in request.seeds:
        teacher_seed = seed if request.teacher_seed is None else request.teacher_seed
        teachers = request.teacher_runs or tuple(
            make_spec(BASELINE_METHOD, network, teacher_seed, settings.teacher_recipe)
            for network in request.teachers
        )
        teachers = teachers if request.distilled else ()
        runs += () if request.teacher_runs else teachers
        runs.append(make_spec(BASELINE_METHOD, request.student, seed, settings.recipe))
        runs += [
            make_spec(method, request.student, seed, settings.recipe, *teachers)
            for method in request.distilled
        ]
    return list(dict.fromkeys(runs))


def architecture_of(network: str, head: str, recipe: Recipe) -> str:
    """Return `RunSpec.architecture` of a network that the present code builds."""
    return architecture_digest(network, head, recipe.last_stride, recipe.stem)


def pack_cohorts(specs: Sequence[RunSpec], size: int) -> list[tuple[RunSpec, ...]]:
    """Group runs that can share one stream of batches and one teacher; teachers come first.

    Args:
        specs: The runs.
        size: Largest number of runs in a cohort.
    """
    teachers = {teacher for spec in specs for teacher in spec.teachers}
    levels = [[s for s in specs if s in teachers], [s for s in specs if s not in teachers]]
    cohorts = []
    for level in levels:
        groups: dict[tuple[_Stream, tuple[RunSpec, ...]], list[RunSpec]] = {}
        for spec in level:
            groups.setdefault((_stream_key(spec), spec.teachers), []).append(spec)
        for (stream, own_teachers), group in list(groups.items()):
            hosts = [key for key in groups if key[0] == stream and key[1]]
            if not own_teachers and hosts:  # a run without a teacher can join any group
                groups[hosts[0]] = group + groups[hosts[0]]
                del groups[stream, own_teachers]
        for group in groups.values():
            cohorts += [tuple(group[at : at + size]) for at in range(0, len(group), size)]
    return cohorts


def _stream_key(spec: RunSpec) -> _Stream:
    """Return what runs must have in common to see the same batches on the same device."""
    return (spec.dataset, spec.fingerprint, spec.seed, spec.recipe, spec.device, spec.threads)
