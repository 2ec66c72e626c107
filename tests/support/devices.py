"""Where the tests compute: one thread, and every device of this machine."""

import os

import torch

DEVICES = ["cpu"]
if torch.cuda.is_available():
    DEVICES.append("cuda")
if torch.backends.mps.is_available():
    DEVICES.append("mps")


def prepare() -> None:
    """Set up PyTorch in a process that runs tests."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))  # more only where somebody asks for it
    if os.environ.get("ATTENTION_LAB_ONEDNN") == "off":  # another set of kernels, which rounds otherwise
        torch.backends.mkldnn.set_flags(False)
