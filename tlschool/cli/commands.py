"""The words of the ``tlcourse`` command: each with its options, beside what it does.

What a word does is imported when it is called, so that the help and the quick words wait for
nothing. A function here takes the options and returns the exit status; None is 0.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name

from tlcourse.notebook import places
from tlcourse.utils.files import IS_CHECKOUT

WORDS: list[tuple[str, str, tuple, Callable | None]] = []
"""Name, help, arguments and function of each, in the order of the help."""


def word(name: str, text: str, *arguments: tuple, calls: str = "") -> Callable:
    """Add a word to the command; the function below it is what it does.

    Parameters
    ----------
    name : str
        A word below another is named with it: "classroom grade".
    text : str
        What it does, for the help.
    *arguments : tuples
        Made by `argument`.
    calls : str, optional
        Such as "package.module:function", in place of a function below. It is given the arguments
        in order, and those with dashes by name; it returns the exit status or what is to print.
    """
    def register(function):
        WORDS.append((name, text, arguments, function))
        return function

    def call(options):
        names = [names[0] for names, _ in arguments]
        result = resolve_name(calls)(
            *(getattr(options, name) for name in names if name[0] != "-"),
            **{name[2:]: getattr(options, name[2:]) for name in names if name[0] == "-"})
        if isinstance(result, int | None):
            return result
        print(result)

    return register(call) if calls else register


def argument(*names: str, **settings) -> tuple:
    """What `argparse.ArgumentParser.add_argument` is called with."""
    return names, settings


LESSON = argument("lesson", help="such as 01")
LESSONS = argument("lessons", nargs="*", default=[], help="such as 00 01; all by default")
EXERCISE = argument("exercise", help="such as 1.2")
CHECK = argument("--check", action="store_true", help="only compare, and make nothing")
OUTPUT = argument("--output", default=".", metavar="DIR",
                  help="the course folder; where you are by default")


def fail(message: object, code: int) -> int:
    """Say what went wrong, and hand back the exit status."""
    print(f"tlcourse: {message}", file=sys.stderr)
    return code


# Whoever learns


@word("lab", "Open a lesson in JupyterLab, which gets the options that follow.",
      argument("lesson", nargs="?", default="00", help="such as 01; 00 by default"))
def open_lab(options) -> None:
    from tlschool.cli import lab

    places.notebook(options.lesson)  # an unknown lesson is said before anything is copied
    for sentence in lab.update_workspace():
        print(sentence)
    lab.start(options.lesson, options.jupyter)


word("run", "Run a lesson and write it as a notebook and an HTML page.", LESSON,
     argument("--solutions", action="store_true", help="run the edition with solutions"),
     calls="tlschool.authoring.runner:run")
word("doctor", "Check this computer and say how to repair what is amiss.",
     calls="tlschool.cli.doctor:report")
word("progress", "Show which exercises are passed and what comes next.",
     calls="tlcourse.notebook.progress:show")
word("review", "Ask the quiz questions that are due again.",
     calls="tlcourse.notebook.review:review")


@word("hint", "Show a hint for an exercise; the third is nearly the answer.", EXERCISE,
      argument("level", nargs="?", type=int, choices=[1, 2, 3], default=1,
               help="the first, second or third; 1 by default"))
def show_hint(options) -> None:
    from tlcourse.notebook import exercises
    from tlcourse.notebook.hint import hint

    exercises.get(options.exercise)  # an unknown exercise ends the command
    hint(options.exercise, options.level)


word("solution", "Show how the course solves an exercise.", EXERCISE,
     calls="tlcourse.notebook.solution:source")
word("reset", "Begin a lesson afresh and keep the old copy under a date.", LESSON,
     calls="tlschool.cli.lab:reset")


def page_file(output: str) -> Path:
    """The file of a page; in a folder, the usual one."""
    path = Path(output)
    return path / "diagnosis.html" if path.is_dir() or output.endswith(("/", "\\")) else path


LABEL = argument("--label", metavar="COLUMN", help="of the tables; holds the labels")
GROUP = argument("--group", metavar="COLUMN",
                 help="of the tables; patient, writer or machine: none is on both sides of a split")
SCORE = argument("--score", choices=["auto", "accuracy", "balanced_accuracy", "macro_f1", "auc"],
                 default="auto",
                 help="by default accuracy, or balanced accuracy where classes are unbalanced")
BUDGET = argument("--budget", type=float, metavar="SECONDS", help="what does not fit is left out")


@word("diagnose", "Does your source help on your target, and why (not)?",
      *(argument(f"--{side}", required=True, metavar="FOLDER_OR_CSV",
                 help="a folder of images, one subfolder a class, or a CSV table")
        for side in ("source", "target")),
      LABEL,
      argument("--bins", type=int, metavar="N",
               help="cut labels that are amounts into so many classes"),
      GROUP, SCORE,
      argument("--labels-per-class", type=int, default=5, help="of the target; 5 by default"),
      argument("--seeds", type=int, default=5, help="repetitions; 5 by default"),
      BUDGET,
      argument("--output", default="diagnosis.html", metavar="FILE",
               help="the report as a page, beside the printed one; diagnosis.html by default"),
      argument("--save", metavar="FOLDER",
               help="train the advised way on all labels and save it, for `predict`"))
def diagnose_folders(options) -> int | None:
    from tlcourse.data.folders import read_pair
    from tlcourse.diagnose.run import diagnose
    from tlcourse.utils.files import write_atomically

    try:
        page = places.unused(page_file(options.output))
        own = read_pair(options.source, options.target, label=options.label, bins=options.bins,
                        group=options.group)
        report = diagnose(own.source, own.target, labels_per_class=options.labels_per_class,
                          seeds=options.seeds, score=options.score, budget=options.budget)
    except ValueError as error:  # the data or a setting; the message is for the one who gave them
        return fail(error, 1)
    report.notices[:0] = own.notices
    write_atomically(page, report.page())
    print(f"{report}\n\n{page}")
    if options.save:
        save_advised(report, own, places.unused(Path(options.save)))


def save_advised(report, own, folder: Path) -> None:
    """Train the way that a report advises on all labels, and save it."""
    from tlcourse.diagnose import saved

    way = report.advised if report.overall == "positive" else "scratch"
    score = report.table.loc[way, ["score", "gap", "low", "high"]].dropna().to_dict()
    saved.train(own.source, own.target, way, own.preparation,
                measured={"name": report.score_name, **score,
                          "labels_per_class": report.labels_per_class}).save(folder)
    print(f"{folder}: {way}, trained on all labels of {own.target.name}")


@word("choose", "Which of your sources, and how to use it for your target?",
      argument("--target", required=True, metavar="FOLDER_OR_CSV", help="as for `diagnose`"),
      argument("--source", required=True, action="append", metavar="FOLDER_OR_CSV",
               help="as for `diagnose`; once for each source"),
      LABEL, GROUP, SCORE,
      argument("--labels", type=int, default=5, metavar="N",
               help="labelled samples of each class to train with; %(default)s by default"),
      BUDGET,
      argument("--save", metavar="FOLDER",
               help="train the best way on all labels and save it, for `predict`"))
def choose_folders(options) -> int | None:
    from tlcourse.data.folders import read_pair
    from tlcourse.diagnose.choice import choose_among

    try:
        pairs = [read_pair(source, options.target, label=options.label, group=options.group)
                 for source in options.source]
        choice = choose_among(pairs, labels_per_class=options.labels, score=options.score,
                              budget=options.budget)
    except ValueError as error:
        return fail(error, 1)
    print(choice)
    if options.save and choice.best:
        folder = places.unused(Path(options.save))
        choice.save(folder)
        print(f"\n{folder}: trained on all labels of {choice.target.name}")


@word("predict", "Ask a model that `diagnose --save` wrote about new pictures or tables.",
      argument("model", metavar="FOLDER", help="of the saved model"),
      argument("files", nargs="+", help="pictures, folders of pictures, or tables"),
      argument("--output", default="predictions.csv", metavar="FILE",
               help="class, probability, and whether a sample lies far from all that was known; "
                    "%(default)s by default"))
def predict_files(options) -> int | None:
    from tlcourse.diagnose.saved import predict
    from tlcourse.utils.files import write_atomically

    try:
        said = predict(options.model, options.files)
    except ValueError as error:
        return fail(error, 1)
    path = places.unused(Path(options.output))
    write_atomically(path, said.to_csv(index=False))
    for notice in said.attrs["notices"]:
        print(f"{notice}.")
    far = said["far"].eq(True).sum()
    print(f"{path}: {len(said):,} samples, {far:,} of them far from all that the model knows")


# Whoever presents


@word("live", "Make a lesson's notebooks for typing live; `next` prints a step.",
      argument("lesson", help="such as 01; or next: the code of the step after the last run"),
      argument("of", nargs="?", help="after next: a lesson"),
      argument("step", nargs="?", type=int, help="after that: a step of it"))
def make_live(options) -> int | None:
    from tlschool.live import checkpoints, magic, notebooks, steps

    if options.lesson == "next":
        lesson, step = magic.upcoming(options.of, options.step)
        print(f"# lesson {lesson.about['id']}, step {step.number} of {len(lesson.steps)}")
        print(step.code)
    elif options.of:
        return fail("`live` takes a lesson, or next, next 01, or next 01 7", 2)
    else:
        print("\n".join(notebooks.write(options.lesson)), flush=True)
        checkpoints.make(steps.read(options.lesson))


word("slides", "Write a lesson's slides as one HTML file.", LESSON,
     calls="tlschool.live.slides:write")
word("schedule", "Show which lessons fit into a day, and the breaks.",
     argument("length", choices=["half-day", "full-day"]), LESSONS,
     argument("--start", default="9:00", metavar="TIME", help="13:30, say; %(default)s otherwise"),
     calls="tlschool.live.schedule:show")


# Whoever teaches

word("classroom", "Make assignments from lessons, and grade them.")(None)


word("classroom release", "Make nbgrader's assignments from lessons.",
     argument("lessons", nargs="+", help="such as 01 02"), OUTPUT,
     argument("--students", metavar="FILE", help="one a line: each gets other data"),
     calls="tlschool.classroom.command:release")


@word("classroom grade",
      "Grade a folder of submitted notebooks or, with --dry-run, a notebook of your own.",
      argument("path", metavar="FOLDER", help="of the submissions; or a notebook"),
      argument("--dry-run", action="store_true", help="only show the points of a notebook"),
      argument("--lesson", help="such as 01; needed for a folder"), OUTPUT,
      argument("--again", metavar="STUDENT", help="grade this one again, as named in the reports"),
      argument("--seconds", type=float, default=120,
               help="for each submission; %(default)s by default"),
      argument("--megabytes", type=float, default=2000,
               help="of memory for each submission; %(default)s by default"))
def grade(options) -> int | None:
    from tlschool.classroom import command

    limits = command.limits(options.seconds, options.megabytes)
    if options.dry_run:
        return command.dry_run(options.path, limits)
    if options.lesson is None:
        return fail("a folder is graded for one lesson: add --lesson, such as --lesson 01, or "
                    "--dry-run to see the points of a notebook of your own", 2)
    return command.grade(options.path, options.lesson, options.output, limits, options.again)


# Whoever writes lessons

word("new", "Begin a lesson: its folder, with placeholders that run.",
     argument("lesson", help="its number, such as 17"),
     argument("slug", help="its name in small letters, such as my-lesson"),
     calls="tlschool.authoring.new:new")
word("build", "Make the notebooks from the lesson sources.", LESSONS, CHECK,
     calls="tlschool.authoring.build:build")
word("refresh", "Make what is out of date: notebooks and the pages made from the lessons.",
     LESSONS, CHECK, calls="tlschool.authoring.refresh:refresh")


def begin_with_launcher(options) -> int:
    return fail("the tests and the benchmark need more packages than the lessons: call "
                "`python course.py test` or `python course.py bench`, which installs them", 2)


if IS_CHECKOUT:  # course.py answers these itself, for it installs first what they need
    for name, text in {"test": "Run all tests, or those that follow",
                       "bench": "Measure the ratios of speed"}.items():
        word(name, f"{text}; begins with course.py.")(begin_with_launcher)
