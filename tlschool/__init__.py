"""The platform behind the course, for whoever writes, presents, grades or runs lessons."""
