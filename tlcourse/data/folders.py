"""Your own data as domains: a folder of images with a subfolder for each class, or a CSV table."""

from collections import Counter
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from tlcourse.data.domain import DataError, Domain
from tlcourse.data.tables import read_tables
from tlcourse.utils.messages import counted, listed

SIDE = 96
"""Images with a longer side are brought to this many pixels."""


def read_domains(
    source: Path | str, target: Path | str, *, label: str | None = None, bins: int | None = None,
    group: str | None = None,
) -> tuple[Domain, Domain, list[str]]:
    """Read two domains from two folders of images or two CSV tables.

    Parameters
    ----------
    source, target : path
    label : str, optional
        Column of the tables that holds the labels. None: one called label, class, target or y,
        else the last.
    bins : int, optional
        Cut labels that are amounts into so many classes, at the quantiles of the source.
    group : str, optional
        Column of the tables that holds what belongs together, such as a patient; no feature.

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
    tables = read_tables(source, target, names, label, bins=bins, group=group)
    return tables.source, tables.target, tables.notices


def _names(source: Path, target: Path) -> tuple[str, str]:
    mine, theirs = (path.name if path.is_dir() else path.stem
                    for path in (source.resolve(), target.resolve()))
    return (mine, theirs) if mine != theirs else (f"{mine} (source)", f"{theirs} (target)")


def _image_domains(source: Path, target: Path, names) -> tuple[Domain, Domain, list[str]]:
    (mine, notices), (theirs, more) = (_read_images(*x) for x in
                                       zip((source, target), names, strict=True))
    grey = all(image.shape[2] == 1 for image, _, _ in (*mine, *theirs))
    side = min(SIDE, Counter(max(size) for _, size, _ in theirs).most_common(1)[0][0])
    notices += more
    domains = []
    for name, found in zip(names, (mine, theirs), strict=True):
        other = sum(size != (side, side) for _, size, _ in found)
        if other:
            notices.append(f"{other} of {len(found)} images of {name} were resized to "
                           f"{side} × {side} pixels")
        X = np.stack([_as_square(image, side, grey) for image, _, _ in found])
        classes = sorted({label for *_, label in found})
        y = [classes.index(label) for *_, label in found]
        domains.append(Domain(name, X, np.array(y), classes))
    return *domains, notices


def _read_images(
    folder: Path, name: str
) -> tuple[list[tuple[np.ndarray, tuple[int, int], str]], list[str]]:
    """Images as (H, W, C) bytes, their own size and subfolder, and notices of what is no image."""
    entries = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    subfolders = [p for p in entries if p.is_dir()]
    if len(subfolders) < 2:
        raise DataError(f"{folder} holds {counted(len(subfolders), 'subfolder')}; a domain needs "
                        "one for each of at least 2 classes, with the images of that class in it")
    paths = [(path, subfolder.name) for subfolder in subfolders
             for path in sorted(subfolder.rglob("*"))
             if not path.is_dir() and not path.name.startswith(".")]
    found, unreadable = [], []
    for path, label in tqdm(paths, desc=f"reading {name}", delay=2, leave=False):
        image = _read_image(path)
        if image is None:
            unreadable.append(path.relative_to(folder).as_posix())
        else:
            found.append((*image, label))
    if not found:
        raise DataError(f"{folder} holds no image that can be read, in its subfolders "
                        f"{counted(len(unreadable), 'file')}; put the images of a class into its "
                        "subfolder")
    notices = []
    if unreadable:
        notices.append(f"{len(unreadable)} of {len(paths)} files of {name} could not be read as "
                       f"images and were skipped: {listed(unreadable)}")
    seen = {label for *_, label in found}
    if empty := [p.name for p in subfolders if p.name not in seen]:
        notices.append(f"subfolders of {name} without an image are no classes: {listed(empty)}")
    if beside := [p.name for p in entries if not p.is_dir()]:
        notices.append(f"files of {name} that lie in no subfolder were left out: {listed(beside)}")
    return found, notices


def _read_image(path: Path) -> tuple[np.ndarray, tuple[int, int]] | None:
    """Pixels, at most `SIDE` on a side so that thousands of photographs fit, and the own size."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            if image.mode.startswith("I"):  # 16 bits of grey
                deep = np.asarray(image, dtype=np.float64)
                image = Image.fromarray((deep / max(deep.max(), 255) * 255).astype(np.uint8))
            elif image.mode not in ("L", "1"):
                image = _on_white(image)
            image = image.convert("L" if image.mode in ("L", "1") else "RGB")
            image = ImageOps.exif_transpose(image)  # cameras write a turn beside the pixels
            size = image.size
            if max(size) > SIDE:
                image = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
            pixels = np.asarray(image)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError,
            Image.DecompressionBombError):
        return None
    return (pixels[:, :, None] if pixels.ndim == 2 else pixels), size


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
