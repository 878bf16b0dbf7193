"""Your own data as domains: a folder of images with a subfolder for each class, or a CSV table."""

import hashlib
import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from tlcourse.data.domain import DataError, Domain
from tlcourse.data.pictures import LargePictureError, Picture, on_ground, prepare_pair, read_picture
from tlcourse.data.pictures import Preparation as PicturePreparation
from tlcourse.data.tables import Preparation as TablePreparation
from tlcourse.data.tables import read_tables
from tlcourse.utils.messages import counted, listed

LEFT_BY_PROGRAMS = {
    "@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "@tmp", "__macosx",
    "__pycache__", "_vti_cnf", "$recycle.bin", "recycler", "recycled", "lost+found", "lost.dir",
    "found.000", "system volume information", "network trash folder", "temporary items",
    "ipod photo cache", "thumbs.db", "thumbs.db:encryptable", "ehthumbs.db", "ehthumbs_vista.db",
    "desktop.ini", "icon\r", "picasa.ini", "zbthumbnail.info"}
"""Files and folders, in small letters, that systems and programs put beside pictures."""
UNFINISHED = ("~", ".tmp", ".bak", ".swp", ".part", ".crdownload")
"""Ends of names of copies that editors and downloads leave."""
SPLITS = {"train": "train", "training": "train", "trn": "train",
          "val": "val", "valid": "val", "validation": "val", "dev": "val",
          "test": "test", "testing": "test", "tst": "test", "eval": "test", "evaluation": "test",
          "holdout": "test"}
"""Words that name a part of a data set, and which part."""


def read_domains(
    source: Path | str, target: Path | str, *, label: str | None = None, bins: int | None = None,
    group: str | None = None,
) -> tuple[Domain, Domain, list[str]]:
    """Read two domains from two folders of images or two CSV tables.

    Parameters
    ----------
    source, target : path
        A folder holds one subfolder for each class. Where train, val and test lie above or below
        the classes, train is read, and the test part is never mixed in.
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
    found = read_pair(source, target, label=label, bins=bins, group=group)
    return found.source, found.target, found.notices


@dataclass(frozen=True, eq=False)
class OwnData:
    """Two domains that were read, and how further files are read in the same way.

    Parameters
    ----------
    source, target : Domain
    notices : list of str
    preparation : Preparation
        That of `tlcourse.data.pictures`, or that of `tlcourse.data.tables`.
    """

    source: Domain
    target: Domain
    notices: list[str]
    preparation: PicturePreparation | TablePreparation


def read_pair(
    source: Path | str, target: Path | str, *, label: str | None = None, bins: int | None = None,
    group: str | None = None,
) -> OwnData:
    """Read two domains as `read_domains` does, and tell how they were prepared."""
    source, target = Path(source), Path(target)
    for path in (source, target):
        if not path.exists():
            raise DataError(f"there is no {path}; give a folder of images or a CSV table")
    if source.is_dir() != target.is_dir():
        raise DataError(f"{source} and {target} must both be folders of images or both be tables")
    names = _names(source, target)
    if not source.is_dir():
        tables = read_tables(source, target, names, label, bins=bins, group=group)
        return OwnData(tables.source, tables.target, tables.notices, tables.preparation)
    for option, value in {"label": label, "bins": bins, "group": group}.items():
        if value is not None:
            raise DataError(f"{option}={value!r} is for tables, and {source} is a folder of "
                            "images: its subfolders are the classes")
    return _image_domains(source, target, names)


def _names(source: Path, target: Path) -> tuple[str, str]:
    mine, theirs = (_shown(path.name if path.is_dir() else path.stem)
                    for path in (source.resolve(), target.resolve()))
    return (mine, theirs) if mine != theirs else (f"{mine} (source)", f"{theirs} (target)")


def _image_domains(source: Path, target: Path, names) -> OwnData:
    # A target has no test part elsewhere, so its own may serve; a source must not learn from one.
    roles = (("train", "val"), ("train", "val", "test"))
    found = [_read_images(*x) for x in zip((source, target), names, roles, strict=True)]
    preparation, notices = prepare_pair(*(images.pictures for images in found), names)
    domains = []
    for name, images in zip(names, found, strict=True):
        X = np.empty((len(images.pictures), preparation.channels, *2 * (preparation.side,)),
                     dtype=np.float32)
        for row, picture in zip(X, images.pictures, strict=True):
            row[:] = preparation.scaled(picture)
        classes = sorted(set(images.labels))
        numbers = {label: k for k, label in enumerate(classes)}
        domains.append(Domain(name, X, np.array([numbers[k] for k in images.labels]), classes))
    about = [notice for images in found for notice in images.notices]
    return OwnData(*domains, [*about, *_nearly_equal(*domains), *notices], preparation)


@dataclass
class _Images:
    """What was found in a folder: pictures with the name of their class, and notices."""

    pictures: list[Picture] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def _read_images(folder: Path, name: str, parts: tuple[str, ...]) -> _Images:
    """Read the pictures of a domain: from the first of the parts, where it is divided into some."""
    images = _Images()
    folder = _part(folder, name, parts, images.notices)
    entries = _entries(folder)
    subfolders = [p for p in entries if p.is_dir()]
    if len(subfolders) < 2:
        inner = [p for p in subfolders if sum(q.is_dir() for q in _entries(p)) > 1]
        raise DataError(f"{folder} holds {counted(len(subfolders), 'subfolder')}; a domain needs "
                        "one for each of at least 2 classes, with the images of that class in it"
                        + "".join(f"; if they lie in {path}, give that" for path in inner))
    paths = _paths(folder, name, subfolders, parts, images.notices)
    unreadable, large = [], []
    for path, label in tqdm(paths, desc=f"reading {name}", delay=2, leave=False):
        shown = _shown(path.relative_to(folder).as_posix())
        try:
            images.pictures.append(read_picture(path))
        except LargePictureError:
            large.append(shown)
        except DataError:
            unreadable.append(shown)
        else:
            images.labels.append(label)
            images.paths.append(shown)
    if not images.pictures:
        raise DataError(f"{folder} holds no image that can be read, in its subfolders "
                        f"{counted(len(paths), 'file')}; put the images of a class into its "
                        "subfolder")
    if len(set(images.labels)) == 1:
        raise DataError(f"{folder} holds images that can be read in one subfolder only, "
                        f"{images.labels[0]}; a domain needs at least 2 classes"
                        + (f" (not read: {listed([*unreadable, *large])})"
                           if unreadable or large else ""))
    for what, files in (
            ("could not be read as images and were skipped", unreadable),
            ("are too large to unpack safely and were skipped, smaller copies would be read",
             large)):
        if files:
            images.notices.append(f"{len(files)} of {len(paths)} files of {name} {what}: "
                                  f"{listed(files)}")
    spelled = Counter(map(_class_name, subfolders))
    for what, found in (
            (f"subfolders of {name} without an image are no classes",
             sorted(set(spelled) - set(images.labels))),
            (f"subfolders of {name} that differ in the Unicode form of their name only are one "
             "class", [label for label, times in spelled.items() if times > 1]),
            (f"files of {name} that lie in no subfolder were left out",
             [_shown(p.name) for p in entries if not p.is_dir()])):
        if found:
            images.notices.append(f"{what}: {listed(found)}")
    _tell_of_equal_pictures(images, name)
    return images


def _entries(folder: Path) -> list[Path]:
    """What lies in a folder, without what programs leave behind."""
    try:
        return sorted(path for path in folder.iterdir() if not _left_by_a_program(path.name))
    except OSError as error:
        raise DataError(f"{folder} could not be opened ({error.strerror}); ask for the right to "
                        "read it") from None


def _left_by_a_program(name: str) -> bool:
    name = name.casefold()
    return name.startswith((".", "~$")) or name in LEFT_BY_PROGRAMS or name.endswith(UNFINISHED)


def _shown(name: str) -> str:
    """A name that can be printed: in one Unicode form, and without bytes that are no letters."""
    return unicodedata.normalize("NFC", os.fsencode(name).decode("utf-8", "replace"))


def _class_name(folder: Path) -> str:
    return _shown(folder.name)


def _split_of(name: str) -> str | None:
    """Which part of a data set a folder is by its name, such as train for ``training_set``."""
    word = re.sub(r"[\W\d_]*(sets?|data|images|imgs|split)?[\W\d_]*$", "", name.casefold())
    return SPLITS.get(word)


def _part(folder: Path, name: str, parts: tuple[str, ...], notices: list[str]) -> Path:
    """The folder itself, or the part of it to read where it is divided into train, val and test."""
    subfolders = [p for p in _entries(folder) if p.is_dir()]
    named = [p for p in subfolders if _split_of(p.name)]
    whole = [p for p in named if any(q.is_dir() for q in _entries(p))]
    others = [p for p in subfolders if p not in named and _has_pictures(p)]
    if len(whole) == 1 and others:
        raise DataError(f"{folder} holds {whole[0].name} with subfolders of its own beside "
                        f"{listed([p.name for p in others])}; give {whole[0]} where it is the "
                        "part to train on, or rename it where it is a class")
    divided = len({_split_of(p.name) for p in named}) > 1 or bool(whole)
    if not divided or others and not whole:
        return folder
    of_classes = whole or named
    used = next((p for part in parts for p in of_classes if _split_of(p.name) == part), None)
    if used is None:
        raise DataError(f"{folder} holds classes in {listed([p.name for p in of_classes])} only, "
                        "and a source must not learn from a test part; give "
                        f"{of_classes[0]} itself if it is none")
    rest = [_shown(p.name) for p in subfolders if p != used]
    notices.append(f"{name} is divided: {_shown(used.name)} was read"
                   + (f"; left out: {listed(rest)}" if rest else ""))
    return used


def _has_pictures(folder: Path) -> bool:
    """Whether a folder seems to hold pictures, by the ends of their names."""
    from PIL import Image

    known = Image.registered_extensions()
    return any(Path(name).suffix.lower() in known
               for _, _, names in os.walk(folder) for name in names)


def _paths(
    folder: Path, name: str, subfolders: list[Path], parts: tuple[str, ...], notices: list[str]
) -> list[tuple[Path, str]]:
    """The files of each class in order, with its name."""
    here = os.path.realpath(folder)
    above = {here, *map(str, Path(here).parents)}
    again: list[Path] = []
    files = {subfolder: _files(subfolder, above, again) for subfolder in subfolders}
    if again:
        notices.append(f"links of {name} to folders that are read already were not followed: "
                       f"{listed([_shown(p.relative_to(folder).as_posix()) for p in again])}")
    inner = defaultdict(set)
    for subfolder, paths in files.items():
        for path in paths:
            if len(below := path.relative_to(subfolder).parts) > 1:
                inner[subfolder].add(below[0])
    splits = {part for shared in inner.values() for part in map(_split_of, shared) if part}
    if len(splits) > 1:
        used = next(part for part in parts if part in splits)
        notices.append(f"the classes of {name} are divided: {used} was read; left out: "
                       f"{listed(sorted(splits - {used}))}")
        files = {subfolder: [p for p in paths if p.parent == subfolder
                             or _split_of(p.relative_to(subfolder).parts[0]) in (used, None)]
                 for subfolder, paths in files.items()}
    elif len(inner) == len(subfolders) and len(shared := set.intersection(*inner.values())) > 1:
        notices.append(f"each subfolder of {name} holds {listed(sorted(map(_shown, shared)))}: "
                       "these were taken for parts of a class; if they are the classes, give one "
                       f"of the subfolders, such as {subfolders[0]}")
    return [(path, _class_name(subfolder)) for subfolder, paths in files.items() for path in paths]


def _files(folder: Path, above: Iterable[str], again: list[Path]) -> list[Path]:
    """All files below a folder in order, through links too but never twice through one folder."""
    seen, files = set(above), []

    def closed(error: OSError) -> None:
        files.append(Path(error.filename))  # to be named among what could not be read

    for here, folders, names in os.walk(folder, followlinks=True, onerror=closed):
        if (real := os.path.realpath(here)) in seen:
            folders.clear()
            again.append(Path(here))
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not _left_by_a_program(name))
        files += [Path(here, name) for name in names if not _left_by_a_program(name)]
    return sorted(files)


def _tell_of_equal_pictures(images: _Images, name: str) -> None:
    """Name pictures that lie in two classes."""
    where = defaultdict(dict)
    for picture, label, path in zip(images.pictures, images.labels, images.paths, strict=True):
        digest = hashlib.blake2b(picture.pixels.tobytes())
        digest.update(b"" if picture.alpha is None else picture.alpha.tobytes())
        where[picture.size, digest.digest()].setdefault(label, path)
    if twice := [" = ".join(paths.values()) for paths in where.values() if len(paths) > 1]:
        images.notices.append(f"{counted(len(twice), 'image')} of {name} "
                              f"{'lies' if len(twice) == 1 else 'lie'} in several classes, equal "
                              f"in each pixel: {listed(twice, 3)}")


def _nearly_equal(source: Domain, target: Domain) -> list[str]:
    """Notices of class names that differ in little only; names are never merged for that."""
    notices = []
    for domain in (source, target):
        alike = defaultdict(list)
        for label in domain.classes:
            alike[_loose(label)].append(label)
        if pairs := [" and ".join(map(repr, labels)) for labels in alike.values()
                     if len(labels) > 1]:
            notices.append(f"classes of {domain.name} with nearly equal names stay apart: "
                           f"{listed(pairs)}; if they are one, put their images into one folder")
    only = [[k for k in mine.classes if k not in theirs.classes]
            for mine, theirs in ((source, target), (target, source))]
    if pairs := [f"{mine!r} and {theirs!r}" for mine in only[0] for theirs in only[1]
                 if _loose(mine) == _loose(theirs) and not mine.isdecimal()]:
        notices.append(f"class names of {source.name} and {target.name} are nearly equal but no "
                       f"match: {listed(pairs)}; if they mean the same, rename one of them")
    return notices


def _loose(name: str) -> str:
    """A name without what is written in several ways: case, accents, blanks, zeros, plural."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    word = "".join(k for k in letters if not unicodedata.combining(k))
    word = re.sub(r"[\s_]+|(?<=[^\W\d])[-.](?=\w)", "", word)  # but -1 is not 1
    return re.sub(r"(?<![\d.,])0+(?=\d)", "", word).removesuffix("s") or name


def _read_image(path: Path) -> tuple[np.ndarray, tuple[int, int]] | None:
    """A single picture as bytes (H, W, C) on white, and its own size; None if unreadable."""
    try:
        picture = read_picture(path)
    except DataError:
        return None
    white = {"bytes": 255, "integers": 65535, "floats": 1}[picture.kind]
    pixels = on_ground(picture, 255) * (255 / white)
    return pixels.clip(0, 255).astype(np.uint8), picture.size
