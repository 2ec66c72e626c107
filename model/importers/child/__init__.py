"""A child process that reads folders of visitors, with limits of memory and time.

Read `parent`, then `main`, then `requests`.
"""
