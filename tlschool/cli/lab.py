"""Working copies of the notebooks, and the JupyterLab in which they open.

The course never overwrites what a learner edited. An edit is a change of what the cells say:
running them changes outputs only, and JupyterLab's empty cell at the end says nothing.
"""

import hashlib
import json
import os
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from tlcourse.notebook import places
from tlcourse.utils import files

_GLOSSARY = "glossary.md"
_SETTINGS = {
    "@jupyterlab/docmanager-extension:plugin": {"defaultViewers": {"markdown": "Markdown Preview"}},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}
}


def update_workspace() -> list[str]:
    """Bring the working copies up to date, except those that the learner edited.

    Returns
    -------
    list of str
        One sentence for each lesson that the learner should know of.

    Raises
    ------
    OSError
        As the system says it; every working copy is then the old one or the new one.
    """
    home = places.workspace()
    delivered = _read_delivered(home)
    news = []
    for lesson, source in places.notebooks().items():
        name, copy, latest = source.name, home / source.name, _fingerprint(source)
        missing = not copy.exists()
        mine = None if missing else _fingerprint(copy)
        if missing or mine and mine == delivered.get(name) != latest:
            files.write_atomically(copy, _fresh(source))
            news += [f"{name}: updated to the course's new version."] * (not missing)
            mine = latest
        if mine == latest:
            delivered[name] = latest
        elif mine is None:
            news.append(f"{name}: this file cannot be read, perhaps it was saved half; it stays "
                        f"as it is, and `{places.command()} reset {lesson}` begins a fresh one.")
        elif delivered.get(name) != latest:
            news.append(f"{name}: the course has a new version and you edited yours, which stays; "
                        f"`{places.command()} reset {lesson}` keeps it and brings the new one.")
    files.write_atomically(home / places.DELIVERED, json.dumps(delivered, indent=1) + "\n")
    if (glossary := places.ROOT / "notebooks" / _GLOSSARY).is_file():
        files.write_atomically(home / _GLOSSARY, glossary.read_text(encoding="utf-8"))
    return news


def reset(lesson: str) -> str:
    """Begin a lesson afresh; the working copy so far is kept under a dated name.

    Parameters
    ----------
    lesson : str
        Its id, such as "01".

    Returns
    -------
    str
        What was done, in one sentence.
    """
    source, home = places.notebook(lesson), places.workspace()
    copy, said = home / source.name, f"{source.name} is fresh"
    if copy.exists():
        dated = f"{copy.stem} {datetime.now():%Y-%m-%d %H.%M}{copy.suffix}"  # Windows: no colon
        kept = places.unused(copy.with_name(dated))
        files.write_atomically(kept, copy.read_bytes())
        said += (f"; the one you had is kept as {kept.name}. Where it is open in JupyterLab, "
                 "choose File, Reload Notebook from Disk, and Revert")
    files.write_atomically(copy, _fresh(source))
    delivered = _read_delivered(home) | {source.name: _fingerprint(source)}
    files.write_atomically(home / places.DELIVERED, json.dumps(delivered, indent=1) + "\n")
    return f"{said}."


def start(lesson: str, jupyter_args: list[str]) -> None:
    """Open JupyterLab on a lesson's working copy, until it is closed.

    JupyterLab runs in this process, so that Ctrl-C reaches it on every system. It offers one
    kernel, the Python that runs now, and asks no server for news or updates.

    Parameters
    ----------
    lesson : str
        Its id, such as "00".
    jupyter_args : list of str
        Handed on to JupyterLab, such as ``["--no-browser", "--port=9999"]``.
    """
    opened, home = places.notebook(lesson).name, places.workspace()
    settings = home / ".jupyter"
    files.write_atomically(
        settings / "labconfig" / "default_setting_overrides.json", json.dumps(_SETTINGS)
    )
    more = os.environ.get("JUPYTER_CONFIG_PATH")
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join([str(settings), *([more] if more else [])])
    os.environ["TLCOURSE_WORKSPACE"] = str(home)  # the kernels inherit it

    print("JupyterLab runs in this window, which must stay open while you work. To stop it, "
          "press Ctrl-C here twice.", flush=True)
    from jupyterlab.labapp import LabApp

    LabApp.launch_instance([
        f"--ServerApp.root_dir={home}",
        f"--LabApp.default_url=/lab/tree/{quote(opened)}",
        "--ServerApp.kernel_spec_manager_class=tlschool.authoring.runner.ThisPython",
        *jupyter_args,
    ])


def _fresh(source: Path) -> str:
    """A notebook as it is handed out: without outputs, so that no result is told beforehand."""
    notebook = json.loads(source.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _fingerprint(notebook: Path) -> str | None:
    """SHA-256 over the cells' ids, kinds and texts; None for what is not a notebook."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        said = [(cell.get("id"), cell["cell_type"], "".join(cell["source"])) for cell in cells]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    said = [cell for cell in said if cell[2].strip()]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _read_delivered(home: Path) -> dict[str, str]:
    """What was handed out; when the record is damaged every changed copy counts as edited."""
    try:
        delivered = json.loads((home / places.DELIVERED).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return delivered if isinstance(delivered, dict) else {}
