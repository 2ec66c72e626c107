"""Where heavy work is done: in this process, or on the workers of a Ray cluster.

`place.py`: the interface, and this process; `ray_place.py`: the same on a cluster. It starts `driver.py` as a child
process, because Ray ends the process that is connected to a cluster when the cluster is gone. `workers.py` runs on the
workers. `packing.py`: what travels, as plain data and tensors. `seeds.py`: many recipes and seeds, kept and resumed;
`progress_view.py` shows them.
"""
