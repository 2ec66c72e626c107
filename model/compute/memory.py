"""The memory of a computation: the bytes of all tensors that exist at the same moment, and how much is free."""

import os
import weakref
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class PeakMemory(TorchDispatchMode):
    """Within this context, `peak` is the largest sum of bytes of the tensors that PyTorch's operators returned.

    It counts each storage once, until nothing refers to it. Tensors that existed before do not count, and neither do
    the buffers within an operator: fused attention keeps tiles there. The context belongs to its thread.
    """

    def __init__(self) -> None:
        super().__init__()
        self.current = 0
        self.peak = 0
        self._bytes: dict[int, int] = {}  # of each storage that is alive; 0 for those that existed before

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operator and count what it returns."""
        kwargs = kwargs or {}
        for tensor in tree_leaves((args, kwargs)):
            self._add(tensor, count=False)
        out = func(*args, **kwargs)
        for tensor in tree_leaves(out):
            self._add(tensor, count=True)
        return out

    def _add(self, tensor: Any, count: bool) -> None:
        if not isinstance(tensor, Tensor):
            return
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key not in self._bytes:
            self._bytes[key] = storage.nbytes() if count else 0
            self.current += self._bytes[key]
            self.peak = max(self.peak, self.current)
            weakref.finalize(storage, self._remove, key)

    def _remove(self, key: int) -> None:
        self.current -= self._bytes.pop(key, 0)


def free_bytes(device: torch.device | None = None) -> int:
    """The memory that can still be used: of the graphics card, or of this machine and of its container."""
    if device is not None and device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    free = [_available(), _container()]
    return min(number for number in free if number is not None)


def _available() -> int:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2  # not Linux: half of what is built in
    return 1 << 30


def _container() -> int | None:
    group = Path("/sys/fs/cgroup")
    try:
        limit = (group / "memory.max").read_text(encoding="ascii").strip()
        return None if limit == "max" else int(limit) - int((group / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
