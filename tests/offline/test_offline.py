"""Tests reach this computer and no other, in this process and in those it starts."""

import asyncio
import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import joblib
import pytest

ELSEWHERE = "192.0.2.1"  # an address that documentation may use and nobody has
CONNECT = f"import socket; socket.create_connection(({ELSEWHERE!r}, 80), timeout=5)"


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, check=False,
        capture_output=True, text=True,
    )


def connect():
    try:
        socket.create_connection((ELSEWHERE, 80), timeout=5)
    except OSError as error:
        return str(error)


def test_a_connection_to_elsewhere_is_refused_with_a_sentence():
    with pytest.raises(OSError, match="the tests run without network, and this asked for"):
        socket.create_connection((ELSEWHERE, 80), timeout=5)


@pytest.mark.parametrize("family, address", [
    (socket.AF_INET, (ELSEWHERE, 80)), (socket.AF_INET6, ("2001:db8::1", 80)),
])
@pytest.mark.parametrize("kind, act", [
    (socket.SOCK_STREAM, lambda used, address: used.connect(address)),
    (socket.SOCK_STREAM, lambda used, address: used.connect_ex(address)),
    (socket.SOCK_DGRAM, lambda used, address: used.sendto(b"?", address)),
], ids=["connect", "connect_ex", "sendto"])
def test_no_kind_of_socket_gets_through(family, address, kind, act):
    with socket.socket(family, kind) as used, pytest.raises(OSError, match="without network"):
        act(used, address)


@pytest.mark.parametrize("look_up", [
    lambda: socket.getaddrinfo("example.org", 80), lambda: socket.gethostbyname("example.org"),
    lambda: urllib.request.urlopen("http://example.org", timeout=5),
], ids=["getaddrinfo", "gethostbyname", "urllib"])
def test_a_name_is_not_looked_up(look_up):
    with pytest.raises(OSError, match="without network, and this asked for 'example.org'"):
        look_up()


def test_asyncio_is_refused_too():
    async def open_connection():
        await asyncio.open_connection(ELSEWHERE, 80)

    with pytest.raises(OSError, match="without network"):
        asyncio.run(open_connection())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_computer_answers(host):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection((host, port), timeout=5) as client:
            server.accept()[0].sendall(b"here")
            assert client.recv(4) == b"here"


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets")
def test_unix_sockets_work():
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with one, other:
        one.send(b"here")
        assert other.recv(4) == b"here"


def test_a_child_is_refused():
    ended = run(CONNECT)
    assert ended.returncode == 1 and "without network" in ended.stderr


def test_a_worker_of_a_sweep_is_refused():
    said = joblib.Parallel(n_jobs=2)(joblib.delayed(connect)() for _ in range(2))
    assert all("without network" in sentence for sentence in said)


def test_a_sitecustomize_of_the_computer_runs_as_well(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("print('of the computer')\n", encoding="utf-8")
    ours = os.environ["PYTHONPATH"]
    assert Path(ours.split(os.pathsep)[0]).name == "offline"
    ended = run(CONNECT, PYTHONPATH=os.pathsep.join([ours, str(tmp_path)]))
    assert ended.stdout == "of the computer\n"
    assert "without network" in ended.stderr
