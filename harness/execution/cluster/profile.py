"""Profiles of clusters, `configs/cluster/NAME.yaml`: resources of jobs by dataset and method.

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
from slurm.resources import Resources, parse_wall_time

SECTION = "cluster"  # of --set


class ResourceRequest(BaseModel):
    """Resources of one job; a field that is not given is taken from the next weaker place."""

    model_config = ConfigDict(extra="forbid")

    time: int | str | None = None  # minutes, or D-HH:MM:SS
    gpus: int | None = Field(default=None, ge=0)
    gres: str | None = None  # in place of gpus, as gpu:a100:1
    cpus: int | None = Field(default=None, ge=1)
    memory: str | None = None  # with its unit, as 16G
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    exclude: str | None = None  # nodes
    setup: list[str] | None = None  # shell lines that run before the job
    container: str | None = None  # a prefix of the Python command
    python: str | None = None  # the Python command
    flags: dict[str, str | int | bool] = Field(default_factory=dict)  # further sbatch options
    stop_ahead: int | None = Field(default=None, ge=1)  # seconds to save before the time is over

    @field_validator("time")
    @classmethod
    def _parse_time(cls, value: int | str | None) -> int | None:
        try:
            return None if value is None else parse_wall_time(value)
        except SlurmError as error:
            raise ValueError(str(error)) from error

    @field_validator("memory")
    @classmethod
    def _check_memory(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"\d+[KMGT]B?", value):
            raise ValueError("memory needs a number and a unit, as 16G")
        return value.removesuffix("B") if value else value

    @field_validator("flags")
    @classmethod
    def _check_flags(cls, value: dict[str, str | int | bool]) -> dict[str, str | int | bool]:
        for name in value:
            if name.replace("_", "-") in RESERVED_FLAGS:
                raise ValueError(f"the flag {name!r} is set by this program")
        return value

    def given(self) -> dict[str, Any]:
        """Return the resources that are given, without defaults."""
        return self.model_dump(exclude_unset=True, exclude={"kind", *_PROFILE_FIELDS})


# Options that the submission sets: other values would break dependencies, resuming or the logs.
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
    """A cluster, or this machine, and the resources of its jobs: `configs/cluster/NAME.yaml`."""

    description: str = ""
    kind: Literal["slurm", "local"] = "slurm"
    max_parallel: int | None = Field(default=None, ge=1)  # jobs at the same time
    slots_per_gpu: int = Field(default=1, ge=1)  # workers on each GPU, if kind is local
    datasets: dict[str, ResourceRequest] = Field(default_factory=dict)
    # by method; `none` stands for teachers and plain students
    methods: dict[str, ResourceRequest] = Field(default_factory=dict)

    def resources(self, dataset: str, method: str, overrides: Sequence[str] = ()) -> Resources:
        """Return the resources of a run.

        Args:
            dataset: Name of the run's dataset.
            method: Name of the run's method.
            overrides: Assignments `cluster.NAME=VALUE`.

        Raises:
            UsageError: An override names no field of a profile, or has an impossible value.
        """
        sources = (self, self.datasets.get(dataset), self.methods.get(method))
        layers = [*(source.given() for source in sources if source), _parse_overrides(overrides)]
        merged: dict[str, Any] = {}
        for layer in layers:
            flags = {**merged.get("flags", {}), **layer.get("flags", {})}
            if layer.get("gres"):  # gres and gpus replace each other
                merged.pop("gpus", None)
            elif layer.get("gpus") is not None:
                merged.pop("gres", None)
            merged |= {name: value for name, value in layer.items() if value is not None}
            merged["flags"] = flags
        if self.kind == "local":
            merged.setdefault("gpus", int(local_gpu_count() > 0))
            merged.setdefault("cpus", local_core_count())
        flags = merged.pop("flags")
        if "time" in merged:
            merged["minutes"] = merged.pop("time")
        if "setup" in merged:
            merged["setup"] = tuple(merged["setup"])
        return Resources(
            **merged, flags=tuple((name, _flag_value(flags[name])) for name in sorted(flags))
        )

    def device_and_threads(self, dataset: str, overrides: Sequence[str] = ()) -> tuple[str, int]:
        """Return device and CPU threads (0 on a GPU) of a dataset's runs: part of their keys.

        Args:
            dataset: Name of the dataset.
            overrides: Assignments `cluster.NAME=VALUE`.

        Raises:
            UsageError: An override names no field of a profile, or has an impossible value.
        """
        resources = self.resources(dataset, "", overrides)
        return ("cuda", 0) if resources.wants_gpu else ("cpu", resources.cpus)

    def require_names(self, methods: Iterable[str]) -> None:
        """Check the names below `datasets` and `methods`.

        Args:
            methods: Names of all methods.

        Raises:
            UsageError: A name is unknown, or a method's device differs from that of the others.
        """
        known_methods = list(methods)
        for kind, names, known in (
            ("dataset", self.datasets, config_names("dataset")),
            ("method", self.methods, known_methods),
        ):
            for name in names:
                if name not in known:
                    hint = did_you_mean(name, known)
                    raise UsageError(f"The profile names an unknown {kind} {name!r}.{hint}")
        for name, request in self.methods.items():
            if {"gpus", "gres"} & request.given().keys():
                default, own = (self.resources("", method).wants_gpu for method in ("", name))
                if default != own:
                    raise UsageError(
                        f"The profile gives {name} another device than the other methods, so "
                        "their results would not be comparable."
                    )


_PROFILE_FIELDS = ("description", "max_parallel", "slots_per_gpu", "datasets", "methods")


def load_profile(name: str) -> Profile:
    """Load a profile by its name or by the path of a YAML file.

    Raises:
        UsageError: There is no such profile, or its file is wrong.
    """
    return load_config("cluster", name, Profile)


def split_cluster_overrides(overrides: Iterable[str]) -> tuple[list[str], list[str]]:
    """Split assignments of `--set` into those of the cluster and the others."""
    cluster: list[str] = []
    others: list[str] = []
    for override in overrides:
        is_cluster = override.strip().startswith(f"{SECTION}.")
        (cluster if is_cluster else others).append(override)
    return cluster, others


def local_gpu_count() -> int:
    """Return the number of GPUs that torch sees on this machine."""
    import torch  # takes seconds: not for those who only read profiles

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def local_core_count() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0))


def _parse_overrides(overrides: Iterable[str]) -> dict[str, Any]:
    """Convert `cluster.time=30` and `cluster.flags.reservation=mine` to fields of a request.

    Raises:
        UsageError: An override names no field of a profile, or has an impossible value.
    """
    content: dict[str, Any] = {}
    for override in overrides:
        key, equals, value = override.partition("=")
        name = key.strip().removeprefix(f"{SECTION}.")
        if not equals:
            raise UsageError(f"--set {override!r} is not {SECTION}.NAME=VALUE.")
        if name.startswith("flags."):
            content.setdefault("flags", {})[name.removeprefix("flags.")] = value
        elif name not in ResourceRequest.model_fields:
            raise UsageError(
                f"{SECTION} has no {name!r}.{did_you_mean(name, ResourceRequest.model_fields)}"
            )
        else:
            content[name] = [value] if name == "setup" else value
    try:
        return ResourceRequest.model_validate(content).given()
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"{SECTION}.{field}: {message}, given {first['input']!r}.") from error


def _flag_value(value: str | int | bool) -> str | bool:
    return value if isinstance(value, bool) else str(value)
