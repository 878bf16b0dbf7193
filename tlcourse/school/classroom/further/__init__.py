"""What a graded submission is checked for beyond the lesson's ladder, one module a lesson.

A module may hold three tables by exercise id, and a lesson needs none. ``PROPERTIES``: further
steps, each made so that a plausible answer that passes the visible check fails it. ``WORDS`` and
``CHECKS``: the text and the ladder of an exercise that has other numbers in each variant.
"""
