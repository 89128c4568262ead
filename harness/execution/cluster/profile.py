"""Profiles of clusters, `configs/cluster/NAME.yaml`: resources of jobs by dataset and method.

Precedence, weakest first: the profile, its `datasets`, its `methods`, `--set cluster.NAME=VALUE`.
Device and CPU threads follow from the profile, not from the machine that submits: they are part of
a run's key, and a login node has no GPU.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator

from harness.core.errors import SlurmError, UsageError, did_you_mean
from harness.core.override import parse_override
from harness.core.text import require_single_lines
from harness.core.yaml import StrictModel, config_names, load_config
from harness.runs.number_rules import MAX_JOBS, MAX_THREADS
from slurm.resources import Resources, parse_wall_time

SECTION = "cluster"  # of --set


class ResourceRequest(StrictModel):
    """Resources of one job; a field that is not given is taken from the next weaker place."""

    aliases: ClassVar[Mapping[str, str]] = {"signal_delay_s": "stop_ahead"}

    time: int | str | None = Field(
        default=None,
        description="Time limit in minutes, or as HH:MM:SS or D-HH:MM:SS. A run that needs longer "
        "is continued by another job.",
    )
    gpus: int | None = Field(
        default=None,
        ge=0,
        le=1024,
        description="Number of GPUs; 0 trains on the CPU, with `cpus` threads.",
    )
    gres: str | None = Field(
        default=None, description="GPUs by their type, as gpu:a100:1, in place of `gpus`."
    )
    cpus: int | None = Field(
        default=None,
        ge=1,
        le=MAX_THREADS,
        description="Number of cores; on a CPU also the number of threads, part of a run's key.",
    )
    memory: str | None = Field(
        default=None, description="Memory of the host with its unit, as 16G."
    )
    partition: str | None = Field(default=None, description="Slurm's partition.")
    account: str | None = Field(default=None, description="Slurm's account.")
    qos: str | None = Field(default=None, description="Slurm's quality of service.")
    constraint: str | None = Field(default=None, description="Features that nodes must have.")
    exclude: str | None = Field(default=None, description="Nodes to avoid, comma-separated.")
    setup: list[str] | None = Field(
        default=None, description="Shell lines that run before the job: modules, environments."
    )
    container: str | None = Field(
        default=None, description="Prefix of the Python command, as singularity exec image.sif."
    )
    python: str | None = Field(
        default=None, description="The Python command; by default the one that submits."
    )
    flags: dict[str, str | int | bool] = Field(
        default_factory=dict, description="Other options of sbatch, by their long names."
    )
    stop_ahead: int | None = Field(
        default=None,
        ge=1,
        le=65535,  # which Slurm takes
        description="Seconds before the time limit at which runs save their state; 90 by default.",
    )

    @field_validator("*")
    @classmethod
    def _refuse_line_breaks(cls, value: Any, info: ValidationInfo) -> Any:
        return value if info.field_name == "description" else require_single_lines(value)

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
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name):
                raise ValueError(f"{name!r} is not the name of an option of sbatch")
            if name.replace("_", "-") in RESERVED_FLAGS:
                raise ValueError(f"the flag {name!r} is set by this program")
        return value

    def given(self) -> dict[str, Any]:
        """Return the resources that are given, without defaults."""
        return self.model_dump(exclude_unset=True, exclude={*_PROFILE_FIELDS})


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

    aliases: ClassVar[Mapping[str, str]] = {
        **ResourceRequest.aliases,
        "workers_per_gpu": "slots_per_gpu",
    }

    description: str = Field(default="", description="What the profile is for.")
    kind: Literal["slurm", "local"] = Field(
        default="slurm", description="A Slurm cluster, or workers on this machine."
    )
    max_parallel: int | None = Field(
        default=None,
        ge=1,
        le=MAX_JOBS,
        description="Largest number of jobs that run at the same time.",
    )
    slots_per_gpu: int = Field(
        default=1, ge=1, le=1000, description="Number of workers on each GPU, if `kind` is local."
    )
    datasets: dict[str, ResourceRequest] = Field(
        default_factory=dict, description="Other resources, by dataset."
    )
    methods: dict[str, ResourceRequest] = Field(
        default_factory=dict,
        description="Other resources, by method; `none` stands for teachers and plain students.",
    )

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


# Fields of a profile that are no resources of a job.
_PROFILE_FIELDS = ("description", "kind", "max_parallel", "slots_per_gpu", "datasets", "methods")


def load_profile(name: str) -> Profile:
    """Load a profile by its name or by the path of a YAML file.

    Raises:
        UsageError: The profile does not exist, or its file is wrong.
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
    known = [*ResourceRequest.model_fields, *ResourceRequest.aliases]
    for override in (parse_override(text) for text in overrides):
        if override.name.startswith("flags."):
            flag = override.name.removeprefix("flags.")
            content.setdefault("flags", {})[flag] = override.value
        elif override.name not in known:
            hint = did_you_mean(override.name, known)
            raise UsageError(f"{SECTION} has no {override.name!r}.{hint}")
        else:
            is_list = override.name == "setup"
            content[override.name] = [override.value] if is_list else override.value
    try:
        return ResourceRequest.model_validate(content).given()
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join([SECTION, *map(str, first["loc"])])
        message = first["msg"].removeprefix("Value error, ")
        given = "" if isinstance(first["input"], dict) else f", given {first['input']!r}"
        raise UsageError(f"{field}: {message}{given}.") from error


def _flag_value(value: str | int | bool) -> str | bool:
    return value if isinstance(value, bool) else str(value)
