"""Configuration files that are not plain YAML: one sentence each, with the file and the line."""

import os

import pytest

from harness.core.errors import UnreadableFileError, UsageError
from harness.core.yaml import MAX_BYTES, load_yaml
from harness.planning.schema import StudyFile

BOMB = "\n".join(
    [
        "sweep: &a0 {x.y: [1]}",
        *(f"k{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)),
    ]
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"description: \xe9t\xe9\n", r":1: not UTF-8 \(.*\): save it as UTF-8\."),
        ("dataset: a".encode("utf-16"), r":1: not UTF-8"),
        (b"dataset: a\nhead: b\x00c\n", r":2: contains a control character"),
        (b"dataset: a\nhead: \x1b[31mb\n", r":2: contains a control character"),
        (b"pack: " + b"9" * 5000, r":1: not YAML: "),
        (b"seeds: " + b"[" * 5000, r":1: nested too deeply"),
        (b"seeds: " + b"[" * 60 + b"]" * 60, r":1: its values are too many or nested too deeply"),
        (
            BOMB.encode(),
            r":2: its values are too many or nested too deeply \(at most 10,000 values",
        ),
        (b"dataset: a\nseeds: &a [*a]\n", r":2: "),
        (b"dataset: a\nhead: !!python/name:os.system x\n", r":2: the tag .* is not allowed"),
        (b"head: !!python/object/apply:os.system ['true']\n", r":1: the tag .* is not allowed"),
        (b"dataset: !x b\n", r":1: the tag !x is not allowed: give plain values\."),
        (b"dataset: a\nhead: 2020-01-01\n", r":2: .* is not a plain value: quote it\."),
        (b"? [a, b]\n: c\n", r":1: a key is not a word"),
        (b"recipe: {lr: .nan}\n", r":1: nan and infinite or huge numbers are not allowed\."),
        (b"recipe: {lr: -.inf}\n", r":1: nan and infinite or huge numbers are not allowed\."),
        (
            b"options: {kd: {weight: .inf}}\n",
            r":1: nan and infinite or huge numbers are not allowed\.",
        ),
        (
            b"sweep: {kd.weight: [1, .nan]}\n",
            r":1: nan and infinite or huge numbers are not allowed\.",
        ),
        (b"seeds: [-1]\n", r":1: seeds\.0: .*, given -1\."),
        (
            b"seeds: [9223372036854775808]\n",
            r":1: nan and infinite or huge numbers are not allowed\.",
        ),
        (b"seeds: [true]\n", r":1: seeds\.0: .*, given True\."),
        (b"pack: 0\n", r":1: pack: .*, given 0\."),
        (b"recipe: {epochs: true}\n", r":1: recipe\.epochs: .*, given True\."),
        (b"dataset: ''\n", r":1: dataset: .*, given ''\."),
        (b"#" * (MAX_BYTES + 1), r" has more than 100,000 bytes"),
    ],
)
def test_content_that_is_refused(tmp_path, content, message):
    path = tmp_path / "study.yaml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"study\.yaml" + message) as caught:
        load_yaml(path, StudyFile)
    assert str(caught.value).isprintable()


def test_content_that_is_read(tmp_path):
    path = tmp_path / "study.yaml"
    for encoding in ("utf-8", "utf-8-sig"):
        path.write_text("description: Füße, 中文\r\nseeds: [0, 1]\r\n", encoding=encoding)
        assert load_yaml(path, StudyFile) == StudyFile(description="Füße, 中文", seeds=[0, 1])
    path.write_text("recipe: &r {lr: 1}\nteacher_recipe: *r\n")
    assert load_yaml(path, StudyFile).section("teacher_recipe") == {"lr": 1}


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "link.yaml").symlink_to("gone")
    for name, kind in (("pipe", "is a pipe"), ("folder", "is a folder"), ("link", "is a link to")):
        with pytest.raises(UnreadableFileError, match=f"{name}.yaml {kind}"):
            load_yaml(tmp_path / f"{name}.yaml", StudyFile)
    with pytest.raises(UsageError, match="cannot be the name of a file"):
        load_yaml(tmp_path / "a\0b.yaml", StudyFile)
    with pytest.raises(UnreadableFileError, match=r"x{300}\.yaml .*: choose a shorter name"):
        load_yaml(tmp_path / f"{'x' * 300}.yaml", StudyFile)
