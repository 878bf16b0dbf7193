"""Two tables as domains: names matched, labels found, and each column decided once for both."""

import json
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from tlcourse.data.columns import FEW_ROWS, Cells, Column, LeftOut, Reading, Said, decide
from tlcourse.data.domain import DataError, Domain
from tlcourse.data.table_files import TextTable, read_text_table
from tlcourse.data.table_labels import (
    in_order_of_classes,
    label_column,
    read_labels,
    says_the_class,
)
from tlcourse.data.written_numbers import decimal_signs
from tlcourse.utils.messages import listed

_NAMES_ROWS = re.compile(r"(.*[^a-z])?(id|ids|idx|index|uuid|guid|key|nr|no|row)", re.I)
_CAMEL_ID = re.compile(r".*[a-z](Id|ID|Index|Nr|No)")


@dataclass(frozen=True)
class Preparation:
    """How rows of a table become numbers, decided by a source and a target; for other tables too.

    Parameters
    ----------
    columns : tuple of Column
        In the order of the features.
    label : str
        Column of the labels.
    classes : tuple of str
        Of both tables.
    edges : tuple of float, optional
        Where numbers were cut into the classes.
    group : str, optional
        Column of the groups.
    source : str
        Name of the table whose medians stand for missing values.
    """

    columns: tuple[Column, ...]
    label: str
    classes: tuple[str, ...]
    edges: tuple[float, ...] | None = None
    group: str | None = None
    source: str = "source"

    def read(self, path: Path | str) -> tuple[np.ndarray, list[str]]:
        """Read another table, with or without labels, as the very same features.

        Parameters
        ----------
        path : path

        Returns
        -------
        X : float32 array, (N, d)
        notices : list of str
            Cells that could not be read, categories that were not known.

        Raises
        ------
        DataError
            A file that is no table, or one without a column that is needed.
        """
        notices = []
        table = read_text_table(Path(path), Path(path).stem, notices)
        found = [table.named(column.name) for column in self.columns]
        if lacking := [c.name for c, own in zip(self.columns, found, strict=True) if own is None]:
            raise DataError(f"{path} has no column {listed(lacking)}, which the model needs; it "
                            f"has {listed(list(table.columns))}")
        if not len(table):
            raise DataError(f"{path} holds no row below the names of its columns")
        signs, said = decimal_signs(table), Said(table.name)
        blocks = [column.encode(Cells(table.columns[own], signs[own]), said)
                  for column, own in zip(self.columns, found, strict=True)]
        return np.hstack(blocks), notices + said.sentences(self.source)

    def as_json(self) -> str:
        """All of it as JSON, for `from_json`."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Preparation":
        """What `as_json` wrote."""
        values = json.loads(text)
        columns = tuple(Column(**_with_tuples(column)) for column in values.pop("columns"))
        return cls(columns, **_with_tuples(values))


def _with_tuples(values: dict) -> dict:
    """JSON knows lists only."""
    return {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}


@dataclass(frozen=True, eq=False)
class Tables:
    """Two tables as domains.

    Parameters
    ----------
    source, target : Domain
    notices : list of str
        What was decided, left out or filled in.
    preparation : Preparation
    groups : tuple of two int64 arrays (N,), optional
        Rows of one number belong together, in both tables.
    """

    source: Domain
    target: Domain
    notices: list[str]
    preparation: Preparation
    groups: tuple[np.ndarray, np.ndarray] | None = None


def read_tables(
    source: Path, target: Path, names: tuple[str, str], label: str | None, *,
    bins: int | None = None, group: str | None = None,
) -> Tables:
    """Read two tables as `tlcourse.data.folders.read_domains` says.

    Raises
    ------
    DataError
        A table that cannot be read, no column of labels, or no other column in common.
    """
    notices = []
    mine, theirs = (read_text_table(path, name, notices)
                    for path, name in zip((source, target), names, strict=True))
    theirs = _with_names_of(mine, theirs, notices)
    signs = [decimal_signs(table) for table in (mine, theirs)]
    common = [c for c in mine.columns if c in theirs.columns]

    def cells(column):
        return tuple(Cells(table.columns[column], sign[column])
                     for table, sign in zip((mine, theirs), signs, strict=True))

    if group is not None:
        group = _group_column(group, mine, theirs)
    free = [c for c in common if c != group]
    label = label_column(mine, theirs, free, cells, label, bins, notices)
    if label == group:
        raise DataError(f"{label!r} cannot hold both the labels and the groups; name two columns")
    labels, classes, edges = read_labels(label, (mine, theirs), cells(label), bins, notices)
    kept = [found.y >= 0 for found in labels]
    ys = [found.y[rows] for found, rows in zip(labels, kept, strict=True)]
    mine, theirs = (_rows(table, rows) for table, rows in zip((mine, theirs), kept, strict=True))
    groups = _groups(cells(group), group, names, notices) if group else None
    for table, other in ((mine, theirs), (theirs, mine)):
        if only := [c for c in table.columns if c not in other.columns]:
            notices.append(f"columns that only {table.name} has were left out: {listed(only)}")
    features = [c for c in common if c not in (label, group)]
    columns, X = _encode(features, cells, ys, names, notices)
    domains = [Domain(name, x, y, found.classes, groups=group_of)
               for name, x, y, found, group_of in zip(names, X, ys, labels,
                                                      groups or (None, None), strict=True)]
    return Tables(*domains, notices,
                  Preparation(columns, label, classes, edges, group, names[0]), groups)


def _with_names_of(mine: TextTable, theirs: TextTable, notices: list[str]) -> TextTable:
    """The target with the names of the source where blanks or case alone differ."""
    to = {own: mine.named(own) for own in theirs.columns if own not in mine.columns}
    to = {own: name for own, name in to.items()
          if name and name not in theirs.columns and theirs.named(name) == own}
    if to:
        notices.append(f"columns of {theirs.name} whose names differ from those of {mine.name} in "
                       f"blanks or case only count as the same: "
                       f"{listed([f'{own} is {name}' for own, name in to.items()])}")
    return replace(theirs, columns={to.get(own, own): c for own, c in theirs.columns.items()})


def _rows(table: TextTable, rows: np.ndarray) -> TextTable:
    if rows.all():
        return table
    return replace(table, columns={name: c[rows] for name, c in table.columns.items()})


def _group_column(group: str, mine: TextTable, theirs: TextTable) -> str:
    found = mine.named(group)
    for table in (mine, theirs):
        if found not in table.columns:
            raise DataError(f"{table.name} has no column {group!r} of groups; it has "
                            f"{listed(list(table.columns))}")
    return found


def _groups(both, group: str, names, notices: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the groups, one for both tables; a row without a group is one by itself."""
    numbers, found = {}, []
    for cells, name in zip(both, names, strict=True):
        at = np.array([numbers.setdefault(v, len(numbers)) if v else -1 for v in cells.canonical])
        rows = at[cells.codes]
        if alone := int((rows < 0).sum()):
            notices.append(f"rows of {name} without a value of {group!r} are groups of their own: "
                           f"{alone:,}")
        found.append(rows.astype(np.int64))
    free = len(numbers)
    for rows in found:
        alone = rows < 0
        rows[alone] = free + np.arange(alone.sum())
        free += int(alone.sum())
    return tuple(found)


def _encode(
    features: list[str], cells, ys, names: tuple[str, str], notices: list[str]
) -> tuple[tuple[Column, ...], list[np.ndarray]]:
    """Decide each column, and both tables as numbers: first the numbers, then the categories."""
    reading, said, left, done = Reading(), [Said(name) for name in names], {}, []
    ordered, telling = [], []
    for name in features:
        both = cells(name)
        column = decide(name, *both, names, reading)
        if not isinstance(column, LeftOut) and column.kind in ("number", "date"):
            numbers = [c.numbers(column.kind, column.units)[c.codes] for c in both]
            if _names_rows(name, numbers):
                column = LeftOut("that say nothing (another value in each row)")
            elif any(map(_different, numbers)) and any(map(in_order_of_classes, numbers, ys)):
                ordered.append(name)
        if isinstance(column, LeftOut):
            left.setdefault(column.why, []).append(name)
            continue
        if all(len(c.values) <= 100 and len(y) >= FEW_ROWS and says_the_class(c.codes, y)
               for c, y in zip(both, ys, strict=True)):
            telling.append(name)
        done.append((column, *(column.encode(c, s) for c, s in zip(both, said, strict=True))))
    for why, columns in left.items():
        notices.append(f"columns {why} were left out: {listed(columns)}")
    if not done:
        raise DataError(f"{names[0]} and {names[1]} have no column in common beside the labels"
                        + (" that says something; left out were "
                           + "; ".join(f"{listed(c)} ({why})" for why, c in left.items())
                           if left else ""))
    done.sort(key=lambda one: one[0].kind == "category")  # stable
    columns, *blocks = zip(*done, strict=True)
    notices += _told(columns, reading, ordered, telling, names)
    for one in said:
        notices += one.sentences(names[0])
    return columns, [np.hstack(x) for x in blocks]


def _told(columns, reading: Reading, ordered, telling, names) -> list[str]:
    categories = [c.name for c in columns if c.kind == "category"]
    return [f"{text}: {listed(found)}" for text, found in (
        ("columns of categories became one column a category", categories),
        ("numbers that are written in another way were read", reading.written),
        ("columns whose numbers bear other units in the two tables; see that they mean the same",
         reading.units),
        ("dates became numbers of days", reading.dates),
        ("words for yes and no became 1 and 0", reading.booleans),
        (f"columns with one value in {names[0]} and others in {names[1]}", reading.constant),
        ("columns of another whole number in each row, in the order of the classes; leave them out "
         "if they number the rows", ordered),
        ("columns that say the class in each row; leave them out if they are the label in other "
         "words", telling)) if found]


def _different(numbers: np.ndarray) -> bool:
    """Whether each row holds another whole number."""
    return len(numbers) >= FEW_ROWS and bool((numbers == numbers.round()).all()) and (
        len(np.unique(numbers)) == len(numbers))


def _names_rows(name: str, both: list[np.ndarray]) -> bool:
    """Whether numbers count the rows, in whatever order, or are different and called an id."""
    if not all(map(_different, both)):
        return False
    counts = all(np.ptp(x) == len(x) - 1 or (np.diff(x) > 0).all() for x in both)
    return counts or bool(_NAMES_ROWS.fullmatch(name) or _CAMEL_ID.fullmatch(name))
