"""The launcher sets up once, resumes, passes on, and says in one sentence what is wrong.

The installations are real ones, of a tiny course that has no packages to fetch.
"""

import ast
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from tlcourse.files import ROOT

SOURCE = (ROOT / "course.py").read_text(encoding="utf-8")
POSIX = pytest.mark.skipif(os.name == "nt", reason="it needs the signals of Linux and macOS")

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
BACKEND = '''
"""Builds the tiny course without any package; it waits while there is a file named slow."""
import os, pathlib, time, zipfile

HERE = pathlib.Path(__file__).parent

def build_editable(folder, config_settings=None, metadata_directory=None):
    while (HERE / "slow").exists():
        (HERE / "begun").touch()
        time.sleep(0.05)
    needs = (HERE / "needs").read_text() if (HERE / "needs").exists() else ""
    info = "tlcourse-1.dist-info/"
    with zipfile.ZipFile(pathlib.Path(folder, "tlcourse-1-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("tlcourse.pth", str(HERE))
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: tlcourse\\nVersion: 1\\n"
                       "Provides-Extra: test\\nProvides-Extra: classroom\\n" + needs)
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: tiny\\n"
                       "Root-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return "tlcourse-1-py3-none-any.whl"
'''
PROGRAM = '''
"""Says how it was called, and ends as the word `exit` or a file named sick asks it to."""
import json, os, pathlib, sys
print(json.dumps([os.path.basename(sys.argv[0]), *sys.argv[1:], os.getcwd()]), flush=True)
sick = sys.argv[1:] == ["doctor"] and pathlib.Path(__file__).with_name("sick").exists()
sys.exit(int(sys.argv[2]) if sys.argv[1:2] == ["exit"] else int(sick))
'''


class Tiny:
    """A checkout with the true launcher and next to nothing to install."""

    def __init__(self, folder):
        self.folder = folder
        self.stamp, self.log = folder / ".venv" / "installed.txt", folder / ".venv" / "pip.log"
        for name, text in {
            "course.py": SOURCE, "pyproject.toml": PYPROJECT, "constraints.txt": "",
            "backend.py": BACKEND, "tlcourse/__init__.py": "", "tlcourse/__main__.py": PROGRAM,
            "pytest.py": PROGRAM, "tests/bench.py": PROGRAM,
        }.items():
            (folder / name).parent.mkdir(exist_ok=True, parents=True)
            (folder / name).write_text(text, encoding="utf-8")

    def call(self, *words, cwd=None, begin=subprocess.run, **environment):
        apart = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_NO_CACHE_DIR": "1"}
        inherited = {key: value for key, value in os.environ.items() if key[:4] != "PIP_"}
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
        return begin([sys.executable, self.folder / "course.py", *words], cwd=cwd or self.folder,
                     env=inherited | apart | environment, **streams)

    def said(self, *words, **options):
        """What the started programs printed; the launcher's call must succeed."""
        ended = self.call(*words, **options)
        assert ended.returncode == 0, ended.stderr
        return [json.loads(line) for line in ended.stdout.splitlines() if line.startswith('["')]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    tiny = Tiny(tmp_path_factory.mktemp("tiny") / "a course")  # paths have spaces in them
    tiny.first = tiny.said("lab")
    return tiny


@pytest.fixture
def tiny(installed):
    """The installed tiny course, and none of the switches that another test left."""
    for name in ("slow", "begun", "needs", "tlcourse/sick"):
        (installed.folder / name).unlink(missing_ok=True)
    return installed


@pytest.fixture
def course(tmp_path):
    """The launcher as a module, of a checkout where nothing is installed."""
    tiny = Tiny(tmp_path / "fresh")
    spec = importlib.util.spec_from_file_location("course", tiny.folder / "course.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
    assert len(SOURCE.splitlines()) < 120
    imported = set(re.findall(r"^(?:import|from) (\w+)", SOURCE, re.MULTILINE))
    assert imported <= sys.stdlib_module_names


def test_the_commands_of_the_readme_are_words_that_there_are():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"python course\.py (\w+)", readme))
    assert {"lab", "test"} <= named

    told = subprocess.run([sys.executable, "-m", "tlcourse", "--help"], check=True,
                          capture_output=True, encoding="utf-8").stdout
    assert named - {"test", "bench"} <= set(re.findall(r"^ +(\w+)", told, re.MULTILINE))


# The Python that calls it


@pytest.mark.parametrize("version, age", [
    ((3, 4, 10), "old"), ((3, 10, 13), "old"), ((3, 14, 0), "new"), ((4, 0, 0), "new"),
])
def test_a_python_that_does_not_fit_is_told_which_does(course, version, age):
    with pytest.raises(SystemExit) as stop:
        course.check_python(version)
    name = f"Python {version[0]}.{version[1]} is too {age}"
    assert stop.value.code == (
        f"course.py: {name}: install Python 3.13, or any from 3.11 up to it, and call this file "
        "with that."
    )


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 7), (3, 13, 9)])
def test_a_python_that_fits_passes(course, version):
    course.check_python(version)


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
    (tiny.folder / "tlcourse" / "sick").touch()
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
    assert tiny.said("test", "-x", cwd=tmp_path) == [["pytest.py", "-x", home]]
    assert tiny.stamp.read_text().startswith("tlcourse[test] ")
    before = tiny.log.read_bytes()
    assert tiny.said("bench", cwd=tmp_path) == [["bench.py", home]]
    assert tiny.said("build", cwd=tmp_path) == [["__main__.py", "build", str(tmp_path)]]
    assert tiny.said("lab", cwd=tmp_path) == [["__main__.py", "lab", str(tmp_path)]]
    assert tiny.log.read_bytes() == before  # with the extra, all that the others need is there


def test_the_classroom_installs_more_when_it_is_first_used_and_learners_do_not(tiny):
    tiny.stamp.unlink()
    (tiny.folder / "needs").write_text("Requires-Dist: faraway; extra == 'classroom'\n")
    tiny.said("lab")
    before = tiny.log.read_bytes()
    assert tiny.said("classroom", "grade", "my.ipynb", "--dry-run")
    assert tiny.log.read_bytes() == before
    ended = tiny.call("classroom", "release", "01")
    assert ended.returncode == 1 and "faraway" in ended.stderr

    (tiny.folder / "needs").unlink()
    assert tiny.said("classroom", "release", "01")
    assert tiny.stamp.read_text().startswith("tlcourse[classroom] ")
    before = tiny.log.read_bytes()
    assert tiny.said("lab") and tiny.said("classroom", "grade", "in")
    assert tiny.log.read_bytes() == before


def test_it_adds_less_than_a_second(tiny):
    tiny.said("hello")

    def seconds(command):
        begun = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=tiny.folder)
        return time.perf_counter() - begun

    python = tiny.folder / ".venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    launched = [sys.executable, tiny.folder / "course.py", "hello"]
    itself = [python, "-m", "tlcourse", "hello"]
    assert min(seconds(launched) - seconds(itself) for _ in range(3)) < 1


def test_without_a_word_it_names_its_words_and_tlcourse_names_its_own(tiny):
    ended = tiny.call()
    assert "python course.py lab" in ended.stdout
    assert json.loads(ended.stdout.splitlines()[-1])[1] == "--help"


def test_asking_for_help_installs_nothing(course, capsys):
    assert course.main([]) == course.main(["--help"]) == 0
    assert "python course.py lab" in capsys.readouterr().out
    assert not course.VENV.exists()


def test_changed_pins_and_a_moved_folder_are_installed_anew(course, monkeypatch, tmp_path):
    before = course.stamp("")
    (course.HERE / "constraints.txt").write_text("six==1.17.0\n")
    changed = course.stamp("")
    shutil.copytree(course.HERE, tmp_path / "moved")
    monkeypatch.setattr(course, "HERE", tmp_path / "moved")
    assert len({before, changed, course.stamp("")}) == 3


def test_on_windows_the_program_gets_the_ctrl_c_and_gives_the_exit_code(course, monkeypatch):
    course.PYTHON.parent.mkdir(parents=True)
    course.PYTHON.touch()
    course.STAMP.write_text(course.stamp(""))
    handlers, called = {}, []

    def program(command):
        called.append(command)
        handlers[signal.SIGINT](signal.SIGINT, None)  # raises nothing
        return 5

    monkeypatch.setattr(course, "os", SimpleNamespace(name="nt", chdir=os.chdir, curdir="."))
    monkeypatch.setattr(course.signal, "signal", handlers.__setitem__)
    monkeypatch.setattr(course.subprocess, "call", program)
    assert course.main(["run", "00"]) == 5
    assert called == [[course.PYTHON, "-m", "tlcourse", "run", "00"]]


# Interruption and repair


@POSIX
def test_an_interrupted_installation_ends_quietly_and_the_next_call_resumes(tiny):
    tiny.stamp.unlink()
    (tiny.folder / ".venv" / "kept").touch()
    (tiny.folder / "slow").touch()
    started = tiny.call("lab", begin=lambda *args, **options: subprocess.Popen(
        *args, **options, start_new_session=True))
    deadline = time.monotonic() + 30
    while not (tiny.folder / "begun").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(started.pid, signal.SIGINT)  # what Ctrl-C in a terminal does
    _, errors = started.communicate(timeout=30)

    assert started.returncode == 130
    assert errors.endswith("\ncourse.py: stopped; the next call goes on from here.\n")
    assert "course.py\", line" not in errors
    assert not tiny.stamp.exists()
    (tiny.folder / "slow").unlink()
    assert [words[1] for words in tiny.said("lab")] == ["doctor", "lab"]
    assert (tiny.folder / ".venv" / "kept").exists()  # it went on with what was there


@POSIX
@pytest.mark.parametrize("content", [None, "", "#!/bin/sh\nexit 1\n"])
def test_a_python_that_does_not_start_is_noticed(course, content):
    course.PYTHON.parent.mkdir(parents=True)
    if content is not None:
        course.PYTHON.write_text(content)
        course.PYTHON.chmod(0o755)
    assert not course.venv_works()


def test_a_broken_venv_is_made_anew(tiny):
    scripts = tiny.folder / ".venv" / ("Scripts" if os.name == "nt" else "bin")
    for python in scripts.glob("python*"):
        python.unlink()
    (tiny.folder / ".venv" / "rubbish").touch()
    assert [words[1] for words in tiny.said("hello")] == ["hello"]
    assert not (tiny.folder / ".venv" / "rubbish").exists()


# What can go wrong


def test_no_network_is_said_and_a_folder_of_wheels_helps(tiny, tmp_path):
    tiny.stamp.unlink()
    (tiny.folder / "needs").write_text("Requires-Dist: faraway\n")
    nowhere = {"PIP_NO_INDEX": "0", "PIP_RETRIES": "1"}
    ended = tiny.call("lab", **nowhere, PIP_INDEX_URL="http://127.0.0.1:9/simple")
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == (
        "course.py: the packages cannot be fetched: connect this computer to the network, or set "
        "PIP_NO_INDEX=1 and PIP_FIND_LINKS to a folder of wheels, then call again; it goes on from "
        "here."
    )
    with zipfile.ZipFile(tmp_path / "faraway-1-py3-none-any.whl", "w") as wheel:
        info = "faraway-1.dist-info/"
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: faraway\nVersion: 1\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(info + "RECORD", "")
    assert tiny.said("hello", PIP_FIND_LINKS=str(tmp_path))


def test_a_full_disk_is_said_before_anything_is_made(course, monkeypatch):
    monkeypatch.setattr(course.shutil, "disk_usage", lambda _: SimpleNamespace(free=2.5e9))
    with pytest.raises(SystemExit, match=r"has 2\.5 GB free and \d are needed: delete or move"):
        course.main(["lab"])
    assert not course.VENV.exists()


@pytest.mark.parametrize("platform, sources, gigabytes", [
    ("linux", "", 9), ("linux", "/wheels-cpu", 3), ("darwin", "", 3), ("win32", "", 3),
])
def test_cuda_needs_more_disk(course, monkeypatch, platform, sources, gigabytes):
    monkeypatch.setattr(course.sys, "platform", platform)
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_FIND_LINKS", sources)
    usage = SimpleNamespace(free=gigabytes * 1e9)
    monkeypatch.setattr(course.shutil, "disk_usage", lambda _: usage)
    course.check_disk()
    usage.free -= 1e8
    with pytest.raises(SystemExit, match=f"and {gigabytes} are needed"):
        course.check_disk()


@pytest.mark.parametrize("log, free, sentence", [
    ("OSError: [Errno 28] No space left on device", 5e9, "the disk of .* is full: free some GB"),
    ("OSError: [WinError 112] There is not enough", 5e9, "the disk of .* is full: free some GB"),
    ("cut sho", 5e7, "the disk of .* is full: free some GB"),
    ("WARNING: Retrying (Retry(total=0, connect=None", 5e9, "the packages cannot be fetched: "),
    ("ReadTimeoutError: Read timed out.", 5e9, "the packages cannot be fetched: "),
    ("WARNING: Retrying (Retry(total=4, connect=None", 5e9, r"pip failed .*pip\.log tells all"),
    ("ResolutionImpossible", 5e9, r"pip failed .*pip\.log tells all"),
])
def test_when_pip_fails_the_reason_is_one_sentence(course, monkeypatch, log, free, sentence):
    course.PYTHON.parent.mkdir(parents=True)
    course.STAMP.touch()

    def pip(command, **_):
        if "pip" in command:
            course.LOG.write_text(log)
            return 1
        return 0

    monkeypatch.setattr(course.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    monkeypatch.setattr(course.subprocess, "call", pip)
    with pytest.raises(SystemExit) as stop:
        course.main(["lab"])
    assert re.fullmatch(f"course.py: {sentence}.*, then call again; it goes on from here.",
                        stop.value.code)
    assert not course.STAMP.exists()


def test_a_venv_that_python_cannot_make_is_said(course, monkeypatch):
    monkeypatch.setattr(course, "check_disk", lambda: None)
    monkeypatch.setattr(course.subprocess, "call", lambda command, **_: 1)
    with pytest.raises(SystemExit, match="could not make .*python3-venv, then call again"):
        course.main(["lab"])
