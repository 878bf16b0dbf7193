"""Numbers as people write them: thousands, currencies, per cent, decimal commas, other minuses."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tlcourse.data.table_files import TextTable

MISSING = frozenset((
    "", "?", "-", "--", "---", "–", "—", ".", "..", "...", "na", "n/a", "n.a.", "n.a", "#n/a",
    "#na", "<na>", "nan", "-nan", "null", "none", "nil", "nat", "(null)", "<null>", "unknown",
    "missing"))
"""What stands for a missing value in a column of numbers, in small letters."""
CURRENCIES = frozenset((
    "%", "EUR", "USD", "GBP", "CHF", "JPY", "CNY", "INR", "CAD", "AUD", "BRL", "SEK", "NOK", "DKK",
    "PLN", "CZK", "RUB", "KRW", "US$", "A$", "C$", "R$", "HK$", "NZ$", "Rs", "Rs.", "kr", "kr.",
    "zł", "Kč", "Ft", "Fr."))
FACTORS = {"%": 0.01, "k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "": 1.0}
"""What stands beside a number and multiplies it."""
SAMPLE = 200
"""Cells of a column that are asked for their decimal sign."""
_CORE = re.compile(r"\d[\d.,]*\d")


def decimal_signs(table: TextTable) -> dict[str, str]:
    """The decimal sign of each column, "." or ",".

    A column decides by its own cells: 1,5 and 1.234,50 can have one meaning only. Where all are
    like 1,234, the table's other columns decide, and at last what separates the cells: with commas
    between them, one within a cell marks thousands.
    """
    commas = {name for name, cells in table.columns.items()
              if (np.strings.find(cells, ",") >= 0).any()}
    if not commas:
        return dict.fromkeys(table.columns, ".")
    own = {name: _voted(cells) for name, cells in table.columns.items()}
    votes = Counter(sign for sign in own.values() if sign)
    usual = votes.most_common(1)[0][0] if votes else ("." if table.separator in (",", "") else ",")
    return {name: sign or usual for name, sign in own.items()}


def _voted(cells: np.ndarray) -> str | None:
    marked = (np.strings.find(cells, ",") >= 0) | (np.strings.find(cells, ".") >= 0)
    votes = Counter(_sign_of(cell) for cell in cells[marked][:SAMPLE])
    votes.pop(None, None)
    return votes.most_common(1)[0][0] if votes else None


def _sign_of(cell: str) -> str | None:
    """The decimal sign that one cell proves, if any."""
    found = _CORE.search(cell)
    if not found:
        found = re.fullmatch(r"-?([.,])\d", cell)
        return found and found[1]
    core = found[0]
    dot, comma = core.rfind("."), core.rfind(",")
    if dot < 0 and comma < 0:
        return None
    if dot >= 0 and comma >= 0:
        return "," if comma > dot else "."
    sign, other = (".", ",") if dot >= 0 else (",", ".")
    if core.count(sign) > 1:
        grouped = re.fullmatch(rf"\d{{1,3}}([{sign}]\d{{2,3}})*[{sign}]\d{{3}}", core)
        return other if grouped else None
    return None if re.fullmatch(rf"[1-9]\d{{0,2}}[{sign}]\d{{3}}", core) else sign


@dataclass(frozen=True, eq=False)
class Parsed:
    """Texts read as numbers.

    Parameters
    ----------
    numbers : (n,) float64
        NaN where a text is no number, or an infinite one. Per cents are hundredths.
    units : (n,) array of str objects
        What stands beside the number; "" for most.
    unusual : (n,) bool
        Which are written in another way than 1234.5.
    """

    numbers: np.ndarray
    units: np.ndarray
    unusual: np.ndarray


def parse(values: np.ndarray, decimal: str) -> Parsed:
    """Read different texts as numbers.

    Parameters
    ----------
    values : (n,) array of str objects
    decimal : str
        The decimal sign, "." or ",".
    """
    numbers = pd.to_numeric(pd.Series(values, dtype=object), errors="coerce").to_numpy(np.float64)
    numbers = numbers.copy()
    units = np.full(len(values), "", dtype=object)
    left = np.isnan(numbers)
    if decimal == ",":
        left |= np.array(["." in value for value in values], dtype=bool)
    left[left] = [any(map(str.isdigit, value)) for value in values[left]]
    if left.any():
        numbers[left], units[left] = _parse_written(values[left], decimal)
    numbers[~np.isfinite(numbers)] = np.nan
    return Parsed(numbers, units, left)


def _parse_written(values: np.ndarray, decimal: str) -> tuple[np.ndarray, np.ndarray]:
    text = pd.Series(values, dtype=object).str.normalize("NFKC")  # narrow blanks, full-width digits
    text = text.str.replace(r"[\u2212\u2010-\u2015]", "-", regex=True).str.replace("\u2019", "'")
    group = "[ ',]" if decimal == "." else "[ '.]"
    sign = re.escape(decimal)
    parts = text.str.extract(
        r"^(?P<open>\(?)(?P<minus>[-+]?)\s*(?P<before>[^\d\s.,()+-]+\.?|[A-Z]{0,2}\$)?\s*"
        r"(?P<second>[-+]?)"
        rf"(?P<number>(?:\d{{1,3}}(?:{group}\d{{2,3}})*{group}\d{{3}}|\d+)(?:{sign}\d*)?|{sign}\d+)"
        r"(?P<exponent>[eE][-+]?\d+)?(?P<last>-?)\s*"
        r"(?P<after>[^\d\s.,()+-][^\d\s.,()+]*\.?)?(?P<close>\)?)$"
    ).fillna("")
    number = parts["number"].str.replace(group, "", regex=True).str.replace(decimal, ".")
    numbers = pd.to_numeric(number + parts["exponent"], errors="coerce").to_numpy(np.float64).copy()
    before, after = parts["before"], parts["after"]
    known = before.map(_is_currency)  # letters before a number make it a code, as in C10
    wrong = ((parts["open"] == "(") != (parts["close"] == ")")) | ~known
    signs = parts["minus"] + parts["second"] + parts["last"]
    wrong |= (before != "") & ~after.isin(list(FACTORS)) | (signs.str.len() > 1)
    numbers[wrong.to_numpy()] = np.nan
    numbers[((signs == "-") ^ (parts["open"] == "(")).to_numpy()] *= -1
    numbers *= after.map(FACTORS).fillna(1).to_numpy()
    units = before + after.where(~after.isin(list(FACTORS)) | (after == "%"), "")
    return numbers, units.to_numpy(object)


def _is_currency(unit: str) -> bool:
    from unicodedata import category

    return unit in CURRENCIES or all(category(c) == "Sc" for c in unit)


def units_of(both: Sequence[Parsed]) -> tuple[str, ...]:
    """What the numbers of a column may bear in two tables: currencies, %, or a single unit.

    Letters are a unit where all numbers of a table bear the same ones; else they make codes, as in
    12A and 12B.
    """
    found = [{u for u in p.units[~np.isnan(p.numbers)]} for p in both]
    units = set().union(*found)
    single = all(len(u) <= 1 for u in found) and len(units - {""}) == 1
    return tuple(sorted(u for u in units if single or _is_currency(u))) or ("",)
