"""The wheel is the whole course: it is installed and started with no clone and no network."""

import hashlib
import json
import os
import secrets
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
import venv
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from tlcourse.utils.files import ROOT

INSIDE = "tlcourse/_course/"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel as `python -m build --wheel` makes it, with what is installed already."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return next(folder.glob("tlcourse-*-py3-none-any.whl"))


@pytest.fixture(scope="module")
def scripts(wheel, tmp_path_factory):
    """Programs of an environment with the wheel, and the packages of the current one."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False)
    places = sysconfig.get_paths(
        sysconfig.get_preferred_scheme("prefix"), vars={"base": str(home), "platbase": str(home)}
    )
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", home, "install", "--quiet", "--no-deps",
         "--no-index", wheel], check=True,
    )
    # A folder that a .pth file names is searched, but the .pth files in it are not: the packages
    # are lent, the checkout that is installed among them is not.
    lent = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    Path(places["purelib"], "lent.pth").write_text("\n".join(lent), encoding="utf-8")
    return Path(places["scripts"])


def files_in(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_it_carries_all_data_lessons_and_notebooks(wheel):
    inside = files_in(wheel)
    manifest = json.loads(inside[INSIDE + "data/MANIFEST.json"])
    for about in manifest.values():
        content = inside[f"{INSIDE}data/{about['file']}"]
        assert hashlib.sha256(content).hexdigest() == about["sha256"]
        assert f"{INSIDE}data/{about['licence_file']}" in inside
    for pattern in ("lessons/**/*.*", "notebooks/*.ipynb", "notebooks/solutions/*.ipynb"):
        texts = [path for path in ROOT.glob(pattern) if path.is_file() and path.suffix != ".pyc"]
        assert len(texts) >= 2
        for path in texts:
            assert inside[INSIDE + path.relative_to(ROOT).as_posix()] == path.read_bytes()


def test_it_carries_nothing_else(wheel):
    kinds = {"py", "html", "json", "md", "npz", "safetensors", "txt", "toml", "ipynb"}
    reveal = {"j2", "css", "js", "LICENSE"}  # the slides' template and the library they carry
    for name in files_in(wheel):
        if ".dist-info/" not in name:
            asset = name.startswith("tlschool/assets/")
            kind = PurePosixPath(name).name.rpartition(".")[2]
            assert name.startswith(("tlcourse/", "tlschool/")), name
            assert kind in (kinds | reveal if asset else kinds), name
            assert not {"tests", "workspace", ".ipynb_checkpoints"} & set(name.split("/")), name
    assert wheel.stat().st_size < 40e6, "a presenter hands this file out"


def test_the_course_starts_from_it_in_an_empty_folder(scripts, tmp_path):
    port, token = _free_port(), secrets.token_hex(8)
    environment = {name: value for name, value in os.environ.items() if name[:9] != "TLCOURSE_"}
    log = tmp_path / "lab.log"
    home = tmp_path / "an empty folder"
    home.mkdir()
    with log.open("wb") as output:
        server = subprocess.Popen(
            [scripts / "tlcourse", "lab", "--", "--no-browser", "--allow-root", f"--port={port}",
             "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"],
            cwd=home, env=environment, stdout=output, stderr=output,
        )
    try:
        listing = _answer(f"http://127.0.0.1:{port}/api/contents?token={token}", server, log)
    finally:
        server.terminate()
        server.wait(timeout=30)
    delivered = {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert delivered <= {entry["name"] for entry in listing["content"]}
    assert delivered <= {path.name for path in (home / "workspace").iterdir()}


def test_the_installed_course_reads_its_own_data(scripts, tmp_path):
    code = ("import tlcourse, tlcourse.utils.files as files; "
            "print(len(tlcourse.load('uci_digits')), files.IS_CHECKOUT, files.ROOT)")
    python = scripts / ("python.exe" if os.name == "nt" else "python")
    said = subprocess.run([python, "-c", code], cwd=tmp_path, check=True, stdout=subprocess.PIPE,
                          encoding="utf-8").stdout.split(maxsplit=2)
    assert said[:2] == ["1797", "False"]
    assert Path(said[2].strip()).is_relative_to(scripts.parent)


def _free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _answer(url, server, log, seconds=60):
    """What the address answers, as soon as it does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return json.load(response)
        except urllib.error.URLError:
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not answer:\n{log.read_text(errors='replace')}")
