"""A model without numbers: the shapes of its tensors, no memory for them, and no time to fill them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn import init
from torch.overrides import TorchFunctionMode


class _SkipInitialisation(TorchFunctionMode):
    """Leaves a tensor as it is where PyTorch would initialise it.

    To fill a tensor without data, PyTorch imports its compiler: two seconds and 800 modules.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Return the tensor of an initialisation; call every other function."""
        given = kwargs or {}
        if getattr(func, "__module__", None) == init.__name__:
            return args[0] if args else given["tensor"]
        return func(*args, **given)


@contextmanager
def shapes_only() -> Iterator[None]:
    """Within this context a model is built on PyTorch's device "meta": its tensors have shapes and no data."""
    with torch.device("meta"), _SkipInitialisation():
        yield
