"""Two domains in one space, and what each seed draws of them.

Each seed has a test part, labelled samples and a source of its own. Rows of one group stay
together, and so do equal rows: what shares a group with the test part is neither labelled nor in
the source.
"""

from dataclasses import dataclass

import numpy as np
import torch

from tlcourse.data.domain import DataError, Domain, Vault
from tlcourse.utils.messages import counted

HELD_OUT, MOST_HELD_OUT = 0.2, 1000
"""Share of the source that no network is trained on: what is measured of the source needs it."""


@dataclass(frozen=True)
class Draw:
    """What one seed sees: labelled and unlabelled rows, numbered by the joint classes.

    ``few`` and ``test`` are scaled as a network from the source wants them, ``own_few`` and
    ``own_test`` as one that never saw the source does. For images the two are the same. The first
    ``targets`` of the classes are the target's, and ``common`` are those that the source has too.
    ``counts`` says how many samples of each class the whole target has; it describes, and no
    network is trained with it.
    """

    seed: int
    targets: int
    common: tuple[int, ...]
    counts: torch.Tensor
    source: Domain
    held_out: Domain
    few: Domain
    pool: torch.Tensor
    test: Domain
    own_few: Domain
    own_test: Domain


@dataclass(frozen=True)
class Pair:
    """Source and target with joint classes, as arrays, which worker processes can share.

    Parameters
    ----------
    source_name, target_name : str
    source_X, target_X : float32 arrays, (N, C, H, W) or (N, d)
    source_y, target_y : int64 arrays (N,)
    source_id, target_id : int64 arrays (N,)
        Equal where the rows were equal as they came.
    source_group, target_group : int64 arrays (N,)
        Equal for rows that must stay on one side: of one group, or equal.
    classes : tuple of str
        The target's classes first, then those that only the source has.
    targets : int
        How many of the classes are the target's.
    common : tuple of int
        The classes that both have.
    ordered : bool
        Whether neighbouring rows of the target belong together.
    notices : tuple of str
        What was changed, and what to beware of.
    """

    source_name: str
    target_name: str
    source_X: np.ndarray
    source_y: np.ndarray
    source_id: np.ndarray
    source_group: np.ndarray
    target_X: np.ndarray
    target_y: np.ndarray
    target_id: np.ndarray
    target_group: np.ndarray
    classes: tuple[str, ...]
    targets: int
    common: tuple[int, ...]
    ordered: bool
    notices: tuple[str, ...]

    def folds(self, count: int) -> np.ndarray:
        """The fold of each target row: in blocks where they are ordered, else dealt by class.

        Each seed tests on a fold of its own. Test sets that overlap would make the seeds agree
        more than they should, and the intervals too narrow. Groups are dealt as a whole, the
        larger ones of a class first.
        """
        n = len(self.target_y)
        if self.ordered:
            return np.arange(n) * count // n
        _, first, group, size = np.unique(self.target_group, return_index=True,
                                          return_inverse=True, return_counts=True)
        if len(first) < count:
            raise DataError(f"{self.target_name} has {len(first)} groups where at least {count} "
                            "are needed, one to test on for each part; ask for fewer seeds, or "
                            "add samples of other groups")
        chance = np.random.default_rng(2026).random(n)[first]
        dealt = np.lexsort((chance, -size, self.target_y[first]))
        fold = np.empty(len(first), dtype=int)
        fold[dealt] = np.arange(len(first)) % count
        return fold[group]

    def draw(self, seed: int, *, folds: int, labels_per_class: int,
             one_source: bool = False) -> Draw:
        """Cut off the test fold of a seed and draw the labels from the rest.

        Equal rows count as one label. With `one_source` the source is the same for all seeds:
        without any row that the target holds too.

        Raises
        ------
        DataError
            Fewer than four rows of the source once those of the test fold are taken out, or fewer
            than two samples to label beside it.
        """
        rng = np.random.default_rng([seed, 2026])
        in_test = self.folds(folds) == seed
        tested = np.unique(self.target_group[in_test])
        apart = ~in_test & ~np.isin(self.target_group, tested)
        pool, test_rows = rng.permutation(np.flatnonzero(apart)), np.flatnonzero(in_test)
        single = pool[np.sort(np.unique(self.target_id[pool], return_index=True)[1])]
        few = np.concatenate([single[self.target_y[single] == k][:labels_per_class]
                              for k in range(self.targets)])
        kept_out = self.target_group if one_source else tested
        rows = np.flatnonzero(~np.isin(self.source_group, kept_out))
        if len(rows) < 4:
            raise DataError(f"{self.source_name} is left with {counted(len(rows), 'row')} when "
                            f"those that the test split of {self.target_name} holds too are taken "
                            "out; bring source samples of their own")
        if len(few) < 2:
            raise DataError(f"{self.target_name} has {counted(len(few), 'sample')} to label beside "
                            f"the test part of seed {seed}, for ordered rows are tested on in "
                            "blocks; ask for more labels a class, or add samples of each class")
        rows = (np.random.default_rng(2026) if one_source else rng).permutation(rows)
        held_out = _last_groups(self.source_group[rows],
                                min(round(HELD_OUT * len(rows)), MOST_HELD_OUT))
        key = (self.target_name, len(self.target_y), seed, folds, "diagnose")
        return self.made(seed, rows[~held_out], rows[held_out], few, pool, test_rows, key)

    def made(self, seed: int, source: np.ndarray, held_out: np.ndarray, few: np.ndarray,
             pool: np.ndarray, test: np.ndarray, key: tuple) -> Draw:
        """A draw of these rows, tables standardised; the test part comes out of the vault `key`."""
        source, held_out = (self._domain("source", rows) for rows in (source, held_out))
        parts = {name: self._domain("target", rows) for name, rows in
                 (("few", few), ("pool", pool), ("test", test))}
        own = parts
        if source.X.ndim == 2:
            by_source, by_target = standardiser(source.X), standardiser(parts["pool"].X)
            own = {name: by_target(part) for name, part in parts.items()}
            parts = {name: by_source(part) for name, part in parts.items()}
            source, held_out = by_source(source), by_source(held_out)
        tested = Vault(parts["test"], key).open("diagnose")
        counts = torch.from_numpy(np.bincount(self.target_y, minlength=len(self.classes)))
        return Draw(seed, self.targets, self.common, counts, source, held_out, parts["few"],
                    parts["pool"].X, tested, own["few"], own["test"])

    def _domain(self, side: str, rows: np.ndarray) -> Domain:
        X, y, name = (getattr(self, f"{side}_{part}") for part in ("X", "y", "name"))
        return Domain(name, torch.from_numpy(X[rows]), torch.from_numpy(y[rows]), self.classes)


def _last_groups(group: np.ndarray, wanted: int) -> np.ndarray:
    """Which rows belong to the last groups, whole groups of at least `wanted` rows together.

    One group at least is left out.
    """
    _, first, of_row, size = np.unique(group[::-1], return_index=True, return_inverse=True,
                                       return_counts=True)
    order = np.argsort(first)
    chosen = order[np.cumsum(size[order]) - size[order] < wanted][: len(order) - 1]
    return np.isin(of_row, chosen)[::-1]


def scaling(X: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Means (d,) of a table `X` (N, d), and factors (d,) that make its standard deviations 1.

    The factor is 0 for a feature that does not vary in `X`, but for rounding: a network trained on
    `X` knows nothing of it.
    """
    mean, std = X.mean(0), X.std(0)
    return mean, torch.where(std > 1e-6 * X.abs().amax(0), 1 / std, 0.0)


def standardiser(X: torch.Tensor):
    """A function that scales a table as `X` (N, d) wants it: mean 0, standard deviation 1."""
    mean, scale = scaling(X)

    def scaled(domain: Domain) -> Domain:
        return Domain(domain.name, (domain.X - mean) * scale, domain.y, domain.classes)

    return scaled
