"""Run one function over a grid of settings and several seeds, on all cores, and resume.

Small networks gain little from a second thread and much from a second process: every run gets
one thread of its own. Each finished run is kept on disk at once, so a sweep that was interrupted
or killed goes on where it stopped.
"""

import dis
import inspect
import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from types import CodeType, ModuleType

import joblib
import pandas as pd
from tqdm.auto import tqdm

from tlcourse.data.domain import LOOKS
from tlcourse.utils import cache, parallel


def sweep(
    run: Callable[..., Mapping],
    grid: Mapping[str, Iterable],
    *,
    seeds: Iterable[int],
    workers: int | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Call ``run(seed=..., **settings)`` for every combination of settings and every seed.

    Parameters
    ----------
    run : function
        Returns a dict of numbers, strings or lists. All that the result depends on must come
        through its parameters or be a plain global value: both are part of what a kept run is
        known by, with the code of the function, of the functions and classes beside it that it
        uses, and of the course itself, so a changed experiment is never answered from an old run.
    grid : dict of name -> values
        Values are what JSON can write.
    seeds : iterable of int
    workers : int, optional
        Processes; None takes one for each physical core. Inside
        ``joblib.parallel_config(backend="dask")`` the runs go to that cluster instead.
    progress : bool
        Show a bar.

    Returns
    -------
    DataFrame
        One row a run, in the order of the grid: the settings, ``seed``, and what `run` returned.

    Raises
    ------
    ValueError
        A run that failed, with its settings and seed. The finished runs are kept.

    Examples
    --------
    >>> def area(width, height, seed): return {"area": width * height}
    >>> sweep(area, {"width": [1, 2], "height": [3]}, seeds=[0], workers=1,
    ...       progress=False)["area"].tolist()
    [3, 6]
    """
    values = itertools.product(*grid.values())
    combinations = [dict(zip(grid, chosen, strict=True)) for chosen in values]
    jobs = [{**settings, "seed": int(seed)} for settings in combinations for seed in seeds]
    known_by = _known_by(run)
    paths = [cache.place("sweeps", known_by, json.dumps(job, sort_keys=True)) for job in jobs]
    rows = [kept and json.loads(kept) for kept in map(cache.read, paths)]
    waiting = [i for i, row in enumerate(rows) if row is None]

    workers = parallel.workers(elsewhere=-1) if workers is None else workers
    pool = joblib.Parallel(min(workers, len(waiting)) or 1, return_as="generator_unordered")
    done = pool(joblib.delayed(_run)(run, jobs[i], i) for i in waiting)
    for i, row in tqdm(done, desc="runs", total=len(waiting), disable=not progress or not waiting):
        cache.write(paths[i], json.dumps(row).encode())
        rows[i] = row
    for row in rows:  # those of other processes and of earlier sessions are looks as well
        LOOKS.extend(look for look in map(tuple, row.pop("looks")) if look not in LOOKS)
    return pd.DataFrame([{**job, **row} for job, row in zip(jobs, rows, strict=True)])


def _run(run: Callable, job: dict, index: int) -> tuple[int, dict]:
    before = len(LOOKS)
    try:
        with parallel.one_thread():
            row = dict(run(**job))
    except Exception as error:
        raise ValueError(f"the run {job} failed: {type(error).__name__}: {error}") from error
    return index, {**row, "looks": LOOKS[before:]}


def _known_by(run: Callable) -> str:
    """What the result of `run` depends on, beside its parameters."""
    if run.__closure__:
        raise ValueError(f"{run.__name__} uses variables of another function; pass them in `grid`")
    return "\n".join([cache.described(run), *_globals(run, set())])


def _globals(run: Callable, seen: set[str]) -> list[str]:
    """What a function reads beside its parameters, and what the functions beside it read."""
    parts = []
    for name in sorted(_names(run.__code__) & run.__globals__.keys() - seen):
        seen.add(name)
        value = inspect.unwrap(run.__globals__[name])  # a cached function is a function too
        beside = getattr(value, "__module__", None) == run.__module__
        if isinstance(value, ModuleType):
            parts.append(name)
        elif inspect.isroutine(value) or inspect.isclass(value):
            parts.append(cache.described(value) if beside else name)
            parts += _globals(value, seen) if beside and inspect.isfunction(value) else []
        else:
            parts.append(f"{name}={joblib.hash(value)}")
    return parts


def _names(code: CodeType) -> set[str]:
    """Globals that a piece of code reads; lambdas and comprehensions are pieces of their own."""
    read = {i.argval for i in dis.get_instructions(code) if i.opname == "LOAD_GLOBAL"}
    return read.union(*(_names(c) for c in code.co_consts if isinstance(c, CodeType)))
