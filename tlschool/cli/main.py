"""The ``tlcourse`` command: it reads the line, calls the word's function, and says how it ended."""

import argparse
import errno
import sys

from tlcourse import __version__
from tlcourse.notebook.places import command
from tlschool.cli.commands import WORDS, fail
from tlschool.errors import CourseError


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
    argv, jupyter = _split(sys.argv[1:] if argv is None else argv)
    options = _parser().parse_args(argv, argparse.Namespace(jupyter=jupyter))
    try:
        status = options.handler(options) or 0
        print(end="", flush=True)  # so that what cannot be printed is known here
        return status
    except CourseError as error:
        return fail(error, 1)
    except LookupError as error:
        if isinstance(error, KeyError | IndexError):
            raise
        return fail(error, 2)  # there is no such lesson, exercise or step
    except BrokenPipeError:  # whoever reads has seen enough, as `| head` has
        sys.stdout = None  # and nothing is left to be flushed at the end
        return 1
    except OSError as error:
        repair = "free some disk space" if error.errno == errno.ENOSPC else "put that right"
        return fail(f"{error.filename or 'a file'}: {error.strerror or error}; {repair} and run "
                    "this again, none of your files was lost", 1)
    except KeyboardInterrupt:
        return fail("stopped", 130)  # the status that a shell expects after Ctrl-C


def _split(argv: list[str]) -> tuple[list[str], list[str]]:
    """The line, and the options that follow `lab` and its lesson, which are for JupyterLab."""
    own = next((i for i, part in enumerate(argv) if i and part.startswith("-")), len(argv))
    if argv[:1] != ["lab"] or argv[own:own + 1] in (["-h"], ["--help"]):
        return argv, []
    return argv[:own], argv[own + (argv[own:own + 1] == ["--"]):]


def _parser() -> argparse.ArgumentParser:
    """One parser for each word; "classroom grade" is a word below another."""
    parser = _Parser(prog=command(), description="A course on transfer learning.")
    parser.add_argument("--version", action="version", version=f"tlcourse {__version__}")
    parsers, groups = {"": parser}, {}
    for name, text, arguments, handler in WORDS:
        above, _, own = name.rpartition(" ")
        if above not in groups:
            groups[above] = parsers[above].add_subparsers(metavar="WORD", required=True)
        parsers[name] = groups[above].add_parser(own, help=text, description=text)
        parsers[name].set_defaults(handler=handler)
        for names, settings in arguments:
            parsers[name].add_argument(*names, **settings)
    return parser
