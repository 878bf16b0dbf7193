"""Domains, their splits, the vault, and files that are not what they should be."""

import shutil

import numpy as np
import pytest
import torch

from tlcourse.data import DataError, Domain, bundled, crop_to_content, load

IMAGES = [name for name, about in bundled.manifest().items() if len(about.get("shape", ())) == 3]


@pytest.mark.parametrize("name", IMAGES)
def test_every_data_set_loads_as_small_grey_pictures_of_the_same_frame(name):
    domain = load(name)
    assert domain.X.shape == (len(domain), 1, 16, 16) and domain.X.dtype == torch.float32
    assert domain.y.dtype == torch.int64
    assert set(domain.y.tolist()) == set(range(len(domain.classes)))
    assert domain.X.min() >= 0 and domain.X.max() <= 1
    assert domain.X.amax((1, 2, 3)).median() > 0.8, "light content on black"


def test_colour_pictures_keep_their_size_and_the_two_vendors_are_paired():
    google, twitter = load("emoji_google"), load("emoji_twitter")
    assert google.X.shape == twitter.X.shape and google.X.shape[1:] == (3, 64, 64)
    assert torch.equal(google.y, twitter.y)


@pytest.mark.parametrize("name", ["sentiment_tweets", "sentiment_amazon", "sentiment_movies"])
def test_sentences_load_as_a_table_whatever_the_frame(name):
    domain = load(name)
    assert domain.X.shape == (1800, 384) and domain.X.dtype == torch.float32
    assert domain.classes == ("negative", "positive") and domain.y.bincount().tolist() == [900, 900]
    assert torch.equal(load(name, frame="original").X, domain.X)
    with pytest.raises(DataError, match="'course' or 'original'"):
        load(name, frame="tight")


def test_what_is_positive_in_a_tweet_is_positive_in_a_review():
    tweets, movies = load("sentiment_tweets"), load("sentiment_movies")
    way = tweets.X[tweets.y == 1].mean(0) - tweets.X[tweets.y == 0].mean(0)
    along = movies.X @ way
    assert along[movies.y == 1].mean() - along[movies.y == 0].mean() > 0.5 * along.std()


def test_the_original_frame_keeps_the_margin_that_the_course_frame_cuts_off():
    original, framed = load("mnist_5k", frame="original"), load("mnist_5k")
    assert original.X.shape[-1] == 28
    empty_rows = (original.X[..., :2, :].amax((1, 2, 3)) == 0).float().mean()
    assert empty_rows > 0.95, "MNIST has a margin"
    touches = (framed.X.amax(1) > 0.1).any(-1)[:, [0, -1]].float().mean()
    assert touches > 0.9, "in the course frame digits reach the upper and lower edge"
    empty = torch.zeros(1, 1, 28, 28)
    assert crop_to_content(empty, 16).abs().sum() == 0


def test_unknown_names_and_frames_are_refused_with_the_known_ones():
    with pytest.raises(DataError, match="uci_digits"):
        load("uci_digit")
    with pytest.raises(DataError, match="'course' or 'original'"):
        load("uci_digits", frame="tight")
    with pytest.raises(DataError, match="pretrained"):
        load("efficientnet_lite0")


@pytest.mark.parametrize(
    ("X", "y", "classes", "message"),
    [
        (np.full((4, 1, 2, 2), np.nan), [0, 1, 0, 1], None, "4 of 4 samples hold NaN"),
        (np.full((4, 1, 2, 2), 200.0), [0, 1, 0, 1], None, "divide by 255"),
        (np.zeros((4, 1, 2, 2)), [0, 1, 2, 3], ["a", "b"], r"labels must lie in 0\.\.1"),
        (np.zeros((4, 1, 2, 2)), [0, -1, 0, 1], None, "labels must lie"),
        (np.zeros((4, 1, 2, 2)), [0, 1], None, r"got \(4, 1, 2, 2\) and \(2,\)"),
        (np.zeros((0, 3)), [], None, "N > 0"),
        (np.zeros((4, 2, 2)), [0, 1, 0, 1], None, r"\(N, C, H, W\) or \(N, d\)"),
    ],
)
def test_bad_domains_are_refused_in_one_sentence(X, y, classes, message):
    with pytest.raises(DataError, match=message):
        Domain("bad", X, y, classes)


def test_a_table_is_a_domain_too_and_names_its_classes_by_number():
    table = Domain("table", np.full((6, 3), -7.5), [0, 1, 2, 0, 1, 2])
    assert table.X.shape == (6, 3) and table.classes == ("0", "1", "2")


def numbered(n, *, ordered, classes=3, weights=None):
    """A table whose only column is the row number, so that rows can be recognised."""
    y = np.random.default_rng(0).choice(classes, n, p=weights)
    return Domain("numbered", np.arange(n)[:, None], y, range(classes), ordered)


def rows_of(domain):
    return domain.X[:, 0].int().tolist()


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_the_three_parts_hold_every_row_once(ordered, seed):
    parts = numbered(101, ordered=ordered).split(seed=seed, test=0.3, validation=0.2)
    rows = [*rows_of(parts.train), *rows_of(parts.validation), *rows_of(parts.test.open("count"))]
    assert sorted(rows) == list(range(101))
    assert len(parts.test) == 30 and len(parts.validation) == 20


def test_ordered_data_is_cut_into_contiguous_blocks_and_shuffled_only_on_request():
    def jumps(rows):
        return int((np.diff(rows) % 101 != 1).sum())

    domain = numbered(101, ordered=True)
    for seed in range(3):
        parts = domain.split(seed=seed, test=0.3, validation=0.2)
        assert jumps(rows_of(parts.test.open("order"))) == 0
        assert jumps(rows_of(parts.validation)) == 0 and jumps(rows_of(parts.train)) == 0
    assert jumps(rows_of(domain.split(seed=0, shuffle=True).test.open("order"))) > 10
    part = domain.subset(slice(50)).split(seed=0, test=0.2)
    assert jumps(rows_of(part.train)) <= 1, "a part of ordered data is ordered"
    assert domain.subset(domain.y < 2).classes == domain.classes


def test_a_seed_repeats_a_split_and_another_one_moves_it():
    for ordered in (True, False):
        domain = numbered(101, ordered=ordered)
        first, again, other = (rows_of(domain.split(seed=s).train) for s in (4, 4, 5))
        assert first == again and first != other


def test_the_blocks_of_five_seeds_are_spread_over_ordered_data():
    domain = numbered(1000, ordered=True)
    places = sorted(rows_of(domain.split(seed=seed).test.open("spread"))[0] for seed in range(5))
    gaps = np.diff([*places, places[0] + 1000])
    assert gaps.min() > 100, "no two test sets are nearly the same"


def test_an_unordered_split_keeps_the_share_of_each_class():
    domain = numbered(1000, ordered=False, weights=[0.8, 0.15, 0.05])
    test = domain.split(seed=1, test=0.4).test.open("shares")
    for k in range(3):
        assert abs((test.y == k).float().mean() - (domain.y == k).float().mean()) < 0.01
    with pytest.raises(DataError, match="no stratified split"):
        Domain("rare", np.zeros((9, 1)), [0] * 8 + [1]).split(seed=0)
    with pytest.raises(DataError, match="leave nothing"):
        domain.split(seed=0, test=0.6, validation=0.4)


def test_take_draws_classes_evenly_and_exactly_as_many_as_asked():
    domain = load("uci_digits")
    for n in (10, 20, 25):
        few = domain.take(n, seed=3)
        counts = few.y.bincount(minlength=10)
        assert len(few) == n and counts.max() - counts.min() <= 1
    drawn = [set(rows_of(numbered(600, ordered=True).take(30, seed=seed))) for seed in (0, 1)]
    assert len(drawn[0]) == 30 and len(drawn[0] & drawn[1]) < 15, "other rows, not another order"
    with pytest.raises(DataError, match="cannot draw 2000 of 1797"):
        domain.take(2000, seed=0)


def test_the_vault_counts_every_look_even_after_splitting_again():
    domain = numbered(50, ordered=False)
    vault = domain.split(seed=77).test
    assert vault.looks == []
    assert len(vault.open("first")) == 25
    domain.split(seed=77).test.open("second")
    assert [purpose for _, purpose in vault.looks] == ["first", "second"]
    loaded_again = numbered(50, ordered=False).split(seed=77).test
    assert loaded_again.looks == vault.looks
    assert domain.split(seed=78).test.looks == []
    for other in ({"test": 0.4}, {"shuffle": True}):
        assert domain.split(seed=77, **other).test.looks == [], "another test set"
    for purpose in ("", "  ", None, 7):
        with pytest.raises(DataError, match="say why"):
            vault.open(purpose)
    assert len(vault.looks) == 2 and "2 looks" in repr(vault)
    assert not any(isinstance(v, Domain) for k, v in vars(vault).items() if "__" not in k)


@pytest.fixture
def course_copy(tmp_path, monkeypatch):
    """A copy of the course's files that a test may damage."""
    without = shutil.ignore_patterns("*.safetensors")
    shutil.copytree(bundled.ROOT / "data", tmp_path / "data", ignore=without)
    monkeypatch.setattr(bundled, "ROOT", tmp_path)
    return tmp_path / "data"


def damage_truncate(path):
    path.write_bytes(path.read_bytes()[:1000])


def damage_one_bit(path):
    content = bytearray(path.read_bytes())
    content[500] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [damage_truncate, damage_one_bit, lambda path: path.unlink()])
def test_a_damaged_file_is_refused_with_both_checksums_and_the_repair(course_copy, damage):
    damage(course_copy / "uci_digits.npz")
    with pytest.raises(DataError) as refused:
        load("uci_digits")
    message = str(refused.value)
    assert "data/uci_digits.npz" in message and bundled.entry("uci_digits")["sha256"] in message
    assert "found" in message and "git checkout -- data/uci_digits.npz" in message
    assert len(load("mnist_5k")) == 5000, "the other files are not affected"
