"""The files in data/ are what their manifest says: bytes, origin, licence, pictures, tables."""

import json

import numpy as np
import pytest

from tlcourse.utils.files import ROOT, sha256

DATA = ROOT / "data"
MANIFEST = json.loads((DATA / "MANIFEST.json").read_text(encoding="utf-8"))
IMAGES = sorted(name for name, about in MANIFEST.items() if "scale" in about)
SENTIMENT = [f"sentiment_{domain}" for domain in ("tweets", "amazon", "movies")]

every_file = pytest.mark.parametrize("name", sorted(MANIFEST))
every_image_file = pytest.mark.parametrize("name", IMAGES)


def arrays(name: str) -> tuple[np.ndarray, np.ndarray]:
    with np.load(DATA / MANIFEST[name]["file"], allow_pickle=False) as file:
        return file["images"], file["labels"]


def table(name: str) -> tuple[np.ndarray, np.ndarray]:
    with np.load(DATA / MANIFEST[name]["file"], allow_pickle=False) as file:
        return file["features"], file["labels"]


@every_file
def test_file_has_the_bytes_of_the_manifest(name):
    path = DATA / MANIFEST[name]["file"]
    assert path.stat().st_size == MANIFEST[name]["bytes"]
    assert sha256(path) == MANIFEST[name]["sha256"]


@every_file
def test_file_says_where_it_is_from_and_what_one_may_do_with_it(name):
    about = MANIFEST[name]
    assert about["licence"] and about["citation"] and about["frame"]
    assert {"package", "version", "path"} <= about["source"].keys()
    assert about["recipe"] == f"python data/recipe.py {name}"
    assert len((DATA / about["licence_file"]).read_text(encoding="utf-8")) > 500


def test_manifest_and_folder_name_the_same_files():
    there = {path.name for path in DATA.iterdir() if path.suffix in (".npz", ".safetensors")}
    assert there == {about["file"] for about in MANIFEST.values()}


def test_data_stays_small():
    assert sum(about["bytes"] for about in MANIFEST.values()) < 30e6


@every_image_file
def test_images_and_labels_fit_the_manifest(name):
    about = MANIFEST[name]
    images, labels = arrays(name)
    assert images.dtype == labels.dtype == np.uint8
    assert list(images.shape) == about["shape"] and labels.shape == images.shape[:1]
    assert images.max() == about["scale"]
    assert set(labels) == set(range(len(about["classes"] or "0123456789")))


@pytest.mark.parametrize("name", [name for name in IMAGES if "emoji" not in name])
def test_grey_pictures_are_light_on_black(name):
    images, _ = arrays(name)
    corners = images[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert np.median(corners) == 0 and (images.max((1, 2)) > 0).all()


@pytest.mark.parametrize("name", [name for name in IMAGES if name != "uci_digits"])
def test_rows_are_shuffled(name):
    _, labels = arrays(name)
    by_chance = ((np.bincount(labels) / len(labels)) ** 2).sum()
    neighbours_agree = (labels[1:] == labels[:-1]).mean()
    assert neighbours_agree < 1.5 * by_chance


@pytest.mark.parametrize("name", [n for n in IMAGES if "emoji" not in n and n != "uci_digits"])
def test_classes_are_balanced(name):
    counts = np.bincount(arrays(name)[1])
    assert (counts == counts[0]).all()


def test_emoji_of_the_two_vendors_are_paired_row_by_row():
    (google, labels), (twitter, same_labels) = arrays("emoji_google"), arrays("emoji_twitter")
    assert np.array_equal(labels, same_labels) and np.bincount(labels).min() >= 80
    # A drawing is more like the other vendor's drawing of it than like that of the next row.
    apart = np.abs(google.astype(int) - twitter).mean((1, 2, 3))
    from_next = np.abs(google.astype(int) - np.roll(twitter, 1, 0)).mean((1, 2, 3))
    assert (apart < from_next).mean() > 0.9


@pytest.mark.parametrize("name", ["emoji_google", "emoji_twitter"])
def test_emoji_stand_on_white_and_none_has_vanished_there(name):
    images, _ = arrays(name)
    white = MANIFEST[name]["scale"]
    corners = images[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == white).all(2).mean() > 0.7
    assert (images.min((1, 2, 3)) < 0.95 * white).all()


@every_image_file
def test_no_image_is_there_twice(name):
    images, _ = arrays(name)
    assert len(np.unique(images.reshape(len(images), -1), axis=0)) == len(images)


def test_printed_characters_fill_their_frame():
    for name in ("printed_digits", "printed_letters"):
        images, _ = arrays(name)
        height = (images.max(2) > 0).sum(1)
        width = (images.max(1) > 0).sum(1)
        assert np.maximum(height, width).min() >= 14


@pytest.mark.parametrize("name", SENTIMENT)
def test_features_of_sentences_fit_the_manifest_and_have_length_1(name):
    features, labels = table(name)
    assert features.dtype == np.float16 and labels.dtype == np.uint8
    assert list(features.shape) == MANIFEST[name]["shape"] == [len(labels), 384]
    assert np.bincount(labels).tolist() == [900, 900], "as many negative as positive ones"
    assert 0.45 < (labels[1:] == labels[:-1]).mean() < 0.55, "in random order"
    np.testing.assert_allclose(np.linalg.norm(features.astype(float), axis=1), 1, atol=1e-3)


def test_no_sentence_is_there_twice_in_any_domain():
    features = np.concatenate([table(name)[0] for name in SENTIMENT])
    assert len(np.unique(features, axis=0)) == len(features) == 5400


def test_two_packages_make_the_features_and_both_are_pinned():
    for name in SENTIMENT:
        for part in ("source", "encoder"):
            about = MANIFEST[name][part]
            assert len(about["archive_sha256"]) == 64 and about["version"] in about["archive"]
        assert MANIFEST[name]["tolerance"] < 5e-4, "a step or two of float16"
