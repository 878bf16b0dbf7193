"""``python -m tlcourse`` is the ``tlcourse`` command."""

from tlschool.cli.main import main

if __name__ == "__main__":  # a process that a sweep spawns imports this file too
    raise SystemExit(main())
