"""Record the state of a lesson at the beginning of each of its sections.

    python data/runs/checkpoints.py          the lessons whose code changed since they were recorded
    python data/runs/checkpoints.py 01       this one

A lesson's solutions are executed once, one statement at a time. What took long and can be stored
is stored; the rest is run again when a checkpoint is loaded, as far as later cells need it. The
result is data/checkpoints/NN.json, and the weights of networks beside it.
"""

import ast
import io
import json
import os
import subprocess
import sys
import tempfile
import time
import zlib
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version

import joblib
import numpy as np
import torch
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from tlcourse.notebook import places
from tlcourse.utils.files import write_atomically
from tlschool.authoring.names import names
from tlschool.authoring.source import checked, read_source, tags
from tlschool.live import checkpoints, stored
from tlschool.live.steps import headings

SLOW = 0.05
"""Seconds: a statement that takes longer is stored if it can be."""
SHOWN = {"figure", "claim", "quiz", "hint", "print", "progress.show"}
"""Calls that only show something. They are not executed."""
TIMED = """
import sys, time, torch
from tlschool.live import checkpoints
start = time.perf_counter()
checkpoints.load(*sys.argv[1:], {"__name__": "__main__"})
print(time.perf_counter() - start)
"""


@dataclass
class Statement:
    """A statement of the lesson: what it reads, and which names it binds or changes."""

    code: str
    reads: set[str]
    binds: set[str]
    changes: set[str] = field(default_factory=set)
    values: dict[str, object] = field(default_factory=dict)
    lend: str | None = None


def main(ids):
    for id in ids or [id for id in places.lesson_ids() if _stale(id)]:
        record(id)
    used = "".join(path.read_text(encoding="utf-8") for path in checkpoints.folder().glob("*.json"))
    for path in checkpoints.folder().glob("*.safetensors"):
        if path.name not in used:
            path.unlink()


def record(id):
    """Execute a lesson, write its checkpoints, and time how long each takes to load."""
    source, weights = read_source(id), {}
    statements, sections = execute(source, weights)
    plans = {name: plan(statements, first) for name, first in sections.items()}
    used = sorted({step for chosen in plans.values() for step in chosen.items()})
    steps = [_step(statements[number], loads) for number, loads in used]
    known = {name: sorted(map(used.index, chosen.items())) for name, chosen in plans.items()}
    about = {"lesson": id, "command": f"python data/runs/checkpoints.py {id}",
             "date": str(date.today()), "versions": {"torch": version("torch")},
             "code_sha256": checkpoints.fingerprint(source)}
    path = checkpoints.folder() / f"{id}.json"
    text = json.dumps(steps)
    for name in (name for name in weights if name in text):
        write_atomically(path.with_name(name), weights[name])
    write_atomically(path, _lines(about | {"checkpoints": known, "steps": steps}))
    longest = max(known, key=lambda name: len(known[name]))
    print(f"{id}: {len(known)} checkpoints, {longest} in {_seconds(id, longest):.1f} s after torch")


def execute(source, weights):
    """Run a lesson with its solutions; its statements, and where each section begins."""
    statements, sections, lending = [], {}, {}
    shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    for cell in source.cells:
        if cell.cell_type == "markdown" and headings(cell.source):
            section = cell.id.partition("-")[2].rpartition("-")[0]
        if cell.cell_type != "code":
            continue
        sections.setdefault(section, len(statements))
        code, task = cell.source, checked(cell) if {"exercise", "solution"} & set(tags(cell)) else 0
        code = code.strip().rpartition("\n")[0] if task else code
        for text, node in _parts(code):
            made = Statement(text, *_names(text, node))
            made.reads |= _called(made.reads, statements)
            if "exercise" not in tags(cell):
                _run(shell, made, node, weights)
                statements.append(made)
            else:  # the participant may need what only the starter reads
                statements.append(Statement("", made.reads - made.binds, set()))
        if task and "solution" in tags(cell):
            lending[len(statements) - 1] = cell.source.strip().rpartition("\n")[2].split(" ")[0]
    for number, name in lending.items():
        statements[number].lend = name
    return statements, sections


def plan(statements, first):
    """Which statements the rest of a lesson needs, as number -> names to load (none: run it)."""
    live, loaded, chosen = set(), set(), {}
    for statement in reversed(statements[first:]):
        live = live - statement.binds | statement.reads
    for number in range(first - 1, -1, -1):
        statement = statements[number]
        wanted = statement.changes & live
        if not wanted or not wanted - (loaded - statement.binds) and statement.values:
            continue
        if wanted <= statement.values.keys():
            chosen[number] = tuple(sorted(wanted))
            loaded |= wanted - statement.binds
            live -= statement.binds
        else:
            chosen[number] = ()
            live = live - statement.binds | statement.reads
        loaded -= statement.binds
    return chosen


def _run(shell, made, node, weights):
    """Execute a statement and note what it changed; keep the values when it was slow."""
    called = ast.unparse(node.value.func) if _is_call(node) else ""
    if isinstance(node, ast.Expr) and not called or called in SHOWN or "interact" in _deco(node):
        return
    space, mentioned = shell.user_ns, made.reads | made.binds
    before = {name: _digest(space[name]) for name in mentioned if name in space}
    start = time.perf_counter()
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        done = shell.run_cell(made.code, silent=True)
    seconds = time.perf_counter() - start
    done.raise_error()
    acts = not isinstance(node, ast.Assign | ast.Import | ast.ImportFrom | ast.FunctionDef)
    for name in mentioned & space.keys():
        after = _digest(space[name])
        if name in made.binds or after != before.get(name) or acts and after is None:
            made.changes.add(name)
    if seconds > SLOW and not isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef):
        for name in made.changes:
            try:
                made.values[name] = stored.encode(space[name], weights)
            except stored.NotStorable:
                continue
            known = name not in made.binds and "weights" in made.values[name]
            if not known and '"small_cnn": null' in json.dumps(made.values[name]):
                del made.values[name]  # nothing says how to make that network


def _parts(code):
    """The statements of a cell, decorators with them."""
    lines = code.splitlines()
    for node in ast.parse(code).body:
        start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        yield "\n".join(lines[start - 1 : node.end_lineno]).rstrip(";"), node


def _names(code, node):
    """Global names that a statement reads, in its functions too, and those that it binds."""
    binds, reads = names(code)
    if isinstance(node, ast.For):  # it and loops in it give their names a value before they read it
        targets = [each.target for each in ast.walk(node) if isinstance(each, ast.For)]
        own, first = ({each.id for part in parts for each in ast.walk(part)
                       if isinstance(each, ast.Name)} for parts in (targets, [node.iter]))
        reads -= own - first
    return reads, binds


def _called(read, statements):
    """What the functions among these names read when they are called."""
    found, waiting = set(), set(read)
    while waiting:
        name = waiting.pop()
        home = next((s for s in reversed(statements) if name in s.binds), None)
        if home and home.code.lstrip().startswith(("def ", "@")):
            waiting |= home.reads - found - {name}
            found |= home.reads
    return found


def _digest(value):
    """Changes when the value does; None for a kind of which this cannot be said."""
    if isinstance(value, torch.nn.Module):
        flags = [(name, w.requires_grad) for name, w in value.named_parameters()]
        hooks = [len(part._forward_pre_hooks) for part in value.modules()]
        return joblib.hash([flags, hooks, [_digest(w) for w in value.state_dict().values()]])
    if isinstance(value, torch.Tensor):
        if value.is_meta:  # a shape without numbers
            return str(value.shape)
        return zlib.crc32(np.ascontiguousarray(value.detach().numpy()))
    if callable(value) or isinstance(value, type(os)):
        return "fixed"
    if isinstance(value, dict):
        value = list(value.items())
    if isinstance(value, list | tuple):
        parts = [_digest(each) for each in value]
        return None if None in parts else joblib.hash(parts)
    if type(value).__module__.startswith(("builtins", "pandas", "numpy", "tlcourse.")):
        with suppress(RecursionError, TypeError):  # joblib cannot walk through all of it
            return joblib.hash(value)
    return None


def _step(statement, loads):
    """A statement as a checkpoint keeps it: its code, or the values of these names."""
    if loads:
        step = {"load": {name: statement.values[name] for name in loads},
                "in_place": sorted(set(loads) - statement.binds), "names": loads}
    else:
        step = {"code": statement.code, "names": sorted(statement.binds)}
    return step | ({"lend": statement.lend} if statement.lend in statement.binds else {})


def _is_call(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


def _deco(node):
    return " ".join(ast.unparse(each) for each in getattr(node, "decorator_list", []))


def _lines(record):
    """JSON with a line for each step and checkpoint, so that a change shows as one."""
    steps = ",\n".join(f"  {json.dumps(step, ensure_ascii=False)}" for step in record["steps"])
    rest = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in record.items()
            if key != "steps"]
    return "{\n" + ",\n".join(rest) + f",\n \"steps\": [\n{steps}\n ]\n}}\n"


def _seconds(id, name):
    done = subprocess.run([sys.executable, "-c", TIMED, id, name], check=True,
                          capture_output=True, text=True)
    return float(done.stdout)


def _stale(id):
    path = checkpoints.folder() / f"{id}.json"
    old = json.loads(path.read_text(encoding="utf-8"))["code_sha256"] if path.exists() else ""
    return old != checkpoints.fingerprint(read_source(id))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as empty:
        os.environ |= {"TLCOURSE_CACHE": empty, "TLCOURSE_WORKSPACE": empty}
        main(sys.argv[1:])
