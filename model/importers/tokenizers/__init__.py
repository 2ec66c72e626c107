"""The tokenizer of a foreign model, read from its files.

Read `load` first. `bounds`, `patterns` and `probes` limit what a tokenizer may cost.
"""
