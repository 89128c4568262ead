"""A page in a headless Chromium, which is started by the first test that needs it."""

import os
import shutil

import pytest

from results.report import write_report
from tests.support.records import PAPER, done, failed, spec, study, teacher_spec
from tests.support.report_page import HOSTILE, one_pixel

OPERATIONS = {"parameters": 11_180_000, "macs_with_rest": 2_400_000_000}


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


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """Address of a report on two datasets, with a label and a note that contain HTML."""
    runs = tmp_path_factory.mktemp("runs")
    for dataset in ("market1501", "msmt17"):
        teacher = study(runs, dataset=dataset)
        for seed in range(3):
            made = spec("sp", seed, [teacher], dataset=dataset)
            costs = {"operations": OPERATIONS, "timings": {"training": 5400.0}}
            done(runs, made, 0.45 + 0.01 * seed, label="SP", paper=PAPER, **costs)
    made = spec("mine", 0, [teacher], dataset="msmt17")
    done(runs, made, 0.45, label=HOSTILE, notes=[f"Note {HOSTILE}</script>"])
    failed(runs, spec("rkd", 0, [teacher_spec(dataset="msmt17")], dataset="msmt17"), "diverged")
    figures = runs / "report" / "figures"
    figures.mkdir(parents=True)
    (figures / "learning-msmt17.png").write_bytes(one_pixel())
    (figures / "learning-msmt17.csv").write_text("step,loss\n1,2\n")
    (figures / "gains.png").write_bytes(one_pixel())

    def reproduce(group):
        return [f"kdreid run --seeds {len(group)}"], ["Check out its commit first."]

    write_report(runs, reproduce=reproduce, labels={"rkd": "RKD"})
    return (runs / "report" / "index.html").as_uri()


@pytest.fixture
def visit(chromium, address):
    """Function that opens the page; afterwards, no message was logged and nothing was loaded."""
    contexts, messages, urls = [], [], []

    def opened(fragment="", script="", **options):
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(script)
        page.set_default_timeout(10_000)
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("dialog", lambda box: (messages.append(box.message), box.dismiss()))
        page.on("request", lambda request: urls.append(request.url))
        page.goto(address + fragment)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert messages == []
    loaded = {url.partition("#")[0] for url in urls if not url.startswith("data:")}
    assert loaded == {address}
