"""Control groups of Linux: the kernel holds memory and number of processes of all in a group."""

import contextlib
import itertools
import os
import signal
import time
from pathlib import Path

import psutil

_NUMBERS = itertools.count(1)
_POLL = 0.05
_OWN, _ROOT = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


class Group:
    """A control group of Linux, of version 1 or 2, which holds what is started in it."""

    def __init__(self, folders: dict[str, Path]):
        self._folders = folders

    @classmethod
    def make(cls, memory: int, processes: int) -> "Group | None":
        """A new group that holds so many bytes and processes; None where that cannot be."""
        for folders in _candidates():
            _clear_away(folders)
            name = f"tlcourse-{os.getpid()}-{next(_NUMBERS)}"
            group = cls({kind: folder / name for kind, folder in folders.items()})
            try:
                group._fill(memory, processes)
            except OSError:
                group.close()
            else:
                return group
        return None

    def _fill(self, size, processes):
        memory, pids = self._folders["memory"], self._folders["pids"]
        for folder in {memory, pids}:
            folder.mkdir()
        limit, swap, swapped = (("memory.max", "memory.swap.max", 0) if memory == pids else
                                ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", size))
        _write(memory / limit, size)
        _write(pids / "pids.max", processes)
        with contextlib.suppress(OSError):  # there is none where the kernel does not count swap
            _write(memory / swap, swapped)

    def entering(self, command: list[str]) -> list[str]:
        """The command, started in this group together with all that it starts."""
        entries = [str(folder / "cgroup.procs") for folder in set(self._folders.values())]
        enter = " && ".join(f'echo $$ > "${i}"' for i in range(1, len(entries) + 1))
        return ["/bin/sh", "-c", f'{enter} && shift {len(entries)} && exec "$@"', "sh",
                *entries, *command]

    def ran_out_of_memory(self) -> bool:
        """Whether the kernel ended a process of the group for want of memory."""
        return any(_count(self._folders["memory"] / name, "oom_kill")
                   for name in ("memory.events", "memory.oom_control"))

    def ran_out_of_processes(self) -> bool:
        """Whether the kernel refused the group another process."""
        return _count(self._folders["pids"] / "pids.events", "max") > 0

    def close(self) -> None:
        """End what is left in the group and remove it."""
        for folder in set(self._folders.values()):
            for _ in range(100):
                with contextlib.suppress(OSError):
                    for pid in (folder / "cgroup.procs").read_text().split():
                        os.kill(int(pid), signal.SIGKILL)
                with contextlib.suppress(OSError):
                    folder.rmdir()
                if not folder.exists():
                    break
                time.sleep(_POLL)  # its last process is still being buried


def _clear_away(folders: dict[str, Path]) -> None:
    """End and remove the groups of graders that were killed."""
    left = {path.name for folder in folders.values() for path in folder.glob("tlcourse-*-*")}
    for name in left:
        if not psutil.pid_exists(int(name.split("-")[1])):
            Group({kind: folder / name for kind, folder in folders.items()}).close()


def _write(file: Path, value: int) -> None:
    with open(file, "r+") as opened:  # a file that the kernel has made; none is made here
        opened.write(str(value))


def _count(file: Path, name: str) -> int:
    with contextlib.suppress(OSError, ValueError):
        words = file.read_text().split()
        return int(dict(zip(words[::2], words[1::2], strict=True)).get(name, 0))
    return 0


def _candidates():
    """Folders in which groups may be made: of this process's own group, and of its parent."""
    try:
        lines = _OWN.read_text().splitlines()
    except OSError:
        return
    own = {}
    for line in lines:
        _, controllers, path = line.split(":", 2)
        own |= {controller: path.lstrip("/") for controller in controllers.split(",")}
    if {"memory", "pids"} <= own.keys():
        yield {kind: _ROOT / kind / own[kind] for kind in ("memory", "pids")}
    elif "" in own:
        here = _ROOT / own[""]
        for folder in (here.parent, here) if here != _ROOT else (here,):
            yield {"memory": folder, "pids": folder}
