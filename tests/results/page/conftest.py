"""A headless Chromium, started when the first test asks for it."""

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def chromium():
    """A running browser; skip, naming the package to install, where there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("No Chromium here: apt-get install --no-install-recommends chromium")
    from playwright.sync_api import sync_playwright

    root = ["--no-sandbox"] * (os.geteuid() == 0)  # Chromium refuses root a sandbox
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=root)
        yield browser
        browser.close()
