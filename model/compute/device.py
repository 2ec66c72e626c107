"""The device of all computations: CUDA, then Apple's MPS, then the CPU."""

import ctypes
import os
import sys

import torch

VARIABLE = "ATTENTION_LAB_DEVICE"


def choose_device() -> torch.device:
    """The best available device, or the one named in the environment variable ATTENTION_LAB_DEVICE.

    Raises:
        ValueError: the variable names a device that this machine does not have.
    """
    requested = os.environ.get(VARIABLE)
    if requested:
        try:
            device = torch.device(requested)
            torch.zeros(1, device=device).item()  # this checks that the device exists and can compute
            return device
        except (RuntimeError, AssertionError) as error:
            reason = str(error).partition("\n")[0]
            raise ValueError(
                f'{VARIABLE} asks for "{requested}", which this machine does not have: {reason}'
            ) from error
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def describe(device: torch.device) -> str:
    """The name of the device for people."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper()


def one_thread() -> None:
    """Use one thread for each forward pass. If visitors share the cores, more threads would wait for each other."""
    torch.set_num_threads(1)


def keep_freed_memory(megabytes: int = 256) -> None:
    """Let this process reuse freed memory, on Linux with glibc. On other systems this does nothing.

    A trace is many arrays of a few megabytes. By default glibc returns each to the system when it is freed, and the
    system clears the pages of the next one. At 256 tokens that takes as long as the arithmetic.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "gnu_get_libc_version"):
        trim_threshold, mmap_threshold = -1, -3  # their numbers in malloc.h
        libc.mallopt(trim_threshold, megabytes << 20)
        libc.mallopt(mmap_threshold, 32 << 20)  # glibc's largest
