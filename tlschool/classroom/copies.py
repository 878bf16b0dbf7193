"""Copies of the course from which submissions are graded where no walls guard the installed one.

A submission without walls can write wherever its user can. So each runs from a copy of the course
that is compared, file by file, when the submission has ended. One that was changed is thrown away.
New copies are made of what the grader read before the first submission ran.
"""

import compileall
import hashlib
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import tlcourse
from tlcourse.utils.files import ROOT
from tlcourse.utils.messages import listed
from tlschool.classroom import sandbox

_PACKAGES = (Path(tlcourse.__file__).parent, Path(__file__).parents[1])


class Shelf:
    """The course as it was when this was made, and the copies of it that nobody uses now."""

    def __init__(self):
        self._content = {path: path.read_bytes() for path in _course_files()}
        self._installed = {path: _digest(content) for path, content in self._content.items()}
        self._free: list[tuple[TemporaryDirectory, dict[str, str]]] = []
        self._lock = threading.Lock()

    @contextmanager
    def lent(self, remarks: list[str]) -> Iterator[Path]:
        """A copy for one submission; what has been changed meanwhile is added to the remarks."""
        with self._lock:
            folder, before = self._free.pop() if self._free else self._made()
        try:
            yield Path(folder.name)
        finally:
            if changed := _changed(before, _digests(Path(folder.name))):
                remarks.append(f"the course that graded this was changed while it ran, {changed}: "
                               "the next one was graded by a fresh copy")
                folder.cleanup()
            with self._lock:
                if not changed:
                    self._free.append((folder, before))
                if changed := self._changed_where_installed():
                    remarks.append(f"while this ran, the installed course was changed, {changed}: "
                                   "install it again before you grade again")

    def _made(self):
        folder = TemporaryDirectory(prefix="tlcourse-copy-", ignore_cleanup_errors=True)
        root = Path(folder.name)
        for path, content in self._content.items():
            copy = root / _place(path)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content)
        compileall.compile_dir(root, quiet=2)
        for path in (*root.rglob("*"), root):
            path.chmod(0o555 if path.is_dir() else 0o444)
        return folder, _digests(root)

    def _changed_where_installed(self):
        now = {path: _digest(path.read_bytes()) if path.is_file() else "" for path in
               {*self._installed, *_course_files()}}
        before, self._installed = self._installed, now
        return _changed({_place(path).as_posix(): digest for path, digest in before.items()},
                        {_place(path).as_posix(): digest for path, digest in now.items()})


@contextmanager
def lent(remarks: list[str]) -> Iterator[Path | None]:
    """A copy of the course for one submission; None behind walls, where none can be changed."""
    if sandbox.why_not() is None:
        yield None
    else:
        with _shelf().lent(remarks) as folder:
            yield folder


@cache
def _shelf() -> Shelf:
    return Shelf()


def prepare() -> None:
    """Read the course, before the first submission runs, where copies are needed."""
    if sandbox.why_not() is not None:
        _shelf()


def _course_files() -> list[Path]:
    """What a submission's process reads: both packages, the data, and the checks."""
    code = [path for package in _PACKAGES for path in package.rglob("*.*")
            if not {"__pycache__", "assets", "_course"} & {*path.relative_to(package).parts}]
    data = (ROOT / "data").rglob("*")
    return [path for path in (*code, *data, *sandbox.lesson_files()) if path.is_file()]


def _place(path: Path) -> Path:
    """Where a file of the course lies in a copy, which is laid out as a clone is."""
    package = next((one for one in _PACKAGES if path.is_relative_to(one)
                    and not path.is_relative_to(ROOT / "data")
                    and not path.is_relative_to(ROOT / "lessons")), None)
    return path.relative_to(package.parent if package else ROOT)


def _digests(root: Path) -> dict[str, str]:
    """By a file's path below a folder; links and what cannot be read count as other content."""
    found = {}
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            found[name] = "no file"
        elif path.is_file():
            found[name] = _digest(path.read_bytes()) if os.access(path, os.R_OK) else "closed"
    return found


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """The files that differ, as a list; empty where none does."""
    return listed(sorted(name for name in {*before, *now} if before.get(name) != now.get(name)))
