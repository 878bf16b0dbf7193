"""The ``tlcourse`` command: the words that it knows, and how it ends."""

import argparse
import errno
import sys
from collections.abc import Callable

from tlcourse import __version__
from tlcourse.notebook.places import UnknownLesson, command
from tlcourse.utils.files import IS_CHECKOUT
from tlschool.cli import commands
from tlschool.cli.commands import fail

_STOPPED = 130  # what a shell expects after Ctrl-C


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(argv: list[str] | None = None) -> int:
    """Run one word of the command.

    Parameters
    ----------
    argv : list of str, optional
        What follows ``tlcourse``; from the command line when None.

    Returns
    -------
    int
        0 when all went well, 1 when something did not, 2 for a word or a lesson there is not.
    """
    for stream in (sys.stdout, sys.stderr):  # a console that has no tick prints a question mark
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    argv = sys.argv[1:] if argv is None else argv
    cut = argv.index("--") if "--" in argv else len(argv)
    options = _parser().parse_args(argv[:cut])
    options.jupyter = argv[cut + 1 :]
    if options.jupyter and options.handler is not commands.open_lab:
        return fail(f"only `{command()} lab` hands on what follows --", 2)
    try:
        status = options.handler(options) or 0
        print(end="", flush=True)  # so that what cannot be printed is known here
        return status
    except UnknownLesson as error:
        return fail(error, 2)
    except BrokenPipeError:  # whoever reads has seen enough, as `| head` has
        sys.stdout = None  # and nothing is left to be flushed at the end
        return 1
    except OSError as error:
        repair = "free some disk space" if error.errno == errno.ENOSPC else "put that right"
        return fail(f"{error.filename or 'a file'}: {error.strerror or error}; {repair} and run "
                    "this again, none of your files was lost", 1)
    except KeyboardInterrupt:
        return fail("stopped", _STOPPED)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog=command(), description="A course on transfer learning.")
    parser.add_argument("--version", action="version", version=f"tlcourse {__version__}")
    words = parser.add_subparsers(metavar="WORD", required=True)

    def word(name, handler, text):
        sub = words.add_parser(name, help=text, description=text)
        sub.set_defaults(handler=handler)
        return sub

    _alone(word)
    _in_a_room(word)
    _diagnosis(word("diagnose", commands.diagnose_folders,
                    "Does your source help on your target, and why (not)?"))
    build = word("build", commands.build_lessons, "Make the notebooks from the lesson sources.")
    build.add_argument("lessons", nargs="*", help="such as 00 01; all by default")
    build.add_argument("--check", action="store_true", help="only compare, and run nothing")
    _classroom(word("classroom", None, "Make assignments from lessons, and grade them."))
    if IS_CHECKOUT:  # course.py answers these itself, for it installs first what they need
        word("test", commands.begin_with_launcher,
             "Run all tests, or those that follow; begins with course.py.")
        word("bench", commands.begin_with_launcher,
             "Measure the ratios of speed; begins with course.py.")
    return parser


def _alone(word: Callable) -> None:
    """Words for whoever learns."""
    lab = word("lab", commands.open_lab,
               "Open a lesson in JupyterLab; what follows -- goes to JupyterLab.")
    lab.add_argument("lesson", nargs="?", default="00", help="such as 01; 00 by default")
    run = word("run", commands.run_lesson,
               "Run a lesson and write it as a notebook and an HTML page.")
    run.add_argument("lesson", help="such as 00")
    run.add_argument("--solutions", action="store_true", help="run the edition with solutions")
    word("doctor", commands.examine_computer,
         "Check this computer and say how to repair what is amiss.")
    word("progress", commands.show_progress, "Show which exercises are passed and what comes next.")
    word("review", commands.ask_again, "Ask the quiz questions that are due again.")
    hint = word("hint", commands.show_hint,
                "Show a hint for an exercise; the third is nearly the answer.")
    hint.add_argument("exercise", help="such as 1.2")
    hint.add_argument("level", nargs="?", type=int, choices=[1, 2, 3], default=1,
                      help="the first, second or third; 1 by default")
    solution = word("solution", commands.show_solution, "Show how the course solves an exercise.")
    solution.add_argument("exercise", help="such as 1.2")
    reset = word("reset", commands.reset_lesson,
                 "Begin a lesson afresh and keep the old copy under a date.")
    reset.add_argument("lesson", help="such as 01")


def _in_a_room(word: Callable) -> None:
    """Words for whoever presents."""
    live = word("live", commands.make_live,
                "Make a lesson's notebooks for typing live; `next` prints a step.")
    live.add_argument("lesson", help="such as 01; or next: the code of the step after the last run")
    live.add_argument("of", nargs="*", default=[], help="after next: a lesson, and a step")
    slides = word("slides", commands.write_slides, "Write a lesson's slides as one HTML file.")
    slides.add_argument("lesson", help="such as 01")
    schedule = word("schedule", commands.show_schedule,
                    "Show which lessons fit into a day, and the breaks.")
    schedule.add_argument("length", choices=["half-day", "full-day"])
    schedule.add_argument("lessons", nargs="*", default=[], help="such as 00 01; all by default")


def _diagnosis(parser: argparse.ArgumentParser) -> None:
    for side in ("source", "target"):
        parser.add_argument(f"--{side}", required=True, metavar="FOLDER_OR_CSV",
                            help="a folder of images, one subfolder a class, or a CSV table")
    parser.add_argument("--label", metavar="COLUMN", help="of the tables; holds the labels")
    parser.add_argument("--labels-per-class", type=int, default=5,
                        help="of the target; 5 by default")
    parser.add_argument("--seeds", type=int, default=5, help="repetitions; 5 by default")
    parser.add_argument("--budget", type=float, metavar="SECONDS",
                        help="what does not fit is left out")
    parser.add_argument("--output", default="diagnosis.html", metavar="FILE",
                        help="the report as a page, beside the printed one; "
                             "diagnosis.html by default")


def _classroom(parser: argparse.ArgumentParser) -> None:
    words = parser.add_subparsers(metavar="WORD", required=True)
    text = "Make nbgrader's assignments from lessons."
    release = words.add_parser("release", help=text, description=text)
    release.set_defaults(handler=commands.release)
    release.add_argument("lessons", nargs="+", help="such as 01 02")
    release.add_argument("--output", default=".", metavar="DIR",
                         help="the course folder; where you are by default")
    release.add_argument("--students", metavar="FILE", help="one a line: each gets other data")
    text = "Grade a folder of submitted notebooks or, with --dry-run, a notebook of your own."
    grade = words.add_parser("grade", help=text, description=text)
    grade.set_defaults(handler=commands.grade)
    grade.add_argument("path", metavar="FOLDER", help="of the submissions; or a notebook")
    grade.add_argument("--dry-run", action="store_true", help="only show the points of a notebook")
    grade.add_argument("--lesson", help="such as 01; needed for a folder")
    grade.add_argument("--output", default=".", metavar="DIR",
                       help="the course folder; where you are by default")
    grade.add_argument("--seconds", type=float, help="for each submission; 120 by default")
    grade.add_argument("--megabytes", type=float,
                       help="of memory for each submission; 2000 by default")
