"""How much memory shared results may take: as the setting says, or a share of the memory of this machine."""

import os
from pathlib import Path

VARIABLE = "ATTENTION_LAB_CACHE_MB"
MEGABYTE = 10**6
SHARE = 5  # of this machine's memory, one part in so many: 400 MB of 2 GB, beside torch and the pages themselves
MIN_MEGABYTES, MAX_MEGABYTES = 64, 2000  # megabytes, where nothing is set


def limit(setting: str | None = None) -> int:
    """The bound in bytes: of the environment, or a share of this machine's memory. setting: a value, for tests.

    Raises:
        ValueError: the setting is no number of megabytes.
    """
    setting = os.environ.get(VARIABLE, "") if setting is None else setting
    if not setting.strip():
        return min(max(_machine() // SHARE, MIN_MEGABYTES * MEGABYTE), MAX_MEGABYTES * MEGABYTE)
    try:
        size = float(setting)
    except ValueError:
        size = -1.0
    if not 1 <= size < 10**7:  # NaN is not in there either
        raise ValueError(f"{VARIABLE} is “{setting[:40]}”; it is a number of megabytes from 1 up, 400 for example.")
    return int(size * MEGABYTE)


def _machine() -> int:
    """Bytes of memory that this process may use: of the machine, or of the container it runs in."""
    try:
        whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 2000 * MEGABYTE
    for name in ("memory.max", "memory/memory.limit_in_bytes"):  # control groups, version 2 and 1
        try:
            bound = (Path("/sys/fs/cgroup") / name).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        if bound.isdecimal():
            whole = min(whole, int(bound))
    return whole


def check() -> None:
    """End the process with one sentence where the setting means nothing.

    Raises:
        SystemExit: it does.
    """
    try:
        limit()
    except ValueError as error:
        raise SystemExit(str(error)) from None
