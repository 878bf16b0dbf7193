"""What a column of two tables means, decided once for both, and its values as numbers.

A column holds numbers where nearly all cells of both tables that are not missing can be read as
numbers, else categories. Dates are numbers of days, and words such as yes and no are 1 and 0.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from unicodedata import normalize

import numpy as np
import pandas as pd

from tlcourse.data.written_numbers import MISSING, Parsed, parse, units_of
from tlcourse.utils.messages import counted, listed

NEARLY_ALL = 0.95
"""Share of the cells that must be numbers (or dates) for the others to count as missing."""
MOST_CATEGORIES = 20
"""Of a column; the rarer ones share one. More different numbers than this may be measurements, with
one to three words for what was not measured; fewer beside a word that comes again are codes."""
DISTINCT = 0.9
"""A text column with this share of different values names its rows, and groups nothing."""
FEW_ROWS = 10
"""In fewer rows, different values in all of them say nothing."""
BOOLEANS = ({"true": 1, "false": 0}, {"yes": 1, "no": 0}, {"t": 1, "f": 0}, {"y": 1, "n": 0},
            {"on": 1, "off": 0}, {"1": 1, "0": 0})
SAME = 1e-14
"""Values that differ by less than this share of the largest are one; float64 holds 2e-16."""
_ISO_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([T ].*)?")
_OTHER_DATE = re.compile(r"\d{1,2}([./-])\d{1,2}\1(\d{2}|\d{4})( .*)?")
_WRITTEN_NUMBER = re.compile(r"[-+]?(0|[1-9]\d{0,14})([.,]\d+)?")


def canonical(value: str, decimal: str = ".") -> str:
    """One form for a value: 1, 1.0 and 1.00 are "1"; what has no value is "".

    Codes keep their zeros in front, and digits that float64 cannot hold.
    """
    value = " ".join(normalize("NFC", value).split())
    found = _WRITTEN_NUMBER.fullmatch(value.replace("\u2212", "-"))
    if not found or found[2] and found[2][0] != decimal:
        return "" if value == "?" else value
    number = float(found[0].replace(decimal, "."))
    return str(int(number)) if number.is_integer() else repr(number)


@dataclass(frozen=True, eq=False)
class Cells:
    """A column of one table: its different texts, and which row holds which.

    Parameters
    ----------
    column : (N,) array of numpy's StringDType
    decimal : str
        Its decimal sign.
    """

    column: np.ndarray
    decimal: str = "."

    @cached_property
    def _found(self) -> tuple[np.ndarray, np.ndarray]:
        codes, values = pd.factorize(self.column.astype(object))
        return codes, np.asarray(values, dtype=object)

    @property
    def codes(self) -> np.ndarray:
        """Numbers of the texts, (N,)."""
        return self._found[0]

    @property
    def values(self) -> np.ndarray:
        """The different texts, (n,)."""
        return self._found[1]

    @cached_property
    def counts(self) -> np.ndarray:
        """How many rows hold each text."""
        return np.bincount(self.codes, minlength=len(self.values))

    @cached_property
    def missing(self) -> np.ndarray:
        """Which texts stand for no number."""
        missing = np.isnan(self.parsed.numbers)
        missing[missing] = [value.lower() in MISSING for value in self.values[missing]]
        return missing

    @cached_property
    def parsed(self) -> Parsed:
        """The texts as numbers, as far as they are."""
        return parse(self.values, self.decimal)

    @cached_property
    def canonical(self) -> np.ndarray:
        """One form of each text."""
        return np.array([canonical(v, self.decimal) for v in self.values], dtype=object)

    def numbers(self, kind: str, units=("",)) -> np.ndarray:
        """The texts as the numbers that they are in a column of this kind; NaN for none."""
        if kind == "boolean":
            words = {word: number for pair in BOOLEANS for word, number in pair.items()}
            return np.array([words.get(v.lower(), np.nan) for v in self.canonical])
        if kind == "date":
            dates = pd.to_datetime(pd.Series(self.values, dtype=object), format="ISO8601",
                                   errors="coerce", utc=True)
            return ((dates - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)).to_numpy(np.float64)
        fit = np.logical_or.reduce([self.parsed.units == unit for unit in units])
        return np.where(fit, self.parsed.numbers, np.nan)


@dataclass
class Said:
    """What is told about the cells of one table while its columns become numbers."""

    name: str
    unread: dict[str, list[str]] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    unseen: dict[str, list[str]] = field(default_factory=dict)
    counts: Counter = field(default_factory=Counter)

    def sentences(self, source: str) -> list[str]:
        """The notices; `source` names the table whose medians stand in."""
        said = []
        if n := self.counts["unread"]:
            where = [f"{c} ({listed([repr(v) for v in v3], 3)})" for c, v3 in self.unread.items()]
            said.append(f"{counted(n, 'cell')} of {self.name} that {_verb(n, 'holds', 'hold')} no "
                        f"number in a column of numbers {_verb(n, 'counts', 'count')} as missing: "
                        f"{listed(where)}")
        if self.missing:
            most = sorted(self.missing, key=self.missing.get, reverse=True)
            n = sum(self.missing.values())
            said.append(f"{counted(n, 'missing value')} of {self.name} {_verb(n, 'was', 'were')} "
                        f"filled in with the median of the column in {source}: "
                        f"{listed([f'{c} ({self.missing[c]:,})' for c in most])}")
        if self.unseen:
            where = [f"{c} ({listed(values, 3)})" for c, values in self.unseen.items()]
            said.append(f"{counted(self.counts['unseen'], 'cell')} of {self.name} with a category "
                        f"that {source} does not have: {listed(where)}")
        return said


def _verb(n: int, one: str, many: str) -> str:
    return one if n == 1 else many


@dataclass(frozen=True)
class Column:
    """How the cells of a column become numbers; JSON can hold all of it.

    Parameters
    ----------
    name : str
    kind : str
        "number", "boolean", "date" (in days) or "category".
    median, mean, scale : float
        Of the source: what stands for a missing number, and what is centred and divided by.
    units : tuple of str
        What may stand beside a number, such as %.
    categories : tuple of str
        Each has a column of its own; "" is a missing one.
    rest : bool
        One more column for all other categories, which were too many.
    """

    name: str
    kind: str
    median: float = 0.0
    mean: float = 0.0
    scale: float = 1.0
    units: tuple[str, ...] = ("",)
    categories: tuple[str, ...] = ()
    rest: bool = False

    def encode(self, cells: Cells, said: Said) -> np.ndarray:
        """Cells as (N, width) float32: 1 for numbers, one a category else."""
        if self.kind == "category":
            return self._one_hot(cells, said)
        numbers = cells.numbers(self.kind, self.units)
        for at in np.flatnonzero(np.isnan(numbers) & (cells.values != "")):
            said.counts["unread"] += int(cells.counts[at])
            said.unread.setdefault(self.name, []).append(cells.values[at])
        if missing := int(cells.counts[np.isnan(numbers)].sum()):
            said.missing[self.name] = missing
        numbers = np.where(np.isnan(numbers), self.median, numbers)
        with np.errstate(over="ignore"):
            standard = (numbers / self.scale - self.mean / self.scale
                        if abs(self.mean) > 1e300 else (numbers - self.mean) / self.scale)
        most = np.finfo(np.float32).max
        return np.clip(standard, -most, most).astype(np.float32)[cells.codes, None]

    def _one_hot(self, cells: Cells, said: Said) -> np.ndarray:
        place = _places(self.categories)
        width = len(self.categories) + self.rest
        at = np.array([_place(value, place, width if self.rest else -1)
                       for value in cells.canonical], dtype=np.intp)
        if self.rest:
            at = np.where(at == width, width - 1, at)
        for unseen in np.flatnonzero((at < 0) & (cells.canonical != "")):
            said.counts["unseen"] += int(cells.counts[unseen])
            said.unseen.setdefault(self.name, []).append(cells.values[unseen])
        eye = np.vstack([np.eye(width, dtype=np.float32), np.zeros((1, width), np.float32)])
        return eye[at][cells.codes]


def _places(categories: tuple[str, ...]) -> dict[str, int]:
    """Where each category stands, and where one that is written otherwise does."""
    loose = Counter(map(_loosely, categories))
    return {_loosely(c): k for k, c in enumerate(categories) if loose[_loosely(c)] == 1} | {
        c: k for k, c in enumerate(categories)}


def _place(value: str, places: dict[str, int], otherwise: int) -> int:
    return places.get(value, places.get(_loosely(value), otherwise))


def _loosely(category: str) -> str:
    """Without case, and without zeros in front of digits."""
    return category.lstrip("0") or "0" if category.isdigit() else category.casefold()


@dataclass(frozen=True)
class LeftOut:
    """A column that does not become a feature."""

    why: str


@dataclass
class Reading:
    """What is told about columns that were read in a way that could be another one."""

    written: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    dates: list[str] = field(default_factory=list)
    booleans: list[str] = field(default_factory=list)
    constant: list[str] = field(default_factory=list)


def decide(name: str, mine: Cells, theirs: Cells, names: tuple[str, str],
           reading: Reading) -> Column | LeftOut:
    """What the column is, from the source's cells and the target's together."""
    both = (mine, theirs)
    kind, units = _kind(both)
    if kind == "other date":
        return LeftOut("of dates that are not written as 2024-05-31")
    if kind == "category":
        return _category(name, mine, theirs, names)
    for cells, table in zip(both, names, strict=True):
        if np.isnan(cells.numbers(kind, units)).all():
            return LeftOut(f"that say nothing (empty in {table})")
    x, z = (c.numbers(kind, units) for c in both)
    if kind == "number":
        _note_writing(name, both, (x, z), names, reading)
    if kind == "date":
        reading.dates.append(name)
    if kind == "boolean":
        reading.booleans.append(name)
    x, z = (values[c.codes] for values, c in ((x, mine), (z, theirs)))
    median = float(np.nanmedian(x))
    x = np.where(np.isnan(x), median, x)
    mean, scale = _mean_and_scale(x)
    if not scale:
        x = np.concatenate([x, z[~np.isnan(z)]])
        _, scale = _mean_and_scale(x)
        if not scale:
            return LeftOut("that say nothing (one value in all rows)")
        reading.constant.append(name)
    return Column(name, kind, median, mean, scale, units)


def _kind(both: tuple[Cells, Cells]) -> tuple[str, tuple[str, ...]]:
    """The kind of a column and the units that its numbers bear."""
    words = [{v.lower() for v, gone in zip(c.canonical, c.missing, strict=True) if not gone}
             if len(c.values) < 10 else {"many"} for c in both]
    if all(any(w <= pair.keys() for pair in BOOLEANS) for w in words) and not all(
            w <= {"0", "1"} for w in words) and any(words):
        return "boolean", ("",)
    units = units_of([c.parsed for c in both])
    present = sum(int(c.counts[~c.missing].sum()) for c in both)
    numbers = [c.numbers("number", units) for c in both]
    read = sum(int(c.counts[~np.isnan(x)].sum()) for c, x in zip(both, numbers, strict=True))
    if present == 0 and len({v for c in both for v in c.canonical if v}) < 2:
        return "number", ("",)  # nothing but a mark of missing values
    words = Counter()
    for c, x in zip(both, numbers, strict=True):
        other = np.isnan(x) & ~c.missing
        words.update(dict(zip(c.values[other], c.counts[other].tolist(), strict=True)))
    different = np.unique(np.concatenate([x[~np.isnan(x)] for x in numbers]))
    measured = len(different) > MOST_CATEGORIES and (
        2 * len(different) > read or bool((different != different.round()).any()))
    codes = bool(words) and max(words.values()) > 1 and not measured and (
        len(different) <= MOST_CATEGORIES)
    if read and (read >= NEARLY_ALL * present and not codes
                 or 2 * read >= present and measured and len(words) <= 3):
        return "number", units
    for kind, pattern in (("date", _ISO_DATE), ("other date", _OTHER_DATE)):
        if any(map(pattern.fullmatch, mine := both[0].values[~both[0].missing][:20])) and len(mine):
            dated = sum(int(c.counts[k]) for c in both for k, v in enumerate(c.values)
                        if pattern.fullmatch(v))
            if dated >= NEARLY_ALL * present:
                return kind, ("",)
    return "category", ()


def _note_writing(name, both, numbers, names, reading: Reading) -> None:
    """Tell numbers that were written in another way than 1234.5, an example of each unit."""
    examples, units = {}, []
    for cells, x in zip(both, numbers, strict=True):
        here = cells.parsed.units
        for k in np.flatnonzero(~np.isnan(x) & cells.parsed.unusual):
            examples.setdefault(here[k], f"'{cells.values[k]}' is {x[k]:.15g}")
        units.append(set(here[~np.isnan(x)]))
    if examples:
        reading.written.append(f"{name} ({listed(list(examples.values()), 3)})")
    if units[0] != units[1]:
        beside = [listed(sorted(u or "none" for u in unit)) for unit in units]
        reading.units.append(f"{name} ({beside[0]} in {names[0]}, {beside[1]} in {names[1]})")


def _mean_and_scale(x: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation in float64; 0 where all values are one but for rounding."""
    largest = float(np.abs(x).max()) or 1.0
    shares = x / largest  # squares of large numbers stay finite, those of small ones above zero
    if np.ptp(shares) <= SAME:
        return float(x[0]), 0.0
    return float(shares.mean() * largest), float(shares.std() * largest)


def _category(name: str, mine: Cells, theirs: Cells, names) -> Column | LeftOut:
    for cells, table in zip((mine, theirs), names, strict=True):
        if (cells.canonical == "").all():
            return LeftOut(f"that say nothing (empty in {table})")
    if all(len(c.codes) >= FEW_ROWS and (c.values != "").sum() > DISTINCT * c.counts[
            c.values != ""].sum() for c in (mine, theirs)):
        return LeftOut("that say nothing (another value in each row)")
    found = Counter()
    for value, n in zip(mine.canonical, mine.counts, strict=True):
        found[value] += int(n)
    order = sorted(found, key=lambda value: (-found[value], value))
    rest = len(order) > MOST_CATEGORIES
    kept = tuple(sorted(order[: MOST_CATEGORIES - 1] if rest else order))
    places = _places(tuple(found))
    if not any(_place(v, places, -1) >= 0 for v in theirs.canonical if v):
        shown = [f"{listed([repr(v) for v in c.values[c.values != '']], 2)} in {table}"
                 for c, table in zip((mine, theirs), names, strict=True)]
        return LeftOut(f"with no value in common ({'; '.join(shown)})")
    if len(found) == 1 and {_place(v, places, -1) for v in theirs.canonical} == {0}:
        return LeftOut("that say nothing (one value in all rows)")
    return Column(name, "category", categories=kept, rest=rest)
