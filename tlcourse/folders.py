"""Your own data as domains: a folder of images with a subfolder for each class, or a CSV table."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from tlcourse.domain import DataError, Domain

SIDE = 96
"""Images with a longer side are brought to this many pixels."""
LABEL_NAMES = ("label", "class", "target", "y")
MOST_CATEGORIES = 20
"""Of a text column; the rarer ones share a column of their own."""


def read_domains(
    source: Path | str, target: Path | str, *, label: str | None = None
) -> tuple[Domain, Domain, list[str]]:
    """Read two domains from two folders of images or two CSV tables.

    Parameters
    ----------
    source, target : path
    label : str, optional
        Column of the tables that holds the labels. None: one called label, class, target or y,
        else the last.

    Returns
    -------
    source, target : Domain
    notices : list of str
        What was left out, resized, filled in or encoded.

    Raises
    ------
    DataError
        Nothing to read, or a folder beside a table; in one sentence.
    """
    source, target = Path(source), Path(target)
    for path in (source, target):
        if not path.exists():
            raise DataError(f"there is no {path}; give a folder of images or a CSV table")
    if source.is_dir() != target.is_dir():
        raise DataError(f"{source} and {target} must both be folders of images or both be tables")
    names = _names(source, target)
    if source.is_dir():
        return _image_domains(source, target, names)
    return _table_domains(source, target, names, label)


def _names(source: Path, target: Path) -> tuple[str, str]:
    names = source.stem or str(source), target.stem or str(target)
    return names if names[0] != names[1] else (f"{names[0]} (source)", f"{names[1]} (target)")


def _image_domains(source: Path, target: Path, names) -> tuple[Domain, Domain, list[str]]:
    (mine, notices), (theirs, more) = (_read_images(*x) for x in
                                       zip((source, target), names, strict=True))
    grey = all(image.shape[2] == 1 for image, _ in (*mine, *theirs))
    side = min(SIDE, Counter(max(image.shape[:2]) for image, _ in theirs).most_common(1)[0][0])
    notices += more
    domains = []
    for name, found in zip(names, (mine, theirs), strict=True):
        other = sum(image.shape[:2] != (side, side) for image, _ in found)
        if other:
            notices.append(f"{other} of {len(found)} images of {name} were resized to "
                           f"{side} × {side} pixels")
        X = np.stack([_as_square(image, side, grey) for image, _ in found])
        classes = sorted({label for _, label in found})
        y = [classes.index(label) for _, label in found]
        domains.append(Domain(name, X, np.array(y), classes))
    return *domains, notices


def _read_images(folder: Path, name: str) -> tuple[list[tuple[np.ndarray, str]], list[str]]:
    """Images as (H, W, C) bytes with the name of their subfolder, and which could not be read."""
    subfolders = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    if len(subfolders) < 2:
        raise DataError(f"{folder} holds {len(subfolders)} subfolders; a domain needs one for each "
                        "of at least 2 classes, with the images of that class in it")
    found, unreadable = [], []
    for subfolder in subfolders:
        for path in sorted(subfolder.rglob("*")):
            if path.is_dir() or path.name.startswith("."):
                continue
            image = _read_image(path)
            if image is None:
                unreadable.append(path.relative_to(folder).as_posix())
            else:
                found.append((image, subfolder.name))
    notices = []
    if unreadable:
        more = f" and {len(unreadable) - 5} more" if len(unreadable) > 5 else ""
        notices.append(f"{len(unreadable)} of {len(found) + len(unreadable)} files of {name} could "
                       f"not be read as images and were skipped: {', '.join(unreadable[:5])}{more}")
    if not found:
        raise DataError(f"{folder} holds no image that can be read; "
                        f"{len(unreadable)} files were tried")
    return found, notices


def _read_image(path: Path) -> np.ndarray | None:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            if image.mode.startswith("I"):  # 16 bits of grey
                deep = np.asarray(image, dtype=np.float64)
                image = Image.fromarray((deep / max(deep.max(), 255) * 255).astype(np.uint8))
            elif image.mode not in ("L", "1"):
                image = _on_white(image)
            pixels = np.asarray(image.convert("L" if image.mode in ("L", "1") else "RGB"))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError,
            Image.DecompressionBombError):
        return None
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def _on_white(image):
    """Without transparency: what shows through is white."""
    from PIL import Image

    if "A" not in image.mode and "transparency" not in image.info:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def _as_square(image: np.ndarray, side: int, grey: bool) -> np.ndarray:
    """Pixels as (C, side, side) float32 in [0, 1]."""
    from PIL import Image

    if image.shape[:2] != (side, side):
        small = Image.fromarray(image.squeeze(-1) if image.shape[2] == 1 else image)
        image = np.asarray(small.resize((side, side), Image.Resampling.BILINEAR))
    image = image.reshape(side, side, -1)
    if image.shape[2] == 1 and not grey:
        image = np.repeat(image, 3, axis=2)
    return image.transpose(2, 0, 1).astype(np.float32) / 255


def _table_domains(source, target, names, label) -> tuple[Domain, Domain, list[str]]:
    frames, notices = [], []
    for path in (source, target):
        try:
            frames.append(pd.read_csv(path).replace([np.inf, -np.inf], np.nan))
        except (ValueError, OSError) as error:
            raise DataError(f"{path} could not be read as a CSV table ({error})") from None
    label = label or _label_column(frames[1], notices)
    labels = []
    for i, (frame, name) in enumerate(zip(frames, names, strict=True)):
        if label not in frame:
            raise DataError(f"{name} has no column {label!r}; it has {', '.join(frame.columns)}")
        if missing := int(frame[label].isna().sum()):
            notices.append(f"{missing} rows of {name} have no {label} and were left out")
        frames[i] = frame.dropna(subset=label)
        labels.append(_as_names(frames[i].pop(label)))
    X_s, X_t, more = _encode(*frames, names)
    domains = []
    for name, X, y in zip(names, (X_s, X_t), labels, strict=True):
        classes = sorted(set(y))
        domains.append(Domain(name, X, np.array([classes.index(k) for k in y]), classes))
    return *domains, notices + more


def _label_column(frame: pd.DataFrame, notices: list[str]) -> str:
    named = [column for column in frame.columns if column.lower() in LABEL_NAMES]
    column = named[0] if named else frame.columns[-1]
    notices.append(f"the labels are taken from the column {column!r}; --label names another one")
    return column


def _as_names(column: pd.Series) -> list[str]:
    """Labels as text; a missing label elsewhere turns whole numbers into 1.0, which is 1."""
    if pd.api.types.is_float_dtype(column) and (column == column.round()).all():
        column = column.astype(np.int64)
    return column.astype(str).str.strip().tolist()


def _encode(source: pd.DataFrame, target: pd.DataFrame, names) -> tuple:
    """Both tables as numbers: what is missing filled in, and categories one-hot, by the source."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    notices, both = [], [c for c in source.columns if c in target.columns]
    for frame, name in zip((source, target), names, strict=True):
        if only := [c for c in frame.columns if c not in both]:
            notices.append(f"columns that only {name} has were left out: {', '.join(only)}")
    both = [c for c in both if source[c].notna().any()]
    if not both:
        raise DataError(f"{names[0]} and {names[1]} have no column in common beside the labels")
    source, target = source[both], target[both]
    text = [c for c in both if not all(pd.api.types.is_numeric_dtype(f[c])
                                       for f in (source, target))]
    numbers = [c for c in both if c not in text]
    for frame, name in zip((source, target), names, strict=True):
        if holes := int(frame.isna().sum().sum()):
            notices.append(f"{holes} missing values of {name} were filled in with the median of "
                           f"their column in {names[0]}, or its most frequent category")
    if text:
        notices.append(f"columns of categories became one column a category: {', '.join(text)}")
    encoder = make_column_transformer(
        (SimpleImputer(strategy="median"), numbers),
        (make_pipeline(SimpleImputer(strategy="most_frequent"),
                       OneHotEncoder(handle_unknown="infrequent_if_exist", sparse_output=False,
                                     max_categories=MOST_CATEGORIES)), text))
    as_text = {c: "str" for c in text}
    frames = [f.astype(as_text).where(f.notna()) if text else f for f in (source, target)]
    return (*(encoder.fit(frames[0]).transform(f).astype(np.float32) for f in frames), notices)
