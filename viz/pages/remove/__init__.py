"""The page Remove a part."""
