"""What a record says of how it was made: the command, the day, and the versions."""

import platform
from datetime import date
from importlib.metadata import version

from tlcourse import __version__


def provenance(command: str, *packages: str) -> dict:
    """Begin a record that others can make again.

    Parameters
    ----------
    command : str
        What makes the record, from the course's folder.
    *packages : str
        Those whose version may change the last digits, beside torch and numpy.

    Returns
    -------
    dict
        ``command``, ``date`` (ISO), ``versions`` (name -> version) and ``python``.
    """
    names = ("torch", *packages, "numpy")
    return {
        "command": command,
        "date": date.today().isoformat(),
        "versions": {"tlcourse": __version__, **{name: version(name) for name in names}},
        "python": platform.python_version(),
    }
