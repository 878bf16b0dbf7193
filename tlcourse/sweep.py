"""Run one function over a grid of settings and several seeds, on all cores, and resume.

Small networks gain little from a second thread and much from a second process: every run gets
one thread of its own. Each finished run is kept on disk at once, so a sweep that was interrupted
or killed goes on where it stopped.
"""

import dis
import hashlib
import inspect
import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import CodeType, ModuleType

import joblib
import pandas as pd
import torch
from joblib.parallel import BACKENDS, get_active_backend
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from tlcourse.data.domain import LOOKS
from tlcourse.utils.files import cache_folder, write_atomically


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
        known by, with the source of the function and of those beside it that it calls, and the
        course's own code, so a changed experiment is never answered from an old run.
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
    known_by = _fingerprint(run)
    paths = [cache_folder() / "sweeps" / f"{_key(known_by, job)}.json" for job in jobs]
    rows = [_read(path) for path in paths]
    waiting = [i for i, row in enumerate(rows) if row is None]
    if workers is None:  # another backend than joblib's own knows itself how much it has
        own = isinstance(get_active_backend()[0], BACKENDS["loky"])
        workers = joblib.cpu_count(only_physical_cores=True) if own else -1

    n_jobs = min(workers, len(waiting)) or 1
    parallel = joblib.Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    done = parallel(joblib.delayed(_run)(run, jobs[i], i) for i in waiting)
    for i, row in tqdm(done, desc="runs", total=len(waiting), disable=not progress or not waiting):
        write_atomically(paths[i], json.dumps(row))
        rows[i] = row
    for row in rows:  # those of other processes and of earlier sessions are looks as well
        LOOKS.extend(look for look in map(tuple, row.pop("looks")) if look not in LOOKS)
    return pd.DataFrame([{**job, **row} for job, row in zip(jobs, rows, strict=True)])


def _run(run: Callable, job: dict, index: int) -> tuple[int, dict]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            before = len(LOOKS)
            row = dict(run(**job))
            return index, {**row, "looks": LOOKS[before:]}
    except Exception as error:
        raise ValueError(f"the run {job} failed: {type(error).__name__}: {error}") from error
    finally:
        torch.set_num_threads(threads)


def _key(known_by: str, job: dict) -> str:
    return hashlib.sha256((known_by + json.dumps(job, sort_keys=True)).encode()).hexdigest()[:32]


def _read(path: Path) -> dict | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not there, or cut short by a full disk: run it again
        return None


def _fingerprint(run: Callable) -> str:
    """What the result of `run` depends on, beside its parameters."""
    if run.__closure__:
        raise ValueError(f"{run.__name__} uses variables of another function; pass them in `grid`")
    parts = [inspect.getsource(run), torch.__version__, *_globals(run, set())]
    parts += [path.read_text("utf-8") for path in sorted(Path(__file__).parent.glob("*.py"))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


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
            parts.append(_source(value, name) if beside else name)
            parts += _globals(value, seen) if beside and inspect.isfunction(value) else []
        else:
            parts.append(f"{name}={joblib.hash(value)}")
    return parts


def _source(value, name: str) -> str:
    try:
        return inspect.getsource(value)
    except (OSError, TypeError):  # a class that was written in a notebook has no file
        return name


def _names(code: CodeType) -> set[str]:
    """Globals that a piece of code reads; lambdas and comprehensions are pieces of their own."""
    read = {i.argval for i in dis.get_instructions(code) if i.opname == "LOAD_GLOBAL"}
    return read.union(*(_names(c) for c in code.co_consts if isinstance(c, CodeType)))
