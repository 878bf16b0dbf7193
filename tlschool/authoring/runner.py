"""Run a lesson without JupyterLab, from the command line or while building."""

import math
import os
import tempfile
import time
from pathlib import Path
from queue import Empty

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, CellExecutionError
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from tqdm import tqdm
from traitlets import Type

from tlcourse.notebook import places
from tlcourse.utils.files import write_atomically
from tlschool.authoring.formulas import Formulas
from tlschool.authoring.source import load, save
from tlschool.errors import CourseError

_PAGE = """{% extends 'lab/index.html.j2' %}
{% block html_head_js %}{% endblock %}
{% block jupyter_widgets %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_js_mermaidjs %}{% endblock %}"""

_WIDGET = "application/vnd.jupyter.widget-view+json"


class RunError(CourseError):
    """A notebook that did not run to its end; the message names the cell and the reason."""


class ThisPython(KernelSpecManager):
    """Offers one kernel, the Python that runs now, whatever else this computer has installed."""

    def _kernel_dirs_default(self) -> list[str]:
        return []  # with no folder to search, jupyter_client falls back on the running Python


class Channel(AsyncZMQSocketChannel):
    """Looks for a message every second, not only when it is told of one.

    Once in thousands of cells the notice gets lost, and the wait would last until its timeout.
    """

    async def get_msg(self, timeout: float | None = None) -> dict:
        """The next message, or Empty after these seconds."""
        end = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            try:
                return await super().get_msg(max(0.0, min(1.0, end - time.monotonic())))
            except Empty:
                if time.monotonic() >= end:
                    raise


class _Client(AsyncKernelClient):
    shell_channel_class = Type(Channel)
    iopub_channel_class = Type(Channel)


def execute(
    notebook: NotebookNode, *, folder: Path, timeout: int = 120, progress: str | None = None
) -> list[float]:
    """Execute a notebook in place, with the Python that runs now.

    `folder` is the kernel's workspace and cache too, so that checks in the notebook never reach
    the learner's own record and no earlier run answers in place of this one.

    Parameters
    ----------
    notebook : NotebookNode
        Its outputs are replaced, up to the cell that failed if one does.
    folder : path
        The kernel's current folder.
    timeout : int
        Seconds that one cell may take.
    progress : str, optional
        Name of the progress bar; without it there is none.

    Returns
    -------
    list of float
        Wall seconds of each code cell, in order.

    Raises
    ------
    RunError
        A cell raised, took too long, or ended the kernel.
    """
    begun, seconds = {}, {}  # by the number of the cell
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            seconds[index] = 0.0  # stays so for a cell without text, which is not run

    def on_start(cell, cell_index):
        begun[cell_index] = time.perf_counter()

    def on_end(cell, cell_index, execute_reply):
        seconds[cell_index] = time.perf_counter() - begun[cell_index]
        bar.update()

    kernel = AsyncKernelManager(kernel_name=NATIVE_KERNEL_NAME, client_factory=_Client,
                                kernel_spec_manager=ThisPython())
    environment = os.environ | {"TLCOURSE_WORKSPACE": str(folder), "TLCOURSE_CACHE": str(folder)}
    client = NotebookClient(
        notebook, km=kernel, timeout=timeout, record_timing=False,
        extra_arguments=["--IPKernelApp.log_level=CRITICAL"],  # nothing beside the bar
        on_cell_execute=on_start, on_cell_executed=on_end,
    )
    run = sum(bool(notebook.cells[index].source.strip()) for index in seconds)
    with tqdm(total=run, desc=progress, unit="cell", disable=progress is None) as bar:
        try:
            client.execute(cleanup_kc=True, cwd=str(folder), env=environment)
        except (CellControlSignal, RuntimeError) as error:
            raise RunError(_describe(notebook, max(begun, default=None), error)) from error
        except AssertionError as error:  # nbclient after Ctrl-C, which made it end the kernel twice
            raise KeyboardInterrupt from error
    notebook.metadata.pop("widgets", None)  # of no use without a kernel
    return list(seconds.values())


def run(lesson: str, *, solutions: bool = False) -> str:
    """Execute a lesson and write it as a notebook and as a page into ``runs/`` of the workspace.

    The page needs no other file and no network; browsers draw its formulas themselves.

    Parameters
    ----------
    lesson : str
        Its id, such as "00".
    solutions : bool
        Run the edition with solutions.

    Returns
    -------
    str
        Three lines: the seconds of all code cells together, the notebook, and the page.

    Raises
    ------
    RunError
        A cell failed. The two files then hold what was reached.
    """
    source = places.solution(lesson) if solutions else places.notebook(lesson)
    notebook = load(source)
    place = places.workspace() / "runs" / f"{source.stem}{'-solutions' if solutions else ''}.ipynb"
    page = place.with_suffix(".html")
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            seconds = sum(execute(notebook, folder=Path(folder), progress=source.stem))
    finally:
        _drop_widgets(notebook)
        save(place, notebook)
        write_atomically(page, _page(notebook, place.stem))
    return f"{seconds:.1f} s\n{place}\n{page}"


def _page(notebook: NotebookNode, name: str) -> str:
    """The notebook as HTML, with its formulas drawn."""
    exporter = HTMLExporter(raw_template=_PAGE, preprocessors=[Formulas])
    return exporter.from_notebook_node(notebook, {"metadata": {"name": name}})[0]


def _drop_widgets(notebook: NotebookNode) -> None:
    """Take out progress bars and other widgets: without a kernel only their stray text is left."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs
                            if _WIDGET not in output.get("data", {})]


def _describe(notebook: NotebookNode, index: int | None, error: Exception) -> str:
    if index is None:
        return f"the kernel did not start: {error}; `{places.command()} doctor` may say why"
    cell = notebook.cells[index]
    if isinstance(error, CellExecutionError):
        reason = f"{error.ename}: {error.evalue}".partition("\n")[0]
    elif isinstance(error, TimeoutError):
        reason = "a timeout, for it took too long"
    else:
        reason = f"the end of its kernel, perhaps for want of memory ({error})"
    return f"cell {index + 1} of {len(notebook.cells)} stopped with {reason}\n{cell.source}"
