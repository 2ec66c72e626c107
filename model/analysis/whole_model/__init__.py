"""A whole Transformer on one text: its parts in order, what flows between tokens, what hidden units write."""
