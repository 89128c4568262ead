"""MkDocs hook: replace `<!-- generated: NAME -->` by reference text made from the code."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from command_line import read_options, render_command_line
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from settings import (
    render_causes,
    render_fields,
    render_methods,
    render_options,
    render_recipe,
    render_weights,
)

from harness.cli.app import app
from harness.data.synthetic.generator import SyntheticSettings
from harness.execution.cluster.failure_causes import CAUSES
from harness.execution.cluster.profile import Profile
from harness.planning.schema import DatasetFile, StudyFile
from methods import EXTRA_METHODS, METHODS

MARK = re.compile(r"^<!-- generated: (.+?) -->$", re.M)

GENERATED: dict[str, Callable[[], str]] = {
    "command line": partial(render_command_line, app, "kdreid"),
    "recipe": lambda: render_recipe(read_options(app, "recipe")),
    "data": partial(render_fields, SyntheticSettings),
    "study file": partial(render_fields, StudyFile),
    "dataset file": partial(render_fields, DatasetFile),
    "cluster profile": partial(render_fields, Profile),
    "causes": partial(render_causes, CAUSES),
    "methods": partial(render_methods, METHODS),
    "further methods": partial(render_methods, EXTRA_METHODS),
    "weights": lambda: render_weights(read_options(app)),
    "method options": lambda: render_options(
        {name: read_options(app, name) for name in METHODS | EXTRA_METHODS}
    ),
}


def on_page_markdown(
    markdown: str,
    *,
    page: Page,  # noqa: ARG001
    config: MkDocsConfig,  # noqa: ARG001
    files: Files,  # noqa: ARG001
) -> str:
    """Return a page's Markdown with every mark replaced; called by MkDocs for each page.

    Raises:
        KeyError: a page asks for reference text that is not in `GENERATED`.
    """
    return MARK.sub(lambda match: GENERATED[match[1]](), markdown)
