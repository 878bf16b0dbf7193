"""Your own data: folders of images become domains, and nothing happens silently."""

import numpy as np
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
        bad.write_text("u,label\n1,x\n2,y\n")
    words = {"missing": "there is no", "no classes": "1 subfolder;", "nothing readable":
             "no image that can be read", "a file beside": "both be folders"}
    with pytest.raises(DataError, match=words[kind]) as said:
        read_domains(bad, good)
    assert "\n" not in str(said.value)


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
