import errno
import json
import os
import socket
import subprocess
import sys
import time
from urllib.request import ProxyHandler, Request, build_opener

import nbformat
import pytest
from tiny_course import lesson

from tlcourse.notebook import places
from tlcourse.utils import files
from tlschool.cli import lab
from tlschool.cli import main as cli

NAME = "01_training.ipynb"


@pytest.fixture
def copy(course, workspace):
    """The learner's working copy of lesson 01."""
    lab.update_workspace()
    return workspace / NAME


def edit(copy, text="my own line"):
    notebook = nbformat.read(copy, as_version=4)
    notebook.cells[1].source += f"\n# {text}"
    nbformat.write(notebook, copy)
    return copy.read_bytes()


def new_version(course):
    return lesson(course, "01_training", "Training", ["'better'"]).read_bytes()


def full_disk(path, content):
    raise OSError(errno.ENOSPC, "No space left on device", str(path))


def test_a_new_workspace_gets_every_lesson_and_no_solutions(course, workspace):
    lesson(course, "01_training", "Training", ["'the answer'"], edition="solutions")
    assert lab.update_workspace() == []
    assert {path.name for path in workspace.glob("*.ipynb")} == {"00_start-here.ipynb", NAME}
    assert "the answer" not in (workspace / NAME).read_text(encoding="utf-8")


def test_an_edited_copy_is_never_overwritten_and_its_owner_is_told(course, copy):
    mine = edit(copy)
    assert lab.update_workspace() == []  # the course did not change: nothing to say
    new_version(course)
    for _ in range(2):
        (said,) = lab.update_workspace()
        assert NAME in said and f"{places.command()} reset 01" in said
        assert copy.read_bytes() == mine


def test_a_copy_as_it_was_handed_out_follows_the_course(course, copy):
    new = new_version(course)
    (said,) = lab.update_workspace()
    assert "updated" in said and copy.read_bytes() == new


def test_running_a_notebook_is_no_edit(course, copy):
    notebook = nbformat.read(copy, as_version=4)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="1")]
    notebook.cells[1].execution_count = 7
    notebook.cells.append(nbformat.v4.new_code_cell(""))  # JupyterLab adds it after the last cell
    nbformat.write(notebook, copy)
    new = new_version(course)
    lab.update_workspace()
    assert copy.read_bytes() == new


def test_what_was_run_stays_as_long_as_the_course_does(course, copy):
    notebook = nbformat.read(copy, as_version=4)
    notebook.cells[1].execution_count = 7
    nbformat.write(notebook, copy)
    ran = copy.read_bytes()
    assert lab.update_workspace() == [] and copy.read_bytes() == ran


@pytest.mark.parametrize("record", ["kept", "lost", "damaged"])
def test_a_copy_saved_half_stays_and_is_named(course, copy, record):
    half = copy.read_bytes()[:200]
    copy.write_bytes(half)
    if record == "lost":
        (copy.parent / places.DELIVERED).unlink()
    if record == "damaged":
        (copy.parent / places.DELIVERED).write_text("[", encoding="utf-8")
    (said,) = lab.update_workspace()
    assert NAME in said and "cannot be read" in said
    assert copy.read_bytes() == half


def test_without_the_record_a_changed_copy_counts_as_edited(course, copy):
    (copy.parent / places.DELIVERED).unlink()
    old = copy.read_bytes()
    new_version(course)
    (said,) = lab.update_workspace()
    assert "yours, which stays" in said and copy.read_bytes() == old


def test_reset_brings_the_lesson_back_and_keeps_a_dated_copy(course, copy):
    mine = edit(copy)
    said = lab.reset("1")
    (kept,) = copy.parent.glob("01_training ????-??-?? ??.??.ipynb")
    assert kept.read_bytes() == mine and kept.name in said
    assert copy.read_bytes() == places.notebook("01").read_bytes()


def test_resets_within_a_minute_keep_every_copy(course, copy):
    mine = [edit(copy, text) for text in "abc" if lab.reset("01") or True]
    lab.reset("01")
    kept = [path.read_bytes() for path in copy.parent.glob("01_training *.ipynb")]
    assert len(kept) == 4 and set(mine) <= set(kept)


def test_reset_brings_a_lesson_that_was_deleted(course, copy):
    copy.unlink()
    lab.reset("01")
    assert copy.is_file() and not list(copy.parent.glob("01_training *"))


def test_after_a_reset_the_copy_follows_the_course_again(course, copy):
    edit(copy)
    new_version(course)
    lab.reset("01")
    newer = lesson(course, "01_training", "Training", ["'best'"]).read_bytes()
    lab.update_workspace()
    assert copy.read_bytes() == newer


@pytest.mark.parametrize("words", [["lab", "01"], ["reset", "01"]])
def test_a_full_disk_is_one_sentence_and_loses_nothing(course, copy, monkeypatch, capsys, words):
    mine = edit(copy)
    new_version(course)
    monkeypatch.setattr(files, "write_atomically", full_disk)
    assert cli.main(words) == 1
    assert copy.read_bytes() == mine
    said = capsys.readouterr().err
    assert "No space left on device; free some disk space" in said and said.count("\n") == 1


def test_jupyterlab_opens_the_lesson_with_this_python_and_asks_no_server_for_news(
    course, workspace, tmp_path
):
    """A real server: it is asked over HTTP what it would do, and told to end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # Kernels of that name elsewhere, such as an older one in the home folder, must not count.
    other = tmp_path / "elsewhere" / "kernels" / "python3"
    other.mkdir(parents=True)
    spec = {"argv": ["missing", "{connection_file}"], "display_name": "Wrong", "language": "python"}
    (other / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    code = (
        "import sys; from pathlib import Path; from tlcourse.notebook import places\n"
        "from tlschool.cli import main as cli\n"
        f"places.ROOT = Path({str(course)!r}); sys.exit(cli.main(sys.argv[1:]))"
    )
    log = tmp_path / "log"
    server = subprocess.Popen(
        [sys.executable, "-c", code, "lab", "01", "--", "--no-browser", "--allow-root",
         f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token=t"],
        env=os.environ | {"JUPYTER_PATH": str(tmp_path / "elsewhere")}, cwd=files.ROOT,
        stdout=log.open("wb"), stderr=subprocess.STDOUT,
    )
    open_url = build_opener(ProxyHandler({})).open

    def ask(path, method="GET"):
        request = Request(f"http://127.0.0.1:{port}{path}", method=method)
        request.add_header("Authorization", "token t")
        with open_url(request, timeout=20) as answer:
            return answer.url, answer.read().decode()

    try:
        for _ in range(900):
            try:
                ask("/api")
                break
            except OSError:
                assert server.poll() is None, log.read_text(encoding="utf-8")
                time.sleep(0.1)
        assert ask("/")[0].endswith("/lab/tree/01_training.ipynb")
        names = {entry["name"] for entry in json.loads(ask("/api/contents")[1])["content"]}
        assert NAME in names
        kernels = json.loads(ask("/api/kernelspecs")[1])["kernelspecs"]
        assert {n: k["spec"]["argv"][0] for n, k in kernels.items()} == {"python3": sys.executable}
        schema = ask("/lab/api/settings/@jupyterlab/apputils-extension:notification")[1]
        defaults = json.loads(schema)["schema"]["properties"]
        assert defaults["fetchNews"]["default"] == "false"
        assert defaults["checkForUpdates"]["default"] is False
        ask("/api/shutdown", "POST")
        assert server.wait(30) == 0
    finally:
        server.kill()
        server.wait()


def test_the_glossary_lies_beside_the_notebooks_and_a_click_shows_it_as_a_page(course, workspace):
    (course / "notebooks" / "glossary.md").write_text("# Glossary\n", encoding="utf-8")
    lab.update_workspace()
    assert (workspace / "glossary.md").read_text(encoding="utf-8") == "# Glossary\n"
    viewers = lab._SETTINGS["@jupyterlab/docmanager-extension:plugin"]["defaultViewers"]
    assert viewers == {"markdown": "Markdown Preview"}
