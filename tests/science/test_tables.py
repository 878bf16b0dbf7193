"""Tables of any kind become domains: a value has one meaning in both, and nothing is silent."""

import gzip
import io
import json
import zipfile
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from tlcourse.data.domain import DataError
from tlcourse.data.folders import read_domains
from tlcourse.data.tables import Preparation, read_tables


def table(path, frame=None, **columns):
    (pd.DataFrame(columns) if frame is None else frame).to_csv(path, index=False)
    return path


def text(path, written, encoding="utf-8"):
    path.write_bytes(written.encode(encoding))
    return path


def rows(n, **more):
    return {"u": np.linspace(0, 1, n) % 0.3, "k": np.arange(n) % 3, "label": ["p", "q"] * (n // 2),
            **more}


def two(tmp_path, mine, theirs, **options):
    """Read two tables of these columns, beside `rows`: domains and all notices as one text."""
    paths = [table(tmp_path / f"{name}.csv", **rows(len(next(iter(more.values())))) | more)
             for name, more in (("s", mine), ("t", theirs))]
    source, target, notices = read_domains(*paths, **{"label": "label", **options})
    return source, target, "\n".join(notices)


def standard(values, by=None):
    by = np.asarray(values if by is None else by, dtype=float)
    return torch.tensor((np.asarray(values, dtype=float) - by.mean()) / by.std()).float()


def same(found, expected):
    return torch.allclose(found, expected, rtol=1e-5, atol=1e-6)


# Numbers


WRITTEN = [1234.5, -2345.25, 0.5, 77.0, 12345.75, -3.0, 100.25, 9.0, -0.75, 1000.0, 5.5, 6.25]


@pytest.mark.parametrize("form", [
    "{:,.2f}".format,
    "${:,.2f}".format,
    lambda v: f"{v:,.2f}".translate(str.maketrans(",.", ".,")),
    lambda v: f"{v:,.2f}".translate(str.maketrans(",.", "\u202f,")) + " €",
    lambda v: f"{v:,.2f}".replace(",", "'"),
    lambda v: f"{v}".replace("-", "\u2212"),
    lambda v: f"({-v})" if v < 0 else f"{v}",
    lambda v: f"-${-v}" if v < 0 else f"+${v}",
    lambda v: f"{v} kg",
    lambda v: f"{v * 100}%",
    lambda v: f"EUR {v:e}",
    lambda v: f"{-v}-" if v < 0 else f"{v}",
    lambda v: f"{v / 1000}K" if v > 9 else v,
    lambda v: f"${v / 1e6:.9f}M",
])
def test_a_number_is_the_same_however_people_write_it(tmp_path, form):
    found, _, said = two(tmp_path, {"w": [form(v) for v in WRITTEN]}, {"w": WRITTEN})
    assert same(found.X[:, 2], standard(WRITTEN))
    assert "numbers that are written in another way were read: w (" in said


def test_each_file_has_its_own_decimal_sign(tmp_path):
    german = pd.DataFrame({"w": [f"{v:.3f}".replace(".", ",") for v in WRITTEN],
                           "n": ["1.234"] * 11 + ["7"], "label": list("pq") * 6})
    plain = table(tmp_path / "t.csv", w=WRITTEN, n=[1234] * 11 + [7], label=list("pq") * 6)
    source, target, notices = read_domains(table(tmp_path / "s.csv", german), plain)
    assert same(source.X, target.X) and any("n ('1.234' is 1234)" in n for n in notices)


@pytest.mark.parametrize(("separator", "value"), [(",", 1234), (";", 1.234)])
def test_where_nothing_else_decides_a_comma_is_what_the_separator_leaves_it_to_be(
    tmp_path, separator, value
):
    lines = "".join(f'"{k},234"{separator}{"pq"[k % 2]}\n' for k in range(1, 9))
    path = text(tmp_path / "s.csv", f"u{separator}label\n{lines}")
    *_, notices = read_domains(path, path)
    assert any(f"u ('1,234' is {value})" in notice for notice in notices)


def test_numbers_in_other_units_are_pointed_at(tmp_path):
    *_, said = two(tmp_path, {"w": [f"{v}%" for v in WRITTEN]}, {"w": WRITTEN})
    assert "see that they mean the same: w (% in s, none in t)" in said


@pytest.mark.parametrize("codes", [["C10", "C20", "D5"], ["10A", "20A", "20B"], ["1.2.3", "1.2.4"],
                                   ["12:30", "13:45"], ["10-20", "20-30"]])
def test_codes_with_digits_in_them_are_no_numbers(tmp_path, codes):
    codes = [codes[k % len(codes)] for k in range(12)]
    source, _, said = two(tmp_path, {"c": codes}, {"c": codes})
    assert source.X.shape[1] == 2 + len(set(codes)) and "one column a category: c" in said


@pytest.mark.parametrize("mark", ["-", "n/a", "<0.5", "#DIV/0!", "inf", "1.2.3", "unknown"])
def test_one_cell_that_is_no_number_makes_no_column_of_words(tmp_path, mark):
    numbers = np.arange(40) ** 1.5
    source, _, said = two(tmp_path, {"w": [mark, *numbers[1:]]}, {"w": numbers})
    assert source.X.shape == (40, 3)
    assert source.X[0, 2] == pytest.approx(float(source.X[1:, 2].median()), abs=0.1)
    assert said.startswith("1 cell of s that holds no number in a column of numbers counts as "
                           f"missing: w ('{mark}')")


def test_measurements_with_a_word_for_what_was_not_measured_are_numbers(tmp_path):
    numbers = [*np.arange(30) ** 1.5, *["below limit"] * 10]
    source, _, said = two(tmp_path, {"w": numbers}, {"w": numbers})
    assert source.X.shape[1] == 3 and "10 cells of s that hold no number" in said
    assert "10 missing values of s were filled in" in said and "in s: w (10)" in said


def test_a_few_codes_that_are_numbers_but_for_one_are_categories(tmp_path):
    codes = [str(k % 5) for k in range(100)] + ["A", "A"]
    source, _, said = two(tmp_path, {"w": codes}, {"w": codes})
    assert source.X.shape[1] == 2 + 6 and "one column a category: w" in said


def test_large_numbers_with_a_small_spread_keep_it(tmp_path):
    small = np.arange(12) % 5
    for offset, scale in ((1.7e9, 1), (1.7e18, 1e9), (0, 1e-300), (0, 1e300), (1e6, 1e-6)):
        values = [repr(float(v)) for v in offset + small * scale]
        source, target, _ = two(tmp_path, {"w": values}, {"w": values})
        assert torch.allclose(source.X[:, 2], standard(small), atol=1e-3)
        assert torch.equal(source.X, target.X)


def test_a_column_of_one_value_is_left_out_and_one_that_varies_in_the_target_is_told(tmp_path):
    source, target, said = two(tmp_path, {"one": [0.1] * 12, "w": [7] * 12},
                               {"one": [0.1] * 12, "w": [7, 8] * 6})
    assert source.X.shape[1] == 3 and source.X[:, 2].unique().tolist() == [0]
    assert len(target.X[:, 2].unique()) == 2
    assert "(one value in all rows) were left out: one" in said
    assert "columns with one value in s and others in t: w" in said


def test_missing_values_are_filled_in_by_the_source_with_a_notice(tmp_path):
    source = table(tmp_path / "s.csv", u=[1.0, 3.0, 8.0, None], label=list("pqpq"))
    target = table(tmp_path / "t.csv", u=[None, 100.0, 300.0], label=list("pqp"))
    mine, theirs, notices = read_domains(source, target, label="label")
    assert same(mine.X[:, 0], standard([1, 3, 8, 3]))
    assert same(theirs.X[:, 0], standard([3, 100, 300], by=[1, 3, 8, 3]))
    assert [n for n in notices if "missing" in n] == [
        f"1 missing value of {name} was filled in with the median of the column in s: u (1)"
        for name in "st"]


def test_question_marks_are_missing_values_and_yes_and_no_are_numbers(tmp_path):
    source, target = (table(tmp_path / f"{name}.csv", **rows(12, ok=[True, False, True] * 4,
                                                             w=["?", *range(11)])) for name in "st")
    mine, _, notices = read_domains(source, target, label="label")
    assert mine.X.shape == (12, 4) and mine.X[0, 3] == 0  # the median is also the mean
    assert same(mine.X[:, 2], standard([1, 0, 1] * 4))
    assert not any("categories" in notice for notice in notices)


@pytest.mark.parametrize(("mine", "theirs"), [
    (["TRUE", "FALSE", ""], [1, 0, 1]), (["yes", "No", "yes"], ["1.0", "0.0", "1.0"]),
    (["Y", "N", "Y"], ["true", "false", "true"]), (["t", "f", "t"], ["T", "F", "T"])])
def test_words_for_yes_and_no_are_one_and_zero_in_both(tmp_path, mine, theirs):
    source, target, _ = two(tmp_path, {"b": mine * 4}, {"b": theirs * 4})
    assert source.X.shape[1] == 3
    assert torch.equal(source.X[:2, 2], target.X[:2, 2]) and target.X[0, 2] > target.X[1, 2]


def test_dates_are_days_and_dates_in_an_unclear_order_are_left_out(tmp_path):
    days = (np.arange(12) * 5) % 17
    iso = [str(pd.Timestamp("2024-02-20") + pd.Timedelta(days=int(k)))[:10] for k in days]
    other = [f"{d[8:]}.{d[5:7]}.{d[:4]}" for d in iso]
    source, target, said = two(tmp_path, {"when": iso, "then": other}, {"when": iso, "then": other})
    assert source.X.shape[1] == 3 and same(target.X[:, 2], standard(days))
    assert "days: when" in said and "not written as 2024-05-31 were left out: then" in said


# Categories


def test_categories_become_columns_and_an_unseen_one_none_of_them(tmp_path):
    source = table(tmp_path / "s.csv", k=["red", "blue", "red"], u=[1, 2, 3], label=list("pqp"))
    target = table(tmp_path / "t.csv", k=["blue", "green", "red"], u=[4, 5, 6], label=list("pqp"))
    mine, theirs, notices = read_domains(source, target, label="label")
    assert mine.X[:, 1:].tolist() == [[0, 1], [1, 0], [0, 1]]
    assert theirs.X[:, 1:].tolist() == [[1, 0], [0, 0], [0, 1]]
    assert same(theirs.X[:, 0], standard([4, 5, 6], by=[1, 2, 3]))
    assert any("one column a category: k" in notice for notice in notices)
    assert "1 cell of t with a category that s does not have: k (green)" in notices


@pytest.mark.parametrize(("mine", "theirs"), [
    (["1", "2", "3", "A"], ["1.0", "2.00", "3", ""]), (["01", "02", "03", "x"], [1, 2, 3, "X"]),
    (["North  sea", "Cafe\u0301", "x", "y"], ["north sea", "Caf\u00e9", "x", "y"])])
def test_a_category_has_one_form_however_the_two_tables_write_it(tmp_path, mine, theirs):
    source, target, _ = two(tmp_path, {"c": mine * 3}, {"c": theirs * 3})
    assert torch.equal(source.X[:3, 2:], target.X[:3, 2:]) and source.X.shape[1] == 6


def test_large_and_small_letters_are_two_categories_where_one_table_has_both(tmp_path):
    source, *_ = two(tmp_path, {"c": ["a", "A", "b"] * 4}, {"c": ["a", "A", "b"] * 4})
    assert source.X.shape[1] == 5


@pytest.mark.parametrize("name", ["None", "NA", "null", "n/a", "nan", "?", ""])
def test_what_looks_missing_is_a_category_beside_the_others(tmp_path, name):
    columns = {"c": [name, "stone", "wood"] * 4}
    source, *_ = two(tmp_path, columns, columns)
    assert source.X.shape[1] == 5 and len(source.X[:3, 2:].unique(dim=0)) == 3


def test_rare_categories_share_a_column(tmp_path):
    codes = [f"c{k % 25}" for k in range(100)]
    source, target, _ = two(tmp_path, {"c": codes}, {"c": [*codes[1:], "new"]})
    assert source.X.shape[1] == 22 and (source.X[:, 2:].sum(1) == 1).all()
    assert target.X[-1, 21] == 1 and (target.X[:, 2:].sum(1) == 1).all()


def test_a_column_without_a_value_in_common_is_left_out_and_shown(tmp_path):
    *_, said = two(tmp_path, {"c": ["a", "b"] * 6}, {"c": ["p", "q"] * 6})
    assert "no value in common ('a', 'b' in s; 'p', 'q' in t) were left out: c" in said


def test_a_column_that_is_empty_on_one_side_is_left_out_by_name(tmp_path):
    source, _, said = two(tmp_path, {"w": WRITTEN, "v": ["-"] * 12, "c": list("abc") * 4},
                          {"w": [None] * 12, "v": WRITTEN, "c": [""] * 12})
    assert source.X.shape[1] == 2
    assert "empty in t) were left out: w, c" in said and "empty in s) were left out: v" in said


# Columns that number, name or betray the rows


def test_columns_that_only_number_or_name_the_rows_are_left_out_with_a_notice(tmp_path):
    paths = []
    for name in "st":
        frame = pd.DataFrame(rows(12, id=range(40, 52), who=[f"{name} {i}" for i in range(12)],
                                  nothing=[None] * 12))
        frame.to_csv(tmp_path / f"{name}.csv")  # with an index
        paths.append(tmp_path / f"{name}.csv")
    mine, _, notices = read_domains(*paths, label="label")
    assert mine.X.shape == (12, 2)
    assert notices == ["columns of s without a name were left out: 1",
                       "columns of t without a name were left out: 1",
                       "columns that say nothing (another value in each row) were left out: "
                       "id, who",
                       "columns that say nothing (empty in s) were left out: nothing"]


@pytest.mark.parametrize(("name", "number", "said"), [
    ("n", lambda k: k + 1000, "(another value in each row) were left out: n"),  # counts
    ("patientId", lambda k: k * k, "(another value in each row) were left out: patientId"),
    ("grams", lambda k: k * k, "of the classes; leave them out if they number the rows: grams"),
])
def test_numbers_given_in_the_order_of_the_classes_are_told_after_shuffling(
    tmp_path, name, number, said
):
    label = np.sort(np.arange(40) % 2)
    mixed = np.random.default_rng(0).permutation(40)
    columns = {name: number(np.arange(40))[mixed], "label": label[mixed]}
    assert said in two(tmp_path, columns, columns)[2]


def test_the_label_in_other_words_is_told(tmp_path):
    columns = {"code": [7, 9] * 6}
    assert two(tmp_path, columns, columns)[2] == (
        "columns that say the class in each row; leave them out if they are the label in other "
        "words: code")


def test_names_of_columns_match_without_blanks_and_case_and_that_is_told(tmp_path):
    source = table(tmp_path / "s.csv", pd.DataFrame(rows(12)))
    target = table(tmp_path / "t.csv", pd.DataFrame(rows(12)).rename(
        columns={"u": " U ", "label": "Label"}))
    mine, theirs, notices = read_domains(source, target, label="LABEL")
    assert torch.equal(mine.X, theirs.X) and mine.X.shape[1] == 2
    assert any("case only count as the same: U is u, Label is label" in n for n in notices)


def test_columns_of_one_name_are_told_apart_and_copies_left_out(tmp_path):
    lines = "".join(f"{k % 5},{k % 3},{k % 5},{'pq'[k % 2]}\n" for k in range(12))
    path = text(tmp_path / "s.csv", f"u,u,u,label\n{lines}")
    source, _, notices = read_domains(path, path)
    assert source.X.shape[1] == 2 and "several columns of s (source) bear: u, u" in notices[0]


def test_names_that_come_again_between_the_rows_are_no_row(tmp_path):
    path = text(tmp_path / "s.csv", CSV + CSV)  # two files one after the other
    source, _, notices = read_domains(path, path)
    assert len(source) == 24 and "repeat the names on top were left out: 1" in notices[0]


def test_rows_without_label_and_columns_of_one_side_are_left_out_with_a_notice(tmp_path):
    source = table(tmp_path / "s.csv", u=[1, 2, 3], only=[0, 0, 0], label=["p", None, "q"])
    target = table(tmp_path / "t.csv", u=[4, 5], other=[1, 2], label=["p", "q"])
    mine, _, notices = read_domains(source, target, label="label")
    assert len(mine) == 2 and mine.X.shape[1] == 1
    assert "rows of s without a value of 'label' were left out: 1" in notices
    assert "columns that only s has were left out: only" in notices
    assert "columns that only t has were left out: other" in notices


def test_tables_without_a_common_column_are_refused(tmp_path):
    source = table(tmp_path / "s.csv", u=[1, 2], label=["p", "q"])
    target = table(tmp_path / "t.csv", v=[4, 5], label=["p", "q"])
    with pytest.raises(DataError, match="no column in common"):
        read_domains(source, target, label="label")


# Labels


def test_the_label_column_is_the_one_named_or_one_called_label_or_the_last(tmp_path):
    columns = {"u": [1.0, 2.0, 3.0], "class": ["p", "q", "p"], "kind": ["m", "m", "n"]}
    paths = [table(tmp_path / f"{name}.csv", **columns) for name in "st"]
    named, _, notices = read_domains(*paths, label="kind")
    assert named.classes == ("m", "n") and not any("labels are taken" in n for n in notices)
    guessed, _, notices = read_domains(*paths)
    assert guessed.classes == ("p", "q") and "'class'" in notices[0]
    with pytest.raises(DataError, match="no column 'colour'; it has u, class, kind"):
        read_domains(*paths, label="colour")


@pytest.mark.parametrize(("order", "found"), [
    (["x", "y", "u", "class"], "class"),  # places in a picture
    (["x", "y", "u", "kind"], "kind"),
    (["kind", "u", "w"], "kind"),  # first, and the last is measured
    (["y", "kind", "u"], "y"),
    (["target", "u", "label"], "label"),
])
def test_coordinates_and_measurements_are_no_labels(tmp_path, order, found):
    words = dict.fromkeys(["class", "kind", "label", "target"], list("abc") * 4)
    numbers = {"x": np.arange(12) % 4, "y": np.arange(12) % 6, "u": WRITTEN, "w": WRITTEN[::-1]}
    columns = {name: (words | numbers)[name] for name in order}
    paths = [table(tmp_path / f"{name}.csv", **columns) for name in "st"]
    *_, notices = read_domains(*paths)
    assert any(f"labels are taken from the column {found!r}" in notice for notice in notices)


@pytest.mark.parametrize("name", ["None", "NA", "null", "n/a", "nan", "-", "?!"])
def test_a_class_with_a_name_that_looks_missing_is_a_class_and_that_is_said(tmp_path, name):
    source, _, said = two(tmp_path, {"label": [name, "mild", "severe", ""] * 4},
                          {"label": [name, "mild", "severe", "mild"] * 4})
    assert set(source.classes) == {name, "mild", "severe"} and len(source) == 12
    assert "rows of s without a value of 'label' were left out: 4" in said
    assert (f"count as a class: {name} in 4 rows" in said) == (name != "?!")


def test_a_question_mark_is_no_label(tmp_path):
    source, _, said = two(tmp_path, {"label": ["?", "p", "q"] * 4}, {"label": ["q", "p", "q"] * 4})
    assert source.classes == ("p", "q") and "rows of s without a value of 'label'" in said


def test_whole_numbers_as_labels_are_one_class_in_each_form(tmp_path):
    source, target, _ = two(tmp_path, {"label": ["0", "1.0", "-0.0", "1", "", "bad"] * 3},
                            {"label": [0, 1, 0] * 6})
    assert source.classes == ("0", "1", "bad") and target.classes == ("0", "1")
    assert source.y[:4].tolist() == [0, 1, 0, 1]


def test_true_and_one_are_one_class(tmp_path):
    source, target, said = two(tmp_path, {"label": ["TRUE", "FALSE"] * 6}, {"label": [1, 0] * 6})
    assert source.classes == target.classes and torch.equal(source.y, target.y)
    assert "the labels FALSE, TRUE of s and 0, 1 of t were read as true and false" in said


def test_classes_that_are_nearly_alike_stay_two_and_are_told(tmp_path):
    source, target, said = two(tmp_path, {"label": ["Cat", "01", "c"] * 4},
                               {"label": ["cat", "1", "c"] * 4})
    assert set(source.classes) & set(target.classes) == {"c"}
    assert "01 and 1, Cat and cat; write them alike" in said


@pytest.mark.parametrize("label", [WRITTEN * 3, list(range(18, 54)), list(np.arange(12) / 4) * 3])
def test_amounts_are_no_classes_and_can_be_cut_into_some(tmp_path, label):
    with pytest.raises(DataError, match=r"amounts, as for a regression|names no classes") as said:
        two(tmp_path, {"label": label}, {"label": label})
    assert "bins=4" in str(said.value)
    source, target, told = two(tmp_path, {"label": label}, {"label": label[:30]}, bins=3)
    assert len(source.classes) == 3 and np.ptp(np.bincount(source.y)) <= 6
    assert source.classes[0].startswith("below ") and "cut into classes at the quantiles" in told
    lowest = np.asarray(label, dtype=float) < float(source.classes[0].split()[1])
    assert torch.equal(source.y == 0, torch.tensor(lowest))


@pytest.mark.parametrize("labels", [range(10), [1, 2, 3.5], range(26), [7, 9, 1001]])
def test_numbers_that_name_classes_are_classes(tmp_path, labels):
    labels = list(labels) * 12
    labels += labels[: len(labels) % 2]
    source, *_ = two(tmp_path, {"label": labels}, {"label": labels})
    assert len(source.classes) == len(set(labels))


@pytest.mark.parametrize(("options", "words"), [
    ({"bins": 1}, "at least 2, got 1"), ({"label": "c", "bins": 3}, "holds words"),
    ({"group": "patient"}, "s has no column 'patient' of groups"),
    ({"group": "label"}, "name two columns")])
def test_wishes_that_cannot_be_met_are_refused(tmp_path, options, words):
    columns = {"c": ["a", "b"] * 6, "label": [1, 2] * 6}
    with pytest.raises(DataError, match=words):
        two(tmp_path, columns, columns, **options)


@pytest.mark.parametrize(("name", "left"), [("label", {}), ("species", {}),
                                            ("label", {"label": [None] * 12}),
                                            ("label", {"label": ["unknown"] * 12})])
def test_a_target_without_labels_is_told_what_is_needed_and_what_can_be_done(tmp_path, name, left):
    whole = pd.DataFrame(rows(12, u=WRITTEN))
    source = table(tmp_path / "s.csv", whole.rename(columns={"label": name}))
    target = table(tmp_path / "t.csv", whole.drop(columns="label").assign(**left))
    with pytest.raises(DataError, match=rf"t has no .*'{name}'.*5 a class.*proxy_a_distance"):
        read_domains(source, target)


@pytest.mark.parametrize(("written", "words"), [
    ("price,u\n" + "".join(f"{i / 7},{i}\n" for i in range(20)),
     "'price' of t holds 20 different values in 20 rows, so it names no classes"),
    ("1.5,2,0\n2.5,3,1\n", "the first line of .* holds numbers; give the columns names"),
    ("u,price\n1,\n2,\n", "no row with a label in the column 'price'"),
    ("", "could not be read as a CSV table"),
    ("u,v,w,x,y,z,a\n", "t has no column 'price'; it has u, v, w, x, y and 2 more"),
    ("u,price\n", "t holds no row below the names"),
])
def test_a_table_without_classes_is_refused_in_one_sentence(tmp_path, written, words):
    source = table(tmp_path / "s.csv", **rows(12, price=list("xy") * 6))
    target = text(tmp_path / "t.csv", written)
    with pytest.raises(DataError, match=words) as said:
        read_domains(source, target, label="price")
    assert "\n" not in str(said.value)


def test_groups_are_numbered_alike_in_both_and_are_no_feature(tmp_path):
    paths = [table(tmp_path / f"{name}.csv", **rows(12, who=who)) for name, who in
             (("s", ["a", "a", "1", "", ""] + ["b"] * 7), ("t", ["1.0", "b"] * 6))]
    found = read_tables(*paths, ("s", "t"), "label", group="Who")
    mine, theirs = found.groups
    assert found.source.X.shape[1] == 2 and mine.dtype == theirs.dtype == np.int64
    assert mine[0] == mine[1] and theirs[0] == mine[2] and theirs[1] == mine[5]
    assert found.source.groups.tolist() == [str(k) for k in mine]
    assert len(set(mine)) == 5 and "groups of their own: 2" in "".join(found.notices)


# Files


def test_semicolons_tabs_and_decimal_commas_are_understood(tmp_path):
    frame = pd.DataFrame(rows(12))
    frame.to_csv(tmp_path / "comma.csv", index=False)
    frame.to_csv(tmp_path / "german.csv", index=False, sep=";", decimal=",")
    frame.to_csv(tmp_path / "tab.csv", index=False, sep="\t", decimal=",")
    frame.to_csv(tmp_path / "bom.csv", index=False, sep=";", encoding="utf-8-sig")
    plain = read_domains(tmp_path / "comma.csv", tmp_path / "comma.csv", label="label")[0]
    for name in ("german", "tab", "bom"):
        path = tmp_path / f"{name}.csv"
        assert torch.equal(read_domains(path, path, label="label")[1].X, plain.X)


PLAIN = pd.DataFrame(rows(12, w=["a, b", "c", "d"] * 4))[["u", "k", "w", "label"]]
CSV = PLAIN.to_csv(index=False)
NAMED = PLAIN.rename(columns={"u": "u, in cm", "k": "k, l, m"})


@pytest.mark.parametrize(("written", "said"), [
    (PLAIN.to_csv(index=False, sep="|"), "separated by |"),
    ("sep=;\n" + PLAIN.to_csv(index=False, sep=";"), ""),
    (NAMED.to_csv(index=False, sep=";", quoting=1), ""),
    ("# by me\n# in 2024\n\n" + CSV, "lines with # on top of s were left out: 2"),
    ("# by me\n#" + CSV, "lines with # on top of s were left out: 1"),
    (CSV.replace("\n", ",\n").replace("label,\n", "label\n"), ""),
    (CSV.replace("\n", ",,\n"), ""),
    ("\r".join(CSV.splitlines()), ""),
    ("\r\n\r\n".join(CSV.splitlines()), ""),
    ("\n".join(f"r{k},{line}" if k else line for k, line in enumerate(CSV.splitlines())),
     "without a name were left out: 1"),
    (CSV.replace(",", ", ").replace("a,  b", "a, b"), ""),
    (CSV.replace('"a, b"', "ab").replace(",", "   "), "separated by blanks"),
    (CSV.replace('"', "'").replace("u,", "'u',", 1), ""),
    ("0,1,2,label\n" + CSV.split("\n", 1)[1], ""),
    ("1990,1995,2005,label\n" + CSV.split("\n", 1)[1], ""),
])
def test_the_same_table_is_read_from_each_dialect(tmp_path, written, said):
    plain = table(tmp_path / "t.csv", PLAIN)
    expected = read_domains(plain, plain)[1]
    path = text(tmp_path / "s.csv", written)
    found, _, notices = read_domains(path, path)
    assert torch.equal(found.X, expected.X) and torch.equal(found.y, expected.y)
    assert said in "\n".join(notices).replace(" (source)", "")


@pytest.mark.parametrize("written", [
    "\n".join(CSV.splitlines()[1:]), "p,x,s,n\n" * 3 + "e,x,y,n\ne,b,s,w\n" * 8,
    "39, State-gov, 77516, m\n50, Private, 83311, f\n38, State-gov, 21564, m\n1, State-gov, 7, f\n"
])
def test_a_table_without_a_line_of_names_is_refused(tmp_path, written):
    path = text(tmp_path / "s.csv", written)
    with pytest.raises(DataError, match=r"the first line of .* holds .*; give the columns names"):
        read_domains(path, path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_another_encoding_than_utf_8_is_read_and_named(tmp_path, encoding):
    frame = pd.DataFrame(rows(12, größe=["naïve", "groß", "x"] * 4))
    plain = table(tmp_path / "t.csv", frame)
    other = text(tmp_path / "s.csv", frame.to_csv(index=False), encoding)
    source, target, notices = read_domains(other, plain, label="label")
    assert torch.equal(source.X, target.X)
    assert "s is not written in UTF-8 and was read as" in notices[0] and "'größe'" in notices[0]


def packed(frame, ending):
    written = frame.to_csv(index=False).encode()
    if ending == "gz":
        return gzip.compress(written)
    if ending == "json":
        return frame.to_json(orient="records").encode()
    if ending == "jsonl":
        return frame.to_json(orient="records", lines=True).encode()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("data/table.csv", written)
        archive.writestr("__MACOSX/data/._table.csv", b"x")
    return file.getvalue()


@pytest.mark.parametrize("ending", ["gz", "zip", "json", "jsonl"])
def test_packed_tables_and_json_are_read_as_the_table_in_them(tmp_path, ending):
    plain = table(tmp_path / "t.csv", PLAIN)
    path = tmp_path / f"s.{ending}"
    path.write_bytes(packed(PLAIN, ending))
    source, target, _ = read_domains(path, plain)
    assert same(source.X, target.X) and source.classes == target.classes


def zipped(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, b"<x/>")
    return file.getvalue()


def table_text():
    return pd.DataFrame(rows(400)).to_csv(index=False)


def picture():
    file = io.BytesIO()
    Image.new("L", (4, 4)).save(file, "png")
    return file.getvalue()


@pytest.mark.parametrize(("data", "words"), [
    (b"PAR1" + bytes(range(256)), "is a Parquet file that pandas.read_parquet could not read"),
    (zipped("xl/workbook.xml"), "is an Excel file that pandas.read_excel could not read"),
    (zipped("cat/1.png", "dog/1.png"), "zip archive of 2 files with 0 tables; unpack it"),
    (zipped("a.csv", "b.csv"), "zip archive of 2 files with 2 tables; unpack it"),
    (gzip.compress(CSV.encode())[:60], "packed file .* could not be unpacked"),
    (picture(), "is an image; images come as a folder"),
    (b"SQLite format 3\0" + bytes(99), "is an SQLite database; save the table as CSV"),
    (np.random.default_rng(0).bytes(5000), "is no text; save the table as CSV"),
    (table_text().encode() + bytes(500), "is damaged: it holds zeros after"),
    (b'{"a": [{"b": 1}]}', "looks like JSON and no table"),
    (b"<!DOCTYPE html>\n<html>Not found</html>", "is an HTML or XML page and no table"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\n", "pointer of Git LFS"),
    (b"% by me\n@RELATION iris\n@DATA\n1,2\n", "is an ARFF file"),
    (b"label\np\nq\n", "one column only"),
    (CSV.replace('"a, b"', '"a, b').encode(), "quotation mark is left open or misplaced"),
    (CSV.replace('"', "").encode(), "hold more or fewer cells"),
])
def test_what_is_no_table_is_refused_by_name_in_one_sentence(tmp_path, data, words):
    path = tmp_path / "s.csv"
    path.write_bytes(data)
    with pytest.raises(DataError, match=words) as said:
        read_domains(path, path)
    assert "\n" not in str(said.value)


def test_a_few_rows_with_another_number_of_cells_are_left_out_and_numbered(tmp_path):
    lines = pd.DataFrame(rows(40)).to_csv(index=False).splitlines()
    lines[7] += ",1"
    lines[40] = lines[40][:3]
    path = text(tmp_path / "s.csv", "\n".join(lines))
    source, _, notices = read_domains(path, path)
    assert len(source) == 38 and "were left out: 2 (row 7, 40 below the names)" in notices[0]


def damaged(data, kind, rng):
    """A file that something went wrong with."""
    lines = data.split(b"\n")
    at = int(rng.integers(1, len(data) - 1))
    row = int(rng.integers(1, len(lines) - 2))
    letter = b"ghkwZ#@~"[int(rng.integers(8)):][:1]
    if kind == "cut":
        return data[:at]
    if kind == "letter":
        return data[:at] + letter + data[at + 1 :]
    if kind == "bytes":
        return data[:at] + rng.bytes(20) + data[at:]
    if kind == "zeros":
        return data[:at] + bytes(30) + data[at + 30 :]
    if kind == "quote":
        return data[:at] + b'"' + data[at:]
    if kind == "separator":
        lines[row] = lines[row].replace(b",", rng.choice([b";", b"\t", b",,", b""]), 1)
    if kind == "shifted":
        lines[row] = b"," + lines[row]
    if kind == "wide":
        lines[0] += b",more"
    if kind == "stray":
        lines[row] = lines[row].rsplit(b",", int(rng.integers(1, 4)))[0]
    if kind == "utf-16":
        return data.decode().encode("utf-16")[:at]
    if kind == "joined":
        lines[row : row + 2] = [lines[row] + lines[row + 1]]
    if kind == "headless":
        lines = lines[1:]
    if kind == "conflict":  # of two versions of the file
        lines[row:row] = [b"<<<<<<< HEAD", lines[row], b"=======", lines[row], b">>>>>>> other"]
    if kind in ("gz", "zip", "json"):
        data = packed(pd.read_csv(io.BytesIO(data)), kind)
        return data[: int(rng.integers(1, len(data) - 1))]
    return b"\n".join(lines)


def test_200_damaged_tables_are_read_rightly_or_told(tmp_path):
    rng = np.random.default_rng(0)
    n = 60
    u, v = rng.normal(size=(2, n)).round(3)
    frame = pd.DataFrame({"u": u + 20, "v": v - 9, "c": rng.choice(["red", "green"], n),
                          "label": ["left", "right"] * 30}).round(3)
    plain = table(tmp_path / "s.csv", frame)
    expected, _, usual = read_domains(plain, plain)
    whole = {tuple(x) for x in np.c_[expected.X, expected.y].tolist()}
    kinds = ["cut", "letter", "bytes", "zeros", "quote", "shifted", "separator", "joined",
             "headless", "conflict", "gz", "zip", "json", "utf-16", "wide", "stray"]
    refused = told = 0
    for kind in kinds:
        for _ in range(13):
            path = tmp_path / "t.csv"
            path.write_bytes(damaged(plain.read_bytes(), kind, rng))
            try:
                _, target, notices = read_domains(plain, path)
            except DataError as error:
                assert "\n" not in str(error)
                refused += 1
                continue
            if len(notices) > len(usual):
                told += 1
                continue
            found = np.c_[target.X, target.y].tolist()
            strange = [x for x in found if tuple(x) not in whole]
            assert not strange, (kind, path.read_bytes(), strange)
    assert refused > 50 and told > 50


# The same features for other tables


def test_another_table_becomes_the_very_same_features(tmp_path):
    more = {"c": ["Red", "blue", "A"] * 4, "b": ["yes", "no"] * 6,
            "w": [f"{v} kg" for v in WRITTEN], "when": ["2024-02-29", "2025-01-01", ""] * 4}
    paths = [table(tmp_path / f"{name}.csv", **rows(12, **more)) for name in "st"]
    found = read_tables(*paths, ("s", "t"), "label")
    again = Preparation.from_json(found.preparation.as_json())
    assert again == found.preparation and again.classes == ("p", "q")
    json.dumps(asdict(again), allow_nan=False)
    X, _ = again.read(paths[1])
    assert X.dtype == np.float32 and np.array_equal(X, found.target.X.numpy())


def test_a_table_of_one_row_without_labels_is_read_by_what_was_decided(tmp_path):
    more = {"c": ["red", "blue"] * 6, "w": WRITTEN}
    paths = [table(tmp_path / f"{name}.csv", **rows(12, **more)) for name in "st"]
    preparation = read_tables(*paths, ("s", "t"), "label").preparation
    new = text(tmp_path / "new.csv", "W;c;k;u\nwide;green;2;0,5\n")
    X, notices = preparation.read(new)
    assert X.shape == (1, 5) and X[0, 3:].tolist() == [0, 0]
    assert X[0, 0] == pytest.approx(float(standard([0.5], by=rows(12)["u"])[0]), rel=1e-5)
    assert "1 cell of new with a category that s does not have: c (green)" in notices
    assert any(n.startswith("1 cell of new that holds no number") and "wide" in n for n in notices)
    with pytest.raises(DataError, match="has no column w, c, which the model needs; it has u, k"):
        preparation.read(text(tmp_path / "less.csv", "u,k\n1,2\n"))
