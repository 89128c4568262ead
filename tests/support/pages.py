"""The README and the pages of the documentation, and what they show."""

import re
import shlex
from pathlib import Path

import typer

from harness.cli.app import app

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text() for path in FILES}
TEXT = "\n".join(PAGES.values())


def shown_commands():
    """Every command of every `bash` block, without comments, each once."""
    blocks = re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL)
    blocks = [re.sub(r" *\\\n *", " ", block) for block in blocks]
    lines = [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]
    return list(dict.fromkeys(filter(None, lines)))


def arguments(line):
    """The arguments of `kdreid` in a command line."""
    words = shlex.split(line)
    return words[1:] if words[0] == "kdreid" else ["run", *words[3:]]


def command_named(words):
    """The command that words call, and the words that are left."""
    command = typer.main.get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]
    return command, words


def option_names(command):
    """All names of the options of a command, and of those below it."""
    names = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    below = [option_names(child) for child in getattr(command, "commands", {}).values()]
    return names.union({"--help"}, *below)
