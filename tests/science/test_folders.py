"""Your own data: folders of images and CSV tables become domains, and nothing happens silently."""

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from tlcourse.data.domain import DataError
from tlcourse.data.folders import read_domains


def pictures(folder, classes=("cat", "dog"), *, n=3, size=(20, 20), mode="RGB"):
    rng = np.random.default_rng(0)
    for name in classes:
        (folder / name).mkdir(parents=True)
        for i in range(n):
            shape = (*size[::-1], 3) if mode == "RGB" else size[::-1]
            image = Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8))
            image.save(folder / name / f"{i}.png")
    return folder


def table(path, **columns):
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def test_a_subfolder_is_a_class_and_pixels_come_as_they_are(tmp_path):
    source, target, notices = read_domains(pictures(tmp_path / "a"), pictures(tmp_path / "b"))
    assert source.name == "a" and source.classes == ("cat", "dog") and notices == []
    assert source.y.tolist() == [0, 0, 0, 1, 1, 1] and source.X.shape == (6, 3, 20, 20)
    with Image.open(tmp_path / "a" / "cat" / "1.png") as image:
        expected = torch.from_numpy(np.asarray(image) / 255).permute(2, 0, 1).float()
    assert torch.equal(source.X[1], expected)


def test_grey_stays_grey_unless_the_other_domain_is_in_colour(tmp_path):
    grey, more = (pictures(tmp_path / name, mode="L") for name in "ab")
    assert read_domains(grey, more)[0].X.shape[1] == 1
    assert read_domains(grey, pictures(tmp_path / "c"))[0].X.shape[1] == 3


def test_other_sizes_are_resized_with_a_notice_to_those_of_the_target(tmp_path):
    source, target, notices = read_domains(
        pictures(tmp_path / "a", size=(30, 24)), pictures(tmp_path / "b"))
    assert source.X.shape[2:] == target.X.shape[2:] == (20, 20)
    assert notices == ["6 of 6 images of a were resized to 20 × 20 pixels"]


def test_large_images_come_at_96_pixels(tmp_path):
    source, target, notices = read_domains(
        pictures(tmp_path / "a", size=(120, 130)), pictures(tmp_path / "b", size=(200, 150)))
    assert source.X.shape[2:] == target.X.shape[2:] == (96, 96) and len(notices) == 2


def test_an_unreadable_image_is_named_skipped_and_counted(tmp_path):
    folder = pictures(tmp_path / "a")
    (folder / "dog" / "broken.png").write_bytes(b"not a picture")
    whole = (folder / "cat" / "0.png").read_bytes()
    (folder / "cat" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "cat" / ".hidden").write_text("of the system")
    source, _, (notice,) = read_domains(folder, pictures(tmp_path / "b"))
    assert len(source) == 6
    assert notice == ("2 of 8 files of a could not be read as images and were skipped: "
                      "cat/cut.png, dog/broken.png")


def test_transparent_pictures_lie_on_white_and_16_bits_keep_their_order(tmp_path):
    a, b = (pictures(tmp_path / name, n=1) for name in "ab")
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(a / "cat" / "0.png")
    deep = np.arange(400, dtype=np.uint16).reshape(20, 20) * 100
    Image.fromarray(deep).save(a / "dog" / "0.png")
    source, _, _ = read_domains(a, b)
    assert (source.X[0] == 1).all()
    assert torch.equal(source.X[1, 0], torch.from_numpy(deep / 65535).float())


@pytest.mark.parametrize("kind", ["missing", "no classes", "nothing readable", "a file beside"])
def test_what_cannot_be_read_is_said_in_one_sentence(tmp_path, kind):
    good = pictures(tmp_path / "good")
    bad = tmp_path / "bad"
    if kind == "no classes":
        pictures(bad, classes=("all",))
    if kind == "nothing readable":
        for name in "xy":
            (bad / name).mkdir(parents=True)
            (bad / name / "notes.txt").write_text("no picture")
    if kind == "a file beside":
        table(bad, u=[1.0, 2.0], label=["x", "y"])
    words = {"missing": "there is no", "no classes": "1 subfolder;", "nothing readable":
             "no image that can be read", "a file beside": "both be folders"}
    with pytest.raises(DataError, match=words[kind]) as said:
        read_domains(bad, good)
    assert "\n" not in str(said.value)


def test_the_label_column_is_the_one_named_or_one_called_label_or_the_last(tmp_path):
    columns = {"u": [1.0, 2.0, 3.0], "class": ["p", "q", "p"], "kind": ["m", "m", "n"]}
    paths = [table(tmp_path / f"{name}.csv", **columns) for name in "st"]
    named, _, notices = read_domains(*paths, label="kind")
    assert named.classes == ("m", "n") and not any("labels are taken" in n for n in notices)
    guessed, _, notices = read_domains(*paths)
    assert guessed.classes == ("p", "q") and "'class'" in notices[0]
    with pytest.raises(DataError, match="no column 'colour'; it has u, class, kind"):
        read_domains(*paths, label="colour")


def test_missing_values_are_filled_in_by_the_source_with_a_notice(tmp_path):
    source = table(tmp_path / "s.csv", u=[1.0, 3.0, 8.0, None], label=list("pqpq"))
    target = table(tmp_path / "t.csv", u=[None, 100.0, 300.0], label=list("pqp"))
    mine, theirs, notices = read_domains(source, target, label="label")
    assert mine.X[:, 0].tolist() == [1, 3, 8, 3] and theirs.X[:, 0].tolist() == [3, 100, 300]
    assert [n for n in notices if "missing" in n] == [
        f"1 missing value of {name} was filled in with the median of the column in s, or its "
        "most frequent category" for name in "st"]


def test_categories_become_columns_and_an_unseen_one_none_of_them(tmp_path):
    source = table(tmp_path / "s.csv", k=["red", "blue", "red"], u=[1, 2, 3], label=list("pqp"))
    target = table(tmp_path / "t.csv", k=["blue", "green", "red"], u=[4, 5, 6], label=list("pqp"))
    mine, theirs, notices = read_domains(source, target, label="label")
    assert mine.X.tolist() == [[1, 0, 1], [2, 1, 0], [3, 0, 1]]
    assert theirs.X.tolist() == [[4, 1, 0], [5, 0, 0], [6, 0, 1]]
    assert any("one column a category: k" in notice for notice in notices)


def test_rows_without_label_and_columns_of_one_side_are_left_out_with_a_notice(tmp_path):
    source = table(tmp_path / "s.csv", u=[1, 2, 3], only=[0, 0, 0], label=["p", None, "q"])
    target = table(tmp_path / "t.csv", u=[4, 5], label=["p", "q"])
    mine, _, notices = read_domains(source, target, label="label")
    assert len(mine) == 2 and mine.X.shape[1] == 1
    assert "rows of s without a value of 'label' were left out: 1" in notices
    assert "columns that only s has were left out: only" in notices


def test_whole_numbers_as_labels_keep_their_names(tmp_path):
    source = table(tmp_path / "s.csv", u=[1, 2, 3], label=[0, None, 1])  # pandas reads 0.0 and 1.0
    target = table(tmp_path / "t.csv", u=[4, 5], label=[0, 1])
    mine, theirs, _ = read_domains(source, target, label="label")
    assert mine.classes == theirs.classes == ("0", "1")


def test_tables_without_a_common_column_are_refused(tmp_path):
    source = table(tmp_path / "s.csv", u=[1, 2], label=["p", "q"])
    target = table(tmp_path / "t.csv", v=[4, 5], label=["p", "q"])
    with pytest.raises(DataError, match="no column in common"):
        read_domains(source, target, label="label")


def test_files_beside_the_classes_and_empty_classes_are_noticed(tmp_path):
    folder = pictures(tmp_path / "a")
    (folder / "loose.png").write_bytes((folder / "cat" / "0.png").read_bytes())
    (folder / "no picture").mkdir()
    source, _, notices = read_domains(folder, pictures(tmp_path / "b"))
    assert len(source) == 6 and source.classes == ("cat", "dog")
    assert notices == ["subfolders of a without an image are no classes: no picture",
                       "files of a that lie in no subfolder were left out: loose.png"]


def test_a_photograph_lies_as_it_was_held(tmp_path):
    a, b = (pictures(tmp_path / name, n=1) for name in "ab")
    ramp = Image.fromarray(np.tile(np.arange(0, 200, 10, dtype=np.uint8), (20, 1)))
    turned = Image.Exif()
    turned[0x0112] = 6  # a quarter to the right
    ramp.save(a / "cat" / "0.png", exif=turned)
    down = read_domains(a, b)[0].X[0, 0]
    assert (down.diff(dim=0) > 0).all() and (down.diff(dim=1) == 0).all()


def test_names_with_spaces_and_other_scripts_and_folders_with_a_dot(tmp_path):
    a, b = (pictures(tmp_path / f"我的 data.{k}", classes=("零", "a b")) for k in "12")
    source, target, _ = read_domains(a, b)
    assert (source.name, target.name) == ("我的 data.1", "我的 data.2")
    assert source.classes == ("a b", "零")


def rows(n, **more):
    return {"u": np.linspace(0, 1, n) % 0.3, "k": np.arange(n) % 3, "label": ["p", "q"] * (n // 2),
            **more}


def test_semicolons_tabs_and_decimal_commas_are_understood(tmp_path):
    frame = pd.DataFrame(rows(12))
    frame.to_csv(tmp_path / "comma.csv", index=False)
    frame.to_csv(tmp_path / "german.csv", index=False, sep=";", decimal=",")
    frame.to_csv(tmp_path / "tab.csv", index=False, sep="\t")
    frame.to_csv(tmp_path / "bom.csv", index=False, sep=";", encoding="utf-8-sig")
    plain = read_domains(tmp_path / "comma.csv", tmp_path / "comma.csv", label="label")[0]
    for name in ("german", "tab", "bom"):
        path = tmp_path / f"{name}.csv"
        assert torch.equal(read_domains(path, path, label="label")[1].X, plain.X)


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
                       "columns that say nothing (empty in s) were left out: nothing",
                       "columns that say nothing (another value in each row) were left out: id, who"
                       ]


def test_question_marks_are_missing_values_and_yes_and_no_are_numbers(tmp_path):
    source, target = (table(tmp_path / f"{name}.csv", **rows(12, ok=[True, False, True] * 4,
                                                             w=["?", *range(11)])) for name in "st")
    mine, _, notices = read_domains(source, target, label="label")
    assert mine.X.shape == (12, 4) and mine.X[0, 3] == 5 and mine.X[:3, 2].tolist() == [1, 0, 1]
    assert not any("categories" in notice for notice in notices)


@pytest.mark.parametrize(("text", "words"), [
    ("price,u\n" + "".join(f"{i / 7},{i}\n" for i in range(20)),
     "'price' of t holds 20 different values in 20 rows, so it names no classes"),
    ("1.5,2,0\n2.5,3,1\n", "the first line of .* holds numbers; give the columns names"),
    ("u,price\n1,\n2,\n", "no row with a label in the column 'price'"),
    ("", "could not be read as a CSV table"),
    ("u,v,w,x,y,z,a\n", "t has no column 'price'; it has u, v, w, x, y and 2 more"),
])
def test_a_table_without_classes_is_refused_in_one_sentence(tmp_path, text, words):
    source, target = table(tmp_path / "s.csv", **rows(12, price=list("xy") * 6)), tmp_path / "t.csv"
    target.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=words) as said:
        read_domains(source, target, label="price")
    assert "\n" not in str(said.value)


def test_another_encoding_than_utf_8_is_named(tmp_path):
    pd.DataFrame(rows(12)).to_csv(tmp_path / "s.csv", index=False, encoding="utf-16")
    with pytest.raises(DataError, match="not written in UTF-8; save it"):
        read_domains(tmp_path / "s.csv", tmp_path / "s.csv")
