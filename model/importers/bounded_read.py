"""Reading files safely: only ordinary files, and not more bytes than the size that was checked."""

import os
import stat
from pathlib import Path

from model.checkpoint import CheckpointError

# Folders in which the size of a file is not that of its content: devices and generated files.
NOT_ON_A_DISK = ("/dev", "/proc", "/sys", "/run")


def read_bytes(path: Path, most: int) -> bytes:
    """The content of a file.

    Raises:
        CheckpointError: it is not an ordinary file, is too large, cannot be read, or has another size than stated.
    """
    try:
        refuse_devices(path)
        # Without O_NONBLOCK, opening a FIFO would wait for a writer.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise CheckpointError(f"{path.name} is not an ordinary file.")
            if status.st_size > most:
                raise CheckpointError(f"{path.name} has {status.st_size:,} bytes; {most:,} are allowed.")
            data = file.read(status.st_size + 1)
    except (OSError, RuntimeError) as error:  # RuntimeError: circular links, before Python 3.13
        reason = getattr(error, "strerror", None) or "its links lead in a circle"
        raise CheckpointError(f"{path.name} cannot be read: {reason}.") from error
    if len(data) != status.st_size:
        raise CheckpointError(f"{path.name} has another size than it says; it is not an ordinary file.")
    return data


def refuse_devices(path: Path) -> None:
    """Refuse a link to a device, or to a file that the kernel generates.

    Raises:
        CheckpointError: it is one.
        OSError, RuntimeError: there is no such file.
    """
    real = path.resolve(strict=True)
    if any(real.is_relative_to(place) for place in NOT_ON_A_DISK):
        raise CheckpointError(f"{path.name} leads to {real.parts[1]}, where the system keeps no ordinary files.")
