"""The learner's private record: one file in the workspace, which never leaves the machine."""

import contextlib
import functools
import json
import os
import sys
from datetime import date, datetime
from pathlib import Path

from filelock import FileLock

from tlcourse.notebook import leitner, places
from tlcourse.utils import files


def record(item: str, passed: bool) -> None:
    """Keep that an exercise or a quiz question was tried; a pass is never taken back.

    Processes that record at the same time wait for each other. A workspace that cannot be
    written is said once and stops nothing.

    Parameters
    ----------
    item : str
        Such as "0.1" or "quiz 0.1".
    passed : bool
    """
    path = _path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _lock(path):
            entries, time = _read(path), now()
            said = time.isoformat(timespec="seconds")
            entry = entries.setdefault(item, {"tries": 0, "passed": None})
            entry |= {
                "tries": entry["tries"] + 1,
                "passed": entry.get("passed") or (said if passed else None),
                "last": said,
            }
            if item.startswith("quiz "):
                entry |= leitner.step(entry, passed, time.date())
            files.write_atomically(path, json.dumps(entries, indent=1, sort_keys=True) + "\n")
    except OSError as error:  # filelock's Timeout is one as well
        _say_once(f"Your progress is not kept: {path} cannot be written ({error.strerror or error})"
                  "; the lesson runs all the same.")


def entries() -> dict[str, dict]:
    """The record as it is: item -> tries, passed, last, and for quiz questions box and due."""
    path = _path()
    try:
        if path.exists():
            with _lock(path):  # reading would be enough, but Windows replaces no open file
                return _read(path)
    except OSError as error:
        _say_once(f"Your progress cannot be read from {path} ({error.strerror or error}).")
    return {}


def note(item: str, passed: bool) -> None:
    """Record an outcome as `record` does; whatever fails there, the lesson goes on."""
    with contextlib.suppress(Exception):
        record(item, passed)


def now() -> datetime:
    """The time on this computer, with its zone."""
    return datetime.now().astimezone()


def _path() -> Path:
    return places.workspace() / "progress.json"


def _lock(path: Path) -> FileLock:
    return FileLock(path.with_name(".progress.lock"), timeout=10)


def _read(path: Path) -> dict[str, dict]:
    """Read under the lock; a damaged file is kept under another name, and a new one begins."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        if all(isinstance(entry["tries"], int) and isinstance(entry.get("box", 1), int)
               and date.fromisoformat(entry.get("due", "2030-01-31"))
               for entry in entries.values()):
            return entries
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError, KeyError, TypeError):
        pass  # JSON of another kind, or none
    kept = places.unused(path.with_name(f"progress-corrupt-{datetime.now():%Y-%m-%d}.json"))
    os.replace(path, kept)
    _say_once(f"progress.json was damaged: it is kept as {kept.name} and a new one begins.")
    return {}


@functools.cache
def _say_once(sentence: str) -> None:
    print(sentence, file=sys.stderr)
