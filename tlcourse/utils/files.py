"""Where the course's files lie, and how a file is written so that none is ever left half done."""

import hashlib
import os
from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).resolve().parent.parent

IS_CHECKOUT = (_PACKAGE.parent / "data" / "MANIFEST.json").is_file()
"""True in a clone of the repository, False in an installed wheel."""

ROOT = _PACKAGE.parent if IS_CHECKOUT else _PACKAGE / "_course"
"""The folder that holds ``data/``, ``lessons/`` and ``notebooks/``."""


def cache_folder() -> Path:
    """Where results are kept: the user's cache, or ``TLCOURSE_CACHE`` where it is set."""
    return Path(os.environ.get("TLCOURSE_CACHE") or platformdirs.user_cache_path("tlcourse"))


def sha256(path: Path | str) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path | str, content: bytes | str) -> None:
    """Write a file beside its place and rename it, so that readers see the old or the new one.

    Parameters
    ----------
    path : path
        Where the file shall be. Missing folders are made.
    content : bytes or str
        Text is written as UTF-8 with ``\\n`` line ends on every system.

    Raises
    ------
    OSError
        As the system says it (disk full, no permission). The old file is then untouched.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(beside, path)
    except OSError as error:
        error.filename = error.filename or str(path)  # of a full disk the system names no file
        raise
    finally:
        beside.unlink(missing_ok=True)
