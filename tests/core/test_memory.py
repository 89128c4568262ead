"""Peak memory of this process, and free memory; those of the GPU need a GPU."""

import subprocess
import sys

import pytest
import torch

from harness.core import memory
from harness.core.memory import (
    memory_available,
    peak_host_memory,
    peak_memory,
    reset_peak_memory,
)
from tests.support.tiny_grid import ROOT

CPU = torch.device("cpu")
SIZE = 64 * 2**20  # bytes


# In a process of its own: where the kernel cannot reset the peak, that of earlier tests remains.
PEAK = f"""
import torch
from harness.core.memory import peak_host_memory, reset_peak_memory
reset_peak_memory(torch.device("cpu"))
before = peak_host_memory()
block = torch.ones({SIZE}, dtype=torch.uint8)  # ones, because untouched pages are not resident
del block
print(peak_host_memory() - before)
"""


def test_the_peak_is_in_bytes_and_remains_after_memory_is_freed():
    ended = subprocess.run(
        [sys.executable, "-c", PEAK], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert SIZE / 2 < int(ended.stdout) < 2 * SIZE


def test_a_cpu_has_no_gpu_memory():
    peaks = peak_memory(CPU)
    assert peaks.keys() == {"host", "gpu", "gpu_reserved"}
    assert peaks["gpu"] is peaks["gpu_reserved"] is None
    assert peaks["host"] == pytest.approx(peak_host_memory(), rel=0.1)


@pytest.mark.parametrize("text", [None, "VmPeak: 12 kB\n"])
def test_without_the_kernels_report_the_peak_is_unknown(tmp_path, monkeypatch, text):
    monkeypatch.setattr(memory, "_STATUS", tmp_path / "status")
    monkeypatch.setattr(memory, "_CLEAR_REFS", tmp_path / "absent" / "clear_refs")
    if text is not None:
        (tmp_path / "status").write_text(text)
    reset_peak_memory(CPU)
    assert peak_host_memory() is None


def test_free_memory_is_read_from_the_system():
    free = memory_available(CPU)
    assert free is None or 2**20 < free < 2**50


def test_free_memory_is_unknown_without_proc(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "meminfo")
    assert memory_available(CPU) is None
