"""What a learner handed in is found, whatever happened to its cells, and put into its place."""

import json
import os
import re

import nbformat
import pytest
from hand_ins import answers, blank, cell, filled, given, perfect, released_before, save

from tlschool.classroom import clean as cleaning
from tlschool.classroom.clean import Submission, Unreadable, clean, read, student_name


def cleaned(notebook):
    return clean(Submission(notebook), given())


def sources(notebook):
    return {one.id: one.source for one in notebook.cells}


def own_cell(source):
    return nbformat.v4.new_code_cell(source)


def test_a_clean_submission_stays_as_it_is():
    assert sources(cleaned(perfect()).notebook) == sources(perfect())
    assert cleaned(perfect()).remarks == []


def test_a_clean_submission_of_a_release_of_before_is_brought_up_to_date():
    done = clean(Submission(released_before(perfect("08"))), given("08"))
    assert sources(done.notebook) == sources(perfect("08"))
    assert done.remarks == []


def test_the_imports_of_a_release_of_before_give_the_same_objects():
    now, before = {}, {}
    for names, notebook in ((now, blank("00")), (before, released_before(blank("00")))):
        setup = cell(notebook, "00-setup").source
        exec("\n".join(re.findall("^from tlcourse.*|^from tlschool.*", setup, re.M)), names)
    assert set(now) == set(before) == {"visible", "accuracy", "fit", "__builtins__"}
    assert all(before[name] is value for name, value in now.items())


def test_cells_that_lost_all_marks_are_known_by_their_text_and_own_ones_keep_their_place():
    notebook = perfect()
    notebook.cells.insert(notebook.cells.index(cell(notebook, "01-ex-1-3")), own_cell("x = 1"))
    for number, one in enumerate(notebook.cells):  # as some editors save it
        one.metadata, one.id = {}, f"cell-{number}"
    done = cleaned(notebook)
    ids = [one.id for one in done.notebook.cells if one.cell_type == "code"]
    assert ids[ids.index("01-ex-1-3") - 1] == "own-1" and len(ids) == len(set(ids)) == 10
    assert {one.id: one.source for one in done.notebook.cells if one.id != "own-1"} == sources(
        perfect())
    assert [remark.split(":")[0] for remark in done.remarks] == ["1.1", "1.2", "1.3", "1.4"]
    assert all("had lost its mark" in remark for remark in done.remarks)


def test_own_cells_stay_behind_the_cell_that_they_followed():
    notebook = perfect()
    place = notebook.cells.index(cell(notebook, "01-ex-1-3"))
    notebook.cells.insert(place + 1, own_cell("y = 2"))
    notebook.cells.insert(place, own_cell("x = 1"))
    ids = [one.id for one in cleaned(notebook).notebook.cells if one.cell_type == "code"]
    assert ids[ids.index("01-ex-1-3") - 1] == "own-1"
    assert ids[ids.index("01-ex-1-3") + 1] == "own-2"


def test_what_was_added_to_the_setup_still_runs():
    notebook = perfect()
    cell(notebook, "01-setup").source += "\nimport math"
    done = cleaned(notebook)
    assert cell(done.notebook, "own-1").source.endswith("import math")
    assert cell(done.notebook, "01-setup").source == cell(blank(), "01-setup").source
    assert done.remarks == ["the locked cell 01-setup had been changed, and was put back"]


def test_a_copy_that_was_not_changed_does_not_count():
    notebook = filled({"01-ex-1-2": answers()["01-ex-1-2"]})
    place = notebook.cells.index(cell(notebook, "01-ex-1-2"))
    notebook.cells.insert(place + 1, nbformat.from_dict(dict(cell(blank(), "01-ex-1-2"))))
    assert cell(cleaned(notebook).notebook, "01-ex-1-2").source == answers()["01-ex-1-2"]


@pytest.mark.parametrize(("kind", "said"), [("markdown", "Markdown"), ("raw", "a raw cell")])
def test_a_cell_that_became_text_is_not_called_deleted_and_its_code_counts(kind, said):
    notebook = perfect()
    for id in ("01-ex-1-2", "01-ex-1-4-check"):
        cell(notebook, id).cell_type = kind
    done = cleaned(notebook)
    assert sources(done.notebook) == sources(perfect())
    assert done.remarks == [f"the cell {id} had become {said}, and was made code again"
                            for id in ("01-ex-1-2", "01-ex-1-4-check")]


def test_a_note_with_the_mark_of_an_answer_that_is_there_as_code_stays_a_note():
    notebook = perfect()
    note = nbformat.v4.new_markdown_cell("old: guess = 0.3")
    note.metadata["nbgrader"] = {"grade_id": "01-ex-1-1"}
    notebook.cells.append(note)
    assert sources(cleaned(notebook).notebook) == sources(perfect())


def test_the_halves_of_a_cell_that_was_split_run_in_order_with_what_stands_between():
    notebook = perfect()
    place = notebook.cells.index(cell(notebook, "01-ex-1-2"))
    second = nbformat.from_dict(dict(notebook.cells[place]))
    cell(notebook, "01-ex-1-2").source = "def shares(found, there):\n    return found / there"
    second.source = ("def recall_per_class(confusion):\n"
                     "    return shares(confusion.diagonal(), confusion.sum(axis=1))")
    notebook.cells[place + 1 : place + 1] = [own_cell("between = 1"), second]
    done = cleaned(notebook)
    made = {one.id: one.source for one in done.notebook.cells}
    ids = list(made)
    assert ids[(at := ids.index("01-ex-1-2")) - 3 : at] == ["01-ex-1-2-text", "part-1", "part-2"]
    assert [made[id].split("(")[0] for id in ("part-1", "part-2", "01-ex-1-2")] == [
        "def shares", "between = 1", "def recall_per_class"]
    assert len([one for one in done.notebook.cells if one.source == "between = 1"]) == 1


def test_an_answer_with_a_magic_that_lost_its_mark_is_found_by_its_name():
    notebook = perfect(ex_1_1="%matplotlib inline\nguess = 0.1")
    for number, one in enumerate(notebook.cells):
        one.metadata, one.id = {}, f"cell-{number}"
    assert cell(cleaned(notebook).notebook, "01-ex-1-1").source.endswith("guess = 0.1")


def test_the_variant_of_another_student_is_noticed():
    notebook = perfect()
    notebook.metadata["tlcourse"]["variant"] = 5
    assert cleaned(notebook).remarks == [
        "this is the variant of another student; it was graded as your own"]


def test_a_notebook_without_any_of_the_cells_is_refused():
    with pytest.raises(Unreadable, match="no cell of lesson-01"):
        cleaned(nbformat.v4.new_notebook(cells=[own_cell("x = 1")]))


def test_the_notebook_of_the_lesson_itself_is_read_by_its_names():
    notebook = nbformat.v4.new_notebook(cells=[own_cell("guess = 0.1")])
    assert cell(cleaned(notebook).notebook, "01-ex-1-1").source == "guess = 0.1"


@pytest.mark.parametrize("content", [
    b"", b"{}", b"[]", b"null", b"\xff\xfe", b"\x00" * 100, b"[" * 100_000,
    json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": 3}).encode(),
    json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
        {"cell_type": "code", "source": "x", "metadata": {"nbgrader": 7}}]}).encode(),
    json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {"tlcourse": []},
                "cells": []}).encode(),
    json.dumps({"nbformat": 99, "nbformat_minor": 0, "metadata": {}, "cells": []}).encode(),
], ids=repr)
def test_no_content_of_a_file_stops_the_reader(tmp_path, content):
    (tmp_path / "a.ipynb").write_bytes(content)
    with pytest.raises(Unreadable):
        clean(read(tmp_path / "a.ipynb"), given())


@pytest.mark.parametrize("mark", [["a"], {"a": 1}, None, 7, ""])
def test_no_mark_of_a_cell_stops_it_either(mark, tmp_path):
    notebook = perfect()
    cell(notebook, "01-ex-1-2").metadata["nbgrader"]["grade_id"] = mark
    path = save(tmp_path / "a.ipynb", notebook)
    done = clean(read(path), given())
    assert cell(done.notebook, "01-ex-1-2").source == answers()["01-ex-1-2"]


@pytest.mark.parametrize("source", ["+".join("1" * 9000), "-" * 90_000 + "1", "(" * 90_000, "1\0"],
                         ids=["sum", "minus", "brackets", "null"])
def test_no_source_of_a_cell_stops_it(source):
    notebook = perfect(ex_1_1=f"guess = {source}")
    notebook.cells.append(own_cell(f"x = {source}"))
    done = cleaned(notebook)
    assert cell(done.notebook, "01-ex-1-1").source == f"guess = {source}"
    assert cell(done.notebook, "own-1").source == f"x = {source}"


@pytest.mark.skipif(os.name == "nt", reason="making a link needs rights there")
def test_a_link_to_somebody_elses_file_is_not_followed(tmp_path):
    (tmp_path / "mine.ipynb").symlink_to(save(tmp_path / "a.ipynb", perfect()))
    with pytest.raises(Unreadable, match="a link to another one"):
        read(tmp_path / "mine.ipynb")


def test_a_huge_file_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(cleaning, "LARGEST", 1000)
    with pytest.raises(Unreadable, match="larger than"):
        read(save(tmp_path / "a.ipynb", perfect()))


@pytest.mark.parametrize(("text", "name"), [
    ("Ann Lee", "Ann_Lee"), ("../../etc", "etc"), ("...", "student"), ("a+b", "a_b")])
def test_a_name_can_be_a_folder(text, name):
    assert student_name(text) == name
