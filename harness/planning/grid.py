"""From names and settings to runs: a grid is a plain list of cohorts, teachers first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch

from harness.core.errors import UsageError, nearest
from harness.models import NETWORKS, TEAMS
from harness.planning.overrides import Settings
from harness.plugins.digest import method_digest
from harness.plugins.lookup import by_section, full_name, known_methods, method_class
from harness.runs.spec import Recipe, RunSpec
from methods import EXTRAS, METHODS


@dataclass(frozen=True, slots=True)
class Request:
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


def choose(
    asked: Iterable[str], known: Sequence[str], everything: Sequence[str], what: str
) -> list[str]:
    """Names from a list that may hold `all` and globs; commas and spaces both separate.

    Raises:
        UsageError: a name or glob fits nothing.
    """
    chosen: list[str] = []
    for word in (word for text in asked for word in text.replace(",", " ").split()):
        found = list(everything) if word == "all" else [k for k in known if fnmatch(k, word)]
        if not found:
            raise UsageError(f"No {what} is called {word!r}.{nearest(word, [*known, 'all'])}")
        chosen += found
    return list(dict.fromkeys(chosen))


def method_names(asked: Iterable[str], excluded: Iterable[str] = ()) -> tuple[str, ...]:
    """The methods that are meant, in the order asked, without the excluded ones."""
    known = known_methods()
    left_out = choose(excluded, known, [*METHODS], "method")
    words = [word for text in asked for word in text.replace(",", " ").split()]
    outside = [word for word in words if ":" in word]  # classes by their import path
    chosen = choose(words, [*known, *outside], [*METHODS], "method")
    names = [full_name(name) for name in chosen if name not in left_out]
    by_section(names)  # imports them and finds clashes
    return tuple(dict.fromkeys(names))


def network_name(name: str) -> str:
    """`name`, if it is a network's.

    Raises:
        UsageError: it is not.
    """
    if name not in NETWORKS:
        raise UsageError(f"No network is called {name!r}.{nearest(name, NETWORKS)}")
    return name


def _require_logits_suffice(methods: Iterable[str], team: str) -> None:
    """Check that no method wants the features of a teacher of several networks.

    Raises:
        UsageError: one does.
    """
    everything = (METHODS | EXTRAS).items()
    fit = [name for name, kind in everything if kind.paper and not kind.needs_features]
    for name in methods:
        if method_class(name).needs_features:
            raise UsageError(
                f"{name} needs the teacher's maps or features, but the teacher {team} is several "
                f"networks joined by their logits. Methods for such a teacher: {', '.join(fit)}."
            )


def teacher_names(name: str) -> tuple[str, ...]:
    """The networks that make the teacher called `name`: one, or a team's members.

    Raises:
        UsageError: neither network nor team is called so.
    """
    if name not in NETWORKS and name not in TEAMS:
        known = [*NETWORKS, *TEAMS]
        raise UsageError(f"No network is called {name!r}.{nearest(name, known)}")
    return TEAMS.get(name, (name,))


def runs(
    request: Request, settings: Settings, fingerprint: str, weights: Mapping[str, str]
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
            source=method_digest(method_class(method)),
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


def cohorts(specs: Sequence[RunSpec], pack: int) -> list[tuple[RunSpec, ...]]:
    """Group runs that may share one data stream and one teacher, `pack` at most; teachers first."""
    taught = {teacher for spec in specs for teacher in spec.teachers}
    levels = [[s for s in specs if s in taught], [s for s in specs if s not in taught]]
    result = []
    for level in levels:
        groups: dict[tuple[_Stream, tuple[RunSpec, ...]], list[RunSpec]] = {}
        for spec in level:
            groups.setdefault((_stream(spec), spec.teachers), []).append(spec)
        for (stream, teachers), group in list(groups.items()):
            company = [home for home in groups if home[0] == stream and home[1]]
            if not teachers and company:  # a run without a teacher joins any company
                groups[company[0]] = group + groups[company[0]]
                del groups[stream, teachers]
        for group in groups.values():
            result += [tuple(group[at : at + pack]) for at in range(0, len(group), pack)]
    return result


_Stream = tuple[str, str, int, Recipe, str, int]


def _stream(spec: RunSpec) -> _Stream:
    """What runs must have in common to see the same batches on the same device."""
    return (spec.dataset, spec.fingerprint, spec.seed, spec.recipe, spec.device, spec.threads)
