"""Options that only `kdreid run`, `plan` and `retry` have."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import completion
from harness.cli.options import (
    DATA,
    OUTPUT,
    TRAINING,
    WHAT,
    WHERE,
    Names,
    cohort_size_option,
)
from harness.runs.number_rules import MAX_JOBS, MAX_THREADS

Methods = Annotated[
    Names,
    typer.Option(
        metavar="NAMES",
        help="Methods: all, names or globs, comma-separated or repeated.",
        show_default="from the study, else all",
        autocompletion=completion.methods,
        rich_help_panel=WHAT,
    ),
]
Exclude = Annotated[
    Names,
    typer.Option(
        "--exclude",
        "-x",
        metavar="NAMES",
        help="Methods to skip.",
        autocompletion=completion.methods,
        rich_help_panel=WHAT,
    ),
]
Datasets = Annotated[
    Names,
    typer.Option(
        "--datasets",
        "--dataset",
        metavar="NAMES",
        help="Datasets, comma-separated or repeated.",
        show_default="from the study",
        autocompletion=completion.datasets,
        rich_help_panel=DATA,
    ),
]
Study = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE",
        help="Study in configs/study, or a path to a YAML file.",
        autocompletion=completion.studies,
        rich_help_panel=WHAT,
    ),
]
Teacher = Annotated[
    str | None,
    typer.Option(
        metavar="NETWORK",
        help="Network or ensemble that teaches; see kdreid list.",
        show_default="from the study, else resnet101",
        rich_help_panel=WHAT,
    ),
]
Student = Annotated[
    str | None,
    typer.Option(
        metavar="NETWORK",
        help="Network that learns; see kdreid list.",
        show_default="from the study, else resnet18",
        rich_help_panel=WHAT,
    ),
]
Head = Annotated[
    str | None,
    typer.Option(
        metavar="HEAD",
        help="Head of the networks: bnneck, fc256 or classblock.",
        show_default="from the study, else bnneck",
        autocompletion=completion.heads,
        rich_help_panel=WHAT,
    ),
]
Seeds = Annotated[
    str | None,
    typer.Option(
        metavar="N,...",
        help="Seeds of the students, such as 0,1,2.",
        show_default="from the study, else 0",
        rich_help_panel=WHAT,
    ),
]
TeacherSeed = Annotated[
    str | None,
    typer.Option(
        metavar="N|same",
        help="Seed of the teacher; same: that of each student.",
        show_default="0",
        rich_help_panel=WHAT,
    ),
]
TeacherRun = Annotated[
    Names,
    typer.Option(
        metavar="RUN",
        help="Finished run that teaches, as kdreid status names runs; no teacher is planned.",
        autocompletion=completion.runs,
        rich_help_panel=WHAT,
    ),
]
Precision = Annotated[
    str | None,
    typer.Option(
        metavar="PRECISION",
        help="Arithmetic of training: fp32, bf16 or fp16.",
        show_default="from the recipe, else fp32",
        autocompletion=completion.precisions,
        rich_help_panel=TRAINING,
    ),
]
CohortSize = Annotated[int | None, cohort_size_option("from the study, else 16")]
Threads = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=MAX_THREADS,
        metavar="N",
        help="CPU threads of training. Part of the key of a run on the CPU.",
        show_default="torch's choice",
        rich_help_panel=TRAINING,
    ),
]
NoCache = Annotated[
    bool,
    typer.Option(
        "--no-cache",
        help="Decode images on the fly, without the cache on disk. Does not affect results.",
        rich_help_panel=DATA,
    ),
]
CheckpointEvery = Annotated[
    float,
    typer.Option(
        min=0,
        metavar="SECONDS",
        help="Seconds between checkpoints.",
        rich_help_panel=WHERE,
    ),
]
RetryDiverged = Annotated[
    bool,
    typer.Option(
        "--retry-diverged",
        "--retry",
        help="Retry diverged runs, too.",
        rich_help_panel=WHERE,
    ),
]
Again = Annotated[
    bool,
    typer.Option(
        "--again",
        help="Train finished runs again that other code or versions made, or whose teacher was. "
        "The former result is kept until the new one is done, and then in replaced/.",
        rich_help_panel=WHERE,
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        metavar="PROFILE",
        help="Submit to a cluster: a profile in configs/cluster, or a path to a YAML file.",
        show_default="train in this process",
        autocompletion=completion.clusters,
        rich_help_panel=WHERE,
    ),
]
MaxParallel = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=MAX_JOBS,
        metavar="N",
        help="With --cluster: jobs to run at a time.",
        show_default="from the profile",
        rich_help_panel=WHERE,
    ),
]
Watch = Annotated[
    bool,
    typer.Option(
        "--watch",
        help="With --cluster: wait until every job has ended.",
        rich_help_panel=WHERE,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        "-n",
        help="Print the plan and stop.",
        rich_help_panel=OUTPUT,
    ),
]
Set = Annotated[
    Names,
    typer.Option(
        "--set",
        metavar="SECTION.NAME=VALUE",
        help="Change a setting; repeatable. Examples: recipe.epochs=60, pdrd.weight=1, "
        "data.seed=3, cluster.time=600. Names: kdreid options.",
        rich_help_panel=TRAINING,
    ),
]

RetrySet = Annotated[
    Names,
    typer.Option(
        "--set",
        metavar="SECTION.NAME=VALUE",
        help="Change the cluster (cluster.time=600, cluster.memory=32G), or a recipe or a "
        "method's option (recipe.images_each=4), which makes new runs.",
        rich_help_panel=TRAINING,
    ),
]
With = Annotated[
    Names,
    typer.Option(
        "--with",
        metavar="SECTION.NAME=VALUE",
        help="The same as --set for recipes and methods.",
        rich_help_panel=TRAINING,
    ),
]
RetryCluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="PROFILE",
        help="Where to run: a profile in configs/cluster, a path, or inline for this process.",
        show_default="where each run ran before",
        autocompletion=completion.clusters,
        rich_help_panel=WHERE,
    ),
]
