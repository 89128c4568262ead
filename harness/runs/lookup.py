"""Names of runs on the command line, resolved in one place for every command.

A word is one of the following; the first rule that applies decides:

1. a key: `synthetic/pkt/resnet18-cnn5/seed0-7ac0d2e1`;
2. the name of a submission, for all its runs: `20260131-120000-1f2e`;
3. a short id, the 8 hexadecimal digits at the end of a key: `7ac0d2e1`;
4. up to 7 decimal digits: the number of a row of `kdreid status`, even if a short id begins so;
5. the beginning of exactly one short id or key: `7ac0`, `synthetic/pkt/`.

A word that fits several runs is an error that lists them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.core.errors import SetupError, UsageError, suggest
from harness.core.file_errors import unreadable_file
from harness.core.name_lists import name_some, split_names
from harness.runs.folder_state import inspect_run_folder, local_state
from harness.runs.groups import read_submission
from harness.runs.layout import GROUPS, RECORD, iter_run_folders
from harness.runs.record import find_record
from harness.runs.spec import RunSpec
from harness.runs.states import RunState
from harness.runs.stored_spec import check_spec
from harness.runs.submissions import submitted_jobs

SHORT_ID_LENGTH = 8  # hexadecimal digits of a run's digest
MAX_CANDIDATES = 6  # listed for an ambiguous word


def require_runs_folder(runs: Path) -> None:
    """Check that the runs folder exists and can be listed.

    Raises:
        SetupError: It does not, or cannot.
    """
    try:
        if runs.is_dir():
            with os.scandir(runs):
                return
    except OSError as error:
        raise unreadable_file(runs, error) from error
    raise SetupError(f"There is no runs folder {runs}. Name one with --runs DIR.")


def list_run_keys(runs: Path, problems: list[str] | None = None) -> list[str]:
    """Return the key of every run, in the order of `kdreid status`, whose rows count from 1.

    Args:
        runs: The runs folder.
        problems: See `iter_run_folders`.

    Raises:
        SetupError: The runs folder does not exist, or folders in it cannot be listed.
    """
    require_runs_folder(runs)
    return [folder.relative_to(runs).as_posix() for folder in iter_run_folders(runs, problems)]


def short_id(key: str) -> str:
    """Return the digest at the end of a key."""
    return key[-SHORT_ID_LENGTH:]


def resolve_runs(words: Iterable[str], runs: Path) -> list[str]:
    """Return the keys that words name, each once, in the order of the words.

    Args:
        words: Names of runs or submissions; one word may hold several, separated by commas.
        runs: The runs folder.

    Raises:
        UsageError: A word fits no run or several.
        SetupError: The runs folder does not exist.
    """
    keys = list_run_keys(runs, [])  # names of others than those that are hidden
    names = split_names(words)
    return list(dict.fromkeys(key for name in names for key in _resolve(name, keys, runs)))


def resolve_specs(words: Iterable[str], runs: Path) -> list[RunSpec]:
    """Return the specs of the finished runs that words name, as `resolve_runs`.

    Raises:
        UsageError: A word fits no run or several.
        SetupError: The runs folder does not exist, or a run is not done or was made by another
            version of this program.
    """
    return [load_spec(runs, key) for key in resolve_runs(words, runs)]


def finished_runs(runs: Path) -> list[RunSpec]:
    """Return the specs of all runs that are done.

    Raises:
        SetupError: The runs folder does not exist, a run's files are damaged or cannot be read, so
            that it may be done, or another version of this program made a run.
    """
    specs = []
    for key in list_run_keys(runs):
        folder = inspect_run_folder(runs / key)
        if folder.state is RunState.UNREADABLE:
            raise SetupError(folder.problem)
        if folder.state is RunState.DONE:
            specs.append(load_spec(runs, key))
    return specs


def load_spec(runs: Path, key: str) -> RunSpec:
    """Read the spec of a finished run from its record.

    Raises:
        SetupError: The run is not done, another version of this program made it, or its record is
            damaged or not that of this folder.
    """
    record = find_record(runs / key)
    if record is None:
        raise SetupError(
            f"{key} is not done ({local_state(runs / key)}). Run it first; "
            f"`kdreid status --runs {runs}` shows the state of every run."
        )
    try:
        spec = RunSpec.from_json(record["spec"])
    except (KeyError, TypeError, ValueError) as error:
        raise SetupError(
            f"{key} was made by another version of this program: {error}. "
            "Use that version, or train the run again."
        ) from error
    try:
        check_spec(record["spec"], key)
    except ValueError as error:
        raise SetupError(
            f"{key} cannot be used: {error}. Restore its {RECORD} from a copy, or train it again."
        ) from error
    return spec


def _resolve(word: str, keys: Sequence[str], runs: Path) -> list[str]:
    """Return the keys that one word names, by the rules of this module."""
    name = word.strip("/")
    if name in keys:
        return [name]
    submitted = _submitted_runs(name, runs)
    if submitted is not None:
        return _require_some(name, [key for key in keys if key in submitted], runs)
    if exact := [key for key in keys if short_id(key) == name]:
        return _require_one(word, exact, keys)  # several if a run's folder was copied
    if name.isdecimal() and len(name) < SHORT_ID_LENGTH:
        if not 1 <= int(name) <= len(keys):
            raise UsageError(
                f"There is no row {name}: {runs} contains {len(keys)} runs. "
                f"`kdreid status --runs {runs}` lists them."
            )
        return [keys[int(name) - 1]]
    start = word.lstrip("/")  # the slash at its end counts: `a/` is not the beginning of `ab/`
    begins = [key for key in keys if short_id(key).startswith(start) or key.startswith(start)]
    if not begins:
        raise UsageError(_describe_unknown(word, keys, runs))
    return _require_one(word, begins, keys)


def _submitted_runs(name: str, runs: Path) -> set[str] | None:
    """Return the keys of the submission of this name; None if there is no such submission."""
    content = read_submission(runs, name)
    if content is None:
        return None
    return {key for job in submitted_jobs(content) for key in job.get("runs") or []}


def _require_some(name: str, keys: list[str], runs: Path) -> list[str]:
    if not keys:
        raise UsageError(f"No run of the submission {name} exists in {runs} any more.")
    return keys


def _require_one(word: str, candidates: list[str], keys: Sequence[str]) -> list[str]:
    if len(candidates) == 1:
        return candidates
    rows = [f"{key} (row {keys.index(key) + 1})" for key in candidates]
    listed = name_some(rows, MAX_CANDIDATES)
    raise UsageError(
        f"{word!r} fits {len(candidates)} runs: {listed}. Give more of the name, or the row."
    )


def _describe_unknown(word: str, keys: Sequence[str], runs: Path) -> str:
    if not keys:
        return f"No run is called {word!r}: {runs} contains no runs."
    guess = suggest(word, [*map(short_id, keys), *keys])
    return (
        f"No run is called {word!r}.{guess} A run is named by its row's number, by its short id or "
        f"the beginning of it, or by the beginning of its key, as `kdreid status --runs {runs}` "
        f"lists them; a submission by its folder's name in {runs / GROUPS}."
    )
