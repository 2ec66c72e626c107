"""HAProxy in front of the replicas of this machine, from the same file as in containers."""

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

TEMPLATE = Path(__file__).parent / "haproxy.cfg"
BIND = "ATTENTION_LAB_BIND"  # in the file: where visitors arrive
SERVICE = "ATTENTION_LAB_SERVICE"  # in the file: the name under which the DNS lists the replicas
MOST_IN_CONTAINERS = 16  # places for replicas in the file
MISSING = "Several replicas need HAProxy, which this machine does not have. Install it: apt install haproxy."


def executable() -> str:
    """Where this machine keeps HAProxy.

    Raises:
        SystemExit: it has none.
    """
    program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        raise SystemExit(MISSING)
    return program


def configuration(ports: Sequence[int]) -> str:
    """The file for replicas that listen at these ports of the loopback interface."""
    servers = "\n".join(f"    server replica{i} 127.0.0.1:{port}" for i, port in enumerate(ports, start=1))
    text = TEMPLATE.read_text(encoding="utf-8")
    text, count = re.subn(r"^    server-template .*$", servers, text, flags=re.MULTILINE)
    if count != 1:
        raise ValueError(f"{TEMPLATE} must hold one line `server-template`, and holds {count}.")
    return text


def environment(address: str, port: int) -> Mapping[str, str]:
    """What the file takes from the environment. address: where visitors arrive; "" for every address."""
    return {BIND: f"[{address}]:{port}" if ":" in address else f"{address or '*'}:{port}"}
