import asyncio
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from queue import Empty
from types import SimpleNamespace

import nbformat
import pytest
import zmq.asyncio
from tiny_course import lesson

from tlcourse.utils.files import ROOT
from tlschool.authoring import runner
from tlschool.cli import main as cli

REACHED = """import os, sys, json
from pathlib import Path
Path("left behind").touch()
print(json.dumps([sys.executable, os.getcwd(), os.environ["TLCOURSE_WORKSPACE"]]))"""

BAR = "from tqdm.notebook import tqdm\nfor _ in tqdm(range(2)): print('beside the bar')"


def cells(path):
    return nbformat.read(path, as_version=4).cells


def test_a_lesson_runs_with_this_python_in_a_folder_of_its_own(
    course, workspace, capsys, tmp_path, monkeypatch
):
    """One run, of many things to see: a kernel takes seconds to start."""
    other = tmp_path / "kernels" / "python3" / "kernel.json"  # Jupyter would find it first
    other.parent.mkdir(parents=True)
    about = {"argv": ["missing"], "display_name": "Wrong", "language": "python"}
    other.write_text(json.dumps(about), encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    lesson(course, "00_start-here", "Formula $E = mc^2$ and `$code$`",
           [REACHED, "", "import time; time.sleep(0.5)", "<div>".__repr__(), BAR])
    assert cli.main(["run", "00"]) == 0
    said = capsys.readouterr()
    seconds, notebook, page = said.out.splitlines()
    assert (Path(notebook), Path(page)) == (
        workspace / "runs" / "00_start-here.ipynb", workspace / "runs" / "00_start-here.html")
    assert 0.5 <= float(seconds.split()[0]) < 20
    assert "00_start-here: " in said.err and "WARNING" not in said.err

    (printed,) = cells(notebook)[1].outputs
    python, folder, kernel_workspace = json.loads(printed.text)
    assert python == sys.executable
    assert folder == kernel_workspace != str(workspace) and not Path(folder).exists()
    assert not list(course.rglob("left behind"))

    html = Path(page).read_text(encoding="utf-8")
    assert "<msup>" in html and "mc^2" not in html and "$code$" in html and "&lt;div&gt;" in html
    assert "$E = mc^2$" in cells(notebook)[0].source, "the notebook keeps its TeX"
    assert html.count("beside the bar\n") == 2
    assert "0/2" not in html and "widget-view" not in Path(notebook).read_text(encoding="utf-8")
    loading = re.findall(r"<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=\S+|@import\S+", html)
    assert loading == [] and "import(" not in html


def test_a_cell_that_fails_is_named_and_what_was_reached_is_written(course, workspace, capsys):
    lesson(course, "01_training", "Training", ["print('reached')", "x = 1\nx / 0", "'never'"],
           edition="solutions")
    assert cli.main(["run", "01", "--solutions"]) == 1
    said = capsys.readouterr().err
    assert "cell 3 of 4 stopped with ZeroDivisionError: division by zero\nx = 1\nx / 0" in said
    assert "Traceback" not in said
    _, first, failed, last = cells(workspace / "runs" / "01_training-solutions.ipynb")
    assert first.outputs[0].text == "reached\n"
    assert failed.outputs[0].ename == "ZeroDivisionError" and last.outputs == []
    page = workspace / "runs" / "01_training-solutions.html"
    assert "division by zero" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("source", "reason"),
    [("import time; time.sleep(60)", "a timeout"), ("import os; os._exit(1)", "its kernel")],
)
def test_a_cell_that_never_ends_or_ends_the_kernel_is_named_too(tmp_path, source, reason):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    with pytest.raises(runner.RunError, match=f"(?s)cell 1 of 1 .*{reason}.*{re.escape(source)}"):
        runner.execute(notebook, folder=tmp_path, timeout=1)


class Unnoticed(zmq.asyncio.Socket):
    """It has a message but tells nobody: a wait finds it only when its time is up."""

    waiting = True

    async def poll(self, timeout):
        await asyncio.sleep(timeout / 1000)
        return self.waiting

    async def recv_multipart(self):
        return ["a message"]


class Silent(Unnoticed):
    waiting = False


async def ask(kind, timeout):
    session = SimpleNamespace(feed_identities=lambda parts: (None, parts),
                              deserialize=lambda parts: parts[0])
    with zmq.asyncio.Context() as context, kind(context, zmq.PAIR) as socket:
        return await asyncio.wait_for(runner.Channel(socket, session).get_msg(timeout), 30)


@pytest.mark.parametrize("timeout", [300, None])
def test_a_message_that_nobody_was_told_of_is_found_in_seconds(timeout):
    assert asyncio.run(ask(Unnoticed, timeout)) == "a message"


def test_without_a_message_the_timeout_holds():
    with pytest.raises(Empty):
        asyncio.run(ask(Silent, 1.2))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to a whole console")
def test_ctrl_c_ends_the_run_quietly_and_keeps_what_was_reached(course, workspace, tmp_path):
    begun = tmp_path / "begun"
    lesson(course, "01_training", "Training",
           ["'reached'", f"open({str(begun)!r}, 'w').close()\nimport time; time.sleep(60)"])
    code = (
        "import sys; from pathlib import Path; from tlcourse.notebook import places\n"
        "from tlschool.cli import main as cli\n"
        f"places.ROOT = Path({str(course)!r}); sys.exit(cli.main(['run', '01']))"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, encoding="utf-8") as running:
        while not begun.exists() and running.poll() is None:
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        said = running.communicate(timeout=30)[1]
    assert running.returncode == 130
    assert said.endswith("tlcourse: stopped\n") and "Traceback" not in said
    reached = cells(workspace / "runs" / "01_training.ipynb")[1].outputs
    assert reached[0].data["text/plain"] == "'reached'"
