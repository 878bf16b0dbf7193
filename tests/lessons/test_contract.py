"""The validator of notebooks finds each kind of fault, and none where there is none."""

import contract
import fake_lesson
import nbformat
import pytest
from faults import FAULTS, cell, duplicate_id

from tlschool.authoring import source


@pytest.fixture
def course(tmp_path, monkeypatch):
    fake_lesson.lay_out(tmp_path, monkeypatch)


def breaches(notebook, **changes):
    known = {"glossary": {"gap"}, "lesson_ids": ["90"], "data_names": ["dots"], **changes}
    return contract.violations(notebook, **known)


@pytest.mark.parametrize("edition", ["learner", "solutions"])
def test_a_lesson_that_keeps_the_contract_has_no_breach(course, edition):
    assert breaches(fake_lesson.built(edition)) == []


def test_a_long_claim_may_go_on_in_a_second_line(course):
    notebook = fake_lesson.built("learner")
    output = cell(notebook, "90-two-claims-2").outputs[0]
    output.text = output.text.replace(": holds:", ":\n  holds:")
    assert breaches(notebook) == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_bad_notebook_is_refused_with_a_sentence_that_names_the_place(course, fault):
    notebook = fake_lesson.built()
    sentence = fault(notebook)
    found = breaches(notebook)
    assert any(sentence in breach for breach in found), found


def test_a_notebook_with_no_front_matter_at_all_is_refused_and_not_choked_on(course):
    notebook = fake_lesson.built()
    del notebook.metadata["tlcourse"]
    assert "front matter: title is missing." in breaches(notebook)


def test_the_budget_has_slack_where_a_test_asks_for_it(course):
    notebook = fake_lesson.built()
    notebook.metadata["tlcourse"]["seconds"] = 179
    assert breaches(notebook, slack=1.5) == []


def test_pictures_may_hold_any_letters_in_their_data(course):
    page = fake_lesson.built().cells[2].outputs[0].data["text/html"]
    assert "/tmp/" in page  # which is no path there
    assert breaches(fake_lesson.built()) == []


def test_lessons_that_need_each_other_in_a_circle_are_refused():
    with pytest.raises(ValueError, match="circle: .*01"):
        contract.needs_order({"00": [], "01": ["02"], "02": ["01"]})
    assert contract.needs_order({"02": ["01"], "01": ["00"], "00": []}) == ["00", "01", "02"]


@pytest.mark.parametrize("keep", [0.0, 0.5, 0.99])
def test_a_notebook_saved_half_is_named_in_one_sentence(course, tmp_path, keep):
    path = tmp_path / "90_small.ipynb"
    text = nbformat.writes(fake_lesson.built())
    path.write_text(text[: int(keep * len(text))], encoding="utf-8")
    with pytest.raises(source.NotebookError, match=r"^90_small.ipynb is no complete notebook"):
        source.load(path)


@pytest.mark.parametrize("text", ["[]", "{}", "7"])
def test_json_that_is_no_notebook_is_named_too(tmp_path, text):
    path = tmp_path / "90_small.ipynb"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(source.NotebookError, match=r"^90_small.ipynb is no complete notebook"):
        source.load(path)


def test_loading_repairs_nothing(course, tmp_path):
    notebook = fake_lesson.built()
    duplicate_id(notebook)
    path = tmp_path / "90_small.ipynb"
    path.write_text(nbformat.v4.writes(notebook), encoding="utf-8")
    assert any("2 cells have this id" in breach for breach in breaches(source.load(path)))
