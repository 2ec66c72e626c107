"""The tokenizer of an external model, read from its files.

Read `load` first. `bounds`, `patterns` and `probes` limit the memory and time of a tokenizer.
"""
