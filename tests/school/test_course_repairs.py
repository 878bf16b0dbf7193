"""An installation that was stopped goes on, and what goes wrong is said in one sentence."""

import os
import re
import signal
import subprocess
import time
import zipfile
from types import SimpleNamespace

import pytest

POSIX = pytest.mark.skipif(os.name == "nt", reason="it needs the signals of Linux and macOS")


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
def test_a_python_that_does_not_start_is_noticed(launcher, content):
    launcher.PYTHON.parent.mkdir(parents=True)
    if content is not None:
        launcher.PYTHON.write_text(content)
        launcher.PYTHON.chmod(0o755)
    assert not launcher.venv_works()


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
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_FIND_LINKS", sources)
    usage = SimpleNamespace(free=gigabytes * 1e9)
    monkeypatch.setattr(launcher.shutil, "disk_usage", lambda _: usage)
    launcher.check_disk()
    usage.free -= 1e8
    with pytest.raises(SystemExit, match=f"and {gigabytes} are needed"):
        launcher.check_disk()


@pytest.mark.parametrize("log, free, sentence", [
    ("OSError: [Errno 28] No space left on device", 5e9, "the disk of .* is full: free some GB"),
    ("OSError: [WinError 112] There is not enough", 5e9, "the disk of .* is full: free some GB"),
    ("cut sho", 5e7, "the disk of .* is full: free some GB"),
    ("WARNING: Retrying (Retry(total=0, connect=None", 5e9, "the packages cannot be fetched: "),
    ("ReadTimeoutError: Read timed out.", 5e9, "the packages cannot be fetched: "),
    ("WARNING: Retrying (Retry(total=4, connect=None", 5e9, r"pip failed .*pip\.log tells all"),
    ("ResolutionImpossible", 5e9, r"pip failed .*pip\.log tells all"),
])
def test_when_pip_fails_the_reason_is_one_sentence(launcher, monkeypatch, log, free, sentence):
    launcher.PYTHON.parent.mkdir(parents=True)
    launcher.STAMP.touch()

    def pip(command, **_):
        if "pip" in command:
            launcher.LOG.write_text(log)
            return 1
        return 0

    monkeypatch.setattr(launcher.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    monkeypatch.setattr(launcher.subprocess, "call", pip)
    with pytest.raises(SystemExit) as stop:
        launcher.main(["lab"])
    assert re.fullmatch(f"course.py: {sentence}.*, then call again; it goes on from here.",
                        stop.value.code)
    assert not launcher.STAMP.exists()


def test_a_venv_that_python_cannot_make_is_said(launcher, monkeypatch):
    monkeypatch.setattr(launcher, "check_disk", lambda: None)
    monkeypatch.setattr(launcher.subprocess, "call", lambda command, **_: 1)
    with pytest.raises(SystemExit, match="could not make .*python3-venv, then call again"):
        launcher.main(["lab"])
