"""The course's own answer to an exercise, shown on request beside the learner's."""

import html
import json
import re

from IPython import get_ipython
from IPython.display import display

from tlcourse.notebook import exercises, places
from tlcourse.utils.messages import say

_COLUMN = ('<div style="flex:1 1 20em"><b>{}</b>'
           '<pre style="white-space:pre-wrap;word-break:normal">{}</pre></div>')


def solution(exercise_id: str) -> None:
    """Show how the course solves an exercise, in a notebook beside your own latest cell.

    Nothing is run or recorded, and your cell stays as it is.

    Parameters
    ----------
    exercise_id : str
        Such as "3.2".
    """
    try:
        ours = source(exercise_id)
    except LookupError as error:
        say(str(error))
        return
    shell = get_ipython()
    if shell is None:
        print(ours)
        return
    columns = {"Yours": _latest(shell.user_ns.get("In", []), exercise_id), "The course's": ours}
    page = "".join(_COLUMN.format(who, html.escape(code)) for who, code in columns.items() if code)
    display({"text/plain": ours, "text/html": f'<div style="display:flex;flex-wrap:wrap">{page}'
                                              "</div>"}, raw=True)


def source(exercise_id: str) -> str:
    """The solution cell of an exercise; LookupError with one sentence when there is none."""
    lesson = exercises.get(exercise_id).id.partition(".")[0].zfill(2)
    notebook = json.loads(places.solution(lesson).read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"]
             if "solution" in cell["metadata"].get("tags", ())]
    if found := _latest(cells, exercise_id):
        return found
    raise LookupError(f"the solutions of lesson {lesson} hold no cell for {exercise_id}; "
                      f"`{places.command()} build {lesson}` makes them anew.")


def _latest(cells: list[str], exercise_id: str) -> str | None:
    """The last of these cells that checks the exercise."""
    call = re.compile(rf"""^\w+ = check\(["']{re.escape(exercise_id)}["']""", re.MULTILINE)
    return next((cell.strip() for cell in reversed(cells) if call.search(cell)), None)
