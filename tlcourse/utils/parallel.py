"""Many runs side by side: how many processes, and one thread in each."""

import copyreg
import importlib
from collections.abc import Iterator
from contextlib import contextmanager

import joblib
import torch
from joblib.parallel import BACKENDS, get_active_backend
from threadpoolctl import threadpool_limits

# A function that uses torch and any attribute called "classes" takes the module torch.classes along
# to its process, and that module is of a type of its own, which no pickler knows.
copyreg.pickle(type(torch.classes), lambda module: (importlib.import_module, ("torch.classes",)))


def workers(elsewhere: int) -> int:
    """A process for each physical core.

    Parameters
    ----------
    elsewhere : int
        The answer inside ``joblib.parallel_config`` with a backend other than joblib's own.
    """
    own = isinstance(get_active_backend()[0], BACKENDS["loky"])
    return joblib.cpu_count(only_physical_cores=True) if own else elsewhere


@contextmanager
def one_thread() -> Iterator[None]:
    """PyTorch, BLAS and OpenMP compute with one thread within, and as before afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)
