"""The list of all pages, and what stands around each: the topmost room."""
