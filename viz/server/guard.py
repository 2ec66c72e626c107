"""The middleware before everything else: it refuses what is not for this server, and puts headers on every answer.

It sees websockets, too, and stands before Streamlit's own check of origins, which would ask another machine for this
one's address (`checkip.amazonaws.com`) and hold up everybody meanwhile.
"""

from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from viz.server.headers import security_headers
from viz.server.hosts import SETTING, Hosts, same_origin
from viz.server.imports import imports
from viz.server.replica import NOT_READY, readiness
from viz.server.uploads import Uploads

# Not for visitors: what the server counts of itself, and Streamlit's interface for programs.
HIDDEN = ("/_stcore/metrics", "/_stcore/agent", "/st-metrics")
REFUSED = 1008  # a websocket's code for a message against the rules (RFC 6455, 7.4.1)
TOO_LONG = "This address is too long for the lab. Shorten the text in it."
LONGEST_ADDRESS = 32_000  # bytes of path and query


class Refused(Exception):
    """A request that is not answered: `status`, and one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Guard:
    """ASGI middleware. `hosts` are those that the lab was started for."""

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        self.app, self.hosts, self.uploads = app, hosts, Uploads()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request in a sentence, or pass it on."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        allowed = self.hosts.allow(headers.get("host"), _arrived_at(scope))
        add = _adding(scope, str(headers.get("host")) if allowed else "", send)
        try:
            self._check(scope, headers)
            size = self._size(scope, headers)
        except Refused as refusal:
            if scope["type"] == "websocket" and refusal.status != 503:
                await receive()
                await send({"type": "websocket.close", "code": REFUSED, "reason": str(refusal)})
            else:  # a proxy that gets this answer to a handshake tries another replica
                await PlainTextResponse(str(refusal), refusal.status)(scope, receive, add)
            return
        if scope["type"] == "websocket":  # over which pages are run
            await imports.done()
        with self.uploads.coming(scope["path"], size):
            await self.app(scope, receive, add)

    def _check(self, scope: Scope, headers: Headers) -> None:
        if not readiness.is_ready:
            raise Refused(503, NOT_READY)
        host = headers.get("host")
        if not self.hosts.allow(host, _arrived_at(scope)):
            raise Refused(
                403,
                "The lab was not started for this address. The person who started it can allow the name with "
                f"{SETTING}.",
            )
        safe = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        if not safe and not same_origin(headers.get("origin"), host):
            raise Refused(403, "This request comes from a page of another site. The lab answers its own pages only.")
        if any(hidden in scope["path"] for hidden in HIDDEN):
            raise Refused(404, "There is no page at this address.")
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > LONGEST_ADDRESS:
            raise Refused(414, TOO_LONG)

    def _size(self, scope: Scope, headers: Headers) -> int:
        """The bytes that the request announces; a request may not leave them open."""
        announced = headers.get("content-length")
        if announced is None:
            if "transfer-encoding" in headers:
                raise Refused(411, "The size of an upload must be given before it is sent.")
            return 0
        if not announced.isdecimal() or len(announced) > 12:
            raise Refused(400, "The size of this request is not a number.")
        if (size := int(announced)) and size > self.uploads.most(scope["path"]):
            raise Refused(
                413,
                "There is no room for this file. Remove the files that you uploaded before, or make this one smaller.",
            )
        return size


def _arrived_at(scope: Scope) -> str:
    """The address of this machine at which the connection arrived."""
    return str((scope.get("server") or ("",))[0])


def _adding(scope: Scope, host: str, send: Send) -> Send:
    """`send`, with the headers of the lab on every answer."""
    query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))

    async def answer(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            headers = MutableHeaders(scope=message)
            for name, value in security_headers(scope["path"], query, host).items():
                headers[name] = value
        await send(message)

    return answer
