"""Domains: labelled data that knows its name, its classes and how it may be split."""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import torch

from tlcourse.utils.messages import counted, listed

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
    groups : sequence (N,), optional
        The patient, writer or machine that each row comes from. No split puts a group on both
        sides.

    Raises
    ------
    DataError
        Wrong shapes, NaN, pixel values outside [0, 1], or labels that are no whole numbers or
        out of range.
    """

    name: str
    X: torch.Tensor
    y: torch.Tensor
    classes: tuple[str, ...] | None = None
    ordered: bool = False
    groups: np.ndarray | None = None

    def __post_init__(self):
        X, y = self._numbers("X").to(torch.float32), self._numbers("y")
        if y.is_floating_point() and (y != y.round()).any():
            raise DataError(f"{self.name}: labels are class numbers, got {y[y != y.round()][0]:g}; "
                            "give each class a whole number")
        y = y.to(torch.int64)
        if X.ndim not in (2, 4) or y.shape != X.shape[:1] or len(y) == 0:
            raise DataError(f"{self.name}: X must be (N, C, H, W) or (N, d) and y (N,) with N > 0; "
                            f"got {tuple(X.shape)} and {tuple(y.shape)}"
                            + ("; give grey images as X[:, None]" if X.ndim == 3 else ""))
        if X.ndim == 4 and _channels_last(*X.shape[1:]):
            raise DataError(f"{self.name}: images are (N, C, H, W), got {tuple(X.shape)} with the "
                            f"{counted(X.shape[3], 'channel')} last; give X.transpose(0, 3, 1, 2), "
                            "of a tensor X.permute(0, 3, 1, 2)")
        if not torch.isfinite(X).all():
            bad = int((~torch.isfinite(X)).flatten(1).any(1).sum())
            raise DataError(f"{self.name}: {bad} of {len(X)} samples hold NaN or infinite values")
        if X.ndim == 4 and (X.min() < 0 or X.max() > 1):
            raise DataError(f"{self.name}: images must lie in [0, 1], got {X.min():.3g} to "
                            f"{X.max():.3g}; divide by 255 if they are bytes")
        classes = self.classes
        if classes is None:
            classes = tuple(str(k) for k in range(int(y.max()) + 1))
        if len(set(classes)) < len(classes):
            raise DataError(f"{self.name}: two classes have one name among {listed(classes)}; give "
                            "each a name of its own")
        if y.min() < 0 or y.max() >= len(classes):
            raise DataError(f"{self.name}: labels must lie in 0..{len(classes) - 1} for "
                            f"{len(classes)} classes, got {int(y.min())}..{int(y.max())}")
        groups = self.groups if self.groups is None else np.asarray(self.groups).astype(str)
        if groups is not None and groups.shape != y.shape:
            raise DataError(f"{self.name}: groups must name one group for each of {len(y)} rows, "
                            f"got shape {groups.shape}")
        for field, value in {"X": X, "y": y, "classes": tuple(map(str, classes)),
                             "groups": groups}.items():
            object.__setattr__(self, field, value)

    def _numbers(self, field: str) -> torch.Tensor:
        value = getattr(self, field)
        try:
            return torch.as_tensor(value)
        except (TypeError, ValueError, RuntimeError) as error:
            raise DataError(f"{self.name}: {field} must be an array or a tensor of numbers, got "
                            f"{type(value).__name__} ({error})") from None

    def __len__(self) -> int:
        return len(self.y)

    def __repr__(self) -> str:
        shape = "×".join(str(n) for n in self.X.shape[1:])
        classes = f"{len(self.classes)} class{'es' * (len(self.classes) != 1)}"
        return f"Domain({self.name}: {counted(len(self), 'sample')} of {shape}, {classes})"

    def subset(self, rows) -> "Domain":
        """The given rows (numbers or a mask) as a domain of the same name and classes."""
        groups = self.groups
        if groups is not None:
            groups = groups[torch.arange(len(self))[rows].numpy()]
        return replace(self, X=self.X[rows], y=self.y[rows], groups=groups)

    def take(self, n: int, *, seed: int) -> "Domain":
        """Draw `n` rows at random with the classes as even as they can be.

        Take from a part of a `split`, not before it: the rows lose their order, and with it the
        blocks that keep a writer on one side.
        """
        return self.subset(_draw_stratified(self.y.numpy(), n, np.random.default_rng(seed)))

    def split(
        self, *, seed: int = 0, test: float = 0.5, validation: float = 0.0, shuffle: bool = False
    ) -> "Split":
        """Split into train, validation and test without overlap.

        Ordered data is cut into contiguous blocks, each seed at another place, as far from those
        of the seeds before as can be; data with groups is drawn in whole groups; other data is
        drawn at random within each class.

        Parameters
        ----------
        seed : int
        test, validation : float
            Fractions of all rows.
        shuffle : bool
            Ignore order and groups. Wrong on purpose: lesson 01 measures by how much.

        Returns
        -------
        Split
            ``train`` and ``validation`` are domains, ``test`` is a `Vault`.

        Raises
        ------
        DataError
            Fractions that leave nothing for a part, or a class too small to be in every part.
        """
        n = len(self)
        n_test, n_val = round(test * n), round(validation * n)
        if min(n_test, n_val) < 0 or n_test == 0 or n_test + n_val >= n:
            raise DataError(f"{self.name}: test={test} and validation={validation} of {n} rows "
                            "leave nothing for a part; use fractions that add up to less than 1")
        rng = np.random.default_rng([seed, 2026])
        if self.groups is not None and not shuffle:
            in_test, in_val, rest = _split_groups(self.groups, n_test, n_val, rng)
            if min(map(len, (in_test, rest))) == 0 or (n_val and len(in_val) == 0):
                raise DataError(f"{self.name}: {len(set(self.groups))} groups are too few for "
                                f"test={test} and validation={validation}; use other fractions")
            parts = in_test, in_val, rest
        elif self.ordered and not shuffle:
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
        return (f"Vault({self.__domain.name}: {counted(len(self), 'test sample')}, "
                f"{counted(len(self.looks), 'look')})")

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


def _channels_last(height: int, width: int, channels: int) -> bool:
    """Whether these must be pictures in the order of image files, not channels, height, width."""
    return channels <= 4 and (min(height, width) > 4 or height == width > channels)


def _split_stratified(rows: np.ndarray, y: np.ndarray, n: int, rng: np.random.Generator):
    """Move `n` of the rows to a second part, each class in proportion to its share."""
    from sklearn.model_selection import train_test_split

    if n == 0:
        return rows, rows[:0]
    try:
        state = int(rng.integers(2**31))
        return train_test_split(rows, test_size=n, stratify=y[rows], random_state=state)
    except ValueError as error:
        raise DataError(f"no stratified split of {len(rows)} rows into {n}: {error}") from None


def _split_groups(groups: np.ndarray, n_test: int, n_val: int, rng: np.random.Generator):
    """Rows of the test, the validation and the training part: whole groups, drawn at random."""
    names, group = np.unique(groups, return_inverse=True)
    order = rng.permutation(len(names))
    sizes = np.bincount(group)[order]
    before = np.cumsum(sizes) - sizes  # rows of the groups drawn earlier
    part = np.empty(len(names), dtype=int)
    part[order] = np.searchsorted([n_test, n_test + n_val], before, side="right")
    return [np.flatnonzero(part[group] == k) for k in range(3)]


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
