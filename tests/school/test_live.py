"""A lesson typed live: the notebooks of presenter and participant, and `%live next`."""

import json
import re
import sys
from types import SimpleNamespace

import fake_lesson
import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from tlcourse.notebook import places
from tlschool.authoring import build, runner, source
from tlschool.cli import main as cli
from tlschool.live import checkpoints, steps
from tlschool.live import magic as live_magic
from tlschool.live import notebooks as live

LESSONS = list(places.notebooks())


@pytest.fixture
def course(tmp_path, monkeypatch):
    """The small lesson 90, built."""
    fake_lesson.lay_out(tmp_path, monkeypatch)
    monkeypatch.setattr(runner, "execute", fake_lesson.pretend_to_run)
    assert build.build(["90"]) == 0
    return tmp_path


def written(course, name):
    live.write("90")
    return source.load(course / "workspace" / "live" / f"90_{name}.ipynb")


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("id", LESSONS)
def test_the_minute_marks_add_up_to_the_front_matter(id):
    lesson = steps.read(id)
    marks = [step.mark for step in lesson.steps] + [lesson.minutes]
    assert marks[0] == 0 and marks == sorted(marks)
    assert lesson.minutes == sum(source.read_source(id).metadata["tlcourse"]["minutes"].values())
    assert sum(end - begin for _, _, begin, end in lesson.sections()) == lesson.minutes
    for step, end in zip(lesson.steps, marks[1:], strict=True):
        if step.solution:
            stated = int(re.findall(r", (\d+) min\)", step.text)[-1])
            assert stated <= end - step.mark <= stated + 3, "the text around it takes time too"


@pytest.mark.parametrize("id", LESSONS)
def test_the_presenter_has_all_that_the_lesson_says_and_all_its_code(id, workspace):
    live.write(id)
    presenter = source.load(workspace / "live" / f"{id}_presenter.ipynb")
    text = "\n\n".join(cell.source for cell in presenter.cells)
    assert "(1 min)" in text and "(0 min)" not in text
    for cell in source.read_source(id).cells:
        if source.PROSE in source.tags(cell):
            continue  # which no edition has
        for paragraph in cell.source.split("\n\n"):
            assert paragraph in text, cell.id


@pytest.mark.parametrize("id", LESSONS)
def test_the_participant_types_the_idea_and_finds_all_else(id, workspace):
    live.write(id)
    notebook = source.load(workspace / "live" / f"{id}_participant.ipynb")
    cells = {cell.id: cell for cell in code(notebook)}
    text = {cell.id: cell.source for cell in notebook.cells if cell.cell_type == "markdown"}
    for step in steps.read(id).steps:
        given = cells[step.cell.id].source
        assert given == step.given
        if step.solution:
            assert given == step.code != step.solution.source
        elif step.is_typed:
            assert all(re.match(r"(from|import) |\s|\)", line) for line in given.splitlines())
        else:
            assert given == step.code
        told = text.get(f"seen-{step.number}", "")
        assert ("You should now see" in told) is (step.is_typed and bool(step.cell.outputs))
        assert step.seen in told or not told


@pytest.mark.parametrize("id", LESSONS)
def test_the_presenter_sees_which_steps_to_type(id, workspace):
    live.write(id)
    notes = {cell.id: cell.source for cell in
             source.load(workspace / "live" / f"{id}_presenter.ipynb").cells}
    for step in steps.read(id).steps:
        word = "type" if step.is_typed else "next"
        assert f"step {step.number} · {word}**" in notes[f"notes-{step.number}"]


def test_both_notebooks_know_their_minutes_and_the_presenter_sees_the_end(course):
    presenter, participant = written(course, "presenter"), written(course, "participant")
    assert "| 0:12 | | end |" in presenter.cells[0].source
    assert presenter.cells[-1].source.endswith("**0:12** end")
    assert "double(x):\n    return" not in json.dumps(participant).replace("\\n", "\n")


def test_an_edited_notebook_is_kept_before_it_is_written_anew(course):
    written(course, "participant")
    path = live.folder() / "90_participant.ipynb"
    fresh, notebook = path.read_bytes(), nbformat.read(path, as_version=4)
    notebook.cells[1].source += "\n# mine"
    nbformat.write(notebook, path)
    mine = path.read_bytes()
    said = live.write("90")
    (kept,) = live.folder().glob("90_participant ????-??-??.ipynb")
    assert kept.read_bytes() == mine and path.read_bytes() == fresh and kept.name in said[1]
    assert re.fullmatch(r"They open in `.* lab`, in the folder live on the left\.", said[2])
    path.write_bytes(mine[:100])  # saved half
    live.write("90")
    assert len(list(live.folder().glob("90_participant ????-??-??*.ipynb"))) == 2


def test_running_a_notebook_is_no_edit(course):
    written(course, "participant")
    path = live.folder() / "90_participant.ipynb"
    notebook = nbformat.read(path, as_version=4)
    code(notebook)[0].execution_count = 3
    nbformat.write(notebook, path)
    live.write("90")
    assert len(list(live.folder().glob("90_participant*"))) == 1


class Notebook:
    """A kernel with the extension, whose cells are run with their ids as Jupyter does."""

    def __init__(self):
        self.shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
        self.magics = live_magic.LiveMagics(self.shell)
        self.shell.register_magics(self.magics)
        self.asked = []
        self.shell.set_next_input = lambda text, replace=False: self.asked.append((text, replace))

    def run(self, text, id=None, success=True, broken=None):
        """What was handed out: the text, and whether it replaces the cell that asked."""
        self.asked.clear()
        info = SimpleNamespace(raw_cell=text, cell_id=id)
        self.magics.begin(info)
        for line in text.splitlines():
            if line.startswith("%live") and not broken:
                self.magics.live(line.removeprefix("%live"))
        self.magics.end(SimpleNamespace(info=info, success=success, error_before_exec=broken))
        return self.asked[-1] if self.asked else None


@pytest.fixture
def notebook(course, monkeypatch):
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # a shell replaces it
    followed = Notebook()
    followed.run("%live 90")
    return followed


def test_next_fills_the_empty_cell_that_asks(notebook):
    step = notebook.magics.lesson.step(1)
    filled = f"{step.given}\n%live next"
    assert notebook.run(filled, step.cell.id) == (step.code, True)
    assert notebook.run("%live next", step.cell.id) == (step.code, True)


def test_next_never_replaces_what_somebody_typed(notebook):
    step = notebook.magics.lesson.step(1)
    assert notebook.run("half = \n%live next", step.cell.id) == (step.code, False)


def test_next_helps_in_a_cell_that_is_not_python_yet(notebook):
    step = notebook.magics.lesson.step(1)
    half = "half = (\n%live next"
    assert notebook.run(half, step.cell.id, False, SyntaxError()) == (step.code, False)
    assert notebook.run(f"{half} 3", step.cell.id, False, SyntaxError())[0] == (
        notebook.magics.lesson.step(3).code)


def test_a_checkpoint_never_replaces_what_somebody_typed(notebook, monkeypatch):
    monkeypatch.setattr(checkpoints, "is_made", lambda _: True)
    monkeypatch.setattr(checkpoints, "load", lambda *_: checkpoints.Loaded([], []))
    step = notebook.magics.lesson.step(1)
    typed = "half = 0.5  # all the rest is missing"
    assert notebook.run(f"%live checkpoint\n{typed}", step.cell.id) is None
    assert notebook.run(f"{typed}\n%live checkpoint", step.cell.id) is None
    for empty in ("%live checkpoint", f"{step.given}\n%live checkpoint"):
        assert notebook.run(empty, step.cell.id) == (step.given, True)


def test_a_checkpoint_makes_the_run_that_is_not_there_and_says_when_that_fails(
    notebook, monkeypatch, capsys
):
    made = []
    monkeypatch.setattr(checkpoints, "make_apart", made.append)
    capsys.readouterr()
    notebook.run("%live checkpoint quiz")
    assert made == ["90"]
    assert " ".join(capsys.readouterr().out.split()) == "lesson 90 has no run from which to load."


def test_a_checkpoint_names_what_it_could_not_bring(notebook, monkeypatch, capsys):
    monkeypatch.setattr(checkpoints, "is_made", lambda _: True)
    monkeypatch.setattr(checkpoints, "load", lambda *_: checkpoints.Loaded(["a"], ["b", "c"]))
    notebook.run("%live checkpoint quiz")
    said = " ".join(capsys.readouterr().out.split())
    assert "could not be kept is missing: b, c." in said and "Go on with step 9" in said


def test_next_in_any_other_cell_goes_on_after_the_last_step_that_ran(notebook, capsys):
    lesson = notebook.magics.lesson
    notebook.run(lesson.step(1).code, lesson.step(1).cell.id)
    notebook.run("print(1)", "somewhere")
    notebook.run("better = []", lesson.step(2).cell.id, success=False)
    assert notebook.run("%live next", "somewhere") == (lesson.step(2).code, False)
    notebook.run(lesson.step(2).code, "the-new-cell")  # handed out, so known by its text
    assert notebook.run("%live next") == (lesson.step(3).code, False)


def test_who_jumps_ahead_is_told_what_has_not_run(notebook, capsys):
    notebook.run("%live next", notebook.magics.lesson.step(4).cell.id)
    assert "3 of the steps before it did not run here, from step 1 on" in capsys.readouterr().out


def test_next_never_hands_out_a_solution(notebook):
    lesson = notebook.magics.lesson
    handed = [notebook.run(f"%live next {step.number}")[0] for step in lesson.steps]
    solutions = [step.solution.source for step in lesson.steps if step.solution]
    assert len(solutions) == 2 and not set(handed) & set(solutions)


@pytest.mark.parametrize(("line", "said"), [
    ("%live next 99", "lesson 90 has steps 1 to 11, and no step 99"),
    ("%live frob", "`%live frob` is not known; there is `%live 01`"),
    ("%live next data", "`%live next data` is not known; there is `%live 01`"),
    ("%live next 12", "step 11 was the last one of lesson 90"),
    ("%live checkpoint nowhere", "lesson 90 has no checkpoint 'nowhere'; there is a-small-lesson"),
    ("%live 17", "there is no lesson"),
])
def test_a_call_that_makes_no_sense_is_one_sentence(notebook, capsys, line, said):
    capsys.readouterr()
    notebook.run(line)
    out = " ".join(capsys.readouterr().out.splitlines())
    assert said in out and out.count(". ") == 0


def test_a_notebook_without_a_lesson_says_so(course, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    Notebook().run("%live next")
    assert "`%live 01`" in capsys.readouterr().out


@pytest.mark.parametrize("noted", ['{"lesson": ', "[1]", "{}", '{"lesson": "90", "step": "x"}'])
def test_where_the_notebook_is_may_be_damaged(course, capsys, noted):
    live.folder().mkdir(parents=True)
    (live.folder() / ".position.json").write_text(noted, encoding="utf-8")
    assert cli.main(["live", "next"]) == 2
    assert "name the lesson" in capsys.readouterr().err


@pytest.mark.parametrize("id", LESSONS)
def test_what_explains_a_formula_follows_it_and_prompts_nobody(id, workspace):
    live.write(id)
    notebook = source.load(workspace / "live" / f"{id}_participant.ipynb")
    prompts = {cell.id: cell.source for cell in notebook.cells if cell.cell_type == "markdown"}
    for step in steps.read(id).steps:
        said = prompts[f"prompt-{step.number}"]
        assert not re.search(r"\*\*Step \d+\.\*\* [a-z]", said), said
        if not step.solution:
            assert said.count("$$") == step.text.count("$$")


def test_the_terminal_goes_on_where_the_notebook_is(notebook, capsys):
    capsys.readouterr()
    lesson = notebook.magics.lesson
    notebook.run(lesson.step(2).code, lesson.step(2).cell.id)
    for words in (["live", "next"], ["live", "next"], ["live", "next", "90", "3"]):
        assert cli.main(words) == 0
        said = capsys.readouterr().out
        assert said == f"# lesson 90, step 3 of 11\n{lesson.step(3).code}\n"


def test_a_step_that_is_no_number_ends_in_one_sentence_too(course, capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["live", "next", "90", "x"])
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("words", [["live", "90", "3"], ["live", "next", "90", "99"],
                                   ["live", "17"], ["live", "next"], ["live", "next", "90", "12"]])
def test_a_wrong_call_in_the_terminal_ends_in_one_sentence(course, capsys, words):
    assert cli.main(words) == 2
    assert capsys.readouterr().err.count("\n") == 1
