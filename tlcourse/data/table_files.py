"""Any file of a table as columns of text: what it is, its encoding, and what separates its cells.

Nothing is guessed cell by cell here: a cell stays the text that was written, and rows that do not
fit their header are counted and named.
"""

import bz2
import csv
import gzip
import io
import json
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pandas as pd

from tlcourse.data.domain import DataError
from tlcourse.utils.messages import counted, listed, one_line

MOST_BYTES = 1 << 31
"""Of a file, packed or not; a table of this size would not fit into memory as numbers either."""
CHUNK = 500_000
"""Cells that are Python's strings at a time; afterwards a short one takes 16 bytes."""
MOST_UNFIT = 0.1
"""Share of rows that may have another number of cells than the header and are left out."""
TABLE_ENDINGS = (".csv", ".tsv", ".tab", ".txt", ".dat", ".data")
PACKERS = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
MARKS_OF_ENCODINGS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe\x00\x00": "utf-32",
                      b"\x00\x00\xfe\xff": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
READ_BY_PANDAS = {"a Parquet file": pd.read_parquet, "a Feather file": pd.read_feather,
                  "an Excel file": pd.read_excel}
KINDS = {
    b"PAR1": "a Parquet file", b"ARROW1": "a Feather file", b"\xd0\xcf\x11\xe0": "an Excel file",
    b"\x89HDF": "an HDF5 file", b"SQLite format 3": "an SQLite database", b"%PDF": "a PDF file",
    b"\x93NUMPY": "a NumPy array", b"\x80\x02": "a pickle", b"\x80\x03": "a pickle",
    b"\x80\x04": "a pickle", b"\x80\x05": "a pickle", b"{\\rtf": "a text document (RTF)",
    b"7z\xbc\xaf": "a 7z archive", b"Rar!": "a RAR archive", b"\x28\xb5\x2f\xfd": "a zstd archive",
}
"""How files begin that are no text."""
NO_TABLES = {
    "version https://git-lfs": "is a pointer of Git LFS and no table; call git lfs pull, which "
                               "brings the file itself",
    "<": "is an HTML or XML page and no table, such as a download's page of errors; download the "
         "table itself, or save it as CSV",
    "@relation": "is an ARFF file; save it as CSV with a line of names on top",
}
"""How texts begin, in small letters, that are no tables."""


@dataclass(frozen=True, eq=False)
class TextTable:
    """A table as it was written.

    Parameters
    ----------
    name : str
        What the reader calls the table.
    columns : dict of str to array of numpy's StringDType, (N,)
        Cells without the blanks around them.
    separator : str
        Of the cells in the file; "" where the file keeps them apart in another way.
    """

    name: str
    columns: dict[str, np.ndarray]
    separator: str

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def named(self, name: str) -> str | None:
        """The column of this name: itself, else the only one but for blanks and case."""
        if name in self.columns:
            return name
        alike = [c for c in self.columns if _loosely(c) == _loosely(name)]
        return alike[0] if len(alike) == 1 else None


def read_text_table(path: Path, name: str, notices: list[str]) -> TextTable:
    """Read a file as columns of text, and note all that was decided on the way.

    Raises
    ------
    DataError
        A file that is no table, or a damaged one; in one sentence.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"{path} holds {path.stat().st_size / 2**30:.1f} GB, more than "
                            f"{MOST_BYTES >> 30}; draw rows from it and give those")
        data = _unpacked(path, path.read_bytes())
    except OSError as error:
        raise DataError(f"{path} could not be read as a CSV table ({error})") from None
    if not data.strip():
        raise DataError(f"{path} could not be read as a CSV table (it is empty)")
    kind = _kind(data)
    if kind in READ_BY_PANDAS:
        return _table(path, name, *_read_by_pandas(path, kind, data), "", notices)
    if kind:
        way = ("images come as a folder, with a subfolder for each class" if kind == "an image"
               else "save the table as CSV")
        raise DataError(f"{path} is {kind}; {way}")
    text = _decoded(path, data, name, notices)
    if text.lstrip()[:1] in ("[", "{"):
        return _table(path, name, *_read_json(path, text), "", notices)
    beginning = re.sub(r"\A(\s*%.*\n)*\s*", "", text[:100_000]).lower()
    for start, what in NO_TABLES.items():
        if beginning.startswith(start):
            raise DataError(f"{path} {what}")
    return _table(path, name, *_apart(path, text, name, notices), notices)


def _unpacked(path: Path, data: bytes) -> bytes:
    """What a compressed file holds; zip archives of one table are opened too."""
    try:
        for start, opened in PACKERS.items():
            if data.startswith(start):
                with opened(io.BytesIO(data)) as file:
                    data = file.read(MOST_BYTES + 1)
        if data.startswith(b"PK") and zipfile.is_zipfile(io.BytesIO(data)):
            data = _from_zip(path, zipfile.ZipFile(io.BytesIO(data)), data)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError,
            NotImplementedError) as error:
        raise DataError(f"{path} is a packed file (gz, zip or alike) that could not be unpacked "
                        f"({one_line(str(error))}); copy or download it once more") from None
    if data[257:262] == b"ustar":
        raise DataError(f"{path} is a tar archive; unpack it and give the table in it")
    if len(data) > MOST_BYTES:
        raise DataError(f"{path} holds more than {MOST_BYTES >> 30} GB when unpacked; draw rows "
                        "from it and give those")
    return data


def _from_zip(path: Path, archive: zipfile.ZipFile, data: bytes) -> bytes:
    names = archive.namelist()
    if any(n in ("xl/workbook.xml", "xl/workbook.bin", "content.xml") for n in names):
        return data  # a workbook is a zip archive of its own kind
    tables = [n for n in names if n.lower().endswith(TABLE_ENDINGS)
              and not any(part.startswith((".", "__MACOSX")) for part in n.split("/"))]
    if len(tables) != 1:
        raise DataError(f"{path} is a zip archive of {counted(len(names), 'file')} with "
                        f"{counted(len(tables), 'table')}; unpack it and give one table, or the "
                        "folder of images")
    with archive.open(tables[0]) as file:
        return file.read(MOST_BYTES + 1)


def _kind(data: bytes) -> str | None:
    """What a file is that is no text."""
    if data.startswith(b"PK\x03\x04"):
        return "an Excel file"
    for start, kind in KINDS.items():
        if data.startswith(start):
            return kind
    if data.startswith(tuple(MARKS_OF_ENCODINGS)) or _utf_16_without_mark(data):
        return None
    head = data[:4096]
    strange = sum(head.count(code) for code in range(32) if code not in b"\t\n\r\f\x1a")
    if strange < max(2, len(head) / 100):
        return None
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)):
            return "an image"
    except Exception:  # a damaged file may raise anything there
        return "no text"


def _utf_16_without_mark(data: bytes) -> str | None:
    """Every other byte of Western text is zero then."""
    even, odd = (np.mean(np.frombuffer(data[k:4096:2], np.uint8) == 0) for k in (0, 1))
    if max(even, odd) < 0.5 or min(even, odd) > 0.1:
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def _decoded(path: Path, data: bytes, name: str, notices: list[str]) -> str:
    mark = next((m for m in MARKS_OF_ENCODINGS if data.startswith(m)), b"")
    encoding = MARKS_OF_ENCODINGS.get(mark) or _utf_16_without_mark(data) or "utf-8"
    try:
        text = data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise DataError(f"{path} is damaged: it begins as {encoding.upper()} and is none from "
                            f"byte {error.start:,} on; save it as CSV in UTF-8") from None
        encoding = "Windows-1252"
        text = data.decode("cp1252", errors="replace")
    if encoding != "utf-8":
        word = re.search(r"\w*[^\x00-\x7f]\w*", text)
        notices.append(f"{name} is not written in UTF-8 and was read as {encoding}"
                       + (f", where a word of it reads {word[0]!r}; save it in UTF-8 if that is "
                          "wrong" if word else ""))
    if "\0" in text:
        raise DataError(f"{path} is damaged: it holds zeros after {text.index(chr(0)):,} "
                        "characters; bring it here once more")
    return text


def _read_by_pandas(path: Path, kind: str, data: bytes) -> tuple[list[str], list[np.ndarray]]:
    read = READ_BY_PANDAS[kind]
    typed = {"dtype": str} if read is pd.read_excel else {}
    try:
        frame = read(io.BytesIO(data), **typed)
    except Exception as error:  # of any of the packages that pandas asks
        raise DataError(f"{path} is {kind} that pandas.{read.__name__} could not read "
                        f"({one_line(str(error))}); save the table as CSV") from None
    return _as_text(frame)


def _read_json(path: Path, text: str) -> tuple[list[str], list[np.ndarray]]:
    try:
        try:
            records = json.loads(text)
        except ValueError:  # one object a line
            records = [json.loads(line) for line in text.splitlines() if line.strip()]
        frame = pd.DataFrame(records)
        if frame.empty or frame.map(lambda cell: isinstance(cell, list | dict)).any(axis=None):
            raise ValueError("it is no list of flat records")
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"{path} looks like JSON and no table could be read from it "
                        f"({one_line(str(error))}); save the table as CSV") from None
    return _as_text(frame)


def _as_text(frame: pd.DataFrame) -> tuple[list[str], list[np.ndarray]]:
    columns = []
    for k in range(frame.shape[1]):
        cells = frame.iloc[:, k]
        written = cells.astype(object).map(str).where(cells.notna(), "")
        columns.append(np.array(written.tolist(), dtype=np.dtypes.StringDType()))
    return [str(c) for c in frame.columns], columns


def _apart(
    path: Path, text: str, name: str, notices: list[str]
) -> tuple[list[str], list[np.ndarray], str]:
    """Header, columns and separator of a text."""
    file = io.StringIO(text, newline=None)  # whatever ends the lines
    comments, given, start = [], None, 0
    while line := file.readline():
        if found := re.fullmatch(r'"?sep=(.)"?', line.strip("\n\r ")):
            given = found[1]
        elif line.lstrip().startswith("#"):
            comments.append(line.lstrip("# \t"))
        elif line.strip():
            break
        start = file.tell()
    file.seek(start)
    sample = list(islice(file, 200))
    file.seek(start)
    separator = given or _separator(sample)
    if separator is None:
        raise DataError(f"{path} could not be read as a CSV table: it holds one column only, for "
                        "no comma, semicolon, tab, | or blank separates its cells all through")
    names, *first = islice(_records(path, sample, separator), 2)
    if comments and first and _values(names) and len(
            above := next(_records(path, comments[-1:], separator), [])) == len(names):
        names = above  # the names are commented out, as genome browsers write them
        comments.pop()
    else:
        start = None
    if comments:
        notices.append(f"lines with # on top of {name} were left out: {len(comments)}")
    if separator not in (",", ";", "\t"):
        notices.append(f"the cells of {name} are separated by "
                       f"{'blanks' if separator == ' ' else separator}")
    rows = _records(path, file, separator)
    if start is None:
        next(rows)
    while names and not names[-1].strip():
        names.pop()
    return *_columns(path, names, rows, name, notices), separator


def _separator(sample: list[str]) -> str | None:
    """The one that cuts most of the first rows into as many cells as the header."""
    def fit(separator: str) -> tuple[float, int]:
        widths = []
        try:
            for row in csv.reader(_spaced(sample, separator), strict=True,
                                  **_dialect(sample, separator)):
                widths.append(len(row))
        except csv.Error:  # the sample may end inside of quotes
            pass
        names = widths[0] if widths else 0
        fits = np.abs(np.array(widths) - names) <= 1  # row names and commas at the ends
        return (float(fits.mean()) if names > 1 else 0.0), names

    for candidates in (",;\t|", " "):
        best = max(candidates, key=fit)
        if fit(best)[0] > 0:
            return best
    return None


def _spaced(lines, separator: str):
    """Lines as they are; runs of blanks become one tab where blanks separate."""
    return ("\t".join(line.split()) + "\n" for line in lines) if separator == " " else lines


def _dialect(sample: list[str], separator: str) -> dict:
    quote = "'" if sample and sample[0].startswith("'") else '"'
    return {"delimiter": "\t" if separator == " " else separator, "quotechar": quote,
            "skipinitialspace": True}


def _records(path: Path, lines, separator: str) -> Iterator[list[str]]:
    lines = iter(lines)
    first = next(lines, "")
    reader = csv.reader(_spaced(_chained(first, lines), separator), strict=True,
                        **_dialect([first], separator))
    try:
        yield from (row for row in reader if row)
    except csv.Error as error:
        raise DataError(f"{path} could not be read as a CSV table: near line {reader.line_num:,} a "
                        f"quotation mark is left open or misplaced ({error})") from None


def _chained(first: str, rest) -> Iterator[str]:
    yield first
    yield from rest


def _columns(
    path: Path, names: list[str], rows: Iterator[list[str]], name: str, notices: list[str]
) -> tuple[list[str], list[np.ndarray]]:
    """The rows as columns; commas too many at their ends count for nothing."""
    width, parts, unfit, again, seen = len(names), [], [], 0, 0
    while chunk := list(islice(rows, max(1, CHUNK // max(1, width)))):
        if not parts and all(len(row) == width + 1 and row[-1].strip() for row in chunk):
            names, width = ["", *names], width + 1  # R writes row names without a name above
        fit = []
        for number, row in enumerate(chunk, start=seen + 1):
            while len(row) > width and not row[-1].strip():
                row.pop()
            if row == names:
                again += 1
            elif len(row) == width:
                fit.append(row)
            else:
                unfit.append((number, len(row)))
        seen += len(chunk)
        if fit:
            parts.append(np.array(fit, dtype=np.dtypes.StringDType()))
    if len(unfit) > MOST_UNFIT * seen:
        number, cells = unfit[0]
        raise DataError(f"{path} could not be read as a CSV table: its first line names "
                        f"{counted(width, 'column')}, but of {counted(seen, 'row')} {len(unfit):,} "
                        f"hold more or fewer cells (row {number:,}: {cells}); put cells that hold "
                        "the separator into quotation marks")
    if again:
        notices.append(f"rows of {name} that repeat the names on top were left out: {again}")
    if unfit:
        notices.append(f"rows of {name} with more or fewer cells than the {width} names on top "
                       f"were left out: {len(unfit):,} (row "
                       f"{listed([f'{row:,}' for row, _ in unfit])} below the names)")
    parts = parts or [np.empty((0, width), dtype=np.dtypes.StringDType())]
    return names, [np.concatenate([part[:, k] for part in parts]) for k in range(width)]


def _table(path: Path, name: str, names: list[str], columns: list[np.ndarray], separator: str,
           notices: list[str]) -> TextTable:
    """Columns under clean names, each another one; those without a name are left out."""
    names = [" ".join(normalize("NFC", n).split()) for n in names]
    columns = [np.strings.strip(column) for column in columns]
    _refuse_values_as_names(path, names, columns)
    kept, unnamed, again = {}, 0, []
    for own, column in zip(names, columns, strict=True):
        if not own or re.fullmatch(r"Unnamed: \d+", own):
            unnamed += 1
            continue
        unique, n = own, 1
        while unique in kept:
            n += 1
            unique = f"{own} ({n})"
        if n > 1:
            again.append(own)
            if np.array_equal(kept[own], column):
                continue
        kept[unique] = column
    if unnamed:
        notices.append(f"columns of {name} without a name were left out: {unnamed}")
    if again:
        notices.append(f"names that several columns of {name} bear: {listed(again)}; a copy was "
                       "left out, any other got a number")
    if not kept:
        raise DataError(f"{path} could not be read as a CSV table: no column has a name")
    return TextTable(name, kept, separator)


def _values(names: list[str]) -> list[str]:
    """The names that are numbers; a count or years, as of pixels 0, 1, 2, are names."""
    number = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.I)
    numbers = [n for n in names if number.fullmatch(n)]
    whole = np.array([int(n) for n in numbers if n.isdecimal() and len(n) < 9])
    steps = np.diff(whole)
    years = len(whole) and whole.min() > 1800 and whole.max() < 2200
    if len(whole) == len(numbers) > 2 and (steps > 0).all() and (years or np.ptp(steps) == 0):
        return []
    return numbers


def _refuse_values_as_names(path: Path, names: list[str], columns: list[np.ndarray]) -> None:
    """Most of a first row's values are numbers or stand in their column again, names do not."""
    numbers = _values(names)
    again = [n for n, column in zip(names, columns, strict=True)
             if n not in numbers and n and not n.isdecimal() and len(column) > 2
             and (column == n).any()]
    if 2 * len(numbers + again) > len(names):
        what = f"values that stand below it again ({listed(again)})" if again else "numbers"
        raise DataError(f"the first line of {path} holds {what}; give the columns names there")


def _loosely(name: str) -> str:
    return re.sub(r"[\s_]+", " ", name).casefold().strip()
