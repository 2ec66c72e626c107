"""The place for heavy work that the environment variable ATTENTION_LAB_RAY names.

"auto" is the cluster that this machine belongs to, "local" one that is started on this machine and ends with the lab;
anything else is the address of a cluster. Without the variable, Ray is not even imported.
"""

import os
from functools import cache

from model.cluster.place import Place, ThisProcess
from model.cluster.ray_place import RayPlace

VARIABLE = "ATTENTION_LAB_RAY"


@cache
def place() -> Place:
    """The one place of this process for forward passes and trainings."""
    address = os.environ.get(VARIABLE, "")
    return RayPlace(address) if address else ThisProcess()
