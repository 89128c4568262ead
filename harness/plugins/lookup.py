"""Methods by whatever a user may call them: registered here, in a package, or torchdistill's.

pdrd                        one of this project's
my_package.my_module:Mine   a class of yours, on the Python path or below the current folder
mine                        the same, if your package lists it in the group `kdreid.methods`
torchdistill:DISTLoss       a loss of torchdistill's, see harness/plugins/torchdistill.py
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from harness.core.errors import UsageError, did_you_mean
from methods import EXTRAS, METHODS, Method

GROUP = "kdreid.methods"


@cache
def resolve_method(name: str) -> type[Method]:
    """The class that `name` stands for.

    Raises:
        UsageError: nothing is called so, it cannot be imported, or it is no method.
    """
    registered = METHODS | EXTRAS
    if name in registered:
        return registered[name]
    if name.startswith("torchdistill:"):
        from harness.plugins.torchdistill import (
            load_torchdistill_method,  # imports torchdistill, which takes seconds
        )

        return load_torchdistill_method(name.partition(":")[2])
    if ":" in name:
        return _imported(name)
    raise UsageError(f"No method is called {name!r}.{did_you_mean(name, known_methods())}")


def canonical_name(name: str) -> str:
    """The name under which a run remembers its method: an entry point's becomes its class's."""
    return entry_point_methods().get(name, name)


def known_methods() -> list[str]:
    """Every method that has a name of its own, the installed ones last."""
    return [*METHODS, *EXTRAS, *entry_point_methods()]


def option_sections(names: Iterable[str]) -> dict[str, str]:
    """From the name that options are given under (`sp` in `--set sp.weight=1`) to the method.

    Raises:
        UsageError: two different methods want the same name.
    """
    sections = {name: name for name in (*METHODS, *EXTRAS)}
    for name in names:
        section = resolve_method(name).name
        if sections.setdefault(section, name) != name:
            raise UsageError(
                f"{name} and {sections[section]} are both named {section!r}. Give the class in "
                f"{name.partition(':')[0]} another `name`."
            )
    return sections


def entry_point_methods() -> dict[str, str]:
    """Methods that installed packages offer, by name."""
    found = {point.name: point.value for point in entry_points(group=GROUP)}
    return {name: value for name, value in found.items() if name not in METHODS | EXTRAS}


def _imported(name: str) -> type[Method]:
    module_name, _, attribute = name.partition(":")
    if (here := str(Path.cwd())) not in sys.path:  # as `python -m` has it and a script has not
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise UsageError(
            f"The method {name} cannot be imported ({type(error).__name__}: {error}). Its module "
            "must lie on the Python path or below the current folder."
        ) from error
    kind = getattr(module, attribute, None)
    if not (isinstance(kind, type) and issubclass(kind, Method)):
        offered = methods_in(module)
        raise UsageError(
            f"{module_name} has no method {attribute!r}.{did_you_mean(attribute, offered)}"
        )
    for wanted in ("name", "label", "paper"):
        if not hasattr(kind, wanted):
            raise UsageError(f"{name} lacks `{wanted}`: see the README on adding a method.")
    return kind


def methods_in(module: ModuleType) -> list[str]:
    """The names of the methods that a module defines itself."""
    return [
        name
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, Method)
        and value.__module__ == module.__name__
    ]
