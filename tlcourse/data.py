"""Domains: labelled data that knows its name, its classes and how it may be split.

Every data set of the course ships in ``data/`` and is described in ``data/MANIFEST.json``.
Nothing is downloaded, and nothing is unpickled.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch.nn.functional import interpolate

from tlcourse.files import IS_CHECKOUT, ROOT, sha256

COURSE_SIZE = 16
"""Side, in pixels, of the small grey images of the course."""


GOLDEN = (5**0.5 - 1) / 2
"""Steps of the golden ratio spread the cuts of ordered data: no two of five seeds fall together."""


class DataError(ValueError):
    """A data file or a data set that cannot be used; the message says what to do."""


@dataclass(frozen=True, eq=False)
class Domain:
    """Samples with labels, from one source.

    Parameters
    ----------
    name : str
    X : float32 tensor, (N, C, H, W) images with values in [0, 1], or (N, d) table
    y : int64 tensor, (N,), class numbers 0 .. K-1
    classes : sequence of str, optional
        Names of the K classes; the numbers themselves where none are given.
    ordered : bool
        True when neighbouring rows belong together (one writer, one day). Such data is split in
        contiguous blocks, for a shuffled split would put the same writer on both sides.

    Raises
    ------
    DataError
        Wrong shapes, NaN, pixel values outside [0, 1] or labels out of range.
    """

    name: str
    X: torch.Tensor
    y: torch.Tensor
    classes: tuple[str, ...] | None = None
    ordered: bool = False

    def __post_init__(self):
        X = torch.as_tensor(self.X).to(torch.float32)
        y = torch.as_tensor(self.y).to(torch.int64)
        if X.ndim not in (2, 4) or y.shape != X.shape[:1] or len(y) == 0:
            raise DataError(f"{self.name}: X must be (N, C, H, W) or (N, d) and y (N,) with N > 0; "
                            f"got {tuple(X.shape)} and {tuple(y.shape)}")
        if not torch.isfinite(X).all():
            bad = int((~torch.isfinite(X)).flatten(1).any(1).sum())
            raise DataError(f"{self.name}: {bad} of {len(X)} samples hold NaN or infinite values")
        if X.ndim == 4 and (X.min() < 0 or X.max() > 1):
            raise DataError(f"{self.name}: images must lie in [0, 1], got {X.min():.3g} to "
                            f"{X.max():.3g}; divide by 255 if they are bytes")
        classes = self.classes
        if classes is None:
            classes = tuple(str(k) for k in range(int(y.max()) + 1))
        if y.min() < 0 or y.max() >= len(classes):
            raise DataError(f"{self.name}: labels must lie in 0..{len(classes) - 1} for "
                            f"{len(classes)} classes, got {int(y.min())}..{int(y.max())}")
        for field, value in {"X": X, "y": y, "classes": tuple(map(str, classes))}.items():
            object.__setattr__(self, field, value)

    def __len__(self) -> int:
        return len(self.y)

    def __repr__(self) -> str:
        shape = "×".join(str(n) for n in self.X.shape[1:])
        return f"Domain({self.name}: {len(self):,} samples of {shape}, {len(self.classes)} classes)"

    def subset(self, rows) -> "Domain":
        """The given rows (numbers or a mask) as a domain of the same name and classes."""
        return replace(self, X=self.X[rows], y=self.y[rows])

    def take(self, n: int, *, seed: int) -> "Domain":
        """Draw `n` rows at random with the classes as even as they can be."""
        return self.subset(_draw_stratified(self.y.numpy(), n, np.random.default_rng(seed)))

    def split(
        self, *, seed: int = 0, test: float = 0.5, validation: float = 0.0, shuffle: bool = False
    ) -> "Split":
        """Split into train, validation and test without overlap.

        Ordered data is cut into contiguous blocks, each seed at another place, as far from those
        of the seeds before as can be; other data is drawn at random within each class.

        Parameters
        ----------
        seed : int
        test, validation : float
            Fractions of all rows.
        shuffle : bool
            Ignore the order of ordered data. Wrong on purpose: lesson 01 measures by how much.

        Returns
        -------
        Split
            ``train`` and ``validation`` are domains, ``test`` is a `Vault`.
        """
        n = len(self)
        n_test, n_val = round(test * n), round(validation * n)
        if min(n_test, n_val) < 0 or n_test == 0 or n_test + n_val >= n:
            raise DataError(f"{self.name}: test={test} and validation={validation} of {n} rows "
                            "leave nothing for a part; use fractions that add up to less than 1")
        rng = np.random.default_rng([seed, 2026])
        if self.ordered and not shuffle:
            start = int((0.35 + seed * GOLDEN) % 1 * n)
            rows = np.roll(np.arange(n), -start)
            parts = rows[:n_test], rows[n_test : n_test + n_val], rows[n_test + n_val :]
        else:
            rest, in_test = _split_stratified(np.arange(n), self.y.numpy(), n_test, rng)
            rest, in_val = _split_stratified(rest, self.y.numpy(), n_val, rng)
            parts = in_test, in_val, rest
        in_test, in_val, in_train = parts
        vault = Vault(self.subset(in_test), key=(self.name, n, seed, test, shuffle))
        return Split(self.subset(in_train), self.subset(in_val) if n_val else None, vault)


@dataclass(frozen=True)
class Split:
    """The three parts of a domain; `test` can be reached through its vault only."""

    train: Domain
    validation: Domain | None
    test: "Vault"


LOOKS: list[tuple[str, str, str]] = []
"""Every look at a test set in this session: which one, when, and why. Sweeps add theirs."""


class Vault:
    """A test set that counts and records every look.

    The record belongs to the test set, not to this object: splitting the same domain again with
    the same seed gives the same vault with the same record. It lasts as long as the session.
    """

    def __init__(self, domain: Domain, key: tuple):
        self.__domain, self.__key = domain, repr(key)

    @property
    def looks(self) -> list[tuple[str, str]]:
        """Time and purpose of each look so far."""
        return [(when, why) for key, when, why in LOOKS if key == self.__key]

    def __len__(self) -> int:
        return len(self.__domain)

    def __repr__(self) -> str:
        return f"Vault({self.__domain.name}: {len(self):,} test samples, {len(self.looks)} looks)"

    def open(self, purpose: str) -> Domain:
        """Hand out the test set and record why.

        Raises
        ------
        DataError
            When no purpose is given.
        """
        if not isinstance(purpose, str) or not purpose.strip():
            raise DataError("say why the test set is opened, e.g. vault.open('final score')")
        when = datetime.now().isoformat(timespec="milliseconds")
        LOOKS.append((self.__key, when, purpose.strip()))
        return self.__domain


@cache
def manifest() -> dict[str, dict]:
    """What ``data/MANIFEST.json`` says of every bundled file."""
    return json.loads((ROOT / "data" / "MANIFEST.json").read_text(encoding="utf-8"))


def entry(name: str) -> dict:
    """The manifest's entry for one name; unknown names are refused with the known ones."""
    if name not in manifest():
        raise DataError(f"there is no data called {name!r}; there is {', '.join(manifest())}")
    return manifest()[name]


def verify(name: str):
    """Check one bundled file against its checksum and return its path.

    Raises
    ------
    DataError
        A missing, truncated or altered file: its name, both checksums and the repair.
    """
    about = entry(name)
    path = ROOT / "data" / about["file"]
    found = sha256(path) if path.is_file() else "no file"
    if found != about["sha256"]:
        repair = f"git checkout -- data/{about['file']}"
        if not IS_CHECKOUT:
            repair = "python -m pip install --force-reinstall --no-deps tlcourse-WHEEL.whl"
        raise DataError(f"data/{about['file']} is missing or damaged: expected sha256 "
                        f"{about['sha256']}, found {found}; repair it with: {repair}")
    return path


def load(name: str, *, frame: str = "course") -> Domain:
    """Load a bundled data set.

    Parameters
    ----------
    name : str
        A name in ``data/MANIFEST.json``, such as ``"uci_digits"``.
    frame : {"course", "original"}
        How the content fills the picture. ``"course"`` brings every small grey data set to the
        same 16 × 16 pixels with the content filling the frame, so that a network trained on one
        can read another; ``"original"`` keeps the published size and margin.

    Returns
    -------
    Domain

    Raises
    ------
    DataError
        An unknown name or frame, or a file that does not match its checksum.
    """
    about = entry(name)
    if "classes" not in about:
        raise DataError(f"{name} holds weights: use tlcourse.models.pretrained({name!r})")
    if frame not in ("course", "original"):
        raise DataError(f"frame is 'course' or 'original', got {frame!r}")
    with np.load(verify(name), allow_pickle=False) as file:
        images, labels = file["images"], file["labels"]
    X = torch.from_numpy(images.astype(np.float32) / about["scale"])
    X = X[:, None] if X.ndim == 3 else X.permute(0, 3, 1, 2)
    if frame == "course" and X.shape[1] == 1:
        X = crop_to_content(X, COURSE_SIZE) if about["crop"] else _resize(X, COURSE_SIZE)
    y = torch.from_numpy(labels.astype(np.int64))
    return Domain(name, X, y, about["classes"], about["ordered"])


def crop_to_content(X: torch.Tensor, size: int, *, threshold: float = 0.2) -> torch.Tensor:
    """Cut each image to the square around its content and bring it to `size` × `size`.

    Parameters
    ----------
    X : tensor (N, C, H, W), light content on black
    size : int
        Side of the result in pixels.
    threshold : float
        Pixels above this value are content.

    Returns
    -------
    tensor (N, C, size, size)
    """
    cropped = []
    for image in X:
        rows, columns = torch.nonzero(image.amax(0) > threshold, as_tuple=True)
        if len(rows) == 0:  # an empty picture stays an empty picture
            cropped.append(torch.zeros(X.shape[1], size, size))
            continue
        (top, bottom), (left, right) = rows.aminmax(), columns.aminmax()
        side = int(max(bottom - top, right - left)) + 1
        square = torch.zeros(X.shape[1], side, side)
        cut = image[:, top : bottom + 1, left : right + 1]
        down, across = (side - cut.shape[1]) // 2, (side - cut.shape[2]) // 2
        square[:, down : down + cut.shape[1], across : across + cut.shape[2]] = cut
        cropped.append(_resize(square[None], size)[0])
    return torch.stack(cropped)


def _resize(X: torch.Tensor, size: int) -> torch.Tensor:
    if X.shape[-2:] == (size, size):
        return X
    return interpolate(X, (size, size), mode="bilinear", antialias=True).clamp(0, 1)


def _split_stratified(rows: np.ndarray, y: np.ndarray, n: int, rng: np.random.Generator):
    """Move `n` of the rows to a second part, each class in proportion to its share."""
    if n == 0:
        return rows, rows[:0]
    try:
        state = int(rng.integers(2**31))
        return train_test_split(rows, test_size=n, stratify=y[rows], random_state=state)
    except ValueError as error:
        raise DataError(f"no stratified split of {len(rows)} rows into {n}: {error}") from None


def _draw_stratified(y: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Rows of `n` samples in random order, classes as even as the data allows."""
    if not 0 <= n <= len(y):
        raise DataError(f"cannot draw {n} of {len(y)} samples")
    shuffled = rng.permutation(len(y))
    turn = np.empty(len(y), dtype=int)  # the how-many-th of its class a sample is
    for k in np.unique(y):
        members = shuffled[y[shuffled] == k]
        turn[members] = np.arange(len(members))
    # Round after round one of each class; `shuffled` breaks ties, so which classes get the
    # last places is random too.
    return shuffled[np.argsort(turn[shuffled], kind="stable")][:n]
