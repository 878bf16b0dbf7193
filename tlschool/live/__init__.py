"""Lessons typed live: notebooks, slides, catching up, a day's schedule."""
