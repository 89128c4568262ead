"""Render the command line of a Typer application as Markdown."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

import typer
from typer.testing import CliRunner

NO_PANEL = "Commands"  # of commands that name no panel
HIDDEN = "Not listed by --help"


def render_command_line(app: typer.Typer, name: str) -> str:
    """Return a section for each panel of the application's help, with all its commands.

    Hidden commands that are not another name of a listed one come last.
    """
    root = typer.main.get_command(app)
    panels: dict[str, list[str]] = {}
    commands = [
        (words, command, _panel(root, words, command)) for words, command in _walk(root, name)
    ]
    listed = {inspect.unwrap(command.callback) for _, command, panel in commands if panel != HIDDEN}
    for words, command, panel in commands:
        if panel != HIDDEN or inspect.unwrap(command.callback) not in listed:
            panels.setdefault(panel, []).extend(_command(words, command))
    hidden = panels.pop(HIDDEN, [])
    lines = _parameters(root)
    for panel, sections in [*panels.items(), (HIDDEN, hidden)]:
        if sections:
            lines += [f"## {panel}", "", *sections]
    return "\n".join(lines)


def read_options(app: typer.Typer, *name: str) -> list[dict[str, Any]]:
    """Return what `kdreid options NAME --json` prints.

    Raises:
        RuntimeError: the command failed.
    """
    result = CliRunner().invoke(app, ["options", *name, "--json"])
    if result.exception is not None:
        raise RuntimeError(f"kdreid options {' '.join(name)} --json failed") from result.exception
    rows: list[dict[str, Any]] = json.loads(result.stdout)
    return rows


def _walk(command: Any, words: str) -> Iterator[tuple[str, Any]]:
    """Yield the words and the command of everything below a group, in the order of the help."""
    for name, child in getattr(command, "commands", {}).items():
        is_group = hasattr(child, "commands")
        if not is_group or child.invoke_without_command:
            yield f"{words} {name}", child
        if is_group:
            yield from _walk(child, f"{words} {name}")


def _panel(root: Any, words: str, command: Any) -> str:
    """Return the panel of a command, or of the group that contains it."""
    top = root.commands[words.split()[1]]
    if command.hidden or top.hidden:
        return HIDDEN
    return str(top.rich_help_panel or command.rich_help_panel or NO_PANEL)


def _command(words: str, command: Any) -> list[str]:
    context = command.context_class(command, info_name=words)
    usage = " ".join([words, *command.collect_usage_pieces(context)])
    text = (command.help or "").strip()
    return [f"### {words}", "", text, "", f"```text\n{usage}\n```", "", *_parameters(command)]


def _parameters(command: Any) -> list[str]:
    """Return a table of arguments and options, those of each panel below its name."""
    panels: dict[str, list[Any]] = {}
    for parameter in command.params:
        if not getattr(parameter, "hidden", False):
            panels.setdefault(parameter.rich_help_panel or "", []).append(parameter)
    lines = []
    for panel, parameters in panels.items():
        rows = [f"| {_names(one)} | {_meaning(one)} |" for one in parameters]
        lines += [f"| {panel or 'Argument or option'} | Meaning |", "|---|---|", *rows, ""]
    return lines


def _names(parameter: Any) -> str:
    names = [*parameter.opts, *parameter.secondary_opts]
    if parameter.param_type_name == "argument":
        return f"`{parameter.metavar or parameter.name.upper()}`"
    return ", ".join(f"`{name}`" for name in names) + _value(parameter)


def _value(parameter: Any) -> str:
    """Return what follows an option's names: the metavar or type of its value."""
    if parameter.is_flag:
        return ""
    if parameter.metavar:
        return f" `{parameter.metavar}`"
    kind = parameter.type_descriptor.annotation
    inner = getattr(kind, "__args__", (kind,))[0]
    name = "PATH" if issubclass(inner, PurePath) else inner.__name__.upper()
    return f" `{'TEXT' if name == 'STR' else name}`"


def _meaning(parameter: Any) -> str:
    text = " ".join((parameter.help or "").split()).replace("|", "\\|")
    bounds = [
        f"{word} {value}"
        for word, value in (("At least", parameter.min), ("At most", parameter.max))
        if value is not None
    ]
    return " ".join([text, *(f"{bound}." for bound in bounds), *_default(parameter)])


def _default(parameter: Any) -> list[str]:
    """Return the sentence about a parameter's default, if there is one."""
    if parameter.required:
        return ["Required."]
    if isinstance(parameter.show_default, str):
        return [f"Default: {parameter.show_default}."]
    if parameter.default is None or (parameter.is_flag and not parameter.secondary_opts):
        return []
    value = parameter.default
    if parameter.is_flag:
        value = (parameter.opts if value else parameter.secondary_opts)[0]
    return [f"Default: `{value}`."]
