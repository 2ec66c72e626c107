"""The training of the models of the lab. `python -m model.train` starts it."""
