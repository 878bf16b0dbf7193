"""Two domains brought into one space: joint classes, one shape, one kind of input.

Classes are matched by name; one without a name is called by its number. Images come to one size
and number of channels, and large ones become features of a pretrained network.
"""

import hashlib
import unicodedata
from collections import Counter

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tlcourse.data.domain import DataError, Domain
from tlcourse.data.framing import resize
from tlcourse.diagnose.pair import Pair
from tlcourse.diagnose.scoring import fair_score
from tlcourse.utils.messages import counted, listed

LEAST, SMALL, LARGE = 16, 64, 96
"""Images of 16 to 64 pixels go into a small network, larger ones into Lite0 at 96 pixels."""
LARGE_A_SECOND = 50
"""Large images that Lite0 surely takes in a second."""
MOST_BYTES = 80e6
"""Inputs of a domain that all processes together can hold several times in 2 GB."""


def within(budget: float | None, *domains: Domain) -> tuple[list[Domain], list[str]]:
    """Thin out what is too large to hold, and images whose features would take half the seconds.

    Samples are drawn by lot and keep their order. Returns the domains, and what was left out.
    """
    _check_kind(*domains)
    kept, notices = [], []
    for domain in domains:
        X = domain.X
        most, why = int(MOST_BYTES / (X[0].numel() * X.element_size())), "are too many to hold"
        if budget is not None and X.ndim == 4 and max(X.shape[2:]) > SMALL:
            in_time = int(LARGE_A_SECOND * budget / 2 / len(domains))
            if in_time < most:
                most, why = in_time, "had no room for their features in the budget of seconds"
        if most < len(domain):
            kind = "images" if X.ndim == 4 else "rows"
            notices.append(f"{len(domain) - most:,} of {len(domain):,} {kind} of {domain.name}, "
                           f"drawn by lot: they {why}")
            rows = np.random.default_rng(0).permutation(len(domain))[: max(most, 1)]
            domain = domain.subset(np.sort(rows))
        kept.append(domain)
    return kept, notices


def _check_kind(*domains: Domain) -> None:
    for domain in domains:
        if not isinstance(domain, Domain):
            raise TypeError(f"a tlcourse Domain is needed, got {type(domain).__name__}; make one "
                            'with Domain("name", X, y) or load("uci_digits")')


def pair(source: Domain, target: Domain, *, progress: bool = False, fewest: int = 2) -> Pair:
    """Bring two domains into one space; a bar shows how features of large images come along.

    The target needs `fewest` samples of each class, 2 to train on one and test on another.

    Raises
    ------
    TypeError
        Not two domains.
    DataError
        A table and images, tables of different widths, a target class with too few samples, or
        fewer than two classes.
    """
    _check_kind(source, target)
    present = {d: sorted(set(d.y.tolist())) for d in (source, target)}
    apart = _apart(source) | _apart(target)
    names = {d: {_match(d.classes[k], apart): d.classes[k] for k in present[d]}
             for d in (source, target)}
    _check_target(target, fewest)
    if len(present[source]) < 2:
        raise DataError(f"{source.name} has samples of one class only; a source needs at least two")
    joint = names[target] | names[source] | names[target]  # the target's first, as it spells them
    number = {name: k for k, name in enumerate(joint)}
    y = {d: np.array([number[_match(d.classes[k], apart)] for k in d.y.tolist()])
         for d in (source, target)}
    identity = dict(zip((source, target), _identities(source.X, target.X), strict=True))
    group = dict(zip((source, target), _groups(source, target, identity), strict=True))
    X_s, X_t, notices = _one_space(source, target, progress)
    notices += _warnings(source, target, identity, group)
    if not set(names[source]) & set(names[target]):
        notices.append(f"classes match by name, and none does: {source.name} has "
                       f"{listed(list(names[source].values()))}, {target.name} has "
                       f"{listed(list(names[target].values()))}; where they mean the same, rename "
                       "them")
    return Pair(
        source.name, target.name, X_s, y[source], identity[source], group[source], X_t,
        y[target], identity[target], group[target], tuple(joint.values()), len(names[target]),
        tuple(k for k, name in enumerate(names[target]) if name in names[source]),
        target.ordered, tuple(notices))


def _match(name: str, apart: frozenset = frozenset()) -> str | int:
    """What a class is known by: "07", "7" and 7 are one, and so are two Unicode forms of a name.

    Names of `apart` are known by how they are written.
    """
    written = unicodedata.normalize("NFC", name)
    known = int(written) if written.strip().isdecimal() else written
    return written if known in apart else known


def _apart(domain: Domain) -> frozenset:
    """What two classes of one domain would both be known by, such as 1 and 01."""
    return frozenset(k for k, times in Counter(map(_match, domain.classes)).items() if times > 1)


def _check_target(target: Domain, fewest: int) -> None:
    counts = np.bincount(target.y.numpy(), minlength=len(target.classes))
    alone = [target.classes[k] for k in np.flatnonzero(counts == 1)]
    if alone and fewest > 1:
        raise DataError(f"{target.name} has one sample only of {listed(alone)}; at least 2 "
                        "are needed, one to train and one to test: add samples or leave the class "
                        "out")
    if (counts > 0).sum() < 2:
        raise DataError(f"{target.name} has samples of one class only; a target needs at least two")


def _identities(*both: torch.Tensor) -> list[np.ndarray]:
    """A number for each row of both, the same for copies: for equal rows, unless by chance."""
    digests = (hashlib.blake2b(row.tobytes(), digest_size=8).digest()
               for X in both for row in np.ascontiguousarray(X.numpy()))
    _, number, counts = np.unique(np.frombuffer(b"".join(digests), dtype=np.int64),
                                  return_inverse=True, return_counts=True)
    equal_pairs = (counts * (counts - 1) / 2).sum()
    if equal_pairs and both[0].ndim == 2 and both[0].shape[1] == both[1].shape[1] and (
            _pairs_by_chance(torch.cat(both).numpy()) > equal_pairs / 10):
        number = np.arange(len(number))
    return np.split(number, [len(both[0])])


def _pairs_by_chance(X: np.ndarray) -> float:
    """How many pairs of rows of a table (N, d) would be equal if its columns were independent."""
    pairs = len(X) ** 2 / 2
    for column in X.T:
        pairs *= ((np.unique(column, return_counts=True)[1] / len(X)) ** 2).sum()
        if pairs < 1e-3:
            break
    return pairs


def _one_space(
    source: Domain, target: Domain, progress: bool
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The inputs of both in one shape, and notices of what was done for that."""
    if source.X.ndim != target.X.ndim:
        kinds = {2: "a table", 4: "images"}
        raise DataError(f"{source.name} holds {kinds[source.X.ndim]} and {target.name} "
                        f"{kinds[target.X.ndim]}; both must be of one kind")
    if source.X.ndim == 2:
        if source.X.shape[1] != target.X.shape[1]:
            raise DataError(f"{source.name} has {source.X.shape[1]} columns and {target.name} "
                            f"{target.X.shape[1]}; give both the same columns in the same order")
        return source.X.numpy(), target.X.numpy(), []
    notices, images = [], {}
    channels = max(source.X.shape[1], target.X.shape[1])
    side = max(target.X.shape[2:])
    size = max(side, LEAST) if side <= SMALL else LARGE
    for domain in (source, target):
        X = domain.X
        if X.shape[1] != channels:
            if X.shape[1] != 1:
                raise DataError(f"{domain.name} has {X.shape[1]} channels where the other domain "
                                f"has {channels}; bring both to as many")
            notices.append(f"the grey images of {domain.name} were given {channels} equal channels")
            X = X.expand(-1, channels, -1, -1)
        if X.shape[2:] != (size, size) and size <= SMALL:
            shape = " × ".join(map(str, X.shape[2:]))
            notices.append(f"{domain.name} was resized from {shape} to {size} × {size} pixels")
        images[domain] = resize(X, size)
    if size > SMALL:
        from tlcourse.features import features
        from tlcourse.models.network import pretrained

        network = pretrained()
        return *(features(network, Domain(d.name, images[d], d.y, d.classes),
                          progress=progress).numpy() for d in (source, target)), [
            f"images larger than {SMALL} pixels: EfficientNet-Lite0, pretrained on ImageNet, turns "
            f"them into features at {size} × {size} pixels, and a small network learns from these"]
    return images[source].contiguous().numpy(), images[target].contiguous().numpy(), notices


def _groups(source: Domain, target: Domain, identity: dict) -> tuple[np.ndarray, np.ndarray]:
    """A number for each row of both, equal for rows of one group and for equal rows."""
    _, rows = np.unique(np.concatenate([identity[source], identity[target]]), return_inverse=True)
    if source.groups is None and target.groups is None:
        return rows[: len(source)], rows[len(source):]
    named = np.concatenate([
        [f"{d.name} {i}" for i in range(len(d))] if d.groups is None else d.groups.astype(object)
        for d in (source, target)])
    _, named = np.unique(named.astype(str), return_inverse=True)
    # Groups that hold equal rows are one: parts of a graph of groups and rows that hang together.
    links = coo_array((np.ones(len(rows)), (rows, rows.max() + 1 + named)),
                      shape=2 * [rows.max() + named.max() + 2])
    _, part = connected_components(links, directed=False)
    return part[rows[: len(source)]], part[rows[len(source):]]


def _warnings(source: Domain, target: Domain, identity: dict, group: dict) -> list[str]:
    notices = []
    shared = int(np.isin(identity[source], identity[target]).sum())
    if shared:
        notices.append(f"{target.name} also holds {counted(shared, 'row')} of {source.name}: those "
                       "that a seed tests on were left out of its source")
    common = len(np.intersect1d(group[source], group[target]))
    if target.groups is not None and source.groups is not None and common:
        notices.append(f"{counted(common, 'group')} of {target.name} "
                       f"{'is' if common == 1 else 'are'} in {source.name} too: when a seed tests "
                       f"on one, its rows were left out of the source")
    repeated = len(target) - len(np.unique(identity[target]))
    if repeated:
        notices.append(f"{target.name} repeats {counted(repeated, 'row')}: equal rows stay on one "
                       "side of each split, and count as one label")
    counts = np.bincount(target.y.numpy())
    if fair_score(target.y.numpy()) != "accuracy":
        most = counts.argmax()
        notices.append(f"{target.name} is unbalanced: always answering {target.classes[most]} "
                       f"scores {counts[most] / counts.sum():.0%} in accuracy")
    return notices
