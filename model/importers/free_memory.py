"""Return memory to the system after a model is removed."""

import ctypes
import gc
import sys

from model.run import get_model


def free() -> None:
    """Drop the models that `run` keeps, collect garbage, and return free memory to the system."""
    get_model.cache_clear()
    gc.collect()
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)
