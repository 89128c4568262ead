"""Resolve the names in a request: methods, networks, heads, datasets, seeds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatch

from harness.core.errors import ErrorCollector, UsageError, did_you_mean
from harness.core.name_lists import split_names
from harness.models import ENSEMBLES, NETWORKS
from harness.planning.request import (
    BASELINE,
    ResolvedMethod,
    ResolvedRequest,
    RunRequest,
)
from harness.planning.schema import StudyFile
from harness.planning.teacher_run import find_teacher_runs
from harness.planning.values import MAX_SEED, shorten
from harness.plugins.digest import described_digest
from harness.plugins.lookup import (
    canonical_name,
    describe_method,
    describe_origin,
    is_trusted,
    known_methods,
    option_sections,
    trust_methods,
)
from harness.runs.spec import HEADS, RunSpec
from methods import EXTRA_METHODS, METHODS

DEFAULT_TEACHER, DEFAULT_STUDENT, DEFAULT_HEAD = "resnet101", "resnet18", "bnneck"
LARGEST = f" The largest seed is {MAX_SEED}."
SAME_SEED = "same"  # --teacher-seed: the seed of each student
_BASELINE = describe_method(BASELINE)
BASELINE_METHOD = ResolvedMethod(BASELINE, _BASELINE, described_digest(_BASELINE))


def resolve_request(
    request: RunRequest, study: StudyFile, errors: ErrorCollector
) -> ResolvedRequest:
    """Resolve all names of a request except those of datasets and devices, which plans add.

    Args:
        request: As typed.
        study: Values for what the request does not state.
        errors: Receives a UsageError for each part that cannot be resolved, which is left empty.
    """
    methods: tuple[ResolvedMethod, ...] = ()
    teacher_runs: tuple[RunSpec, ...] = ()
    teachers: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    student, head, teacher_seed = "", "", None
    teacher = request.teacher or study.teacher or DEFAULT_TEACHER
    with errors.collect():
        methods = resolve_methods(
            list(request.methods) or study.methods or ["all"], request.exclude
        )
    with errors.collect():
        teacher_runs = find_teacher_runs(request)
    with errors.collect():
        teachers = tuple(run.network for run in teacher_runs) or teacher_networks(teacher)
    with errors.collect():
        student = require_network(request.student or study.student or DEFAULT_STUDENT)
    with errors.collect():
        head = require_head(request.head or study.head or DEFAULT_HEAD)
    with errors.collect():
        seeds = tuple(study.seeds or (0,)) if request.seeds is None else _parse_seeds(request.seeds)
    with errors.collect():
        given_seed = request.teacher_seed
        teacher_seed = 0 if given_seed is None else _parse_teacher_seed(given_seed)
    resolved = ResolvedRequest(
        dataset="",
        methods=methods,
        teachers=teachers,
        student=student,
        head=head,
        seeds=tuple(dict.fromkeys(seeds)),
        teacher_seed=teacher_seed,
        teacher_runs=teacher_runs,
    )
    with errors.collect():
        _require_features(resolved, ", ".join(run.key for run in teacher_runs) or teacher)
    return resolved


def resolve_methods(
    names: Iterable[str], excluded: Iterable[str] = ()
) -> tuple[ResolvedMethod, ...]:
    """Look up methods that the user names, on the command line or in a study.

    Args:
        names: Names, globs, import paths of classes or `all`; commas and spaces both separate.
        excluded: Names or globs of methods to omit.

    Returns:
        The methods in the order of their names, each once.

    Raises:
        UsageError: Some names fit no method, or two methods share the section of their options.
    """
    errors = ErrorCollector()
    known = known_methods()
    words = split_names(names)
    paths = [word for word in words if ":" in word]
    omitted: list[str] = []
    chosen: list[str] = []
    with errors.collect():
        omitted = expand_names(excluded, known, [*METHODS], "method")
    with errors.collect():
        chosen = expand_names(words, [*known, *paths], [*METHODS], "method")
    methods: dict[str, ResolvedMethod] = {}
    for name in (canonical_name(name) for name in chosen if name not in omitted):
        with errors.collect():
            about = describe_method(name)
            trust_methods([name])
            methods[name] = ResolvedMethod(name, about, described_digest(about, name))
    with errors.collect():
        option_sections({name: method.about for name, method in methods.items()})
    errors.raise_if_any()
    return tuple(methods.values())


def resolve_recorded_methods(names: Iterable[str]) -> tuple[ResolvedMethod, ...]:
    """Look up methods that files name, as `resolve_methods` does for those that the user names.

    Raises:
        UsageError: A method is of another origin and the user did not name it, so that its code is
            not imported; or as `resolve_methods`.
    """
    chosen = list(names)
    foreign = [name for name in chosen if not is_trusted(name)]
    if foreign:
        raise UsageError(*map(describe_origin, foreign))
    return resolve_methods(chosen)


def expand_names(
    request: Iterable[str], known: Sequence[str], everything: Sequence[str], what: str
) -> list[str]:
    """Expand globs and `all` in a list of names; return each name once.

    Args:
        request: Words; commas and spaces both separate.
        known: Names that are allowed and that globs may match.
        everything: The names that `all` means.
        what: The kind of thing that is named, for the error message.

    Raises:
        UsageError: Some words fit no name.
    """
    names: list[str] = []
    problems: list[str] = []
    for word in split_names(request):
        fitting = list(everything) if word == "all" else [k for k in known if fnmatch(k, word)]
        names += fitting
        if not fitting:
            hint = did_you_mean(word, [*known, "all"])
            problems.append(f"No {what} is called {word!r}.{hint}")
    if problems:
        raise UsageError(*problems)
    return list(dict.fromkeys(names))


def require_network(name: str) -> str:
    """Return `name` if a network has it.

    Raises:
        UsageError: No network is called so.
    """
    if name not in NETWORKS:
        raise UsageError(f"No network is called {name!r}.{did_you_mean(name, NETWORKS)}")
    return name


def teacher_networks(name: str) -> tuple[str, ...]:
    """Return the networks of the teacher called `name`: one, or those of an ensemble.

    Raises:
        UsageError: Neither a network nor an ensemble is called so.
    """
    if name not in NETWORKS and name not in ENSEMBLES:
        known = [*NETWORKS, *ENSEMBLES]
        raise UsageError(f"No network is called {name!r}.{did_you_mean(name, known)}")
    return ENSEMBLES.get(name, (name,))


def _require_features(request: ResolvedRequest, teacher: str) -> None:
    """Check that no method needs features of an ensemble, which offers only logits.

    Raises:
        UsageError: Some methods do.
    """
    demanding = [m.name for m in request.distilled if m.about.needs_features]
    if len(request.teachers) < 2 or not demanding:
        return
    built_in = (METHODS | EXTRA_METHODS).descriptions().items()
    allowed = [name for name, one in built_in if one.is_published and not one.needs_features]
    raise UsageError(
        f"The teacher {teacher} is several networks joined by their logits, but maps or features "
        f"of the teacher are needed by {', '.join(demanding)}. Methods for such a teacher: "
        f"{', '.join(allowed)}."
    )


def require_head(name: str) -> str:
    """Return `name` if a head has it.

    Raises:
        UsageError: No head is called so.
    """
    if name not in HEADS:
        raise UsageError(f"No head is called {name!r}.{did_you_mean(name, HEADS)}")
    return name


def _parse_seeds(text: str) -> tuple[int, ...]:
    words = split_names([text])
    seeds = tuple(map(_parse_seed, words))
    if not words or None in seeds:
        raise UsageError(
            f"--seeds takes whole numbers such as 0,1,2; given {shorten(text)}.{LARGEST}"
        )
    return tuple(seed for seed in seeds if seed is not None)


def _parse_teacher_seed(text: str) -> int | None:
    if text == SAME_SEED:
        return None
    seed = _parse_seed(text)
    if seed is None:
        raise UsageError(
            f"--teacher-seed takes a whole number or `same`; given {shorten(text)}.{LARGEST}"
        )
    return seed


def _parse_seed(word: str) -> int | None:
    """Return the seed that a word is; None if it is not one, in digits of any other script too."""
    if not re.fullmatch(r"[0-9]{1,19}", word) or int(word) > MAX_SEED:
        return None
    return int(word)
