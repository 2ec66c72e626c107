"""The page Why attention."""
