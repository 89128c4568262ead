"""Figures of a report, embedded in its page as data URIs."""

from __future__ import annotations

import base64
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import FileError
from harness.core.files import read_file
from results.figures import KIND_TITLES, RANKED_PREFIX

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_BYTES = 8_000_000  # of one file, so that the page opens quickly


@dataclass(frozen=True, slots=True)
class EmbeddedFigure:
    """A figure as the page shows it.

    Attributes:
        name: Name of its files, without the suffix.
        image: Data URI of the PNG.
        csv: Data URI of the CSV; empty without one.
        has_pdf: Whether there is a PDF next to the PNG.
        is_stale: Whether it was drawn for an earlier report.
    """

    name: str
    image: str
    csv: str
    has_pdf: bool
    is_stale: bool = False

    @property
    def title(self) -> str:
        """Caption and alternative text: the kind of figure and the rest of its name in words."""
        kind, _, rest = self.name.partition("-")
        words = rest.replace("-", " ").replace("_", " ")
        if kind not in KIND_TITLES:
            return f"{kind} {words}".strip().replace("_", " ")
        return f"{KIND_TITLES[kind]}: {words}" if words else KIND_TITLES[kind]

    @property
    def is_ranked_list(self) -> bool:
        """True if it shows ranked lists (`kdreid compare-rankings`)."""
        return self.name.startswith(RANKED_PREFIX)


def embed_figures(
    folder: Path, drawn: Collection[Path], problems: list[str]
) -> list[EmbeddedFigure]:
    """Embed every PNG of a folder, in the order of their names.

    Args:
        folder: The report's folder of figures.
        drawn: Files that this report drew; all others are marked as stale.
        problems: One line is appended for every file that cannot be embedded.
    """
    figures = []
    for path in sorted(folder.glob("*.png")):
        try:
            if path.stat().st_size > MAX_BYTES:
                raise ValueError(f"it is larger than {MAX_BYTES:,} bytes")
            content = read_file(path, MAX_BYTES) or b""
            if not content.startswith(PNG_SIGNATURE):
                raise ValueError("it is not a PNG")
        except (OSError, ValueError) as error:
            problems.append(f"{path}: not shown on the page, {error}.")
            continue
        except FileError as error:
            problems.append(f"Not shown on the page: {error}")
            continue
        try:
            table = read_file(path.with_suffix(".csv"), MAX_BYTES)
        except FileError:  # the figure does without it
            table = None
        figures.append(
            EmbeddedFigure(
                name=path.stem,
                image=_data_uri("image/png", content),
                csv="" if table is None else _data_uri("text/csv", table),
                has_pdf=path.with_suffix(".pdf").is_file(),
                is_stale=path not in drawn,
            )
        )
    return figures


def _data_uri(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
