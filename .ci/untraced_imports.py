"""Pause coverage while Python imports a library: torch alone would take a second longer.

`.ci/run` puts this file into the virtual environment, for all processes that tests start. Lines of
ours are counted as before: no library imports the code that is measured.
"""

import sys
from importlib.machinery import SourceFileLoader
from sysconfig import get_path
from types import ModuleType

LIBRARIES = (get_path("purelib"), get_path("platlib"), get_path("stdlib"))
execute = SourceFileLoader.exec_module


def exec_module(self: SourceFileLoader, module: ModuleType) -> None:
    """Execute a module's code, that of a library without coverage's trace function."""
    tracer = sys.gettrace()
    if not hasattr(tracer, "stop") or not self.path.startswith(LIBRARIES):
        execute(self, module)
        return
    tracer.stop()
    try:
        execute(self, module)
    finally:
        tracer.start()


SourceFileLoader.exec_module = exec_module
