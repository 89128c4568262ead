"""Worker processes that end when the process that started them is killed."""

from __future__ import annotations

import os
from multiprocessing import parent_process
from threading import Thread


def exit_with_parent() -> None:
    """Initialise a worker so: without it, a killed parent leaves workers that wait for ever."""
    Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
