"""Numbers in, one Markdown sentence out."""
