"""Profiles of clusters, `configs/cluster/NAME.yaml`: what a job asks for, by dataset and method.

Precedence, weakest first: the profile, its `datasets`, its `methods`, `--set cluster.NAME=VALUE`.
Device and CPU threads follow from the profile, not from the machine that submits: they are part of
a run's key, and a login node has no GPU.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from harness.core.errors import SlurmError, UsageError, did_you_mean
from harness.core.yaml import config_names, load_config
from slurm.resources import Resources, minutes

SECTION = "cluster"  # of --set


class ResourceRequest(BaseModel):
    """What one job gets; whatever is not stated is left to the next weaker place."""

    model_config = ConfigDict(extra="forbid")

    time: int | str | None = None  # minutes, or D-HH:MM:SS
    gpus: int | None = Field(default=None, ge=0)
    gres: str | None = None  # in place of gpus, as in gpu:a100:1
    cpus: int | None = Field(default=None, ge=1)
    memory: str | None = None  # with its unit, as in 16G
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    exclude: str | None = None
    setup: list[str] | None = None  # shell lines before the job starts
    container: str | None = None  # what stands before the Python command
    python: str | None = None
    flags: dict[str, str | int | bool] = Field(default_factory=dict)  # further sbatch options
    stop_ahead: int | None = Field(default=None, ge=1)  # seconds

    @field_validator("time")
    @classmethod
    def _is_a_time(cls, value: int | str | None) -> int | None:
        try:
            return None if value is None else minutes(value)
        except SlurmError as error:
            raise ValueError(str(error)) from error

    @field_validator("memory")
    @classmethod
    def _has_a_unit(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"\d+[KMGT]B?", value):
            raise ValueError("memory needs a number and a unit, as in 16G")
        return value.removesuffix("B") if value else value

    @field_validator("flags")
    @classmethod
    def _are_free(cls, value: dict[str, str | int | bool]) -> dict[str, str | int | bool]:
        for name in value:
            if name.replace("_", "-") in RESERVED_FLAGS:
                raise ValueError(f"the flag {name!r} is set by this program")
        return value

    def stated(self) -> dict[str, Any]:
        """Only what is really said."""
        return self.model_dump(exclude_unset=True, exclude={"kind", *_OWN})


# What submission itself decides; another value would break dependencies, resuming or the logs.
RESERVED_FLAGS = (
    "array",
    "dependency",
    "signal",
    "output",
    "error",
    "job-name",
    "open-mode",
    "requeue",
    "kill-on-invalid-dep",
    "nodes",
    "ntasks-per-node",
)


class Profile(ResourceRequest):
    """`configs/cluster/NAME.yaml`."""

    description: str = ""
    kind: Literal["slurm", "local"] = "slurm"
    max_parallel: int | None = Field(default=None, ge=1)  # jobs at a time
    slots_per_gpu: int = Field(default=1, ge=1)  # of kind local
    datasets: dict[str, ResourceRequest] = Field(default_factory=dict)
    methods: dict[str, ResourceRequest] = Field(
        default_factory=dict
    )  # `none`: teachers and plain students

    def resources(self, dataset: str, method: str, assignments: Sequence[str] = ()) -> Resources:
        """What a run of this method on this dataset asks for.

        Raises:
            UsageError: an assignment names nothing that a profile has, or an impossible value.
        """
        weak = (self, self.datasets.get(dataset), self.methods.get(method))
        layers = [*(layer.stated() for layer in weak if layer), _assigned(assignments)]
        merged: dict[str, Any] = {}
        for layer in layers:
            flags = {**merged.get("flags", {}), **layer.get("flags", {})}
            if layer.get("gres"):  # it stands in place of gpus, and the other way round
                merged.pop("gpus", None)
            elif layer.get("gpus") is not None:
                merged.pop("gres", None)
            merged |= {name: value for name, value in layer.items() if value is not None}
            merged["flags"] = flags
        flags = merged.pop("flags")
        words = {"minutes": merged.pop("time", None), "setup": tuple(merged.pop("setup", ()))}
        named = {**merged, **{name: value for name, value in words.items() if value is not None}}
        return Resources(
            **self._here(named), flags=tuple((name, _flag(flags[name])) for name in sorted(flags))
        )

    def _here(self, given: dict[str, Any]) -> dict[str, Any]:
        """With this machine's numbers for what a local profile leaves open."""
        if self.kind == "local":
            if given.get("gpus") is None:
                given = {**given, "gpus": int(local_gpu_count() > 0)}
            if given.get("cpus") is None:
                given = {**given, "cpus": local_core_count()}
        return given

    def device_and_threads(self, dataset: str, assignments: Sequence[str] = ()) -> tuple[str, int]:
        """The device and, on a CPU, the threads of the runs on a dataset: part of their keys."""
        wanted = self.resources(dataset, "", assignments)
        return ("cuda", 0) if wanted.wants_gpu else ("cpu", wanted.cpus)

    def require_names(self, methods: Iterable[str]) -> None:
        """Check the names below `datasets` and `methods`.

        Raises:
            UsageError: one is unknown, or its device would not be that of the other runs.
        """
        known = [*methods, ""]
        for kind, named, allowed in (
            ("dataset", self.datasets, config_names("dataset")),
            ("method", self.methods, known[:-1]),
        ):
            for name in named:
                if name not in allowed:
                    hint = did_you_mean(name, allowed)
                    raise UsageError(f"The profile names a {kind} {name!r} that is unknown.{hint}")
        for name, share in self.methods.items():
            if {"gpus", "gres"} & share.stated().keys():
                plain, other = (self.resources("", method).wants_gpu for method in ("", name))
                if plain != other:
                    raise UsageError(
                        f"The profile gives {name} another device than the other methods: their "
                        "numbers would not be comparable."
                    )


_OWN = ("description", "max_parallel", "slots_per_gpu", "datasets", "methods")


def load_profile(name: str) -> Profile:
    """Read a profile by its name or by the path of a YAML file.

    Raises:
        UsageError: there is no such profile, or its file is wrong.
    """
    return load_config("cluster", name, Profile)


def split_cluster_overrides(assignments: Iterable[str]) -> tuple[list[str], list[str]]:
    """Assignments of --set: those of the cluster, and the others."""
    words = list(assignments)
    ours = [word for word in words if word.strip().startswith(f"{SECTION}.")]
    return ours, [word for word in words if word not in ours]


def local_gpu_count() -> int:
    """How many GPUs torch sees on this machine."""
    import torch  # takes seconds: not for those who only read profiles

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def local_core_count() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0))


def _assigned(assignments: Iterable[str]) -> dict[str, Any]:
    """`cluster.time=30` and `cluster.flags.reservation=mine` as a layer of a profile."""
    content: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        name = key.strip().removeprefix(f"{SECTION}.")
        if not equals:
            raise UsageError(f"--set {assignment!r} is not {SECTION}.NAME=VALUE.")
        if name.startswith("flags."):
            content.setdefault("flags", {})[name.removeprefix("flags.")] = value
        elif name not in ResourceRequest.model_fields:
            raise UsageError(
                f"{SECTION} has no {name!r}.{did_you_mean(name, ResourceRequest.model_fields)}"
            )
        else:
            content[name] = [value] if name == "setup" else value
    try:
        return ResourceRequest.model_validate(content).stated()
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"{SECTION}.{place}: {message}, given {first['input']!r}.") from error


def _flag(value: str | int | bool) -> str | bool:
    return value if isinstance(value, bool) else str(value)
