"""What is known of each submission, kept so that a grading that was stopped goes on."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from tlcourse import __version__
from tlcourse.notebook import lessons
from tlcourse.utils.files import sha256, write_atomically
from tlschool.classroom import variants
from tlschool.classroom.assignment import Assignment
from tlschool.classroom.execute import Earned, Outcome
from tlschool.classroom.limits import Limits


def place(course: Path, name: str, student: str) -> Path:
    """The file of a student's record for an assignment."""
    return course / "records" / name / f"{student}.json"


def key(path: Path, given: Assignment, limits: Limits) -> str:
    """Known by the file's content, the limits, the assignment, its checks and the version."""
    asked = json.dumps([cell.source for cell in given.notebook.cells]) + repr(given.tasks)
    checks = [sha256(module.__file__) for module in
              (lessons.part(given.lesson, "checks"), variants.own(given.lesson)) if module]
    own = sha256(path) if path.is_file() and not path.is_symlink() else "no file"
    parts = [own, repr(limits), asked, str(given.variant), __version__, *checks]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def write(place: Path, key: str, outcome: Outcome) -> None:
    """Keep what came of a submission, whole or not at all."""
    write_atomically(place, json.dumps({"key": key, **asdict(outcome)}, indent=1) + "\n")


def read(place: Path, key: str) -> Outcome | None:
    """What is known; None for a submission that is new, or of which something has changed."""
    try:
        content = json.loads(place.read_text(encoding="utf-8"))
        if content.pop("key") != key:
            return None
        earned = [Earned(**one) for one in content.pop("earned")]
        return Outcome(earned, content.pop("remarks"), content.pop("outputs"), content.pop("code"))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
