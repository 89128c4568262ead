"""A headless Chromium, started by the first test that needs it."""

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def chromium():
    """A running browser; without one the test is skipped with the package to install."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("Chromium is not installed: apt-get install --no-install-recommends chromium")
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox"] * (os.geteuid() == 0)  # Chromium refuses root a sandbox
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()
