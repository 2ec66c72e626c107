"""The page Lessons, and the step of a lesson on any page."""
