"""Methods by name, whose files are imported when their classes are needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import TYPE_CHECKING

from methods.description import MethodDescription, describe_class, describe_file

if TYPE_CHECKING:
    from methods.base import Method


class Registry(MutableMapping[str, "type[Method]"]):
    """Classes of methods by name; a class is imported when it is looked up.

    Args:
        classes: Names of the classes by the names of the methods. A method called `x` is in
            `methods/x.py`.
    """

    def __init__(self, classes: Mapping[str, str | type[Method]]) -> None:
        self._classes = dict(classes)

    def __getitem__(self, name: str) -> type[Method]:
        entry = self._classes[name]
        if not isinstance(entry, str):
            return entry
        kind: type[Method] = getattr(import_module(f"{__package__}.{name}"), entry)
        return kind

    def __setitem__(self, name: str, kind: type[Method]) -> None:
        self._classes[name] = kind

    def __delitem__(self, name: str) -> None:
        del self._classes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._classes)

    def __len__(self) -> int:
        return len(self._classes)

    def __contains__(self, name: object) -> bool:
        return name in self._classes

    def __or__(self, other: Registry) -> Registry:
        return Registry(self._classes | other._classes)

    def describe(self, name: str) -> MethodDescription:
        """Describe a method, if possible without importing it.

        Raises:
            KeyError: No method has this name.
        """
        entry = self._classes[name]
        return describe_file(name, entry) if isinstance(entry, str) else describe_class(entry)

    def descriptions(self) -> dict[str, MethodDescription]:
        """Return the descriptions of all methods by name."""
        return {name: self.describe(name) for name in self}
