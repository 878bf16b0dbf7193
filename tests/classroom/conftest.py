"""One release, and one graded batch of every kind of submission, for all tests of this folder."""

import http.server
import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import hand_ins
import pytest

from tlschool.classroom import command
from tlschool.classroom.release import release


@dataclass
class Batch:
    """A graded folder: where, how long it took, what was said, and requests that got out."""

    folder: Path
    course: Path
    seconds: float
    said: str
    status: int
    requests: list

    def table(self, name):
        """The lines of a report."""
        path = self.course / "reports" / "lesson-01" / f"{name}.csv"
        return path.read_text(encoding="utf-8-sig").splitlines()


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """A course folder with the assignment of lesson 01."""
    course = tmp_path_factory.mktemp("course")
    release(["01"], course)
    return course


@pytest.fixture(scope="session")
def batch(released, tmp_path_factory):
    """Every kind of submission, graded."""
    folder, requests = tmp_path_factory.mktemp("handed-in"), []
    course = tmp_path_factory.mktemp("batch") / "course"
    shutil.copytree(released, course)
    with _server(requests) as address:
        hand_ins.all_kinds(folder, address)
        begun = time.monotonic()
        with pytest.MonkeyPatch.context() as patch:
            said = []
            patch.setattr("builtins.print", lambda *words, **_: said.extend(map(str, words)))
            status = command.grade(str(folder), "01", str(course), hand_ins.LIMITS)
        seconds, gone_out = time.monotonic() - begun, list(requests)
        yield Batch(folder, course, seconds, "\n".join(said), status, gone_out)


class _server:
    """Answers on this computer with the right answer to exercise 1.3."""

    def __init__(self, requests):
        answer = hand_ins.answers()["01-ex-1-3"].encode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                requests.append(self.path)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}/"

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()
