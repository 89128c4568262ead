"""Digest of a method's code: of what it computes, not of its comments and layout.

The digest covers the module that defines the method and whatever it imports, however indirectly,
from `methods` and from the user's own folders: all but Python's library, installed packages and
this program. Of a method in an installed package it covers that package. Files that the code names
next to itself count as well; what is not Python source counts byte by byte.

A name taken from a package, as in `from methods import Method`, leads to the module that defines
it and to no other that the package imports, if the package only imports.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import UsageError
from harness.plugins.code_search import METHODS_PACKAGE, CodeSearch, is_built_in
from harness.plugins.module_files import ModuleFinder

if TYPE_CHECKING:
    from methods import Method, MethodDescription

ROOT = Path(__file__).parents[2]
DECLARING_MODULE = "harness.plugins.torchdistill"  # not imported, as it takes seconds


def method_digest(kind: type[Method], name: str = "") -> str:
    """Return the digest of a method's code, or of its declaration if a file declares it.

    Args:
        kind: The method's class. A class that `harness.plugins.torchdistill` made of a declaration
            is described by its `definition` alone.
        name: The name that it was requested by. Of `module:Class` that module counts as well:
            it may have got the class from another one, and changed it.

    Returns:
        16 hexadecimal digits, part of the key of every run of the method.

    Raises:
        UsageError: The method's code is in no file.
        SetupError: A file that it needs cannot be read.
    """
    # A user's class may have an attribute of that name, too, which says nothing about its code.
    declared = [str(vars(base)["definition"]) for base in kind.__mro__ if _is_declared(base)]
    if _is_declared(kind):
        return hashlib.sha256(declared[0].encode()).hexdigest()[:16]
    contents = _search(kind, name).contents()
    return _digest(contents | {f"definition {text}": "" for text in declared})


def described_digest(method: MethodDescription, name: str = "") -> str:
    """Return `method_digest` of a method; a built-in one is not imported."""
    if is_built_in(method.module):
        return source_digest(method.module)
    return method_digest(method.load(), name)


def method_files(kind: type[Method], name: str = "") -> dict[str, Path]:
    """Return the files of the user's that the digest covers, by their paths in a copy.

    Args:
        kind: The method's class.
        name: As in `method_digest`.

    Returns:
        Modules lie in a copy as they are imported, with the files next to them.

    Raises:
        UsageError: The method's code is in no file.
        SetupError: A file that it needs cannot be read.
    """
    return {} if _is_declared(kind) else _search(kind, name).files()


def source_digest(module: str, root: Path | None = None) -> str:
    """Return a digest of the syntax trees of a module and of the modules that it imports.

    Args:
        module: Dotted name of the module.
        root: Folder that holds the module's package; this project's by default.

    Returns:
        16 hexadecimal digits.

    Raises:
        UsageError: The module does not exist.
        SetupError: A file that it needs cannot be read.
    """
    return _digest(_search_from([module], root or ROOT).contents())


def _is_declared(kind: type) -> bool:
    """Return whether a file declares a class."""
    return kind.__module__ == DECLARING_MODULE and "definition" in vars(kind)


def _digest(contents: dict[str, str]) -> str:
    content = "\n".join(f"{name}\n{contents[name]}" for name in sorted(contents))
    return hashlib.sha256(content.encode(errors="surrogatepass")).hexdigest()[:16]


def _search(kind: type[Method], name: str) -> CodeSearch:
    """Return the code of a method.

    Raises:
        UsageError: It is in no file.
    """
    module = kind.__module__
    try:
        file = Path(inspect.getfile(kind)).absolute()
    except (TypeError, OSError) as error:
        raise _missing_code(f"{module}:{kind.__qualname__}") from error
    level = module.count(".") + (file.name.partition(".")[0] == "__init__")
    requested = name.partition(":")[0] if ":" in name else module
    bases = (base.__module__ for base in kind.__mro__)
    starts = [module] if is_built_in(module) else [module, requested, *bases]
    return _search_from(starts, file.parents[level])


def _search_from(modules: Sequence[str], root: Path) -> CodeSearch:
    """Return the code that some modules need; `root` holds the package of the first.

    Raises:
        UsageError: The first module is in no file.
        SetupError: A file cannot be read.
    """
    roots = {modules[0].partition(".")[0]: root, METHODS_PACKAGE: ROOT}
    search = CodeSearch(ModuleFinder(roots, root))
    search.follow(modules)
    if not search.modules:
        raise _missing_code(modules[0])
    return search


def _missing_code(name: str) -> UsageError:
    return UsageError(
        f"The code of {name} is in no file, so the keys of its runs cannot cover it. Write it into "
        "a Python file."
    )
