"""Lessons: their files, how one is read, how an answer is graded."""
