"""The lessons as they are: their sources, their notebooks, and that the two agree."""

import contract
import pytest

from tlcourse import data
from tlcourse.notebook import exercises, places
from tlschool.authoring import box, build, common_errors, refresh, source

LESSONS = places.lesson_ids()
SECONDS = 70  # of a lesson, on average
EDITIONS = [pytest.param(id, name, id=f"{id}-{name}") for id in LESSONS for name in build.EDITIONS]


def path(id, name):
    return places.notebook(id) if name == "learner" else places.solution(id)


@pytest.mark.parametrize(("id", "name"), EDITIONS)
def test_a_built_notebook_keeps_the_contract(id, name):
    assert contract.violations(
        source.load(path(id, name)),
        glossary=box.glossary(places.ROOT / "lessons" / "glossary.md"),
        lesson_ids=LESSONS,
        data_names=data.manifest(),
        slack=1.5,
    ) == []


def test_notebooks_and_pages_agree_with_the_lessons(capsys, monkeypatch):
    monkeypatch.setattr(common_errors, "page", lambda old, ids: old)  # has tests of its own
    assert refresh.refresh(check=True) == 0, capsys.readouterr().out


@pytest.mark.parametrize("id", LESSONS)
def test_each_exercise_is_followed_directly_by_its_solution(id):
    cells = source.read_source(id).cells
    for cell, after in zip(cells, [*cells[1:], None], strict=True):
        if "exercise" in source.tags(cell):
            assert "solution" in source.tags(after), cell.id
            assert source.checked(cell) == source.checked(after), cell.id
            assert cell.source.splitlines()[-1] == after.source.splitlines()[-1]


@pytest.mark.parametrize("id", LESSONS)
def test_a_lesson_and_its_module_know_the_same_exercises_and_questions(id):
    module, lesson = exercises.lesson(id), source.read_source(id)
    text = "\n".join(cell.source for cell in lesson.cells)
    for exercise in module.exercises:
        assert f"Exercise {exercise.id} ({exercise.kind}, " in text
        assert f"{exercise.minutes} min)" in text.split(f"Exercise {exercise.id} (")[1][:40]
    asked = [source.checked(cell) for cell in lesson.cells if "exercise" in source.tags(cell)]
    assert asked == [exercise.id for exercise in module.exercises]
    quiz = [call.args[0].value for cell in lesson.cells for call in contract.calls(cell, "quiz")]
    assert quiz == [question.id for question in module.questions]


def test_lessons_need_only_what_comes_before_them():
    needs = {id: source.read_source(id).metadata["tlcourse"]["needs"] for id in LESSONS}
    assert set(contract.needs_order(needs)) == set(LESSONS)
    assert all(need < id for id, needed in needs.items() for need in needed)


def test_a_lesson_s_front_matter_has_the_id_of_its_file():
    for id in LESSONS:
        assert source.read_source(id).metadata["tlcourse"]["id"] == id


def test_the_lessons_stay_within_their_time_together():
    built = [source.load(places.notebook(id)) for id in LESSONS]
    assert sum(nb.metadata["tlcourse"]["seconds"] for nb in built) <= SECONDS * 1.5 * len(built)


def test_all_notebooks_together_stay_small_enough_to_commit():
    sizes = [path(id, name).stat().st_size for id in LESSONS for name in build.EDITIONS]
    assert sum(sizes) <= 0.75e6 * len(LESSONS)


def test_every_term_of_the_glossary_has_both_languages_and_a_meaning():
    terms = box.glossary(places.ROOT / "lessons" / "glossary.md")
    assert terms and all(len(row) == 2 and all(row) for row in terms.values())
    assert list(terms) == sorted(terms)
