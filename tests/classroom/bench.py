"""Grade many submissions of a lesson, stopped in the middle: ``python tests/classroom/bench.py``.

Prints the time, the largest memory of all processes together, and the disk that the course folder
takes. Exit code 1 when a submission was graded twice, was lost, or got other points than it should.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import hand_ins
import psutil
from hand_ins import blank, perfect, save

from tlschool.classroom.assignment import assignment


def hand_in(folder: Path, lesson: str, number: int) -> dict[str, bool]:
    """Submissions, every third of them as it was handed out; which of them are perfect."""
    right = {f"student{i:03}": i % 3 > 0 for i in range(number)}
    notebooks = {True: perfect(lesson), False: blank(lesson)}
    for student, is_right in right.items():
        save(folder / f"{student}.ipynb", notebooks[is_right])
    return right


def memory(process: psutil.Process) -> int:
    """Bytes of a process and all of its descendants, shared pages counted once."""
    total = 0
    for member in (process, *process.children(recursive=True)):
        try:
            info = member.memory_full_info()
            total += getattr(info, "pss", info.uss)
        except psutil.Error:
            pass
    return total


def grade(folder: Path, lesson: str, course: Path, stop_at: int | None) -> tuple[float, int]:
    """Run the command, kill it when so many are known; its seconds and most bytes."""
    words = ["classroom", "grade", str(folder), "--lesson", lesson, "--output", str(course)]
    begun, most = time.monotonic(), 0
    process = subprocess.Popen([sys.executable, "-m", "tlschool", *words])
    while process.poll() is None:
        try:
            most = max(most, memory(psutil.Process(process.pid)))
        except psutil.NoSuchProcess:
            break
        if stop_at and len(records(course)) >= stop_at:
            process.kill()
        time.sleep(0.5)
    process.wait()
    return time.monotonic() - begun, most


def records(course: Path) -> dict[str, int]:
    """When each submission became known."""
    return {path.stem: path.stat().st_mtime_ns for path in (course / "records").rglob("*.json")}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lesson", default="01")
    parser.add_argument("--number", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder, course = Path(place, "in"), Path(place, "course")
        right = hand_in(folder, options.lesson, options.number)
        subprocess.run([sys.executable, "-m", "tlschool", "classroom", "release", options.lesson,
                        "--output", str(course)], check=True)
        first, most = grade(folder, options.lesson, course, options.number // 2)
        known = records(course)
        second, more = grade(folder, options.lesson, course, None)
        name = f"lesson-{options.lesson}"
        points = hand_ins.points(course, name)
        total = sum(task.points for task in assignment(options.lesson).tasks.values())
        kept = all(records(course)[student] == when for student, when in known.items())
        disk = sum(path.stat().st_size for path in course.rglob("*") if path.is_file())
    print(f"{options.number} submissions of lesson {options.lesson}, killed when {len(known)} were "
          f"known: {first:.0f} s + {second:.0f} s, at most {max(most, more) / 1e6:,.0f} MB of "
          f"memory, {disk / 1e6:.0f} MB of disk, on {psutil.cpu_count()} cores with a load of "
          f"{psutil.getloadavg()[1]:.1f}.")
    exact = points == {student: float(total * is_right) for student, is_right in right.items()}
    print(f"nothing graded twice: {kept}; nothing lost and all points exact: {exact}")
    return int(not (kept and exact))


if __name__ == "__main__":
    sys.exit(main())
