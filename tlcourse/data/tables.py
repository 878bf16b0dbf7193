"""CSV tables as domains: which column holds the labels, and all others as numbers."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from tlcourse.data.domain import DataError, Domain
from tlcourse.utils.messages import counted, listed

LABEL_NAMES = ("label", "class", "target", "y")
MOST_CATEGORIES = 20
"""Of a text column; the rarer ones share a column of their own."""
DISTINCT = 0.9
"""A text column with this share of different values names its rows, and groups nothing."""


def read_tables(
    source: Path, target: Path, names: tuple[str, str], label: str | None
) -> tuple[Domain, Domain, list[str]]:
    """Read two CSV tables as `tlcourse.data.folders.read_domains` says.

    Raises
    ------
    DataError
        A table that cannot be read, no column of labels, or no other column in common.
    """
    notices = []
    frames = [_read(path, name, notices)
              for path, name in zip((source, target), names, strict=True)]
    label = label or _label_column(frames[1], notices)
    labels = [_labels(frame, label, name, notices)
              for frame, name in zip(frames, names, strict=True)]
    frames = [frame.dropna(subset=label).drop(columns=label) for frame in frames]
    domains = []
    for name, X, y in zip(names, _encode(*frames, names, notices), labels, strict=True):
        classes = sorted(set(y))
        domains.append(Domain(name, X, np.array([classes.index(k) for k in y]), classes))
    return *domains, notices


def _read(path: Path, name: str, notices: list[str]) -> pd.DataFrame:
    """The table, its columns apart at commas, semicolons or tabs, whichever the header has most."""
    options = {"encoding": "utf-8-sig", "na_values": "?"}
    try:
        with open(path, encoding="utf-8-sig") as file:
            header = file.readline()
        separator = max(",;\t", key=header.count)
        frame = pd.read_csv(path, sep=separator, **options)
        if separator == ";":  # then numbers may be written 0,5
            other = pd.read_csv(path, sep=separator, decimal=",", **options)
            frame = max(frame, other, key=lambda f: f.select_dtypes("number").shape[1])
    except UnicodeDecodeError:
        raise DataError(f"{path} is not written in UTF-8; save it as CSV in UTF-8") from None
    except (ValueError, OSError) as error:
        raise DataError(f"{path} could not be read as a CSV table ({error})") from None
    if all(re.fullmatch(r"[-+]?[\d.]+(e[-+]?\d+)?", column) for column in frame.columns):
        raise DataError(f"the first line of {path} holds numbers; give the columns names there")
    unnamed = [c for c in frame.columns if re.fullmatch(r"Unnamed: \d+", c)]
    if unnamed:
        notices.append(f"columns of {name} without a name were left out: {len(unnamed)}")
    return frame.drop(columns=unnamed).replace([np.inf, -np.inf], np.nan)


def _label_column(frame: pd.DataFrame, notices: list[str]) -> str:
    named = [column for column in frame.columns if column.lower() in LABEL_NAMES]
    column = named[0] if named else frame.columns[-1]
    notices.append(f"the labels are taken from the column {column!r}; --label names another one")
    return column


def _labels(frame: pd.DataFrame, label: str, name: str, notices: list[str]) -> list[str]:
    """Labels as text; a missing label elsewhere turns whole numbers into 1.0, which is 1."""
    if label not in frame:
        raise DataError(f"{name} has no column {label!r}; it has {listed(frame.columns)}")
    if missing := int(frame[label].isna().sum()):
        notices.append(f"rows of {name} without a value of {label!r} were left out: {missing:,}")
    column = frame[label].dropna()
    if pd.api.types.is_float_dtype(column) and (column == column.round()).all():
        column = column.astype(np.int64)
    found = column.astype(str).str.strip().tolist()
    if 2 * len(set(found)) > max(len(found), 4):  # two rows of two classes may be an example
        raise DataError(f"{label!r} of {name} holds {len(set(found))} different values in "
                        f"{len(found)} rows, so it names no classes; --label names the column that "
                        "does")
    if not found:
        raise DataError(f"{name} has no row with a label in the column {label!r}")
    return found


def _encode(source: pd.DataFrame, target: pd.DataFrame, names, notices: list[str]) -> list:
    """Both tables as numbers: what is missing filled in, and categories one-hot, by the source."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    numbers, text = _columns(source, target, names, notices)
    frames = [frame[[*numbers, *text]] for frame in (source, target)]
    for frame, name in zip(frames, names, strict=True):
        if holes := int(frame.isna().sum().sum()):
            notices.append(f"{counted(holes, 'missing value')} of {name} "
                           f"{'was' if holes == 1 else 'were'} filled in with the median of the "
                           f"column in {names[0]}, or its most frequent category")
    if text:
        notices.append(f"columns of categories became one column a category: {listed(text)}")
    encoder = make_column_transformer(
        (SimpleImputer(strategy="median"), numbers),
        (make_pipeline(SimpleImputer(strategy="most_frequent"),
                       OneHotEncoder(handle_unknown="infrequent_if_exist", sparse_output=False,
                                     max_categories=MOST_CATEGORIES)), text))
    kinds = dict.fromkeys(numbers, float) | dict.fromkeys(text, "str")  # yes and no are 1 and 0
    frames = [frame.astype(kinds).where(frame.notna()) for frame in frames]
    return [encoder.fit(frames[0]).transform(frame).astype(np.float32) for frame in frames]


def _columns(source: pd.DataFrame, target: pd.DataFrame, names, notices: list[str]) -> tuple:
    """The columns of numbers and of categories that both have and that say something."""
    both = [c for c in source.columns if c in target.columns]
    for frame, name in zip((source, target), names, strict=True):
        if only := [c for c in frame.columns if c not in both]:
            notices.append(f"columns that only {name} has were left out: {listed(only)}")
    frames = (source, target)
    empty = [c for c in both if source[c].isna().all()]
    text = [c for c in both if not all(pd.api.types.is_numeric_dtype(f[c]) for f in frames)]
    naming = [c for c in both if c not in empty and (
        all(map(_names_rows, (f[c] for f in frames))) if c in text
        else all(map(_counts_rows, (f[c] for f in frames))))]
    for columns, why in ((empty, f"empty in {names[0]}"), (naming, "another value in each row")):
        if columns:
            notices.append(f"columns that say nothing ({why}) were left out: {listed(columns)}")
    kept = [c for c in both if c not in (*empty, *naming)]
    if not kept:
        raise DataError(f"{names[0]} and {names[1]} have no column in common beside the labels")
    return [c for c in kept if c not in text], [c for c in kept if c in text]


def _names_rows(column: pd.Series) -> bool:
    """Whether a text column holds names of rows: nearly each value is another one."""
    return len(column) >= 10 and column.nunique() > DISTINCT * column.count()


def _counts_rows(column: pd.Series) -> bool:
    """Whether a column of whole numbers counts the rows: it only goes up."""
    whole = pd.api.types.is_integer_dtype(column)
    return len(column) >= 10 and whole and bool((column.diff()[1:] > 0).all())
