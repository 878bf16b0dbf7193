"""A newcomer in a real browser: open lesson 00, run it all, answer wrong, then right."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from urllib.parse import urlsplit

import pytest

from tlcourse.diagnose import Report
from tlcourse.utils.files import ROOT

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
OPENED = "name => window.jupyterapp?.shell?.currentWidget?.context?.path === name"
READY = """async () => {
    await window.jupyterapp.restored;
    const panel = window.jupyterapp.shell.currentWidget;
    await panel.context.ready;
    await panel.sessionContext.ready;
    await panel.sessionContext.session.kernel.info;
}"""
RUN_ALL = "() => window.jupyterapp.commands.execute('notebook:run-all-cells')"
DONE = """() => {
    const cells = window.jupyterapp.shell.currentWidget.content.widgets.map(c => c.model.toJSON());
    const code = cells.filter(cell => cell.cell_type === 'code');
    return code.every(cell => cell.execution_count)
        || code.some(cell => cell.outputs.some(output => output.output_type === 'error'));
}"""
CELLS = """() => window.jupyterapp.shell.currentWidget.content.widgets
    .filter(cell => cell.model.type === 'code')
    .map(cell => {
        const {id, execution_count, outputs} = cell.model.toJSON();
        return {id, execution_count, outputs};
    })"""


@pytest.fixture
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="needs tlcourse[test]")
    if CHROMIUM is None:
        message = "no Chromium on the PATH: the browser test cannot run"
        pytest.fail(message) if os.environ.get("TLCOURSE_REQUIRE_BROWSER") else pytest.skip(message)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture
def lab(tmp_path):
    """`tlcourse lab 00` on a workspace of its own; the address of the page it opens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token, log = secrets.token_hex(8), tmp_path / "lab.log"
    command = [sys.executable, "-m", "tlschool", "lab", "00", "--", "--no-browser", "--allow-root",
               f"--port={port}", f"--IdentityProvider.token={token}",
               "--LabApp.expose_app_in_browser=True"]
    environment = os.environ | {
        "TLCOURSE_WORKSPACE": str(tmp_path / "workspace"),
        "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "layouts"),  # else it reopens earlier notebooks
    }
    with log.open("wb") as output:
        server = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/api?token={token}", server, log)
        yield f"{url}/lab/tree/00_start-here.ipynb?token={token}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(url, server, log, seconds=240):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=2).read()
            return
        except OSError:
            assert server.poll() is None, log.read_text(errors="replace")
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not answer in {seconds} s: {log.read_text(errors='replace')}")


def _open(page, address):
    """Open a notebook's page; return when its own kernel answers."""
    page.goto(address)
    name = urlsplit(address).path.partition("/lab/tree/")[2]
    page.wait_for_function(OPENED, arg=name, timeout=240_000)
    page.evaluate(READY)  # before a kernel session is there, running would hang or start two


def _answer(page, cell, text):
    """Type over the whole cell and run it, as a person would."""
    page.evaluate(
        """id => {
            const {content} = window.jupyterapp.shell.currentWidget;
            content.activeCellIndex = content.widgets.findIndex(c => c.model.id === id);
            return content.scrollToItem(content.activeCellIndex, 'center');
        }""",
        cell,
    )
    editor = page.locator(".jp-Notebook .jp-mod-active .cm-content")
    editor.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)
    page.keyboard.press("Control+Enter")


def _says(page, words):
    active = page.locator(".jp-Notebook .jp-mod-active .jp-OutputArea")
    active.get_by_text(words).wait_for(timeout=120_000)


def test_a_newcomer_runs_lesson_00_and_answers_an_exercise_wrong_and_then_right(chromium, lab):
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    _open(page, lab)

    page.evaluate(RUN_ALL)
    page.wait_for_function(DONE, timeout=400_000)
    cells = page.evaluate(CELLS)
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert [output for output in outputs if output["output_type"] == "error"] == []
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))

    _answer(page, "00-ex-0-1", 'order = "a"\norder = check("0.1", order)')
    _says(page, "0.1 is recorded, and judged after the measurement.")
    _answer(page, "00-ten-lines-one-transfer-9", 'judge("0.1", order)')
    _says(page, "0.1 came out otherwise than 'a': the network trained on print")
    _answer(page, "00-ten-lines-one-transfer-9", 'order = "b"\njudge("0.1", order)')
    _says(page, "0.1 passed, with 'b':")

    pictures = ROOT / "workspace" / "screenshots"
    pictures.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=pictures / "lesson-00.png")
    hosts = {urlsplit(url).hostname for url in asked if url.startswith(("http", "ws"))}
    assert hosts == {"127.0.0.1"}, "everything comes from this machine"


@pytest.mark.parametrize("wrap", ["normal", "nowrap"])
def test_a_report_is_no_wider_than_900_pixels(chromium, wrap):
    """As the output of a cell, also where the page around it keeps the lines of tables whole."""
    kept = json.loads((ROOT / "data" / "runs" / "patients.json").read_text(encoding="utf-8"))
    page = chromium.new_page(viewport={"width": 1600, "height": 900})
    for found in kept["patients"].values():
        report = Report.from_dict(found)._repr_html_()
        page.set_content(f"<style>td{{white-space:{wrap}}}</style><div id=report "
                         f'style="width:900px">{report}</div>')
        inside = "[...document.querySelectorAll('#report *')].map(e => e.scrollWidth)"
        assert max(page.evaluate(inside)) <= 900
