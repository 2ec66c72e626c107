"""The device, the estimated cost of a pass, and the progress of long computations."""
