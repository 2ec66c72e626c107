"""Analyses of traces and models. Each file contains one concept with its equation."""
