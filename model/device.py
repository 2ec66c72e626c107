"""Where the arithmetic runs: CUDA, then Apple's MPS, then the CPU."""

import os

import torch

VARIABLE = "ATTENTION_LAB_DEVICE"


def choose_device() -> torch.device:
    """The best device present, or the one named in the environment variable ATTENTION_LAB_DEVICE.

    Raises:
        ValueError: the variable names a device that this machine does not have.
    """
    asked = os.environ.get(VARIABLE)
    if asked:
        try:
            return torch.empty(0, device=asked).device
        except (RuntimeError, AssertionError) as error:
            raise ValueError(f'{VARIABLE} asks for "{asked}", which this machine does not have: {error}') from error
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def describe(device: torch.device) -> str:
    """The device in words a person can read."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper()
