"""A lesson's exercises as assignments: released with nbgrader, graded safely, reported.

What a released notebook calls is handed on from here.
"""

from tlschool.classroom.checks import hidden, visible

__all__ = ["hidden", "visible"]
