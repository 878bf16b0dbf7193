"""Which column of two tables holds the labels, and its classes."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from tlcourse.data.columns import BOOLEANS, Cells
from tlcourse.data.domain import DataError
from tlcourse.data.table_files import TextTable
from tlcourse.utils.messages import counted, listed

LABEL_NAMES = ("label", "labels", "class", "classes", "target", "y")
"""The first that both tables have is taken."""
MOST_CODES = 20
"""More different numbers than this are amounts, unless they count the classes from 0 or 1."""
ROWS_A_CODE = 5
"""So many rows a class have numbers of more than `MOST_CODES` classes on average."""
DIAGNOSE_NEEDS = ("whether a source helps can be measured on rows of known class only: add that "
                  "column and fill it in for some rows of the target, 5 a class to begin with; how "
                  "far the two tables lie apart can be measured without any, by "
                  "tlcourse.distances.proxy_a_distance")


@dataclass(frozen=True, eq=False)
class Labels:
    """The classes of the rows of one table.

    Parameters
    ----------
    y : int64 array, (N,)
        Number of a row's class, -1 for a row without label.
    classes : tuple of str
        Those of this table.
    """

    y: np.ndarray
    classes: tuple[str, ...]


def label_column(
    source: TextTable, target: TextTable, free: list[str], cells: Callable, wish: str | None,
    bins: int | None, notices: list[str],
) -> str:
    """The column of labels, the one wished for or the likeliest in both tables.

    `free` are the columns that both have, without that of the groups; `cells` gives the two
    `Cells` of one of them.
    """
    if wish is not None:
        found = source.named(wish) or target.named(wish) or wish
        for table in (source, target):
            if found not in table.columns:
                raise DataError(_without(table, found, table is target and found in source.columns))
        return found
    def fits(column):
        both = cells(column)
        return all(map(_is_amount, both)) if bins else not _why_no_classes(*both)

    called = [c for word in LABEL_NAMES for c in source.columns
              if c.casefold() == word and not (word == "y" and source.named("x"))]
    here = [c for c in called if c in free]
    found = next(filter(fits, here), here[0] if here else None)
    if called and not found:
        raise DataError(_without(target, called[0], True))
    if not found:
        found = _last_or_only_one(source, target, free, fits, cells)
    others = [c for c in here if c != found]
    notices.append(f"the labels are taken from the column {found!r}"
                   + (f", and {listed(others)} as a feature" if others else "")
                   + "; --label names another one")
    return found


def _without(table: TextTable, label: str, is_target: bool) -> str:
    return (f"{table.name} has no column {label!r}; it has {listed(list(table.columns))}"
            + (f"; {DIAGNOSE_NEEDS}" if is_target else ""))


def _last_or_only_one(source: TextTable, target: TextTable, free: list[str], fits: Callable,
                      cells: Callable) -> str:
    """The last column of one of the tables, else the only one that holds classes in words."""
    last = list(source.columns)[-1]
    if last not in target.columns:
        raise DataError(f"{_without(target, last, True)}; --label names another column")
    for column in (last, list(target.columns)[-1]):
        if column in free and fits(column):
            return column
    words = [c for c in free if fits(c) and not all(map(_is_amount, cells(c)))]
    if len(words) == 1:
        return words[0]
    raise DataError(f"no column of {source.name} is called {listed(LABEL_NAMES, 6)}, and the last "
                    f"one, {last!r}, names no classes"
                    + (f", as do {listed(words)}" if words else "")
                    + "; --label names the column that does")


def _is_amount(cells: Cells) -> bool:
    """Whether nearly all cells with something in them are numbers."""
    present = cells.values != ""
    numbers = cells.numbers("number")
    return 0 < cells.counts[present].sum() * 0.95 <= cells.counts[~np.isnan(numbers)].sum()


def _why_no_classes(mine: Cells, theirs: Cells) -> str:
    """Why a column holds no classes; "" where it does."""
    for cells in (mine, theirs):
        found = {v for v in cells.canonical if v}
        rows = int(cells.counts[cells.canonical != ""].sum())
        if not rows:
            return "is empty"
        if 2 * len(found) > max(rows, 4):  # two rows of two classes may be an example
            return f"holds {len(found)} different values in {rows} rows"
    return _why_amounts(mine, theirs)


def _why_amounts(mine: Cells, theirs: Cells) -> str:
    if not (_is_amount(mine) and _is_amount(theirs)):
        return ""
    numbers = [c.numbers("number") for c in (mine, theirs)]
    rows = sum(int(c.counts[~np.isnan(x)].sum())
               for c, x in zip((mine, theirs), numbers, strict=True))
    found = np.unique(np.concatenate([x[~np.isnan(x)] for x in numbers]))
    if len(found) <= MOST_CODES / 2 or len(found) <= MOST_CODES and (found == found.round()).all():
        return ""
    count = found[0] in (0, 1) and (np.diff(found) == 1).all()
    if count and rows >= ROWS_A_CODE * 2 * len(found):
        return ""
    return f"holds {len(found)} different numbers ({found[0]:g} to {found[-1]:g})"


def read_labels(
    label: str, tables: tuple[TextTable, TextTable], both: tuple[Cells, Cells], bins: int | None,
    notices: list[str],
) -> tuple[tuple[Labels, Labels], tuple[str, ...], tuple[float, ...] | None]:
    """The classes of both tables' rows, all classes in their order, and the cuts between bins."""
    for table, cells in zip(tables, both, strict=True):
        if not len(table):
            raise DataError(f"{table.name} holds no row below the names of its columns")
        if not ((cells.canonical != "") & ~cells.missing).any():
            raise DataError(f"{table.name} has no row with a label in the column {label!r}; "
                            + (DIAGNOSE_NEEDS if table is tables[1] else
                               "--label names another one"))
    if bins is not None:
        edges = _edges(label, both, bins, notices)
        named = [_in_bins(cells, edges) for cells in both]
        order = _bin_names(edges)
    else:
        _refuse_no_classes(label, tables, both)
        edges = None
        named = _spelled_alike(label, tables, both, notices)
        order = tuple(sorted({n for names in named for n in names if n}))
        _tell_classes(label, tables, both, named, notices)
    found = []
    for table, cells, names in zip(tables, both, named, strict=True):
        classes = tuple(c for c in order if c in set(names))
        place = {c: k for k, c in enumerate(classes)}
        y = np.array([place.get(n, -1) for n in names], dtype=np.int64)[cells.codes]
        if missing := int((y < 0).sum()):
            notices.append(f"rows of {table.name} without a value of {label!r} were left out: "
                           f"{missing:,}")
        once = [c for c, n in zip(classes, np.bincount(y[y >= 0]), strict=True) if n == 1]
        if once and len(y) > 4:
            notices.append(f"classes of {table.name} with one row only: {listed(once)}")
        found.append(Labels(y, classes))
    return tuple(found), order, edges


def _refuse_no_classes(label: str, tables, both: tuple[Cells, Cells]) -> None:
    if why := _why_amounts(*both):
        raise DataError(f"{label!r} of {tables[0].name} and {tables[1].name} {why}, so it holds "
                        "amounts, as for a regression, and no classes; read_domains(..., bins=4) "
                        "cuts them into 4 classes, --label names another column, and numbers that "
                        "do name classes are better written as words, such as c1001")
    for table, cells in zip(tables, both, strict=True):
        if why := _why_no_classes(cells, cells):
            more = ", and bins=4 cuts numbers into 4 classes" if _is_amount(cells) else ""
            raise DataError(f"{label!r} of {table.name} {why}, so it names no classes; --label "
                            f"names the column that does{more}")


def _spelled_alike(label: str, tables, both, notices: list[str]) -> list[list[str]]:
    """Names of the classes of both; TRUE of one and 1 of the other become one."""
    named = [list(c.canonical) for c in both]
    words = [{n.lower() for n in names if n} for names in named]
    spelled = [{n for n in names if n} for names in named]
    yes_and_no = all(any(w <= pair.keys() for pair in BOOLEANS) for w in words)
    if not yes_and_no or spelled[0] <= spelled[1] or spelled[1] <= spelled[0]:
        return named
    meaning = {word: ("false", "true")[k] for pair in BOOLEANS for word, k in pair.items()}
    notices.append(f"the labels {listed(sorted(spelled[0]))} of {tables[0].name} and "
                   f"{listed(sorted(spelled[1]))} of {tables[1].name} were read as true and false")
    return [[meaning.get(n.lower(), "") for n in names] for names in named]


def _tell_classes(label: str, tables, both, named, notices: list[str]) -> None:
    """Classes that look like something else: missing values, or a class of the other table."""
    for table, cells, names in zip(tables, both, named, strict=True):
        count = Counter()
        for name, gone, n in zip(names, cells.missing, cells.counts, strict=True):
            if name and gone:
                count[name] += int(n)
        if count:
            shown = listed([f"{name} in {counted(n, 'row')}" for name, n in count.items()])
            notices.append(f"labels of {table.name} that look like a missing value count as a "
                           f"class: {shown}; leave the cell empty where there is no label")
    mine, theirs = ({n for n in names if n} for names in named)
    pairs = [f"{a} and {b}" for a in sorted(mine - theirs) for b in sorted(theirs - mine)
             if _loosely(a) == _loosely(b)]
    if pairs:
        notices.append(f"classes of {tables[0].name} and {tables[1].name} that are written nearly "
                       f"alike count as two: {listed(pairs)}; write them alike if they are one")


def _loosely(name: str) -> str:
    name = "".join(c for c in name.casefold() if c.isalnum()) or name
    return name.lstrip("0") or "0"


def _edges(label: str, both, bins: int, notices: list[str]) -> tuple[float, ...]:
    if isinstance(bins, bool) or not isinstance(bins, int) or bins < 2:
        raise DataError(f"bins must be a whole number of at least 2, got {bins!r}")
    if not all(map(_is_amount, both)):
        raise DataError(f"{label!r} holds words, and only numbers can be cut into bins; leave bins "
                        "out, or name another column by --label")
    numbers = both[0].numbers("number")[both[0].codes]
    numbers = numbers[~np.isnan(numbers)]
    cuts = np.quantile(numbers, np.arange(1, bins) / bins)
    edges = tuple(float(cut) for cut in np.unique(cuts) if cut > numbers.min())
    if not edges:
        raise DataError(f"{label!r} holds one number, {numbers[0]:g}, in nearly all rows of the "
                        "source, so it cannot be cut into bins")
    notices.append(f"{label!r} was cut into classes at the quantiles of the source: "
                   f"{listed(_bin_names(edges), 10)}")
    return edges


def _bin_names(edges: tuple[float, ...]) -> tuple[str, ...]:
    written = [f"{edge:g}" for edge in edges]
    if len(set(written)) < len(written):
        written = [repr(edge) for edge in edges]
    between = [f"{a} to below {b}" for a, b in zip(written, written[1:], strict=False)]
    return f"below {written[0]}", *between, f"{written[-1]} and more"


def _in_bins(cells: Cells, edges: tuple[float, ...]) -> list[str]:
    numbers = cells.numbers("number")
    names = _bin_names(edges)
    at = np.searchsorted(edges, numbers, side="right")
    return ["" if np.isnan(x) else names[k] for x, k in zip(numbers, at, strict=True)]


def in_order_of_classes(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether rows sorted by `x` come one class after the other."""
    sorted_classes = y[np.argsort(x, kind="stable")]
    return 1 < len(np.unique(y)) == 1 + int((np.diff(sorted_classes) != 0).sum())


def says_the_class(codes: Iterable[int], y: np.ndarray) -> bool:
    """Whether each value stands for one class and each class for one value."""
    pairs = set(zip(codes, y.tolist(), strict=True))
    return 1 < len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
