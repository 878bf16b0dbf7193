"""A lesson's text becomes notebooks that tell where they came from, or nothing changes."""

import errno
import json
import re

import contract
import fake_lesson
import nbformat
import pytest

from tlcourse.notebook import places
from tlschool.authoring import box, build, runner, source
from tlschool.live import steps

LEARNER, SOLUTIONS = "notebooks/90_small.ipynb", "notebooks/solutions/90_small.ipynb"


@pytest.fixture
def course(tmp_path, monkeypatch):
    fake_lesson.lay_out(tmp_path, monkeypatch)
    monkeypatch.setattr(runner, "execute", fake_lesson.pretend_to_run)
    return tmp_path


def change(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def snapshot(root):
    return {path.relative_to(root).as_posix(): path.read_bytes()
            for path in root.rglob("*") if path.is_file()}


def test_each_edition_holds_its_own_cells_under_ids_made_from_the_headings(course):
    assert build.build(["90"]) == 0
    ids = {name: [cell.id for cell in source.load(course / name).cells]
           for name in (LEARNER, SOLUTIONS)}
    assert ids[LEARNER][:3] == ["90-a-small-lesson-1", "90-a-small-lesson-2", "90-a-small-lesson-3"]
    only = {name: sorted(set(ids[name]) - set(ids[other]))
            for name, other in ((LEARNER, SOLUTIONS), (SOLUTIONS, LEARNER))}
    assert only == {LEARNER: ["90-ex-90-1", "90-ex-90-2"],
                    SOLUTIONS: ["90-sol-90-1", "90-sol-90-2"]}


def test_what_is_built_reads_as_a_valid_notebook(course):
    build.build(["90"])
    notebook = nbformat.read(course / LEARNER, as_version=4)
    nbformat.validate(notebook)
    about = notebook.metadata["tlcourse"]
    assert (about["edition"], about["slowest_cell"], about["title"]) == (
        "learner", 0.3, "A small lesson")
    assert about["seconds"] == 2.9  # 11 cells of 0.26 s
    assert notebook.metadata["language_info"] == {"name": "python"}
    claims = [cell for cell in notebook.cells if "claim" in source.tags(cell)]
    assert all("nbval-check-output" in source.tags(cell) for cell in claims) and len(claims) == 2
    assert notebook.cells[2].metadata["jupyter"] == {"source_hidden": True}


def test_building_twice_gives_the_same_bytes(course):
    build.build(["90"])
    first = snapshot(course)
    assert build.build(["90"]) == 0
    assert snapshot(course) == first


def test_without_ids_only_lessons_that_differ_are_built(course, capsys, monkeypatch):
    assert build.build() == 0
    assert "not built yet" in capsys.readouterr().out
    monkeypatch.setattr(runner, "execute", lambda *a, **k: pytest.fail("it ran"))
    assert build.build() == 0
    assert capsys.readouterr().out == "The notebooks agree with their sources.\n"


@pytest.mark.parametrize(("old", "new", "place"), [
    ("The line rises.", "The line climbs.", "notebooks/90_small.ipynb: cell 90-two-claims-1"),
    ("return 2 * x", "return x + x", "notebooks/solutions/90_small.ipynb: cell 90-sol-90-2"),
    ("[claim, slide]", "[claim]", "notebooks/90_small.ipynb: cell 90-two-claims-3"),
    ("title: A small lesson", "title: A lesson", "notebooks/90_small.ipynb: the front matter"),
    ("## Quiz\n", "## Quiz\n\n```{code-cell} ipython3\n7\n```\n",
     "notebooks/90_small.ipynb: the order of the cells"),
])
def test_check_names_what_differs_and_runs_nothing(course, capsys, monkeypatch, old, new, place):
    build.build(["90"])
    monkeypatch.setattr(runner, "execute", lambda *a, **k: pytest.fail("it ran"))
    assert build.build(check=True) == 0
    change(course / "lessons/90_small/lesson.md", old, new)
    before = snapshot(course)
    assert build.build(check=True) == 1
    assert f"{place} differs from the source.\n" in capsys.readouterr().out
    assert snapshot(course) == before


def test_a_cell_that_holds_the_prose_to_a_run_is_in_no_notebook_and_moves_no_id(course):
    build.build(["90"])
    cell = "```{code-cell} ipython3\n:tags: [prose]\nassert better[0] > worse[0]\n```\n"
    change(course / "lessons/90_small/lesson.md", "The line rises.\n", f"The line rises.\n\n{cell}")
    assert list(build.differences("90")) == []


def test_check_sees_a_notebook_that_was_saved_half(course, capsys):
    build.build(["90"])
    (course / LEARNER).write_text('{"cells": [', encoding="utf-8")
    assert build.build(check=True) == 1
    assert "90_small.ipynb is no complete notebook" in capsys.readouterr().out


def test_outputs_are_free_of_warnings_progress_bars_and_cuts_in_printed_text(course):
    def output(kind, **fields):
        return nbformat.v4.new_output(kind, **fields)

    bar = {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "bar"}
    kept = build._worth_keeping([
        output("stream", name="stderr", text="Warning\n"),
        output("stream", name="stdout", text="a"),
        output("display_data", data=bar),
        output("stream", name="stdout", text="b\n"),
        output("display_data", data={"text/plain": "7"}),
    ])
    assert [o.get("text") or o.data["text/plain"] for o in kept] == ["ab\n", "7"]


def test_a_cell_that_fails_leaves_the_old_notebook(course, capsys, monkeypatch):
    build.build(["90"])
    before = snapshot(course)

    def fail(notebook, **options):
        raise runner.RunError("cell 3 of 20 stopped with ValueError: no")

    monkeypatch.setattr(runner, "execute", fail)
    assert build.build(["90"]) == 1
    said = capsys.readouterr().out
    assert "ValueError: no" in said and "90_small.ipynb was not built and is as it was" in said
    assert snapshot(course) == before


def test_a_full_disk_leaves_the_old_notebook_and_says_which_file_and_what_to_do(
    course, capsys, monkeypatch
):
    build.build(["90"])
    before = snapshot(course)
    change(course / "lessons/90_small/lesson.md", "The line rises.", "The line climbs.")
    before["lessons/90_small/lesson.md"] = (course / "lessons/90_small/lesson.md").read_bytes()

    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    assert build.build(["90"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == (
        "notebooks/90_small.ipynb could not be written (No space left on device) and is as it was: "
        f"make room or check the folder, then run `{places.command()} build 90` again.")
    assert snapshot(course) == before


def test_a_person_s_edit_is_copied_before_it_is_built_over(course, capsys):
    build.build(["90"])
    change(course / LEARNER, "The line rises.", "The line rises, I think.")
    edited = (course / LEARNER).read_bytes()
    assert build.build(["90"]) == 0
    (copy,) = (course / "workspace").glob("notebooks-90_small-edited-*.ipynb")
    assert copy.read_bytes() == edited and copy.name in capsys.readouterr().out
    assert b"I think" not in (course / LEARNER).read_bytes()
    build.build(["90"])
    assert len(list((course / "workspace").iterdir())) == 1  # nothing to keep this time


def test_new_outputs_alone_are_no_edit(course):
    build.build(["90"])
    notebook = json.loads((course / LEARNER).read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    (course / LEARNER).write_text(json.dumps(notebook), encoding="utf-8")
    build.build(["90"])
    assert not (course / "workspace").exists()


def test_a_lesson_runs_in_a_real_kernel_and_keeps_the_contract(tmp_path, monkeypatch):
    fake_lesson.lay_out(tmp_path, monkeypatch)
    notebook = source.edition(source.read_source("90"), "learner")
    build._run(notebook, "90")
    assert contract.violations(
        notebook, glossary={"gap"}, lesson_ids=["90"], data_names=["dots"]
    ) == []
    outputs = {cell.id: cell.get("outputs") for cell in notebook.cells}
    words, measured = outputs["90-two-claims-2"]
    assert words.text == "more is better: holds: at least 5 points over 5 seeds\n"
    assert measured.data["text/plain"].startswith("measured: 11.6 points, 95 % interval ")
    assert fake_lesson.ALT in outputs["90-a-small-lesson-3"][0].data["text/html"]


def second_lesson(course):
    """One more lesson, which needs the first."""
    text = fake_lesson.LESSON.replace('id: "90"', 'id: "91"').replace("A small", "Another")
    path = course / "lessons" / "91_next" / "lesson.md"
    path.parent.mkdir()
    path.write_text(text.replace("needs: []", 'needs: ["90"]'), encoding="utf-8")


@pytest.mark.parametrize(("edition", "glossary"), [("learner", ""), ("solutions", "../")])
def test_the_box_says_what_the_front_matter_says_and_its_links_lead_to_files(
    course, edition, glossary
):
    second_lesson(course)
    first, second = (source.edition(source.read_source(id), edition) for id in ("90", "91"))
    top = second.cells[0].source
    assert top.startswith('# 90 · Another lesson\n\n<div class="alert alert-info">\n\n')
    assert "- measure a gap\n- explain an interval\n" in top
    assert "5 minutes to read and run, 7 for the exercises and the quiz." in top
    assert "[90 A small lesson](90_small.ipynb)" in top
    assert f'[gap]({glossary}glossary.md "A difference.")' in top
    assert "**Next:** [91 Another lesson](91_next.ipynb)" in first.cells[-1].source
    assert "**Previous:** [90 A small lesson](90_small.ipynb)" in second.cells[-1].source
    assert "Previous" not in first.cells[-1].source and "Next:" not in second.cells[-1].source
    assert box.without(top) == "# 90 · Another lesson"


def test_the_links_of_the_real_lessons_lead_to_files():
    for name, folder in build.EDITIONS.items():
        for id in places.lesson_ids():
            cells = source.edition(source.read_source(id), name).cells
            links = re.findall(r'\]\(([^)" ]+)', cells[0].source + cells[-1].source)
            links = [link for link in links if not link.startswith(("http", "#"))]
            missing = [link for link in links if not (places.ROOT / folder / link).is_file()]
            assert links and not missing, (id, missing)


def test_an_optional_section_is_in_the_notebook_and_not_in_live_teaching(course):
    change(course / "lessons/90_small/lesson.md", "## Quiz\n", "+++\n\n## Optional: more\n\nHere."
           "\n\n```{code-cell} ipython3\n1 + 1\n```\n\n+++\n\n## Quiz\n")
    change(course / "lessons/90_small/lesson.md", "  objectives:", "  optional: 3\n  objectives:")
    assert build.build(["90"]) == 0
    cells = source.load(course / LEARNER).cells
    assert "; 3 more for the optional sections, which nothing later needs." in cells[0].source
    assert [cell.source for cell in cells].count("1 + 1") == 1
    lesson = steps.read("90")
    assert "1 + 1" not in [step.code for step in lesson.steps] and lesson.minutes == 12
    said = "".join(step.text + step.after for step in lesson.steps) + lesson.closing
    assert "Optional" not in said and "alert" not in said and "## Quiz" in said
