"""An installation that was stopped goes on, and what goes wrong is said in one sentence."""

import os
import re
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from tiny_checkout import UV, wheel

POSIX = pytest.mark.skipif(os.name == "nt", reason="it needs the signals of Linux and macOS")


@POSIX
@pytest.mark.parametrize("tools", [{}, UV], ids=["pip", "uv"])
def test_an_interrupted_installation_ends_quietly_and_the_next_call_resumes(tiny, tools):
    tiny.stamp.unlink()
    (tiny.folder / ".venv" / "kept").touch()
    (tiny.folder / "slow").touch()
    (tiny.folder / "begun").unlink(missing_ok=True)
    started = tiny.call("lab", begin=lambda *args, **options: subprocess.Popen(
        *args, **options, start_new_session=True), **tools)
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
def test_a_python_that_does_not_start_is_noticed(launcher, content):
    launcher.PYTHON.parent.mkdir(parents=True)
    if content is not None:
        launcher.PYTHON.write_text(content)
        launcher.PYTHON.chmod(0o755)
    assert not launcher.works(launcher.PYTHON, "-c", "import pip")


def test_a_broken_venv_is_made_anew(tiny):
    scripts = tiny.folder / ".venv" / ("Scripts" if os.name == "nt" else "bin")
    for python in scripts.glob("python*"):
        python.unlink()
    (tiny.folder / ".venv" / "rubbish").touch()
    assert [words[1] for words in tiny.said("hello")] == ["hello"]
    assert not (tiny.folder / ".venv" / "rubbish").exists()


# What can go wrong


def test_no_network_is_said_and_a_folder_of_wheels_helps(tiny, tmp_path):
    tiny.needs("faraway")
    nowhere = {"PIP_NO_INDEX": "0", "PIP_RETRIES": "1"}
    ended = tiny.call("lab", **nowhere, PIP_INDEX_URL="http://127.0.0.1:9/simple")
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == (
        "course.py: the packages cannot be fetched: connect this computer to the network, or set "
        "PIP_NO_INDEX=1 and PIP_FIND_LINKS to a folder of wheels, then call again; it goes on from "
        "here."
    )
    wheel(tmp_path)
    assert tiny.said("hello", PIP_FIND_LINKS=str(tmp_path))


def test_a_full_disk_is_said_before_anything_is_made(launcher, monkeypatch):
    monkeypatch.setattr(launcher.shutil, "disk_usage", lambda _: SimpleNamespace(free=2.5e9))
    with pytest.raises(SystemExit, match=r"has 2\.5 GB free and \d are needed: delete or move"):
        launcher.main(["lab"])
    assert not launcher.VENV.exists()


@pytest.mark.parametrize("platform, sources, gigabytes", [
    ("linux", "", 9), ("linux", "/wheels-cpu", 3), ("darwin", "", 3), ("win32", "", 3),
])
def test_cuda_needs_more_disk(launcher, monkeypatch, platform, sources, gigabytes):
    monkeypatch.setattr(launcher.sys, "platform", platform)
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_T"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_FIND_LINKS", sources)
    usage = SimpleNamespace(free=gigabytes * 1e9)
    monkeypatch.setattr(launcher.shutil, "disk_usage", lambda _: usage)
    assert launcher.check_disk(cpu=False) == (gigabytes == 9)
    usage.free -= 1e8
    with pytest.raises(SystemExit, match=f"and {gigabytes} are needed"):
        launcher.check_disk(cpu=False)
    usage.free = 3e9
    assert not launcher.check_disk(cpu=True)


@pytest.mark.parametrize("log, free, sentence", [
    ("OSError: [Errno 28] No space left on device", 5e9, "the disk of .* is full: free some GB"),
    ("OSError: [WinError 112] There is not enough", 5e9, "the disk of .* is full: free some GB"),
    ("cut sho", 5e7, "the disk of .* is full: free some GB"),
    ("WARNING: Retrying (Retry(total=0, connect=None", 5e9, "the packages cannot be fetched: "),
    ("ReadTimeoutError: Read timed out.", 5e9, "the packages cannot be fetched: "),
    ("WARNING: Retrying (Retry(total=4, connect=None", 5e9, r"pip failed .*install\.log tells all"),
    ("ResolutionImpossible", 5e9, r"pip failed .*install\.log tells all"),
])
def test_when_pip_fails_the_reason_is_one_sentence(installs, monkeypatch, log, free, sentence):
    installs.STAMP.touch()
    installs.logs |= {"uv": "", "pip": log}
    monkeypatch.setattr(installs.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    with pytest.raises(SystemExit) as stop:
        installs.main(["lab"])
    assert re.fullmatch(f"course.py: {sentence}.*, then call again; it goes on from here.",
                        stop.value.code)
    assert not installs.STAMP.exists()


def test_when_uv_fails_pip_is_tried_once(installs):
    installs.logs["uv"] = "error: Failed to parse metadata"
    installs.install("", cpu=False)
    assert [tool for tool, _ in installs.called] == ["uv", "pip"]
    assert installs.STAMP.exists()


@pytest.mark.parametrize("log", [  # as uv says it on a full disk
    "cause: failed to copy file: No space left on device (os error 28)",
    "cause: failed to copy file: There is not enough space on the disk. (os error 112)",
])
def test_when_uv_fills_the_disk_pip_is_not_tried(installs, log):
    installs.logs["uv"] = log
    with pytest.raises(SystemExit, match="the disk of .* is full: free some GB"):
        installs.install("", cpu=False)
    assert [tool for tool, _ in installs.called] == ["uv"]


@pytest.fixture
def installs(launcher, monkeypatch):
    """The launcher, with an environment and uv in it; what fails writes its entry of `logs`."""
    launcher.PYTHON.parent.mkdir(parents=True)
    launcher.PYTHON.touch()
    launcher.logs, launcher.called = {}, []

    def stage(text, command, environment=None):
        tool = "uv" if command[0] == "uv" else "pip"
        launcher.called.append((tool, [str(part) for part in command]))
        with launcher.LOG.open("a") as log:
            log.write(launcher.logs.get(tool, ""))
        return tool not in launcher.logs

    monkeypatch.setattr(launcher, "works", lambda *command: True)
    monkeypatch.setattr(launcher, "find_uv", lambda: "uv")
    monkeypatch.setattr(launcher, "PIP", [sys.executable, *launcher.PIP[1:]])
    monkeypatch.setattr(launcher, "stage", stage)
    monkeypatch.setattr(launcher.subprocess, "call", lambda command, **_: 0)
    return launcher


def test_a_venv_that_python_cannot_make_is_said(launcher, monkeypatch):
    monkeypatch.setattr(launcher, "check_disk", lambda cpu: True)
    monkeypatch.setattr(launcher.subprocess, "call", lambda command, **_: 1)
    with pytest.raises(SystemExit, match="could not make .*python3-venv, then call again"):
        launcher.main(["lab"])


# Where packages come from


def test_uv_reads_packages_from_where_pip_is_told_to(installs, monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    settings = tmp_path / "pip.conf"
    settings.write_text("[global]\nindex-url = https://a.example/simple\ntimeout = 7\n"
                        "extra-index-url =\n    https://b.example/simple\n"
                        "    https://c.example/simple\n"
                        "find-links = here\nno-index = false\ncert = roots.pem\n"
                        "[install]\nfind-links = there\n", encoding="utf-8")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    monkeypatch.setenv("PIP_INDEX_URL", "https://d.example/simple")
    options, variables = installs.uv_settings(cpu=False)
    pairs = {*zip(options[::2], options[1::2], strict=True)}
    assert {pair for pair in pairs if pair[0] != "--constraints"} == {  # which a computer may have
        ("--default-index", "https://d.example/simple"), ("--find-links", "there"),
        ("--index", "https://b.example/simple"), ("--index", "https://c.example/simple")}
    assert variables["UV_HTTP_TIMEOUT"] == "7" and variables["SSL_CERT_FILE"] == "roots.pem"
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert "--no-index" in installs.uv_settings(cpu=False)[0]


@pytest.mark.parametrize("told", ["variable", "file"])
def test_uv_installs_from_a_folder_of_wheels_that_pip_is_told_of(tiny, tmp_path, told):
    tiny.needs(told)
    wheel(tmp_path, told)
    settings = tmp_path / "pip.conf"
    settings.write_text(f"[global]\nfind-links = {tmp_path}\n", encoding="utf-8")
    where = {"PIP_FIND_LINKS": str(tmp_path)} if told == "variable" else {
        "PIP_CONFIG_FILE": str(settings)}
    ended = tiny.call("hello", **UV, **where)
    assert ended.returncode == 0, ended.stderr
    assert re.fullmatch(r"Installing what is missing \.\.\. \d+ s", ended.stdout.splitlines()[0])
    assert f"+ {told}==1" in tiny.log.read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every PyTorch is one for CPUs")
def test_cpu_installs_the_packages_for_cpus_and_is_remembered(installs, monkeypatch):
    monkeypatch.setattr(installs.os, "execv", lambda python, program: program)
    installs.logs["uv"] = "error: no such option"
    installs.main(["lab", "--cpu"])
    (_, by_uv), (_, by_pip) = installs.called
    assert by_uv[by_uv.index("--torch-backend") + 1] == "cpu"
    index = by_pip[by_pip.index("--extra-index-url") + 1]
    assert index.startswith("https://download.pytorch.org/") and index.endswith("/cpu")

    installs.main(["lab", "--cpu"])  # nothing is left to install
    assert len(installs.called) == 2
    installs.STAMP.unlink()
    installs.main(["lab"])
    assert "--torch-backend" in installs.called[2][1]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every PyTorch is one for CPUs")
def test_cpu_makes_an_environment_with_cuda_anew(installs, monkeypatch):
    made = []
    monkeypatch.setattr(installs.os, "execv", lambda python, program: program)
    monkeypatch.setattr(installs.subprocess, "call", lambda command, **_: made.append(command[2]))
    installs.main(["run", "00"])
    assert "venv" not in made and not installs.CPU.exists()
    installs.main(["run", "00", "--cpu"])
    assert made.count("venv") == 1 and installs.CPU.exists()
