"""The ``tlcourse`` command."""

import argparse
import errno
import sys

from tlcourse import __version__
from tlcourse.school.places import UnknownLesson

_STOPPED = 130  # what a shell expects after Ctrl-C


class _Parser(argparse.ArgumentParser):
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
    if options.jupyter and options.handler is not _lab:
        return _fail("only `tlcourse lab` hands on what follows --", 2)
    try:
        return options.handler(options) or 0
    except UnknownLesson as error:
        return _fail(error, 2)
    except OSError as error:
        repair = "free some disk space" if error.errno == errno.ENOSPC else "put that right"
        return _fail(f"{error.filename or 'a file'}: {error.strerror or error}; {repair} and run "
                     "this again, none of your files was lost", 1)
    except KeyboardInterrupt:
        return _fail("stopped", _STOPPED)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="tlcourse", description="A course on transfer learning.")
    parser.add_argument("--version", action="version", version=f"tlcourse {__version__}")
    words = parser.add_subparsers(metavar="WORD", required=True)

    def word(name, handler, text):
        sub = words.add_parser(name, help=text, description=text)
        sub.set_defaults(handler=handler)
        return sub

    lab = word("lab", _lab, "Open a lesson in JupyterLab; what follows -- goes to JupyterLab.")
    lab.add_argument("lesson", nargs="?", default="00", help="such as 01; 00 by default")
    run = word("run", _run, "Run a lesson and write it as a notebook and an HTML page.")
    run.add_argument("lesson", help="such as 00")
    run.add_argument("--solutions", action="store_true", help="run the edition with solutions")
    word("doctor", _doctor, "Check this computer and say how to repair what is amiss.")
    word("progress", _progress, "Show which exercises are passed and what comes next.")
    reset = word("reset", _reset, "Begin a lesson afresh and keep the old copy under a date.")
    reset.add_argument("lesson", help="such as 01")
    build = word("build", _build, "Make the notebooks from the lesson sources.")
    build.add_argument("lessons", nargs="*", help="such as 00 01; all by default")
    build.add_argument("--check", action="store_true", help="only compare, and run nothing")
    return parser


def _lab(options) -> None:
    from tlcourse.school import lab, places

    places.notebook(options.lesson)  # an unknown lesson is said before anything is copied
    for sentence in lab.update_workspace():
        print(sentence)
    lab.start(options.lesson, options.jupyter)


def _run(options) -> int:
    from tlcourse.school import runner

    try:
        notebook, page, seconds = runner.run(options.lesson, solutions=options.solutions)
    except runner.RunError as error:
        return _fail(error, 1)
    print(f"{seconds:.1f} s\n{notebook}\n{page}")
    return 0


def _doctor(options) -> int:
    from tlcourse.school import doctor

    return doctor.report()


def _progress(options) -> None:
    from tlcourse.school import progress

    print(progress.show())


def _reset(options) -> None:
    from tlcourse.school import lab

    print(lab.reset(options.lesson))


def _build(options) -> int:
    from tlcourse.school import build

    return build.build(options.lessons or None, check=options.check)


def _fail(message: object, code: int) -> int:
    print(f"tlcourse: {message}", file=sys.stderr)
    return code
