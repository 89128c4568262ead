"""Worker processes that end when the process that started them is killed."""

from __future__ import annotations

import os
from multiprocessing import parent_process
from threading import Thread


def exit_with_parent() -> None:
    """Make this worker process end with its parent; an initializer for process pools.

    Without it, the workers of a killed process wait for work for ever.
    """
    Thread(target=_exit_after_parent, daemon=True).start()


def _exit_after_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
