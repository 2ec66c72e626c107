"""What a server's process takes, read from /proc: its memory and its open files. Linux only."""

from pathlib import Path

STATUS = Path("/proc")


def server_of(address: str) -> Path | None:
    """The folder in /proc of the process that listens there; None where there is no /proc."""
    port = address.rpartition(":")[2]
    for process in STATUS.glob("[0-9]*") if STATUS.exists() else ():
        try:
            line = (process / "cmdline").read_bytes().decode().split("\0")
        except (OSError, UnicodeDecodeError):
            continue
        if "--server.port" in line and line[line.index("--server.port") + 1] == port:
            return process
    return None


def memory(process: Path, kind: str = "RssAnon") -> int:
    """Bytes of the process that lie in memory. kind: "RssAnon", its own; "VmRSS", with the files that it has mapped."""
    fields = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines() if ":" in line)
    return int(fields[kind].split()[0]) * 1024


def open_files(process: Path) -> int:
    """How many files, sockets and pipes it has open."""
    return len(list((process / "fd").iterdir()))
