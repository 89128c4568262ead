"""Lists as editors and other systems leave them: marks, line breaks, blank lines, wrong lines."""

import codecs
import os
import subprocess
import sys

import pytest

from harness.core.errors import SetupError
from harness.data.datasets import LOADERS
from harness.data.parsing import read_lines, read_list
from tests.support import tiny_grid
from tests.support.command_line import COMMANDS
from tests.support.generated_copies import write_copy

LISTS = {
    "msmt17": ["list_train.txt", "list_val.txt", "list_query.txt", "list_gallery.txt"],
    "vehicleid": [f"train_test_split/{n}.txt" for n in ("train_list", "test_list_800")],
    "veri776": ["name_query.txt", "name_test.txt", "gt_index.txt", "jk_index.txt"],
}
FORMS = {
    "byte order mark": lambda data: codecs.BOM_UTF8 + data,
    "mark and CRLF": lambda data: codecs.BOM_UTF8 + data.replace(b"\n", b"\r\n"),
    "CR": lambda data: data.replace(b"\n", b"\r"),
    "UTF-16": lambda data: data.decode().encode("utf-16"),
    "blank last lines": lambda data: data + b"\n  \n\t\r\n",
    "blank lines everywhere": lambda data: b"\n\r\n" + data.replace(b"\n", b"\n \n"),
    "no last line break": lambda data: data.rstrip(),
    "spaces": lambda data: data.replace(b"\n", b" \t\n"),
    "lists joined with their marks": lambda data: b"".join(
        codecs.BOM_UTF8 + line for line in data.splitlines(keepends=True)
    ),
}


@pytest.mark.parametrize("layout", LISTS)
@pytest.mark.parametrize("form", FORMS)
def test_lists_of_any_form_are_read_alike(tmp_path, layout, form):
    home = write_copy(tmp_path, layout)
    plain = LOADERS[layout](tmp_path)
    for file in LISTS[layout]:
        (home / file).write_bytes(FORMS[form]((home / file).read_bytes()))
    assert LOADERS[layout](tmp_path) == plain


@pytest.mark.parametrize("locale", ["C", "C.UTF-8", "POSIX"])
def test_lists_do_not_depend_on_the_locale(tmp_path, locale):
    home = write_copy(tmp_path, "veri776")
    path = home / "name_test.txt"
    path.write_bytes(codecs.BOM_UTF8 + path.read_bytes())
    words = ["data", "check", "--dataset", "veri776", "--data-root", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, *COMMANDS["kdreid"], *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=tiny_grid.ROOT,
        env=os.environ | {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    )
    assert "index files agree on the matches of all 12 queries" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("layout", "file"), [(layout, file) for layout, files in LISTS.items() for file in files]
)
def test_a_wrong_line_is_named_with_its_file_and_number(tmp_path, layout, file):
    path = write_copy(tmp_path, layout) / file
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], "", "holiday \x1b[2J.png 7 7", *lines[1:]]) + "\n")
    with pytest.raises(SetupError, match=rf"^{layout}: .*{path.name}:[23]\b") as caught:
        LOADERS[layout](tmp_path)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("number", ["9" * 5000, "1e3", "٣", "0x1", "-1", "1.0"])
def test_an_identity_is_a_number_of_usual_size(tmp_path, number):
    path = tmp_path / "list.txt"
    path.write_text(f"a.jpg 1\nb.jpg {number}\n")
    with pytest.raises(SetupError, match=r"list\.txt:2: .{1,300} does not have the form"):
        list(read_list(path, "x"))


def test_a_query_without_such_images_has_a_blank_line_in_an_index_file(tmp_path):
    home = write_copy(tmp_path, "veri776")
    junk = home / "jk_index.txt"
    lines = junk.read_text().splitlines()
    junk.write_text("\n".join(["", *lines[1:]]) + "\n")
    with pytest.raises(SetupError, match=r"jk_index\.txt:1 lists other images for"):
        LOADERS["veri776"](tmp_path)


def test_line_numbers_count_blank_lines(tmp_path):
    path = tmp_path / "list.txt"
    path.write_bytes(b"\xef\xbb\xbf\n\r\n a \r\rb\x0b\n\nc\xff")
    assert read_lines(path, "x") == [(3, "a"), (5, "b"), (7, "c\udcff")]
