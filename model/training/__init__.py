"""How the models of the lab were trained. `python -m model.train` starts it."""
