"""Ways to a page and its state: old links, names added to links, and from a part of the model to its page."""
