"""Short names for runs: its row's number, its 8 hexadecimal digits, or the start of its key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.core.errors import SetupError, UsageError, did_you_mean
from harness.core.files import read_json
from harness.runs.folder_state import local_state
from harness.runs.groups import GROUPS
from harness.runs.record import RECORD, iter_run_folders
from harness.runs.spec import RunSpec
from harness.runs.submissions import iter_submissions, submitted_jobs

SHORT = 8  # hexadecimal digits of a run's digest
SHOWN = 6  # of the runs that an ambiguous handle may mean


def list_run_keys(runs: Path) -> list[str]:
    """The key of every run, in the order of `kdreid status`, whose rows count from 1.

    Raises:
        SetupError: there is no such folder.
    """
    if not runs.is_dir():
        raise SetupError(f"There is no runs folder {runs}. Name one with --runs DIR.")
    return [folder.relative_to(runs).as_posix() for folder in iter_run_folders(runs)]


def short_id(key: str) -> str:
    """The digest at the end of a key."""
    return key[-SHORT:]


def resolve_runs(words: Iterable[str], runs: Path) -> list[str]:
    """The keys that are meant, each once, in the order given; a group's name means all its runs.

    Raises:
        UsageError: a word fits no run, or several.
        SetupError: there is no runs folder.
    """
    keys = list_run_keys(runs)
    split = [word for text in words for word in text.replace(",", " ").split()]
    return list(dict.fromkeys(key for word in split for key in _find(word, keys, runs)))


def _find(word: str, keys: Sequence[str], runs: Path) -> list[str]:
    word = word.strip("/")
    if word in keys:
        return [word]
    grouped = {folder.name: content for folder, content in iter_submissions(runs)}
    if word in grouped:
        members = {key for job in submitted_jobs(grouped[word]) for key in job.get("runs") or []}
        return [key for key in keys if key in members]
    exact = [key for key in keys if short_id(key) == word]
    if exact:
        return exact
    if word.isdigit() and len(word) < SHORT:
        if not 1 <= int(word) <= len(keys):
            raise UsageError(f"There is no row {word}: {_counted(keys, runs)}")
        return [keys[int(word) - 1]]
    found = [key for key in keys if short_id(key).startswith(word)]
    found = found or [key for key in keys if key.startswith(word)]
    if len(found) == 1:
        return found
    if found:
        some = ", ".join(found[:SHOWN]) + (" ..." if len(found) > SHOWN else "")
        raise UsageError(f"{word!r} may mean {len(found)} runs: {some}. Give more of the name.")
    if not keys:
        raise UsageError(f"No run is called {word!r}: {_counted(keys, runs)}")
    guess = did_you_mean(word, [*map(short_id, keys), *keys]).partition(" Known:")[0]
    raise UsageError(
        f"No run is called {word!r}.{guess} Runs are named by the row's number, by the 8 digits "
        f"before the key or by the key's start, as `kdreid status --runs {runs}` shows them; "
        f"submissions by their folder's name in {runs / GROUPS}."
    )


def _counted(keys: Sequence[str], runs: Path) -> str:
    return f"{runs} holds {len(keys)} runs, as `kdreid status --runs {runs}` shows."


def find_run(runs: Path, word: str) -> RunSpec:
    """The finished run whose key, or a part of whose digest, is `word`.

    Raises:
        UsageError: there is none, or there are several.
        SetupError: it is not done, or another version of this program made it.
    """
    if not runs.is_dir():
        raise SetupError(f"There is no runs folder {runs}. Name one with --runs DIR.")
    keys = [folder.relative_to(runs).as_posix() for folder in iter_run_folders(runs)]
    word = word.rstrip("/")
    found = [key for key in keys if key == word]
    found = found or [key for key in keys if word and word in key.rpartition("-")[2]]
    if not found:
        raise UsageError(
            f"No run in {runs} has the key {word!r} or a digest with it."
            f"{did_you_mean(word, keys) if keys else ' There are no runs.'}"
        )
    if len(found) > 1:
        raise UsageError(f"{word!r} may be any of {', '.join(found)}. Give more of its digest.")
    record = read_json(runs / found[0] / RECORD)
    if record is None:
        raise SetupError(
            f"{found[0]} is not done. Run it first; kdreid status tells how it stands."
        )
    try:
        spec = RunSpec.from_json(record["spec"])
    except (KeyError, ValueError) as error:
        raise SetupError(
            f"{found[0]} was made by another version of this program: {error}. "
            "Score it with that version, or run it again."
        ) from error
    return spec


def finished_runs(runs: Path) -> list[RunSpec]:
    """All runs that are done.

    Raises:
        SetupError: there is no such folder, or another version of this program made one of them.
    """
    if not runs.is_dir():
        raise SetupError(f"There is no runs folder {runs}. Name one with --runs DIR.")
    keys = [folder.relative_to(runs).as_posix() for folder in iter_run_folders(runs)]
    return [find_run(runs, key) for key in keys if local_state(runs / key) == "done"]
