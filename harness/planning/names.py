"""Resolve the names of methods and networks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatch

from harness.core.errors import UsageError, did_you_mean
from harness.models import ENSEMBLES, NETWORKS
from harness.plugins.lookup import canonical_name, known_methods, option_sections, resolve_method
from methods import EXTRAS, METHODS


def expand_names(
    request: Iterable[str], known: Sequence[str], everything: Sequence[str], what: str
) -> list[str]:
    """Names from a list that may hold `all` and globs; commas and spaces both separate.

    Raises:
        UsageError: a name or glob fits nothing.
    """
    chosen: list[str] = []
    for word in (word for text in request for word in text.replace(",", " ").split()):
        found = list(everything) if word == "all" else [k for k in known if fnmatch(k, word)]
        if not found:
            raise UsageError(f"No {what} is called {word!r}.{did_you_mean(word, [*known, 'all'])}")
        chosen += found
    return list(dict.fromkeys(chosen))


def method_names(request: Iterable[str], excluded: Iterable[str] = ()) -> tuple[str, ...]:
    """The methods that are meant, in the order asked, without the excluded ones."""
    known = known_methods()
    left_out = expand_names(excluded, known, [*METHODS], "method")
    words = [word for text in request for word in text.replace(",", " ").split()]
    outside = [word for word in words if ":" in word]  # classes by their import path
    chosen = expand_names(words, [*known, *outside], [*METHODS], "method")
    names = [canonical_name(name) for name in chosen if name not in left_out]
    option_sections(names)  # imports them and finds clashes
    return tuple(dict.fromkeys(names))


def network_name(name: str) -> str:
    """`name`, if it is a network's.

    Raises:
        UsageError: it is not.
    """
    if name not in NETWORKS:
        raise UsageError(f"No network is called {name!r}.{did_you_mean(name, NETWORKS)}")
    return name


def _require_logits_suffice(methods: Iterable[str], team: str) -> None:
    """Check that no method wants the features of a teacher of several networks.

    Raises:
        UsageError: one does.
    """
    everything = (METHODS | EXTRAS).items()
    fit = [name for name, kind in everything if kind.paper and not kind.needs_features]
    for name in methods:
        if resolve_method(name).needs_features:
            raise UsageError(
                f"{name} needs the teacher's maps or features, but the teacher {team} is several "
                f"networks joined by their logits. Methods for such a teacher: {', '.join(fit)}."
            )


def teacher_names(name: str) -> tuple[str, ...]:
    """The networks that make the teacher called `name`: one, or a team's members.

    Raises:
        UsageError: neither network nor team is called so.
    """
    if name not in NETWORKS and name not in ENSEMBLES:
        known = [*NETWORKS, *ENSEMBLES]
        raise UsageError(f"No network is called {name!r}.{did_you_mean(name, known)}")
    return ENSEMBLES.get(name, (name,))
