"""Find methods by name: built in, from a user's module or package, or declared for torchdistill.

pdrd                        a built-in method
my_package.my_module:Mine   a class from the Python path or from below the current folder
mine                        a method that an installed package offers in the group `kdreid.methods`
torchdistill:DISTLoss       a loss of torchdistill, see harness/plugins/torchdistill.py

Files of runs contain such names, too. A name in a file is no request to run code: `is_trusted` says
whether the user, or a package that is installed, named the method as well.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from harness.core.errors import UsageError, did_you_mean
from harness.core.installation import PACKAGES, add_import_folder
from harness.core.text import printable
from methods import EXTRA_METHODS, METHODS, MethodDescription
from methods.description import describe_class

if TYPE_CHECKING:
    from methods import Method

GROUP = "kdreid.methods"  # entry points of packages that offer methods
TORCHDISTILL = "torchdistill:"  # how the names of torchdistill's losses begin
_named: set[str] = set()  # by the user of this process, on the command line or in a study


@cache
def resolve_method(name: str) -> type[Method]:
    """Return the class of a method.

    Args:
        name: In one of the forms that this module's docstring lists.

    Raises:
        UsageError: No method has this name, its module cannot be imported, or the class is not a
            method.
        SetupError: A package of this program is hidden by another of the same name.
    """
    built_in = METHODS | EXTRA_METHODS
    if name in built_in:
        return built_in[name]
    if name.startswith(TORCHDISTILL):
        # torchdistill takes seconds to import
        from harness.plugins.torchdistill import load_torchdistill_method

        return load_torchdistill_method(name.removeprefix(TORCHDISTILL))
    if ":" in name:
        return _import_method(name)
    raise UsageError(f"No method is called {name!r}.{did_you_mean(name, known_methods())}")


def describe_method(name: str) -> MethodDescription:
    """Describe a method; a built-in one without importing it, as that would import torch.

    Args:
        name: As in `resolve_method`, whose errors are those of this function.
    """
    built_in = METHODS | EXTRA_METHODS
    return built_in.describe(name) if name in built_in else describe_class(resolve_method(name))


def trust_methods(names: Iterable[str]) -> None:
    """Note that the user named these methods, so that their code may be imported for files, too.

    Args:
        names: As a run's key contains them, see `canonical_name`.
    """
    _named.update(names)


def is_trusted(name: str) -> bool:
    """Return whether a method that a file names may be imported.

    Those built in and declared may, those of installed packages (entry points), and those that
    `trust_methods` was given.
    """
    is_path = name.endswith((".yaml", ".yml")) or "/" in name
    if name.startswith(TORCHDISTILL) and not is_path:
        return True
    return ":" not in name or name in _named or name in entry_point_methods().values()


def describe_origin(name: str) -> str:
    """Return what a user is told about a method that is not trusted."""
    return (
        f"{printable(name)} is a method of another origin: name it with --methods to check its "
        "code."
    )


def canonical_name(name: str) -> str:
    """Return the name that a run's key contains: of an entry point, the path of its class."""
    return entry_point_methods().get(name, name)


def known_methods() -> list[str]:
    """Return the names of the built-in methods, then of those that installed packages offer."""
    return [*METHODS, *EXTRA_METHODS, *entry_point_methods()]


def option_sections(
    methods: Mapping[str, MethodDescription],
) -> dict[str, MethodDescription]:
    """Return the methods by the section of their options, as `sp` in `--set sp.weight=1`.

    Args:
        methods: Methods by name. All built-in methods are returned in addition.

    Raises:
        UsageError: Two different methods have the same section.
    """
    sections = (METHODS | EXTRA_METHODS).descriptions()
    for name, method in methods.items():
        other = sections.setdefault(method.name, method)
        if other is not method and other.load() is not method.load():
            raise UsageError(
                f"{name} and {_qualified_name(other)} are both named {method.name!r}. Give the "
                f"class in {name.partition(':')[0]} another `name`."
            )
    return sections


def entry_point_methods() -> dict[str, str]:
    """Return the import paths of the methods that installed packages offer, by name."""
    offered = {point.name: point.value for point in entry_points(group=GROUP)}
    return {name: path for name, path in offered.items() if name not in METHODS | EXTRA_METHODS}


def methods_in(module: ModuleType) -> list[str]:
    """Return the names of the method classes that a module defines itself."""
    from methods import Method

    return [
        name
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, Method)
        and value.__module__ == module.__name__
    ]


def import_method_file(path: Path) -> str:
    """Import a Python file that defines one method, and return the method's import path.

    Args:
        path: The file. Its folder can be imported from afterwards.

    Raises:
        UsageError: The file does not exist, cannot be imported, or does not define one method.
        SetupError: A package of this program is hidden by another of the same name.
    """
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    add_import_folder(path.parent)
    try:
        module = importlib.import_module(path.stem)
    except Exception as error:
        raise UsageError(f"{path} cannot be imported ({type(error).__name__}: {error}).") from error
    imported = Path(getattr(module, "__file__", None) or path.stem)
    if imported.resolve() != path.resolve():
        raise UsageError(
            f"{path} is hidden by {imported}, a module of the same name. Rename the file."
        )
    names = methods_in(module)
    if len(names) != 1:
        raise UsageError(
            f"{path} defines {len(names)} methods. Name one from its folder: {path.stem}:CLASS."
        )
    return f"{path.stem}:{names[0]}"


def _import_method(name: str) -> type[Method]:
    """Import a method by `module:Class`.

    Raises:
        UsageError: The module cannot be imported, or has no such method.
        SetupError: A package of this program is hidden by another of the same name.
    """
    module_name, _, attribute = name.partition(":")
    add_import_folder(Path.cwd())
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        package = module_name.partition(".")[0]
        hint = (
            f"{package} is a package of this program: give yours another name."
            if package in PACKAGES
            else "Its module must lie on the Python path or below the current folder."
        )
        raise UsageError(
            f"The method {name} cannot be imported ({type(error).__name__}: {error}). {hint}"
        ) from error
    from methods import Method

    kind = getattr(module, attribute, None)
    if not (isinstance(kind, type) and issubclass(kind, Method)):
        offered = methods_in(module)
        raise UsageError(
            f"{module_name} has no method {attribute!r}.{did_you_mean(attribute, offered)}"
        )
    for required in ("name", "label", "paper"):
        if not hasattr(kind, required):
            raise UsageError(
                f"{name} lacks the class attribute `{required}`. Start from the file that kdreid "
                "new-method writes."
            )
    return kind


def _qualified_name(method: MethodDescription) -> str:
    """Return the name of a built-in method, or the import path of another."""
    built_in = METHODS | EXTRA_METHODS
    if method.name in built_in and built_in.describe(method.name) is method:
        return method.name
    kind = method.load()
    return f"{kind.__module__}:{kind.__name__}"
