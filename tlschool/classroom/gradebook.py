"""nbgrader: its release, its database, its feedback. Nothing else here imports it."""

import logging
import os
import re
import sys
import warnings
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets.config import Config

from tlcourse.utils.messages import filled
from tlschool.authoring.formulas import Formulas
from tlschool.authoring.source import save
from tlschool.classroom.execute import GraderError, Outcome

_REMOTE = re.compile(r'<script src="https?://[^>]*>\s*</script>')


class ByHand(NamedTuple):
    """What an instructor gave for an exercise; `score` is None where it stays as it was graded."""

    score: float | None
    extra: float
    comment: str


class Recorded(NbGraderPreprocessor):
    """In place of nbgrader's own execution: what the sandboxed run put out, and its points."""

    outcome: Outcome

    def preprocess_cell(self, cell, resources, index):
        if cell.cell_type != "code":
            return cell, resources
        cell.outputs = []
        if text := self.outcome.outputs.get(cell.id):
            cell.outputs.append(nbformat.v4.new_output("stream", name="stdout", text=text))
        called = re.match(r'visible\("([\d.]+)"', cell.source)
        if cell.metadata.get("nbgrader", {}).get("grade") and called:
            one = next(one for one in self.outcome.earned if one.exercise == called[1])
            text = f"{one.exercise}: {one.points} of {one.maximum} points"
            text = filled(f"{text}: {one.reason}" if one.reason else f"{text}.") + "\n"
            cell.outputs = [
                nbformat.v4.new_output("stream", name="stdout", text=text),
                nbformat.v4.new_output("execute_result", data={
                    "text/plain": str(float(one.points))}, execution_count=None)]
        return cell, resources


class Page(HTMLExporter):
    """nbgrader's page with the feedback, which needs no network and names no hidden check."""

    def from_notebook_node(self, nb, resources=None, **options):
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.source = cell.source.partition("\n### BEGIN HIDDEN TESTS")[0]
                cell.outputs = [one for one in cell.outputs if one.output_type == "stream"]
        text, resources = super().from_notebook_node(nb, resources, **options)
        return _REMOTE.sub("", text), resources


def generate(folder: Path, name: str) -> None:
    """Make ``release/`` from ``source/``, and enter the assignment into the database.

    Raises
    ------
    GraderError
        nbgrader failed, as it does where submissions with other exercises have been entered.
    """
    config = Config()
    # The source has no solutions to clear; without them nbgrader would empty the starters.
    config.GenerateAssignment.preprocessors = [
        f"nbgrader.preprocessors.{step}" for step in
        ("LockCells", "ClearOutput", "CheckCellMetadata", "ComputeChecksums", "SaveCells",
         "ClearHiddenTests", "ComputeChecksums", "CheckCellMetadata")]
    _run(GenerateAssignment, folder, name, "*", config)


def enter(
    folder: Path, name: str, student: str, notebook: NotebookNode, outcome: Outcome
) -> None:
    """Enter a student's points into the database, and write the page with the feedback.

    Parameters
    ----------
    folder : path
        The course folder of nbgrader.
    name, student : str
        Of the assignment, and of the student.
    notebook : NotebookNode
        The clean submission.
    outcome : Outcome

    Raises
    ------
    GraderError
        nbgrader failed; the reason is in ``nbgrader.log``.
    """
    Recorded.outcome = outcome
    config = Config()
    config.Autograde.autograde_preprocessors = [
        "tlschool.classroom.gradebook.Recorded",
        *(f"nbgrader.preprocessors.{step}" for step in
          ("LimitOutput", "SaveAutoGrades", "AssignLatePenalties", "CheckCellMetadata"))]
    save(folder / "submitted" / student / name / f"{name}.ipynb", notebook)
    _run(Autograde, folder, name, student, config)
    page = Config()
    page.GenerateFeedback.exporter_class = Page
    page.HTMLExporter.exclude_anchor_links = True
    page.HTMLExporter.preprocessors = [Formulas]
    _run(GenerateFeedback, folder, name, student, page)


def by_hand(folder: Path, name: str) -> dict[str, dict[str, ByHand]]:
    """What an instructor gave in nbgrader, by student and by the id of the check cell."""
    url = f"sqlite:///{(folder / 'gradebook.db').absolute().as_posix()}"
    given: dict[str, dict[str, ByHand]] = {}
    with Gradebook(url) as book:
        for submission in book.assignment_submissions(name):
            for notebook in submission.notebooks:
                said = {one.name: one.manual_comment for one in notebook.comments}
                for one in notebook.grades:
                    comment = said.get(one.name.removesuffix("-check")) or said.get(one.name) or ""
                    if one.manual_score is not None or one.extra_credit or comment:
                        given.setdefault(submission.student.id, {})[one.name] = ByHand(
                            one.manual_score, one.extra_credit or 0.0, comment)
    return given


def entered_since(folder: Path, name: str, student: str, when: float) -> bool:
    """Whether a student's feedback, which is written last, is newer than a time of a file."""
    page = folder / "feedback" / student / name / f"{name}.html"
    return page.exists() and page.stat().st_mtime >= when


def _run(converter, folder: Path, name: str, student: str, config: Config) -> None:
    course = CourseDirectory(root=str(folder.absolute()), assignment_id=name, student_id=student)
    running = converter(coursedir=course, config=config)
    running.log = _log(folder)
    running.force = True
    programs = str(Path(sys.executable).parent)
    if programs not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] += os.pathsep + programs  # a new database calls `alembic` by its name
    with warnings.catch_warnings(action="ignore"):  # SQLAlchemy's, about nbgrader
        try:
            running.start()
        except (NbGraderException, SystemExit) as error:
            raise GraderError(f"nbgrader failed, see {folder / 'nbgrader.log'}") from error


def _log(folder: Path) -> logging.Logger:
    log = logging.getLogger(f"tlcourse.classroom.{folder.absolute()}")
    if not log.handlers:
        log.addHandler(logging.FileHandler(folder / "nbgrader.log", encoding="utf-8"))
        log.propagate = False
        log.setLevel(logging.ERROR)
    return log
