"""Options that several commands share, their values, and the context that some commands make."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import completion
from harness.cli.arguments import MAX_SHOWN
from harness.core.errors import SetupError, UnwritableFileError, UsageError
from harness.runs.number_rules import LARGEST, MAX_COHORT_SIZE, MAX_WORKERS

if TYPE_CHECKING:
    from harness.core.session import RunContext

# Panels of --help
WHAT, DATA, TRAINING = "What to run", "Data", "Training"
WHERE, OUTPUT = "Where and how", "Output"

Names = list[str] | None


def run_argument(default: str | bool = False, *, metavar: str = "RUN") -> Any:
    """Return an argument that names runs, as `harness.runs.lookup` resolves them.

    Args:
        default: Runs that are used if none is named, for the help; False: a name is needed.
        metavar: Name of the argument in the help.
    """
    return typer.Argument(
        metavar=metavar,
        help="Row number, short id, beginning of the key, or submission, as kdreid status shows.",
        show_default=default,
        autocompletion=completion.runs,
    )


def _workers_option(meaning: str, least: int) -> Any:
    """Return the option for the number of workers, which are threads or processes."""
    return typer.Option(
        "--num-workers",
        "--workers",
        min=least,
        max=MAX_WORKERS,
        metavar="N",
        help=meaning,
        rich_help_panel=WHERE,
    )


def cohort_size_option(default: str) -> Any:
    """Return the option for the size of cohorts, with the default that the help shows."""
    return typer.Option(
        "--cohort-size",
        "--pack",
        min=1,
        max=MAX_COHORT_SIZE,
        metavar="N",
        help="Students trained together behind one teacher. Does not affect results.",
        show_default=default,
        rich_help_panel=TRAINING,
    )


Causes = Annotated[
    Names,
    typer.Option(
        "--only", metavar="CAUSE", help="Only failures of this cause, as in kdreid failures."
    ),
]

OutsideMethods = Annotated[
    Names,
    typer.Option(
        "--methods",
        metavar="NAMES",
        help="Methods of another origin among the runs whose code may be imported: module:Class.",
        show_default="none",
    ),
]

DatasetName = Annotated[
    str,
    typer.Option(
        "--dataset",
        metavar="NAME",
        help="Name of the dataset.",
        autocompletion=completion.datasets,
        rich_help_panel=DATA,
    ),
]
DataRoot = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        readable=False,  # what cannot be read is named with its owner, exit code 3
        help="Folder that contains the dataset as unpacked.",
        show_default="from the dataset's configuration, else $KDREID_DATA",
        rich_help_panel=DATA,
    ),
]
AllowPartial = Annotated[
    bool,
    typer.Option(
        "--allow-partial",
        help="Accept an incomplete dataset; tables mark it.",
        rich_help_panel=DATA,
    ),
]

Pretrained = Annotated[
    Names,
    typer.Option(
        "--pretrained",
        "--weights",
        metavar="NETWORK=FILE",
        help="File with a network's ImageNet weights; repeatable.",
        show_default="torchvision's cache",
        rich_help_panel=TRAINING,
    ),
]

Device = Annotated[
    str,
    typer.Option(
        metavar="DEVICE",
        help="auto (a GPU where there is one), cpu, cuda or cuda:N.",
        rich_help_panel=WHERE,
    ),
]
Workers = Annotated[int, _workers_option("Data-loading threads. Does not affect results.", 0)]
DecodingThreads = Annotated[int, _workers_option("Decoding threads.", 1)]
Processes = Annotated[int, _workers_option("Processes at a time.", 1)]

Runs = Annotated[
    Path,
    typer.Option(
        metavar="DIR",
        readable=False,
        help="Runs folder: runs, logs and reports are below it.",
        rich_help_panel=OUTPUT,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        readable=False,
        help="Folder for the files, such as for runs of others.",
        show_default="in the runs folder",
        rich_help_panel=OUTPUT,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.", rich_help_panel=OUTPUT)]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        help="Print no progress, only results and the last line.",
        rich_help_panel=OUTPUT,
    ),
]


@contextmanager
def offer_out() -> Iterator[None]:
    """Name --out DIR where the block cannot write into the runs folder.

    Raises:
        SetupError: It cannot.
    """
    try:
        yield
    except UnwritableFileError as error:
        raise SetupError(
            f"{error.path} cannot be written ({error.reason}). Write it elsewhere with --out DIR."
        ) from error


def parse_size(text: str) -> tuple[int, int]:
    """Parse the value of `--size`, HEIGHTxWIDTH in pixels.

    Raises:
        UsageError: It does not have this form.
    """
    match = re.fullmatch(r"([1-9]\d{0,3})x([1-9]\d{0,3})", text)
    most = LARGEST["height"][0], LARGEST["width"][0]
    if match is None or int(match[1]) > most[0] or int(match[2]) > most[1]:
        raise UsageError(
            f"--size is HEIGHTxWIDTH in pixels, at most {min(most):,} each, such as 256x128; given "
            f"{text[:MAX_SHOWN]!r}."
        )
    return int(match[1]), int(match[2])


def make_context(runs: Path, device: str, workers: int, *, quiet: bool) -> RunContext:
    """Return the context of a command that works with finished networks.

    Raises:
        SetupError: This machine does not have the device.
        UsageError: No device has this name.
    """
    from harness.core.devices import find_device
    from harness.core.progress import Reporter
    from harness.core.session import RunContext

    return RunContext(
        runs=runs,
        device_name=str(find_device(device)),
        reporter=Reporter(quiet=quiet),
        workers=workers,
    )
