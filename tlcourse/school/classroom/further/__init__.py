"""What a graded submission is checked for beyond the lesson's ladder, one module a lesson.

A module may hold tables by exercise id, and a lesson needs none. ``PROPERTIES``: further steps,
each made so that a plausible answer that passes the visible check fails it. ``WORDS`` and
``CHECKS``: the text and the ladder of an exercise that has other numbers in each variant, or that
speaks of what stands in the lesson alone. ``SHOWN``: exercises before which the assignment shows
what the lesson did, as it does before every prediction. ``RECORDED``, by the name of a variable of
the lesson: the statement that takes it from a record, where measuring it takes too long.
"""
