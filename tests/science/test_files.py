"""Files are written whole or not at all."""

import errno
from pathlib import Path

import pytest

from tlcourse.utils.files import write_atomically


def test_a_full_disk_leaves_the_old_file_alone_and_the_message_names_it(tmp_path, monkeypatch):
    path = tmp_path / "kept.txt"
    write_atomically(path, "old")

    def full(self, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left on device: .*kept.txt"):
        write_atomically(path, "new")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
