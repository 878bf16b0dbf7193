"""The bounds of one cell or check inside a submission's process: of its output, and of its time."""

import io
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import psutil

KEPT = 10_000
"""Characters of a cell's output that are kept."""

_IDLE = 0.05
_PATIENCE = 3


class Kept(io.TextIOBase):
    """A stream that keeps the beginning of what is written and counts the rest."""

    def __init__(self):
        self.text, self.more = "", 0

    def write(self, text):
        kept = text[: KEPT - len(self.text)]
        self.text += kept
        self.more += len(text) - len(kept)
        return len(text)

    def writable(self):
        return True

    def said(self) -> str:
        """What was kept, and how much was not."""
        cut = f"\n[{self.more} more characters]" if self.more else ""
        return (self.text + cut).encode("utf-8", "replace").decode()


def is_up(seconds: float, waited: float, used: float) -> bool:
    """Whether a time is up, after so many seconds of the clock, with so many of a processor.

    A computer that is busy with something else gives a submission less than it asks for: it may
    take up to three times as long, until it has used the seconds. One that only waits may not.
    """
    return waited >= seconds and (
        used >= seconds or used < waited * _IDLE or waited >= _PATIENCE * seconds)


def processor_seconds(processes: Iterable[psutil.Process]) -> float:
    """Seconds of a processor that processes have used, and those that they started and ended."""
    used = 0.0
    for process in processes:
        with suppress(psutil.Error):  # it may have ended meanwhile
            used += sum(process.cpu_times()[:4])
    return used


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Interrupt the main thread, as Ctrl-C would, when this takes too long."""
    own = psutil.Process()
    begun, before = time.monotonic(), processor_seconds([own])

    def has_time():
        family = [own, *own.children(recursive=True)]
        return not is_up(seconds, time.monotonic() - begun, processor_seconds(family) - before)

    def interrupt(number=None, frame=None):
        if not has_time():
            raise KeyboardInterrupt

    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, seconds, 1)  # and again, for what swallows the first
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    else:
        import _thread

        done = threading.Event()

        def watch():
            wait = seconds
            while not done.wait(wait):
                if not has_time():
                    _thread.interrupt_main()
                wait = 1

        threading.Thread(target=watch, daemon=True).start()
        try:
            yield
        finally:
            done.set()
