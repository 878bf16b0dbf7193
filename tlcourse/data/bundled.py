"""The data sets of the course: each is in ``data/`` and described in ``data/MANIFEST.json``.

Nothing is downloaded, and nothing is unpickled.
"""

import json
from functools import cache

import numpy as np
import torch

from tlcourse.data.domain import DataError, Domain
from tlcourse.data.framing import crop_to_content, resize
from tlcourse.utils.files import IS_CHECKOUT, ROOT, sha256

COURSE_SIZE = 16
"""Side, in pixels, of the small grey images of the course."""


@cache
def manifest() -> dict[str, dict]:
    """What ``data/MANIFEST.json`` says of every bundled file."""
    return json.loads((ROOT / "data" / "MANIFEST.json").read_text(encoding="utf-8"))


def entry(name: str) -> dict:
    """The manifest's entry for one name; unknown names are refused with the known ones."""
    if name not in manifest():
        raise DataError(f"there is no data called {name!r}; there is {', '.join(manifest())}")
    return manifest()[name]


def verify(name: str):
    """Check one bundled file against its checksum and return its path.

    Raises
    ------
    DataError
        A missing, truncated or altered file: its name, both checksums and the repair.
    """
    about = entry(name)
    path = ROOT / "data" / about["file"]
    found = sha256(path) if path.is_file() else "no file"
    if found != about["sha256"]:
        repair = f"git checkout -- data/{about['file']}"
        if not IS_CHECKOUT:
            repair = "python -m pip install --force-reinstall --no-deps tlcourse-WHEEL.whl"
        raise DataError(f"data/{about['file']} is missing or damaged: expected sha256 "
                        f"{about['sha256']}, found {found}; repair it with: {repair}")
    return path


def load(name: str, *, frame: str = "course") -> Domain:
    """Load a bundled data set.

    Parameters
    ----------
    name : str
        A name in ``data/MANIFEST.json``, such as ``"uci_digits"`` or ``"sentiment_tweets"``.
    frame : {"course", "original"}
        How the content fills the picture. ``"course"`` brings every small grey data set to the
        same 16 × 16 pixels with the content filling the frame, so that a network trained on one
        can read another; ``"original"`` keeps the published size and margin. Tables have no frame:
        both give the same.

    Returns
    -------
    Domain

    Raises
    ------
    DataError
        An unknown name or frame, or a file that does not match its checksum.
    """
    about = entry(name)
    if "classes" not in about:
        raise DataError(f"{name} holds weights: use tlcourse.models.pretrained({name!r})")
    if frame not in ("course", "original"):
        raise DataError(f"frame is 'course' or 'original', got {frame!r}")
    with np.load(verify(name), allow_pickle=False) as file:
        arrays = dict(file)
    if "features" in arrays:
        X = torch.from_numpy(arrays["features"].astype(np.float32))
    else:
        X = _pictures(arrays["images"], about, frame)
    y = torch.from_numpy(arrays["labels"].astype(np.int64))
    return Domain(name, X, y, about["classes"], about["ordered"])


def _pictures(images: np.ndarray, about: dict, frame: str) -> torch.Tensor:
    X = torch.from_numpy(images.astype(np.float32) / about["scale"])
    X = X[:, None] if X.ndim == 3 else X.permute(0, 3, 1, 2)
    if frame == "course" and X.shape[1] == 1:
        X = crop_to_content(X, COURSE_SIZE) if about["crop"] else resize(X, COURSE_SIZE)
    return X
