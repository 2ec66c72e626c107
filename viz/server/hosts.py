"""Which names and addresses this server answers to.

A foreign page can make a visitor's browser send requests here. Two headers show that: `Host`, the name by which the
browser reached this server (a foreign name means DNS rebinding), and `Origin`, the page that asks. A request is
answered when its host is one that the lab was started for and its origin is that same host.
"""

import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

SETTING = "ATTENTION_LAB_HOSTS"  # further names, separated by commas: those of a proxy in front, for example
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
EVERY_ADDRESS = frozenset({"", "0.0.0.0", "::"})
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Hosts:
    """The hosts that the lab was started for.

    names: in lower case, without ports; open: the server listens on every address of the machine, so the address at
    which a connection arrived is one of its own, too.
    """

    names: frozenset[str]
    open: bool = False

    def allow(self, host: str | None, arrived_at: str = "") -> bool:
        """Whether a request with this `Host` header is for this server. arrived_at: the connection's address here."""
        name = split_host(host)[0]
        return bool(name) and (name in self.names or (self.open and name == arrived_at.partition("%")[0].lower()))


def started_for(address: str, further: Iterable[str] = ()) -> Hosts:
    """The hosts of a server that listens at `address`, with the names of the setting and `further` ones."""
    opened = address in EVERY_ADDRESS
    named = {*further, *os.environ.get(SETTING, "").split(",")}
    if opened:
        machine = socket.gethostname()
        named |= {machine, f"{machine}.local", room_address()}
    else:
        named.add(address)
    return Hosts(LOOPBACK | {name.strip().lower().strip("[].") for name in named} - {""}, opened)


def same_origin(origin: str | None, host: str | None) -> bool:
    """Whether the page that asks was served by this very host and port. Programs that are no browser send no origin."""
    if origin is None:
        return True
    try:
        parts = urlsplit(origin)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return False
    name, port_asked = split_host(host)
    # Without a port in `Host` the browser used the default one of its scheme; a proxy may have ended TLS on the way.
    return (
        parts.scheme in DEFAULT_PORTS
        and bool(name)
        and (parts.hostname or "") == name
        and (port == port_asked if port_asked is not None else port in DEFAULT_PORTS.values())
    )


def split_host(host: str | None) -> tuple[str, int | None]:
    """Name and port of a `Host` header, in lower case; ("", None) where it is not one."""
    try:
        parts = urlsplit(f"//{host or ''}")
        port = parts.port
    except ValueError:
        return "", None
    if parts.username is not None or parts.path or parts.query or parts.fragment or not parts.hostname:
        return "", None
    return parts.hostname.rstrip("."), port


def for_others(link: str, address: str) -> str:
    """A link as other machines can open it: one to localhost becomes one to this machine, if the server answers there.

    address: where the server listens.
    """
    parts = urlsplit(link)
    if address not in EVERY_ADDRESS or parts.hostname not in LOOPBACK:
        return link
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit(parts._replace(netloc=f"{room_address()}{port}"))


def room_address() -> str:
    """This machine's address in its own network. Nothing is sent: connecting a datagram socket only chooses a route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation (RFC 5737), which belongs to no machine
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
