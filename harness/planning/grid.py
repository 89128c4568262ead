"""From names and settings to runs: a grid is a plain list of cohorts, teachers first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.models import NETWORKS
from harness.planning.names import _require_logits_suffice, teacher_names
from harness.planning.overrides import ResolvedSettings
from harness.plugins.digest import method_digest
from harness.plugins.lookup import resolve_method
from harness.runs.spec import Recipe, RunSpec


@dataclass(frozen=True, slots=True)
class ResolvedRequest:
    """What the user asked for, on one dataset, with every name already checked."""

    dataset: str
    methods: tuple[str, ...]
    teacher: str
    student: str
    seeds: tuple[int, ...]
    head: str
    device: str
    threads: int
    teacher_seed: str = "0"  # or "same": a teacher for every student seed


def expand_runs(
    request: ResolvedRequest,
    settings: ResolvedSettings,
    fingerprint: str,
    weights: Mapping[str, str],
) -> list[RunSpec]:
    """Every run that the request needs: teachers, plain students, distilled students.

    `weights` gives the digest of each network's initial weights; networks from scratch are absent.
    """

    def spec(method: str, network: str, seed: int, recipe: Recipe, *teachers: RunSpec) -> RunSpec:
        return RunSpec(
            dataset=request.dataset,
            method=method,
            network=network,
            teachers=teachers,
            seed=seed,
            recipe=recipe,
            options=tuple(sorted(settings.options.get(method, {}).items())),
            head="own" if NETWORKS[network].head else request.head,
            fingerprint=fingerprint,
            weights=weights.get(network, "none") if recipe.pretrained != "none" else "none",
            source=method_digest(resolve_method(method)),
            device=request.device,
            threads=request.threads,
        )

    wanted = []
    distilled = [name for name in request.methods if name != "none"]
    for seed in request.seeds:
        if distilled:
            teacher_seed = seed if request.teacher_seed == "same" else int(request.teacher_seed)
            teachers = [
                spec("none", network, teacher_seed, settings.teacher_recipe)
                for network in teacher_names(request.teacher)
            ]
            if len(teachers) > 1:
                _require_logits_suffice(distilled, request.teacher)
            wanted += teachers
        wanted.append(spec("none", request.student, seed, settings.recipe))
        wanted += [spec(m, request.student, seed, settings.recipe, *teachers) for m in distilled]
    return list(dict.fromkeys(wanted))


def pack_cohorts(specs: Sequence[RunSpec], pack: int) -> list[tuple[RunSpec, ...]]:
    """Group runs that may share one data stream and one teacher, `pack` at most; teachers first."""
    taught = {teacher for spec in specs for teacher in spec.teachers}
    levels = [[s for s in specs if s in taught], [s for s in specs if s not in taught]]
    result = []
    for level in levels:
        groups: dict[tuple[_Stream, tuple[RunSpec, ...]], list[RunSpec]] = {}
        for spec in level:
            groups.setdefault((_stream_key(spec), spec.teachers), []).append(spec)
        for (stream, teachers), group in list(groups.items()):
            company = [home for home in groups if home[0] == stream and home[1]]
            if not teachers and company:  # a run without a teacher joins any company
                groups[company[0]] = group + groups[company[0]]
                del groups[stream, teachers]
        for group in groups.values():
            result += [tuple(group[at : at + pack]) for at in range(0, len(group), pack)]
    return result


_Stream = tuple[str, str, int, Recipe, str, int]


def _stream_key(spec: RunSpec) -> _Stream:
    """What runs must have in common to see the same batches on the same device."""
    return (spec.dataset, spec.fingerprint, spec.seed, spec.recipe, spec.device, spec.threads)
