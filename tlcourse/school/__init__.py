"""The school: lessons, checks and the ``tlcourse`` command, which stand on the science modules."""
