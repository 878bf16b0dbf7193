"""The launcher sets up once, with a Python that fits, and passes on what it is called with.

The installations are real ones, of a tiny course that has no packages to fetch.
"""

import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from tiny_checkout import SOURCE, Tiny

from tlcourse.utils.files import ROOT


def unfit_pythons():
    """Pythons on this computer that are too old or too new, one of each version."""
    folders = [Path(folder) for folder in os.get_exec_path()]
    folders += Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/*/bin")
    found = {path.name: path for folder in folders for path in folder.glob("python3.*")}
    unfit = re.compile(r"python3\.(?!1[123]$)\d+")
    return [found[name] for name in sorted(found) if unfit.fullmatch(name)]


# What it is


def test_every_python_3_can_parse_it():
    tree = ast.parse(SOURCE, feature_version=(3, 4))
    newer = (ast.JoinedStr, ast.NamedExpr, ast.AnnAssign, ast.AsyncFunctionDef, ast.Match)
    assert not [node for node in ast.walk(tree) if isinstance(node, newer)]
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert not any(arg.annotation for node in functions for arg in node.args.args)


def test_it_is_short_and_needs_no_package():
    assert len(SOURCE.splitlines()) <= 200
    imported = set(re.findall(r"^(?:import|from) (\w+)", SOURCE, re.MULTILINE))
    assert imported <= sys.stdlib_module_names


def test_the_commands_of_the_readme_are_words_that_there_are():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"python course\.py (\w+)", readme))
    assert {"lab", "test"} <= named

    told = subprocess.run([sys.executable, "-m", "tlschool", "--help"], check=True,
                          capture_output=True, encoding="utf-8").stdout
    assert named - {"test", "bench"} <= set(re.findall(r"^ +(\w+)", told, re.MULTILINE))


# The Python that calls it


@pytest.mark.parametrize("version, age", [
    ((3, 4, 10), "old"), ((3, 10, 13), "old"), ((3, 14, 0), "new"), ((4, 0, 0), "new"),
])
def test_a_python_that_does_not_fit_is_told_which_does(launcher, version, age):
    with pytest.raises(SystemExit) as stop:
        launcher.check_python(version)
    name = f"Python {version[0]}.{version[1]} is too {age}"
    assert stop.value.code == (
        f"course.py: {name}: install Python 3.13, or any from 3.11 up to it, and call this file "
        "with that."
    )


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 7), (3, 13, 9)])
def test_a_python_that_fits_passes(launcher, version):
    launcher.check_python(version)


@pytest.mark.parametrize("python", [
    pytest.param(path, id=path.name) for path in unfit_pythons()
] or [pytest.param(None, marks=pytest.mark.skip("no Python that is too old or too new is here"))])
def test_a_real_python_that_does_not_fit_says_so(python, tmp_path):
    ended = subprocess.run([python, "-E", Tiny(tmp_path).folder / "course.py", "lab"],
                           check=False, stderr=subprocess.PIPE, encoding="utf-8")
    assert ended.returncode == 1
    assert re.fullmatch(r"course.py: Python 3\.\d+ is too (old|new): .*\n", ended.stderr)
    assert not (tmp_path / ".venv").exists()


# Setting up and starting


def test_the_first_lab_is_preceded_by_the_doctor(installed):
    assert [words[1] for words in installed.first] == ["doctor", "lab"]


def test_a_sick_computer_stops_the_first_lab_once(tiny):
    tiny.stamp.unlink()
    (tiny.folder / "tlschool" / "sick").touch()
    ended = tiny.call("lab")
    assert ended.returncode == 1
    assert ended.stderr == "course.py: installed; repair what is named above, then call again.\n"
    assert [words[1] for words in tiny.said("lab")] == ["lab"]


def test_words_go_to_tlcourse_in_the_callers_folder(tiny, tmp_path):
    before = tiny.log.read_bytes()
    said = tiny.said("run", "00", "--solutions", cwd=tmp_path)
    assert said == [["__main__.py", "run", "00", "--solutions", str(tmp_path)]]
    assert tiny.log.read_bytes() == before  # nothing was installed


def test_the_exit_code_is_passed_on(tiny):
    assert tiny.call("exit", "7").returncode == 7


def test_the_test_and_bench_words_install_more_and_run_in_the_checkout(tiny, tmp_path):
    home = str(tiny.folder)
    assert tiny.said("test", "-x", cwd=tmp_path) == [["run.py", "-x", home]]
    assert tiny.stamp.read_text().startswith("tlcourse[test] ")
    before = tiny.log.read_bytes()
    assert tiny.said("bench", cwd=tmp_path) == [["bench.py", home]]
    assert tiny.said("build", cwd=tmp_path) == [["__main__.py", "build", str(tmp_path)]]
    assert tiny.said("lab", cwd=tmp_path) == [["__main__.py", "lab", str(tmp_path)]]
    assert tiny.log.read_bytes() == before  # with the extra, all that the others need is there


def test_the_classroom_installs_more_when_it_is_first_used_and_learners_do_not(tiny):
    tiny.needs("absent; extra == 'classroom'")
    tiny.said("lab")
    before = tiny.log.read_bytes()
    assert tiny.said("classroom", "grade", "my.ipynb", "--dry-run")
    assert tiny.log.read_bytes() == before
    ended = tiny.call("classroom", "release", "01")
    assert ended.returncode == 1 and "absent" in ended.stderr

    (tiny.folder / "needs").unlink()
    assert tiny.said("classroom", "release", "01")
    assert tiny.stamp.read_text().startswith("tlcourse[classroom] ")
    before = tiny.log.read_bytes()
    assert tiny.said("lab") and tiny.said("classroom", "grade", "in")
    assert tiny.log.read_bytes() == before


@pytest.mark.alone
def test_it_adds_less_than_a_second(tiny):
    tiny.said("hello")

    def seconds(command):
        begun = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=tiny.folder)
        return time.perf_counter() - begun

    python = tiny.folder / ".venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    launched = [sys.executable, tiny.folder / "course.py", "hello"]
    itself = [python, "-m", "tlschool", "hello"]
    assert min(seconds(launched) - seconds(itself) for _ in range(3)) < 1


def test_without_a_word_it_names_its_words_and_tlcourse_names_its_own(tiny):
    ended = tiny.call()
    assert "python course.py lab" in ended.stdout
    assert json.loads(ended.stdout.splitlines()[-1])[1] == "--help"


def test_asking_for_help_installs_nothing(launcher, capsys):
    assert launcher.main([]) == launcher.main(["--help"]) == launcher.main(["lab", "-h"]) == 0
    assert capsys.readouterr().out.count("python course.py lab") == 3
    assert not launcher.VENV.exists()


def test_changed_pins_and_a_moved_folder_are_installed_anew(launcher, monkeypatch, tmp_path):
    before = launcher.stamp("")
    (launcher.HERE / "constraints.txt").write_text("six==1.17.0\n")
    changed = launcher.stamp("")
    shutil.copytree(launcher.HERE, tmp_path / "moved")
    monkeypatch.setattr(launcher, "HERE", tmp_path / "moved")
    assert len({before, changed, launcher.stamp("")}) == 3


def test_on_windows_the_program_gets_the_ctrl_c_and_gives_the_exit_code(launcher, monkeypatch):
    launcher.PYTHON.parent.mkdir(parents=True)
    launcher.PYTHON.touch()
    launcher.STAMP.write_text(launcher.stamp(""))
    handlers, called = {}, []

    def program(command):
        called.append(command)
        handlers[signal.SIGINT](signal.SIGINT, None)  # raises nothing
        return 5

    monkeypatch.setattr(launcher, "os", SimpleNamespace(name="nt", chdir=os.chdir, curdir="."))
    monkeypatch.setattr(launcher.signal, "signal", handlers.__setitem__)
    monkeypatch.setattr(launcher.subprocess, "call", program)
    assert launcher.main(["run", "00"]) == 5
    assert called == [[launcher.PYTHON, "-m", "tlschool", "run", "00"]]
