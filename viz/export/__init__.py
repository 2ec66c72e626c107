"""Files out and files in: tables, arrays, standalone pages, notebooks."""
