"""How often something may be done: so many times at once, and so many times a second in the long run."""

import time
from collections import OrderedDict
from collections.abc import Callable

MOST_NAMES = 4096  # names that are remembered; the one that was used least recently is forgotten first


class RateLimit:
    """A bucket of tokens for each name (RFC 2697 describes the same idea for packets)."""

    def __init__(self, at_once: float, each_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.at_once, self.each_second, self._clock = at_once, each_second, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # name → tokens left, and when

    def left(self, name: str) -> float:
        """How many times the name may do it now."""
        tokens, since = self._left.get(name, (self.at_once, 0.0))
        return min(self.at_once, tokens + (self._clock() - since) * self.each_second)

    def spend(self, name: str) -> bool:
        """Do it once. False: not now, it was done too often."""
        tokens = self.left(name)
        if tokens < 1:
            return False
        self._left[name] = (tokens - 1, self._clock())
        self._left.move_to_end(name)
        if len(self._left) > MOST_NAMES:
            self._left.popitem(last=False)
        return True
