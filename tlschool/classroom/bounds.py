"""The bounds of one cell or check inside a submission's process: of its output, and of its time."""

import io
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

KEPT = 10_000
"""Characters of a cell's output that are kept."""


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


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Interrupt the main thread, as Ctrl-C would, when this takes too long."""
    def interrupt(number=None, frame=None):
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

        timer = threading.Timer(seconds, _thread.interrupt_main)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
