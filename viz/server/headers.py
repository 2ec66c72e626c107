"""The headers of every answer: what a page of the lab may load, who may frame it, what others learn of it."""

import re
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path

import streamlit

from viz.server.first_paint import script_sources

FRAMED = "figure"  # the parameter of a link whose page may be embedded in a slide or a course page
NEVER_FRAMED = "/your-model"  # a page with buttons that load files of this machine


def security_headers(path: str, query: Mapping[str, str], host: str) -> dict[str, str]:
    """The headers for an answer at this path. host: the checked `Host` header; older browsers want sockets named."""
    framed = bool(query.get(FRAMED)) and not path.rstrip("/").endswith(NEVER_FRAMED)
    return {
        "content-security-policy": policy(host, framed=framed),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
        **({} if framed else {"x-frame-options": "SAMEORIGIN"}),
    }


def policy(host: str, *, framed: bool) -> str:
    """A content security policy (W3C CSP 3) that allows nothing from another machine.

    Styles may be inline: React and Plotly set them so. Scripts may not, but for those that Streamlit's own page holds,
    which are named by their hash. framed: any page may hold this one. Nothing is said of its ancestors then: "*" would
    leave out the slides that a lecturer opens as a file.
    """
    sockets = f" ws://{host} wss://{host}" if host else ""
    rules = {
        "default-src": "'self'",
        "script-src": " ".join(("'self'", *inline_scripts(), *script_sources())),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": f"'self'{sockets} data: blob:",
        "worker-src": "'self' blob:",
        "frame-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        **({} if framed else {"frame-ancestors": "'self'"}),
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


@cache
def inline_scripts() -> tuple[str, ...]:
    """The hashes of the scripts that stand in Streamlit's own page."""
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    return tuple(f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts)
