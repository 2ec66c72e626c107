"""The type of every array of numbers in viz: torch is not known here."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
