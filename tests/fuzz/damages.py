"""Ways in which a disk, a copy, an editor or another program may damage a file."""

import json
import os
import shutil
from contextlib import contextmanager

from tests.support.random_values import paths, put, random_json


def flip(path, source, _):
    content = bytearray(path.read_bytes())
    place = source.randrange(max(1, len(content)))
    content[place : place + 1] = bytes(
        [(content[place] if content else 0) ^ 1 << source.randrange(8)]
    )
    path.write_bytes(content)


def cut(path, source, _):
    path.write_bytes(path.read_bytes()[: source.randrange(max(1, path.stat().st_size))])


def empty(path, *_):
    path.write_bytes(b"")


def zeros(path, *_):
    path.write_bytes(bytes(path.stat().st_size))


def noise(path, source, _):
    path.write_bytes(source.randbytes(source.randrange(1, 3000)))


def repeat(path, *_):
    path.write_bytes(2 * path.read_bytes())


def swap(path, source, others):
    shutil.copyfile(source.choice(others), path)


def become_folder(path, *_):
    path.unlink()
    path.mkdir()


def become_pipe(path, *_):
    path.unlink()
    os.mkfifo(path)


def become_link_to_nothing(path, *_):
    path.unlink()
    path.symlink_to("nothing")


def become_link_to_itself(path, *_):
    path.unlink()
    path.symlink_to(path.name)


def other_encoding(path, source, _):
    text = path.read_bytes().decode("utf-8", "replace")
    path.write_bytes(text.encode(source.choice(("utf-16", "utf-32", "utf-8-sig"))))


def add_control_characters(path, source, _):
    content = path.read_bytes()
    place = source.randrange(len(content) + 1)
    added = source.choice((b"\x00", b"\x1b]52;c;eA==\x07", b"\r", b"\xff\xfe", "\u202e".encode()))
    path.write_bytes(content[:place] + added + content[place:])


def _values(path):
    """The JSON in a file; an empty object if it is none."""
    try:
        content = json.loads(path.read_text())
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def other_value(path, source, _):
    content = _values(path)
    if places := list(paths(content)):
        put(content, source.choice(places), random_json(source))
    path.write_text(json.dumps(content))


def other_type(path, source, _):
    path.write_text(json.dumps(source.choice(([], 0, "x", None, True, [_values(path)]))))


def remove_key(path, source, _):
    content = _values(path)
    if content:
        del content[source.choice(sorted(content))]
    path.write_text(json.dumps(content))


def add_keys(path, source, _):
    extra = {f"x{number}": random_json(source) for number in range(3)}
    path.write_text(json.dumps(_values(path) | extra))


def nest(path, source, _):
    deep = "[" * 100_000 + "]" * 100_000
    text = json.dumps(_values(path))
    path.write_text(source.choice((deep, '{"a": ' * 50_000, f'{text[:-1]}, "deep": {deep}}}')))


def long_number(path, source, _):
    content = _values(path)
    if places := list(paths(content)):
        put(content, source.choice(places), "NUMBER")
    text = json.dumps(content)
    path.write_text(text.replace('"NUMBER"', source.choice(("1" * 5000, "1e999", "-1e999", "NaN"))))


ANY_FILE = (
    flip,
    flip,
    flip,
    cut,
    cut,
    empty,
    zeros,
    noise,
    repeat,
    swap,
    become_folder,
    become_pipe,
    become_link_to_nothing,
    become_link_to_itself,
    other_encoding,
    add_control_characters,
)
JSON_FILE = (
    other_value,
    other_value,
    other_value,
    other_type,
    remove_key,
    add_keys,
    nest,
    long_number,
)


def damages(path):
    """The ways in which a file of this kind is damaged."""
    is_json = path.suffix == ".json" or path.name == "lease"
    return (*ANY_FILE, *JSON_FILE) if is_json else ANY_FILE


def inflict(damage, path, source, others):
    """Damage a file; a lease stays as old as it was, because its age decides what it means."""
    times = path.stat()
    damage(path, source, others)
    ages = (times.st_atime_ns, times.st_mtime_ns)
    if path.name == "lease":
        os.utime(path, ns=ages, follow_symlinks=not path.is_symlink())


@contextmanager
def damaged(path, damage, source, others):
    """Damage a file within the block."""
    content, times = path.read_bytes(), path.stat()
    inflict(damage, path, source, others)
    try:
        yield
    finally:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        path.write_bytes(content)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
