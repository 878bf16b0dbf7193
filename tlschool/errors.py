"""The one error that the command says in a sentence instead of a traceback."""


class CourseError(Exception):
    """Something that its reader can put right; the message says what is wrong and what to do."""
