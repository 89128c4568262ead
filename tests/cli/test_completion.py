"""Completion of command lines in a shell."""

import os
import subprocess
import sys

import pytest

from tests.support import run_folders, tiny_grid


def complete(line, cwd=tiny_grid.ROOT):
    """Complete the last word of a command line as bash asks for it."""
    code = "import sys, harness.cli.app as k; sys.argv[0] = 'kdreid'; k.main()"
    words = line.split(" ")
    request = {
        "_KDREID_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "PYTHONPATH": str(tiny_grid.ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env=os.environ | request,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("kdreid meas", ["measure-consistency"]),
        ("kdreid run --cohort", ["--cohort-size"]),
        ("kdreid run --methods pd", ["pdrd", "pdrk"]),
        ("kdreid run --methods sp,vi", ["sp,vid"]),
        ("kdreid run --dataset market", ["market1501"]),
        ("kdreid run --study pdrd-t", ["pdrd-tables"]),
        ("kdreid run --head b", ["bnneck"]),
        ("kdreid run --precision f", ["fp32", "fp16"]),
        ("kdreid run --cluster exa", ["example"]),
        ("kdreid status --state d", ["done"]),
        ("kdreid options re", ["recipe"]),
        ("kdreid check-method vr", ["vrkd"]),
    ],
)
def test_names(line, words):
    assert complete(line) == words


def test_runs_by_short_id_and_key(tmp_path):
    key = run_folders.waiting(tmp_path / "runs", 1)
    other = run_folders.waiting(tmp_path / "other", 2)
    assert complete(f"kdreid status {key[-8:][:5]}", tmp_path) == [key[-8:]]
    assert complete("kdreid logs synth", tmp_path) == [key]
    assert complete("kdreid logs --runs other synth", tmp_path) == [other]
    assert complete("kdreid logs --runs absent synth", tmp_path) == []


def test_completion_does_not_import_torch(tmp_path):
    (tmp_path / "torch.py").write_text("raise SystemExit('torch was imported')")
    assert complete("kdreid run --methods pd", tmp_path) == ["pdrd", "pdrk"]
