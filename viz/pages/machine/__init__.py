"""The page Whole model."""
