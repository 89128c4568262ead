"""A request for runs: as typed, and with its names resolved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.runs.spec import RunSpec
from methods import MethodDescription

BASELINE = "none"  # the method of teachers and of students that learn alone


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """The command line as typed; None and empty values mean those of the study, or defaults."""

    methods: Sequence[str] = ()  # names, globs or `all`
    exclude: Sequence[str] = ()
    datasets: Sequence[str] = ()
    data_root: Path | None = None
    study: str | None = None
    teacher: str | None = None
    student: str | None = None
    head: str | None = None
    seeds: str | None = None
    teacher_seed: str | None = None  # a number or `same`; 0 by default
    teacher_run: Sequence[str] = ()  # names of finished runs that teach
    pack: int | None = None  # largest number of students in a cohort
    overrides: Sequence[str] = ()  # SECTION.NAME=VALUE
    pretrained: Sequence[str] = ()  # NETWORK=FILE
    runs: Path = Path("runs")
    device: str = "auto"
    precision: str | None = None
    threads: int | None = None
    workers: int = 2  # data-loading threads
    allow_partial: bool = False
    cache: bool = True
    again: bool = False  # train finished runs again that other code made


@dataclass(frozen=True, slots=True)
class ResolvedMethod:
    """A method with what is known of it, and the digest of its code."""

    name: str  # in run keys; of a user's method, the import path of its class
    about: MethodDescription
    digest: str

    @property
    def section(self) -> str:
        """Section of its options, as `sp` in `--set sp.weight=1`."""
        return self.about.name


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedRequest:
    """The runs that are requested on one dataset, with all names resolved."""

    dataset: str
    methods: tuple[ResolvedMethod, ...]
    teachers: tuple[str, ...]  # networks; several of them form an ensemble
    student: str  # network
    head: str
    seeds: tuple[int, ...]
    teacher_seed: int | None = 0  # None: the seed of each student
    device: str = "cpu"
    threads: int = 0  # of a run on the CPU, otherwise 0
    teacher_runs: tuple[RunSpec, ...] = ()  # finished runs that teach, instead of planned ones

    @property
    def distilled(self) -> tuple[ResolvedMethod, ...]:
        """Methods whose students have a teacher."""
        return tuple(method for method in self.methods if method.name != BASELINE)
