"""One setting of the command line, SECTION.NAME=VALUE, and other names of settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from harness.core.errors import UsageError

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Override:
    """A setting given on the command line; its value is still text."""

    section: str
    name: str  # may contain dots
    value: str


def parse_override(text: str, option: str = "--set") -> Override:
    """Parse `SECTION.NAME=VALUE`.

    Args:
        text: As typed.
        option: The option that it was given with, for the error message.

    Raises:
        UsageError: A part is missing.
    """
    key, equals, value = text.partition("=")
    section, dot, name = key.strip().partition(".")
    if not (section and dot and name and equals):
        raise UsageError(
            f"{option} {text!r} is not SECTION.NAME=VALUE, as in recipe.epochs=60 or "
            "cluster.cpus=4."
        )
    return Override(section, name, value.strip())


def replace_aliases(values: Mapping[str, V], aliases: Mapping[str, str]) -> dict[str, V]:
    """Return settings under their proper names.

    Args:
        values: Values by name or alias.
        aliases: Proper names by alias.

    Raises:
        ValueError: A setting is given under two names.
    """
    spelled: dict[str, str] = {}
    for word in values:
        name = aliases.get(word, word)
        if name in spelled:
            raise ValueError(f"{spelled[name]} and {word} are one setting: give only one of them")
        spelled[name] = word
    return {name: values[word] for name, word in spelled.items()}
