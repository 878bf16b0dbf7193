"""The ``tlcourse`` command."""
