"""How the lab computes: the device, the cost of a pass before it is run, and the progress of long work."""
