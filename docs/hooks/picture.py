"""Take the picture of a report's first table: `python docs/hooks/picture.py RUNS FILE.png`."""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import FloatRect, ViewportSize, sync_playwright

WIDTH, MARGIN = 1240, 12  # pixels
COLOURS = 48  # text on a plain ground needs no more, and the file is a quarter of the size
EDGES = "element => [element.getBoundingClientRect().top, element.getBoundingClientRect().bottom]"
SCALE = 1.5  # device pixels for a pixel, so that text stays sharp on a phone


def take_picture(runs: Path, target: Path) -> None:
    """Open `runs/report/index.html` in a headless Chromium and save its first table with its title.

    Raises:
        SystemExit: no Chromium is installed.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise SystemExit("No Chromium here: apt-get install --no-install-recommends chromium")
    root = ["--no-sandbox"] * (os.geteuid() == 0)  # Chromium refuses root a sandbox
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=root)
        size: ViewportSize = {"width": WIDTH, "height": 1200}
        page = browser.new_page(viewport=size, device_scale_factor=SCALE)
        page.goto((runs / "report" / "index.html").resolve().as_uri())
        title, table = (page.locator(name).first.evaluate(EDGES) for name in ("h2", "table"))
        start, end = title[0] - MARGIN, table[1] + MARGIN
        clip: FloatRect = {"x": 0, "y": start, "width": WIDTH, "height": end - start}
        page.screenshot(path=target, clip=clip, full_page=True)
        browser.close()
    with Image.open(target) as image:
        image.quantize(COLOURS).save(target, optimize=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, help="runs folder with a finished report")
    parser.add_argument("target", type=Path, help="PNG to write")
    options = parser.parse_args()
    take_picture(options.runs, options.target)
