"""The figures of a report as parts of its page."""

from __future__ import annotations

import base64
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

PNG = b"\x89PNG\r\n\x1a\n"  # how such a file begins
LARGEST = 8_000_000  # bytes of one picture; a page should open at once
RANKED = "ranked"  # how the names of ranked lists begin


@dataclass(frozen=True, slots=True)
class EmbeddedFigure:
    """One figure with the numbers behind it."""

    name: str  # of its file, without the ending
    source: str  # a data URI
    numbers: str  # a data URI; empty if there is no such file
    vector: bool  # whether a PDF lies beside
    earlier: bool = False  # whether it is of another report than the page

    @property
    def words(self) -> str:
        """Its name for a reader."""
        return self.name.replace("-", " ").replace("_", " ")

    @property
    def ranked(self) -> bool:
        """Whether it shows ranked lists."""
        return self.name.startswith(RANKED)


def embedded_figures(
    folder: Path, drawn: Collection[Path], problems: list[str]
) -> list[EmbeddedFigure]:
    """Every PNG in `folder` by name; what cannot be embedded is added to `problems`.

    All but those in `drawn` are of an earlier report.
    """
    found = []
    for path in sorted(folder.glob("*.png")):
        try:
            if path.stat().st_size > LARGEST:
                raise ValueError(f"it has more than {LARGEST:,} bytes")
            content = path.read_bytes()
            if not content.startswith(PNG):
                raise ValueError("it is no PNG")
        except (OSError, ValueError) as error:
            problems.append(f"{path}: not on the page, {error}.")
            continue
        table = path.with_suffix(".csv")
        small = table.is_file() and table.stat().st_size <= LARGEST
        numbers = _uri("text/csv", table.read_bytes()) if small else ""
        vector = path.with_suffix(".pdf").is_file()
        source, earlier = _uri("image/png", content), path not in drawn
        found.append(EmbeddedFigure(path.stem, source, numbers, vector, earlier))
    return found


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
