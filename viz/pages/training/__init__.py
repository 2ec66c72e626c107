"""The page Training: two models that learn side by side."""
