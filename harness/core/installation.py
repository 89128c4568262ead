"""The place of this program's own packages, which others of the same names must not hide."""

from __future__ import annotations

import json
import sys
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlparse

from harness.core.errors import SetupError

HOME = Path(__file__).resolve().parents[2]  # the folder that holds all of them
DISTRIBUTION = "kd-reid-bench"  # the name that it is installed by
PACKAGES = ("harness", "methods", "results", "slurm")


def ensure_own_packages() -> None:
    """Check that Python imports this program's packages and not others of the same names.

    `python -m` searches the current folder first, so a package `results` of the user's in that
    folder would be imported in place of ours, possibly hours later, after a training.

    Raises:
        SetupError: Packages are hidden, or missing from the installation.
    """
    hidden: dict[Path, Path] = {}
    for name in PACKAGES:
        own, imported = HOME / name, _location(name)
        if imported is None:
            raise SetupError(f"{own} cannot be imported. Install this program again.")
        if imported != own:
            hidden[own] = imported
    if not hidden:
        return
    way = "use the command kdreid, which does not search the current folder first"
    if not all(path.parent == Path.cwd() for path in hidden.values()):
        way = "remove their folder from Python's path"
    ours, theirs = (" and ".join(map(str, paths)) for paths in (hidden, hidden.values()))
    raise SetupError(
        f"{theirs} would be imported in place of this program's {ours}. Give your own packages "
        f"other names, start from another folder, or {way}."
    )


def installed_version() -> str | None:
    """Return the version that this program was installed as.

    None if it was not: it is a copy, next to which another version may be installed.
    """
    try:
        found = distribution(DISTRIBUTION)
    except PackageNotFoundError:
        return None
    origin = json.loads(found.read_text("direct_url.json") or "{}").get("url", "")
    folders = (Path(str(found.locate_file(""))), Path(unquote(urlparse(origin).path)))
    return found.version if HOME in [folder.resolve() for folder in folders] else None


def add_import_folder(folder: Path) -> None:
    """Let modules of a folder be imported, after everything that can be imported already.

    Raises:
        SetupError: A package of this program is hidden.
    """
    ensure_own_packages()
    # An editable installation is searched after sys.path, unless its folder is in sys.path, too.
    for path in (str(HOME), str(folder.absolute())):
        if path not in sys.path:
            sys.path.append(path)


def _location(package: str) -> Path | None:
    """Return the folder or file that a top-level package is imported from."""
    spec = find_spec(package)
    if spec is None:
        return None
    if spec.origin is None:  # a folder without an __init__.py
        return Path(next(iter(spec.submodule_search_locations or ()))).resolve()
    origin = Path(spec.origin).resolve()
    return origin.parent if origin.name == "__init__.py" else origin
