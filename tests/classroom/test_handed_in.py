"""Who handed in what is told by names of files and folders, as people and platforms make them."""

import unicodedata

import pytest
from hand_ins import perfect, save

from tlschool.classroom import cache, variants
from tlschool.classroom.collect import notices, submissions
from tlschool.classroom.execute import Outcome
from tlschool.classroom.grade import variant_of
from tlschool.classroom.release import variants_in


def by_file(found, folder):
    return {student: one.path.relative_to(folder).as_posix() for student, one in found.items()}


@pytest.fixture
def handed_in(tmp_path):
    """Hands in the notebook of a student under some name; ann.k, bob, Bob_Lee, Åsa are listed."""
    for student in ("ann.k", "bob", "Bob_Lee", "Åsa_Öberg"):
        save(variants_in(tmp_path, "lesson-01") / f"{student}.ipynb", perfect())

    def hand_in(name, of):
        save(tmp_path / "in" / name, perfect(variant=variants.of_student(of)))

    return hand_in


def found(tmp_path):
    """By name under which it is graded: the file, and whether the variant is the file's own."""
    return {student: (one.path.name, variant_of(one.owner, "01", tmp_path) != 0)
            for student, one in submissions(tmp_path / "in", "lesson-01", tmp_path).items()}


@pytest.mark.parametrize("name", [
    "Åsa Öberg_123456_assignsubmission_file_/lesson-01.ipynb",
    "obergasa_LATE_148623_9988776_Åsa_Öberg.ipynb",
    "ÅSA_ÖBERG/homework/week 5/lesson-01.ipynb",
    "Åsa Öberg final (2).ipynb",
    unicodedata.normalize("NFD", "Åsa Öberg.ipynb"),
])
def test_a_listed_student_is_found_within_a_longer_name(handed_in, tmp_path, name):
    handed_in(name, "Åsa_Öberg")
    assert found(tmp_path) == {"Åsa_Öberg": (name.split("/")[-1], True)}
    assert notices(tmp_path / "in", "lesson-01", tmp_path) == []


@pytest.mark.parametrize(("name", "of", "student"), [
    ("final bob.ipynb", "Bob_Lee", "final_bob"),     # his name, and the notebook of another
    ("bobby.ipynb", "bob", "bobby"), ("7.ipynb", "bob", "7"),  # his notebook, and no such name
])
def test_a_name_or_a_variant_alone_makes_nobody_the_owner(handed_in, tmp_path, name, of, student):
    handed_in(name, of)
    assert found(tmp_path) == {student: (name, False)}
    assert notices(tmp_path / "in", "lesson-01", tmp_path) == [
        f"no notebook was made for {student}: graded as the one for who is not in the list; if it "
        f"is {of}'s, rename the file"]


def test_the_second_notebook_of_a_student_is_graded_as_the_same_variant(handed_in, tmp_path):
    for name in ("ann.k/lesson-01.ipynb", "ann.k/lesson-01 (1).ipynb"):
        handed_in(name, "ann.k")
    assert found(tmp_path) == {"ann.k": ("lesson-01.ipynb", True),
                               "ann.k_2": ("lesson-01 (1).ipynb", True)}
    assert notices(tmp_path / "in", "lesson-01", tmp_path) == [
        "ann.k handed in 2 notebooks: each is graded, the second as ann.k_2"]


def test_who_puts_the_name_of_another_into_ones_own_comes_second(handed_in, tmp_path):
    for name in ("Mallory_12_bob.ipynb", "bob.ipynb"):
        handed_in(name, "bob")
    assert found(tmp_path) == {"bob": ("bob.ipynb", True), "bob_2": ("Mallory_12_bob.ipynb", True)}


def test_a_second_notebook_takes_the_name_of_no_other_student(handed_in, tmp_path):
    save(variants_in(tmp_path, "lesson-01") / "bob_2.ipynb", perfect())
    for name, of in (("bob/a/bob.ipynb", "bob"), ("bob.ipynb", "bob"), ("bob_2.ipynb", "bob_2")):
        handed_in(name, of)
    assert found(tmp_path) == {"bob": ("bob.ipynb", True), "bob_2": ("bob_2.ipynb", True),
                               "bob_3": ("bob.ipynb", True)}


def test_who_was_graded_before_and_is_not_in_this_folder_is_named(handed_in, tmp_path):
    handed_in("bob.ipynb", "bob")
    for student in ("bob", "s0", "s1", "s2", "s3", "s4", "s5"):
        cache.write(cache.place(tmp_path, "lesson-01", student), "", Outcome([]))
    assert notices(tmp_path / "in", "lesson-01", tmp_path) == [
        f"graded before and not in {tmp_path / 'in'} now: s0, s1, s2, s3, s4 and 1 more; the "
        "reports are of this folder alone"]


def test_students_are_told_by_the_names_of_files_and_folders(tmp_path):
    for name in ("ann.ipynb", "bob/lesson-01.ipynb", "bob/lesson-01 (2).ipynb", "Zoë M.ipynb",
                 "group b/Ann.ipynb", "submitted/李雷/lesson-01/lesson-01.ipynb",
                 "Tom/lesson-01-Copy1.ipynb", "Eve.IPYNB", ".ipynb_checkpoints/ann.ipynb",
                 "../outside.ipynb", "=1+1.ipynb", "韩 梅梅.zip"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    found = submissions(tmp_path / "in", "lesson-01", tmp_path)
    assert by_file(found, tmp_path / "in") == {
        "1_1": "=1+1.ipynb", "Zoë_M": "Zoë M.ipynb", "ann": "ann.ipynb",
        "bob": "bob/lesson-01.ipynb", "Eve": "Eve.IPYNB", "bob_2": "bob/lesson-01 (2).ipynb",
        "Ann_2": "group b/Ann.ipynb", "Tom": "Tom/lesson-01-Copy1.ipynb",
        "李雷": "submitted/李雷/lesson-01/lesson-01.ipynb"}
    assert notices(tmp_path / "in", "lesson-01", tmp_path) == [
        "not graded, for it is no notebook: 韩 梅梅.zip; unpack archives",
        "ann handed in 2 notebooks: each is graded, the second as ann_2",
        "bob handed in 2 notebooks: each is graded, the second as bob_2"]


def test_of_many_files_that_are_no_notebooks_a_few_are_named(tmp_path):
    for number in range(8):
        (tmp_path / f"{number}.txt").touch()
    assert notices(tmp_path, "lesson-01", tmp_path) == [
        "not graded, for it is no notebook: 0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 3 more; unpack "
        "archives"]
