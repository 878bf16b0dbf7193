"""What each word of the ``tlcourse`` command does, once its options are read.

A function takes the options and returns the exit status; None is 0. It imports what it needs
itself, so that the help and the quick words wait for nothing.
"""

import sys
from pathlib import Path

from tlcourse.notebook.places import UnknownLesson


def fail(message: object, code: int) -> int:
    """Say what went wrong, and hand back the exit status."""
    print(f"tlcourse: {message}", file=sys.stderr)
    return code


def begin_with_launcher(options) -> int:
    return fail("the tests and the benchmark need more packages than the lessons: call "
                "`python course.py test` or `python course.py bench`, which installs them", 2)


def open_lab(options) -> None:
    from tlcourse.notebook import places
    from tlschool.cli import lab

    places.notebook(options.lesson)  # an unknown lesson is said before anything is copied
    for sentence in lab.update_workspace():
        print(sentence)
    lab.start(options.lesson, options.jupyter)


def run_lesson(options) -> int:
    from tlschool.authoring import runner

    try:
        notebook, page, seconds = runner.run(options.lesson, solutions=options.solutions)
    except runner.RunError as error:
        return fail(error, 1)
    print(f"{seconds:.1f} s\n{notebook}\n{page}")
    return 0


def examine_computer(options) -> int:
    from tlschool.cli import doctor

    return doctor.report()


def show_progress(options) -> None:
    from tlcourse.notebook import progress

    print(progress.show())


def ask_again(options) -> None:
    from tlcourse.notebook.review import review

    review()


def show_hint(options) -> int:
    from tlcourse.notebook import check, exercises

    try:
        exercises.get(options.exercise)
    except LookupError as error:
        return fail(error, 2)
    check.hint(options.exercise, options.level)
    return 0


def show_solution(options) -> int:
    from tlcourse.notebook import solution

    try:
        print(solution.source(options.exercise))
    except LookupError as error:
        return fail(error, 2)
    return 0


def release(options) -> int:
    from tlschool.classroom import command

    return command.release(options.lessons, options.output, options.students)


def grade(options) -> int:
    from tlschool.classroom import command

    limits = command.limits(options.seconds, options.megabytes)
    if options.dry_run:
        return command.dry_run(options.path, limits)
    if options.lesson is None:
        return fail("a folder is graded for one lesson: add --lesson, such as --lesson 01, or "
                    "--dry-run to see the points of a notebook of your own", 2)
    return command.grade(options.path, options.lesson, options.output, limits)


def reset_lesson(options) -> None:
    from tlschool.cli import lab

    print(lab.reset(options.lesson))


def make_live(options) -> int:
    from tlschool.live import magic, notebooks

    if options.lesson != "next" and not options.of:
        print("\n".join(notebooks.write(options.lesson)))
        return 0
    id, number, *more = [*options.of, *[None] * (2 - len(options.of))]
    if options.lesson != "next" or len(more) or number and not number.isdecimal():
        return fail("`live` takes a lesson, or next, next 01, or next 01 7", 2)
    try:
        lesson, step = magic.upcoming(id, number and int(number))
    except UnknownLesson:
        raise
    except LookupError as error:
        return fail(error, 2)
    print(f"# lesson {lesson.about['id']}, step {step.number} of {len(lesson.steps)}\n{step.code}")
    return 0


def write_slides(options) -> None:
    from tlschool.live import slides

    print(slides.write(options.lesson))


def show_schedule(options) -> None:
    from tlschool.live import schedule

    print(schedule.show(options.length, options.lessons))


def diagnose_folders(options) -> int:
    from tlcourse.data.folders import read_domains
    from tlcourse.diagnose.run import diagnose
    from tlcourse.notebook import places
    from tlcourse.utils.files import write_atomically

    try:
        source, target, notices = read_domains(options.source, options.target, label=options.label)
        report = diagnose(source, target, labels_per_class=options.labels_per_class,
                          seeds=options.seeds, budget=options.budget)
    except ValueError as error:  # the data or a setting; the message is for the one who gave them
        return fail(error, 1)
    report.notices[:0] = notices
    page = places.unused(Path(options.output))
    write_atomically(page, report.page())
    print(f"{report}\n\n{page}")
    return 0


def build_lessons(options) -> int:
    from tlschool.authoring import build

    return build.build(options.lessons or None, check=options.check)
